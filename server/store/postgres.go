package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/kubestage/kubestage/migrations"
)

// IsURL reports whether a database is named by a URL, not by a path.
func IsURL(where string) bool { return strings.Contains(where, "://") }

// patience is how long a database server may take to answer at the start.
const patience = 10 * time.Second

func openPostgres(where string) (*Store, error) {
	shown := "the database"
	if u, err := url.Parse(where); err == nil {
		if u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return nil, fmt.Errorf("--database %s: databases are SQLite (leave the flag out) or PostgreSQL: postgres://USER:PASSWORD@HOST/NAME", u.Redacted())
		}
		shown = u.Redacted()
	}
	config, err := pgx.ParseConfig(where)
	if err != nil { // pgx hides the password in its message
		return nil, fmt.Errorf("--database: %w; write postgres://USER:PASSWORD@HOST/NAME", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = patience
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(8) // a class shares one server
	db.SetConnMaxIdleTime(5 * time.Minute)
	s := newStore(db, explainPostgres)
	if err := s.prepare(context.Background(), migrations.PostgreSQL); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", shown, explainPostgres(err))
	}
	return s, nil
}

func explainPostgres(err error) error {
	var refused *pgconn.ConnectError
	var told *pgconn.PgError
	switch {
	case errors.Is(err, ErrFull), errors.Is(err, ErrNoRecording), errors.Is(err, ErrTooMuch), errors.Is(err, sql.ErrNoRows):
		return err
	case errors.Is(err, migrations.ErrNewer):
		return fmt.Errorf("%w; update Kubestage, or choose another database with --database. Nothing was changed", err)
	case errors.As(err, &told) && told.Code == "3D000": // invalid_catalog_name
		return fmt.Errorf("%w; make it first: createdb NAME", err)
	case errors.As(err, &told) && strings.HasPrefix(told.Code, "28"): // invalid authorization
		return fmt.Errorf("%w; check the user and the password in --database", err)
	case errors.As(err, &told) && told.Code == "42501": // insufficient_privilege
		return fmt.Errorf("%w; the user of --database must be allowed to create tables", err)
	case errors.As(err, &told) && strings.HasPrefix(told.Code, "53"): // insufficient resources
		return fmt.Errorf("%w; the database server has too little of something", err)
	case errors.As(err, &refused):
		return fmt.Errorf("%w; see whether the server of --database runs and can be reached", err)
	}
	return err
}
