// Package migrations holds the shape of the database as SQL files, embedded, and
// the code that applies them. The SQL stays within what SQLite and PostgreSQL
// both understand, so that there is one shape, and a class may share one
// database.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Files are the migrations, oldest first by name.
//
//go:embed *.sql
var Files embed.FS

// Dialect is a kind of database.
type Dialect = goose.Dialect

// The kinds of databases there are.
const (
	SQLite     = goose.DialectSQLite3
	PostgreSQL = goose.DialectPostgres
)

// ErrNewer is returned when the database was written by a newer Kubestage.
var ErrNewer = errors.New("the database was written by a newer version of Kubestage")

// Apply brings a database to the shape this version needs. It changes nothing
// and returns ErrNewer when the database is ahead of it.
func Apply(ctx context.Context, dialect Dialect, db *sql.DB) error {
	var options []goose.ProviderOption
	if dialect == PostgreSQL { // which many computers may open at once; a SQLite file locks itself
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60)) // asks every second for a minute
		if err != nil {
			return fmt.Errorf("read the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, Files, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	sources := p.ListSources()
	known := sources[len(sources)-1].Version
	for {
		has, err := p.GetDBVersion(ctx)
		if err != nil {
			return fmt.Errorf("read the database's version: %w", err)
		}
		if has > known {
			return fmt.Errorf("%w (its version is %d, this program knows %d)", ErrNewer, has, known)
		}
		if has == known {
			return nil
		}
		if _, err := p.Up(ctx); err != nil {
			// Another program may have done at the same time what this one tried.
			if now, again := p.GetDBVersion(ctx); again == nil && now > has {
				continue
			}
			return fmt.Errorf("bring the database from version %d to %d: %w", has, known, err)
		}
	}
}
