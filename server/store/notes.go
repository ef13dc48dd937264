package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Given is a note a learner gave through the page, without its bytes.
type Given struct {
	Name string
	Size int
}

// Limits of the notes of one learner.
const (
	MostGiven  = 2000
	GivenBytes = 64 << 20 // of all together
)

// ErrNoNote is returned when a learner has no note of that name.
var ErrNoNote = errors.New("there is no such note")

// GiveNote keeps a learner's note as it is, in the place of one of the same name.
func (s *Store) GiveNote(ctx context.Context, learner, name string, file []byte) error {
	if file == nil {
		file = []byte{} // an empty file, which is not the database's NULL
	}
	return s.write(ctx, learner, "keep a note", func(tx *sql.Tx, now string) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO note (learner_id, name, size, file, given_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (learner_id, name) DO UPDATE SET size = excluded.size, file = excluded.file, given_at = excluded.given_at`,
			learner, name, int64(len(file)), file, now); err != nil {
			return err
		}
		var count, size int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM note WHERE learner_id = $1`, learner).Scan(&count, &size); err != nil {
			return err
		}
		if count > MostGiven || size > GivenBytes {
			return fmt.Errorf("%w: %d notes with %d MiB are the most", ErrTooMuch, MostGiven, GivenBytes>>20)
		}
		return nil
	})
}

// Notes lists what a learner gave, by name.
func (s *Store) Notes(ctx context.Context, learner string) ([]Given, error) {
	var list []Given
	err := eachRow(ctx, s.db, `SELECT name, size FROM note WHERE learner_id = $1 ORDER BY name`, []any{learner}, func(scan func(...any) error) error {
		var g Given
		err := scan(&g.Name, &g.Size)
		list = append(list, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the notes of a learner: %w", s.explain(err))
	}
	return list, nil
}

// Note returns a note's bytes, or ErrNoNote.
func (s *Store) Note(ctx context.Context, learner, name string) ([]byte, error) {
	var file []byte
	err := s.db.QueryRowContext(ctx, `SELECT file FROM note WHERE learner_id = $1 AND name = $2`, learner, name).Scan(&file)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoNote
	}
	if err != nil {
		return nil, fmt.Errorf("read a note: %w", s.explain(err))
	}
	return file, nil
}

// DropNotes deletes one note of a learner, or all when name is empty, and
// returns how many there were.
func (s *Store) DropNotes(ctx context.Context, learner, name string) (int, error) {
	var n int64
	err := s.write(ctx, learner, "delete notes", func(tx *sql.Tx, _ string) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM note WHERE learner_id = $1 AND (name = $2 OR $2 = '')`, learner, name)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return int(n), err
}
