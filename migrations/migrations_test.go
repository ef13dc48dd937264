package migrations

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"testing/fstest"

	_ "modernc.org/sqlite"
)

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestApplyTwiceIsApplyOnce(t *testing.T) {
	db, ctx := open(t), context.Background()
	for range 2 {
		if err := Apply(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`INSERT INTO learner (id, created_at) VALUES ('a', 'now')`); err != nil {
		t.Fatal(err)
	}
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := Apply(ctx, db); err != nil {
		t.Fatal(err)
	}
	future := fstest.MapFS{
		"00001_a.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")},
		"99999_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE future (id TEXT);\n")},
	}
	if err := apply(ctx, db, future); err != nil {
		t.Fatal(err)
	}
	if err := Apply(ctx, db); !errors.Is(err, ErrNewer) {
		t.Fatalf("got %v, want ErrNewer", err)
	}
	if _, err := db.Exec(`SELECT * FROM future`); err != nil {
		t.Fatalf("the newer table was touched: %v", err)
	}
}

func TestDownUndoesUp(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := Apply(ctx, db); err != nil {
		t.Fatal(err)
	}
	p, err := provider(db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(ctx, 0); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`).Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d tables left after Down (%v)", n, err)
	}
	if err := Apply(ctx, db); err != nil {
		t.Fatalf("up again: %v", err)
	}
}
