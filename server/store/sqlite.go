package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/kubestage/kubestage/migrations"
)

func openSQLite(path string) (*Store, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("open the learning record: %s is a folder, not a database file; choose another --data-dir", path)
	}
	if err := writable(path); err != nil {
		return nil, fmt.Errorf("open the learning record %s: %w; choose another --data-dir or make this one writable", path, err)
	}
	// busy_timeout has to come first: the pragmas after it may already meet a
	// lock. Writes take the lock when they begin, so that two never deadlock.
	query := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the learning record %s: %w", path, err)
	}
	s := newStore(db, explainSQLite)
	err = quickCheck(context.Background(), db)
	if err == nil {
		err = s.prepare(context.Background(), migrations.SQLite)
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open the learning record %s: %w", path, explainSQLite(err))
	}
	return s, nil
}

func quickCheck(ctx context.Context, db *sql.DB) error {
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	return nil
}

var errDamaged = errors.New("the file is damaged or is not a database")

func explainSQLite(err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, ErrFull), errors.Is(err, ErrNoRecording), errors.Is(err, ErrTooMuch):
		return err
	case errors.Is(err, migrations.ErrNewer):
		return fmt.Errorf("%w; update Kubestage, or choose another --data-dir. Nothing was changed", err)
	case errors.Is(err, errDamaged), strings.Contains(text, "not a database"), strings.Contains(text, "malformed"):
		return fmt.Errorf("%w; the file was left as it is. Move it away to begin a new record, or restore a copy", err)
	case strings.Contains(text, "locked"), strings.Contains(text, "busy"):
		return fmt.Errorf("%w; another program is using it", err)
	case strings.Contains(text, "readonly"), strings.Contains(text, "unable to open"):
		return fmt.Errorf("%w; choose another --data-dir or make this one writable", err)
	case strings.Contains(text, "full"):
		return fmt.Errorf("%w; the disk is full", err)
	}
	return err
}

// writable finds out before SQLite does, whose own message names no reason. It
// makes the file when it is not there, so that nobody else may read it.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		return f.Close()
	default:
		return err
	}
}
