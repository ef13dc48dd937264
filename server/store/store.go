// Package store keeps what a learner has done (the place in a chapter, the facts
// of the newest run, predictions, passed checkpoints), what a learner has
// written and given (bookmarks, remarks, notes), and recordings, in a SQLite
// file or in PostgreSQL. It knows SQL and nothing else: the book decides
// what the words mean, and what a recording is. Every statement is the same for
// both databases; the tests run on both.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/kubestage/kubestage/migrations"
)

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	// Now gives the time that is written down; Open sets it to time.Now.
	Now func() time.Time

	// Limits of recordings; Open sets them to DefaultLimits.
	Limits Limits

	db      *sql.DB
	explain func(error) error // adds what a person can do; the database's own words stay in the error
}

// Open opens a database and brings it to the shape this version needs. where is
// the path of a SQLite file, which is made when it is not there, or a URL that
// begins with postgres://. It never deletes or replaces anything: a database
// that is damaged, newer or out of reach is an error that says what to do.
func Open(where string) (*Store, error) {
	if IsURL(where) {
		return openPostgres(where)
	}
	return openSQLite(where)
}

func newStore(db *sql.DB, explain func(error) error) *Store {
	return &Store{Now: time.Now, Limits: DefaultLimits, db: db, explain: explain}
}

func (s *Store) prepare(ctx context.Context, dialect migrations.Dialect) error {
	return migrations.Apply(ctx, dialect, s.db)
}

// Close writes what is pending and closes the database.
func (s *Store) Close() error { return s.db.Close() }

// change runs statements in one transaction.
func (s *Store) change(ctx context.Context, doing string, statements func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, s.explain(err))
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := statements(tx); err != nil {
		return fmt.Errorf("%s: %w", doing, s.explain(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", doing, s.explain(err))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
