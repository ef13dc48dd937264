package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/kubestage/kubestage/migrations"
)

// onEach runs a test on an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, where string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "with space & 한글?.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgresURL(t)) })
}

// raw opens a database without our code.
func raw(t *testing.T, where string) (*sql.DB, goose.Dialect) {
	t.Helper()
	driver, dialect := "sqlite", goose.DialectSQLite3
	if IsURL(where) {
		driver, dialect = "pgx", goose.DialectPostgres
	} else {
		where = "file:" + (&url.URL{Path: where}).EscapedPath()
	}
	db, err := sql.Open(driver, where)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db, dialect
}

func open(t *testing.T, where string) *Store {
	t.Helper()
	s, err := Open(where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestProgressSurvivesClosing(t *testing.T) { onEach(t, progressSurvivesClosing) }

func progressSurvivesClosing(t *testing.T, where string) {
	ctx := context.Background()
	s := open(t, where)
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
	if _, err := os.Stat(where); err != nil && !IsURL(where) {
		t.Fatalf("the file has another name: %v", err)
	}

	p, err := open(t, where).Progress(ctx, me, "pod-birth")
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

func TestLearnersAndChaptersAreApart(t *testing.T) { onEach(t, learnersAndChaptersAreApart) }

func learnersAndChaptersAreApart(t *testing.T, where string) {
	ctx, s := context.Background(), open(t, where)
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
	onEach(t, aNewRunForgetsTheFactsOfTheOneBefore)
}

func aNewRunForgetsTheFactsOfTheOneBefore(t *testing.T, where string) {
	ctx, s := context.Background(), open(t, where)
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

func TestManyWritersAtOnce(t *testing.T) { onEach(t, manyWritersAtOnce) }

func manyWritersAtOnce(t *testing.T, where string) {
	ctx := context.Background()
	stores := []*Store{open(t, where), open(t, where)} // two programs on one database
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
	onEach(t, func(t *testing.T, where string) {
		must(t, open(t, where).Close())
		db, _ := raw(t, where)
		_, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
		must(t, err)
		if _, err = Open(where); err == nil || !strings.Contains(err.Error(), "update Kubestage") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	onEach(t, func(t *testing.T, where string) {
		must(t, open(t, where).Close())
		db, dialect := raw(t, where)
		p, err := goose.NewProvider(dialect, db, migrations.Files)
		must(t, err)
		_, err = p.DownTo(context.Background(), 0)
		must(t, err)
		tables := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`
		if IsURL(where) {
			tables = `SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'`
		}
		var n int
		must(t, db.QueryRow(tables).Scan(&n))
		if n != 0 {
			t.Errorf("%d tables are left after going down", n)
		}
		must(t, db.Close())
		must(t, open(t, where).SetPlace(context.Background(), NewLearner(), "pod-birth", "x"))
	})
}

// Many computers of a class start at once on an empty database.
func TestManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, where string) {
		var wg sync.WaitGroup
		errs := make(chan error, 4)
		for range cap(errs) {
			wg.Go(func() {
				s, err := Open(where)
				if err == nil {
					err = s.Close()
				}
				errs <- err
			})
		}
		wg.Wait()
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRecordings(t *testing.T) { onEach(t, recordings) }

func recordings(t *testing.T, where string) {
	ctx, s := t.Context(), open(t, where)
	if list, err := s.Recordings(ctx); err != nil || list == nil || len(list) != 0 {
		t.Fatalf("at first: %v, %v", list, err)
	}
	file := make([]byte, 3<<20) // every byte there is, and more than one page of any database
	for i := range file {
		file[i] = byte(i * i >> 8)
	}
	at := time.Date(2026, 11, 21, 3, 4, 5, 678, time.UTC)
	s.Now = func() time.Time { return at }
	kept, err := s.Keep(ctx, []byte(`{"title":"파드의 탄생"}`), file)
	must(t, err)
	at = at.Add(time.Second)
	second, err := s.Keep(ctx, []byte(`{}`), []byte{})
	must(t, err)
	must(t, s.Close())

	s = open(t, where)
	list, err := s.Recordings(ctx)
	must(t, err)
	if len(list) != 2 || list[0].ID != kept.ID || string(list[0].About) != `{"title":"파드의 탄생"}` || list[0].Size != len(file) || !list[0].At.Equal(kept.At) || list[1].ID != second.ID {
		t.Fatalf("listed as %+v", list)
	}
	if _, got, err := s.Recording(ctx, kept.ID); err != nil || !bytes.Equal(got, file) {
		t.Fatalf("got %d bytes back, %v", len(got), err)
	}
	if _, got, err := s.Recording(ctx, second.ID); err != nil || len(got) != 0 {
		t.Fatalf("of an empty file: %d bytes, %v", len(got), err)
	}
	must(t, s.Forget(ctx, kept.ID))
	for _, id := range []string{kept.ID, "", "'; DROP TABLE recording; --"} {
		if _, _, err := s.Recording(ctx, id); !errors.Is(err, ErrNoRecording) {
			t.Errorf("read %q: %v", id, err)
		}
		if err := s.Forget(ctx, id); !errors.Is(err, ErrNoRecording) {
			t.Errorf("delete %q: %v", id, err)
		}
	}

	for _, l := range []Limits{{File: 9, Count: 9, Total: 99}, {File: 99, Count: 1, Total: 99}, {File: 99, Count: 9, Total: 9}} {
		s.Limits = l
		if _, err := s.Keep(ctx, []byte(`{}`), make([]byte, 10)); !errors.Is(err, ErrFull) {
			t.Errorf("%+v: got %v", l, err)
		}
	}
	s.Limits = Limits{File: 10, Count: 2, Total: 10}
	_, err = s.Keep(ctx, []byte(`{}`), make([]byte, 10))
	must(t, err)
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
