package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/kubestage/kubestage/migrations"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestProgressSurvivesClosing(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "with space & 한글?.db")
	s := open(t, path)
	at := time.Date(2026, 11, 21, 3, 4, 5, 678, time.UTC)
	s.Now = func() time.Time { return at }
	me := NewLearner()
	for _, err := range []error{
		s.SetPlace(ctx, me, "pod-birth", "chosen"),
		s.Predict(ctx, me, "pod-birth", "tie"),
		s.Begin(ctx, me, "pod-birth"),
		s.Reach(ctx, me, "pod-birth", Reached{"stored", "LOG", 12, at}),
		s.Reach(ctx, me, "pod-birth", Reached{"request", "LOG", 11, at}),
		s.Answer(ctx, me, "pod-birth", "best"),
		s.Pass(ctx, me, "pod-birth"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the file has another name: %v", err)
	}

	p, err := open(t, path).Progress(ctx, me, "pod-birth")
	if err != nil {
		t.Fatal(err)
	}
	if p.Step != "chosen" || p.Prediction == nil || *p.Prediction != (Prediction{"tie", "best"}) || p.Passed == nil || !p.Passed.Equal(at) {
		t.Fatalf("got %+v", p)
	}
	if len(p.Reached) != 2 || p.Reached[0] != (Reached{"request", "LOG", 11, at}) || p.Reached[1].Seq != 12 {
		t.Fatalf("facts: got %+v", p.Reached)
	}
}

func TestLearnersAndChaptersAreApart(t *testing.T) {
	ctx, s := context.Background(), open(t, filepath.Join(t.TempDir(), "a.db"))
	me, you := NewLearner(), NewLearner()
	if err := s.SetPlace(ctx, me, "pod-birth", "stored"); err != nil {
		t.Fatal(err)
	}
	for _, q := range [][2]string{{you, "pod-birth"}, {me, "other"}, {"'; DROP TABLE place; --", "pod-birth"}} {
		p, err := s.Progress(ctx, q[0], q[1])
		if err != nil || p.Step != "" || len(p.Reached) != 0 {
			t.Fatalf("%v: got %+v, %v", q, p, err)
		}
	}
	if err := s.SetPlace(ctx, "me", "pod-birth", "stored"); err == nil {
		t.Fatal("an id anybody could guess was accepted")
	}
}

func TestANewRunForgetsTheFactsOfTheOneBefore(t *testing.T) {
	ctx, s := context.Background(), open(t, filepath.Join(t.TempDir(), "a.db"))
	me := NewLearner()
	must(t, s.Reach(ctx, me, "pod-birth", Reached{Step: "running", Log: "A", Seq: 90, At: time.Now()}))
	must(t, s.Begin(ctx, me, "pod-birth"))
	must(t, s.Reach(ctx, me, "pod-birth", Reached{Step: "request", Log: "B", Seq: 4, At: time.Now()}))
	p, err := s.Progress(ctx, me, "pod-birth")
	must(t, err)
	if len(p.Reached) != 1 || p.Reached[0].Log != "B" {
		t.Fatalf("got %+v", p.Reached)
	}
}

func TestManyWritersAtOnce(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.db")
	stores := []*Store{open(t, path), open(t, path)} // two programs on one file
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for i := range 32 {
		wg.Go(func() {
			me := NewLearner()
			for n := range 4 {
				if err := stores[i%2].Reach(ctx, me, "pod-birth", Reached{Step: fmt.Sprint("s", n), Log: "L", Seq: uint64(n + 1), At: time.Now()}); err != nil {
					errs <- err
					return
				}
			}
			if p, err := stores[(i+1)%2].Progress(ctx, me, "pod-birth"); err != nil || len(p.Reached) != 4 {
				errs <- fmt.Errorf("got %d facts, %v", len(p.Reached), err)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func TestDamagedFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	text := bytes.Repeat([]byte("this is somebody's essay. "), 400)
	must(t, os.WriteFile(garbage, text, 0o600))

	broken := filepath.Join(dir, "broken.db")
	s := open(t, broken)
	must(t, s.SetPlace(context.Background(), NewLearner(), "pod-birth", "x"))
	must(t, s.Close())
	bytesOf, err := os.ReadFile(broken)
	must(t, err)
	for i := 1500; i < len(bytesOf); i++ {
		bytesOf[i] = 0xA5
	}
	must(t, os.WriteFile(broken, bytesOf, 0o600))

	for _, path := range []string{garbage, broken} {
		before, err := os.ReadFile(path)
		must(t, err)
		_, err = Open(path)
		if err == nil || !strings.Contains(err.Error(), "left as it is") {
			t.Errorf("%s: got %v, want an error that says the file was left as it is", filepath.Base(path), err)
		}
		after, readErr := os.ReadFile(path)
		must(t, readErr)
		if !bytes.Equal(before, after) {
			t.Errorf("%s was changed", filepath.Base(path))
		}
	}
}

func TestNewerDatabaseSaysWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := open(t, path)
	must(t, s.Close())
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	must(t, err)
	must(t, db.Close())
	if _, err = Open(path); err == nil || !strings.Contains(err.Error(), "update Kubestage") {
		t.Fatalf("got %v", err)
	}
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	must(t, open(t, path).Close())
	db, err := sql.Open("sqlite", path)
	must(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.Files)
	must(t, err)
	_, err = p.DownTo(context.Background(), 0)
	must(t, err)
	var n int
	must(t, db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`).Scan(&n))
	if n != 0 {
		t.Errorf("%d tables are left after going down", n)
	}
	must(t, db.Close())
	must(t, open(t, path).SetPlace(context.Background(), NewLearner(), "pod-birth", "x"))
}

func TestUnwritablePlacesSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, path := range map[string]string{
		"a folder":           dir,
		"no such folder":     filepath.Join(dir, "none", "a.db"),
		"below a plain file": filepath.Join(file, "a.db"),
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "--data-dir") {
			t.Errorf("%s: got %v, want an error that names --data-dir", name, err)
		}
	}
	if os.Getuid() != 0 { // root may write anywhere
		locked := filepath.Join(dir, "locked")
		must(t, os.Mkdir(locked, 0o500))
		if _, err := Open(filepath.Join(locked, "a.db")); err == nil || !strings.Contains(err.Error(), "writable") {
			t.Errorf("read-only folder: got %v", err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
