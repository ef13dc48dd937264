package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kept is a recording in the database, without its file.
type Kept struct {
	ID    string          // nobody can guess it, but everybody may list it
	At    time.Time       // when it was kept
	About json.RawMessage // the file's header
	Size  int             // of the file, in bytes
}

// Limits bound what recordings take.
type Limits struct {
	File  int // bytes of one
	Count int // how many
	Total int // bytes of all
}

// DefaultLimits are generous for lessons and small for a disk.
var DefaultLimits = Limits{File: 64 << 20, Count: 200, Total: 512 << 20}

var (
	// ErrFull is returned when a recording does not fit into the limits.
	ErrFull = errors.New("no room for this recording")

	// ErrNoRecording is returned when there is none with that ID.
	ErrNoRecording = errors.New("there is no such recording")
)

// Keep stores a recording.
func (s *Store) Keep(ctx context.Context, about json.RawMessage, file []byte) (Kept, error) {
	k := Kept{ID: rand.Text()[:16], At: s.Now().UTC(), About: about, Size: len(file)}
	if len(file) > s.Limits.File {
		return Kept{}, fmt.Errorf("keep a recording: %w: it has %d MiB, and %d are the most", ErrFull, len(file)>>20, s.Limits.File>>20)
	}
	err := s.change(ctx, "keep a recording", func(tx *sql.Tx) error {
		var count, total int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM recording`).Scan(&count, &total); err != nil {
			return err
		}
		if count >= int64(s.Limits.Count) || total+int64(len(file)) > int64(s.Limits.Total) {
			return fmt.Errorf("%w: there are %d already, with %d MiB; %d with %d MiB are the most", ErrFull, count, total>>20, s.Limits.Count, s.Limits.Total>>20)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO recording (id, kept_at, about, size, file) VALUES ($1, $2, $3, $4, $5)`,
			k.ID, stamp(k.At), string(about), int64(len(file)), file)
		return err
	})
	return k, err
}

// Recordings lists what is kept, the oldest first.
func (s *Store) Recordings(ctx context.Context) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, kept_at, about, size FROM recording ORDER BY kept_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list the recordings: %w", s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	list := []Kept{}
	for rows.Next() {
		k, err := scanKept(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list the recordings: %w", s.explain(err))
		}
		list = append(list, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the recordings: %w", s.explain(err))
	}
	return list, nil
}

// Recording returns one with its file, or ErrNoRecording.
func (s *Store) Recording(ctx context.Context, id string) (Kept, []byte, error) {
	var file []byte
	row := s.db.QueryRowContext(ctx, `SELECT id, kept_at, about, size, file FROM recording WHERE id = $1`, id)
	k, err := scanKept(func(to ...any) error { return row.Scan(append(to, &file)...) })
	if errors.Is(err, sql.ErrNoRows) {
		return Kept{}, nil, ErrNoRecording
	}
	if err != nil {
		return Kept{}, nil, fmt.Errorf("read a recording: %w", s.explain(err))
	}
	return k, file, nil
}

// Forget deletes a recording, or returns ErrNoRecording.
func (s *Store) Forget(ctx context.Context, id string) error {
	return s.change(ctx, "delete a recording", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM recording WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNoRecording
	})
}

func scanKept(scan func(...any) error) (Kept, error) {
	var k Kept
	var at, about string
	var size int64
	if err := scan(&k.ID, &at, &about, &size); err != nil {
		return k, err
	}
	var err error
	k.About, k.Size = json.RawMessage(about), int(size)
	k.At, err = time.Parse(time.RFC3339Nano, at)
	return k, err
}
