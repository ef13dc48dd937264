// Package migrations holds the shape of the database as SQL files, embedded, and
// the code that applies them. The SQL stays within what SQLite and PostgreSQL
// both understand, so that a class may later share one database.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// Files are the migrations, oldest first by name.
//
//go:embed *.sql
var Files embed.FS

// ErrNewer is returned when the database was written by a newer Kubestage.
var ErrNewer = errors.New("the database was written by a newer version of Kubestage")

// Apply brings a SQLite database to the shape this version needs. It changes
// nothing and returns ErrNewer when the database is ahead of it.
func Apply(ctx context.Context, db *sql.DB) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, Files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	sources := p.ListSources()
	known := sources[len(sources)-1].Version
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	if has > known {
		return fmt.Errorf("%w (its version is %d, this program knows %d)", ErrNewer, has, known)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the database from version %d to %d: %w", has, known, err)
	}
	return nil
}
