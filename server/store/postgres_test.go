//go:build unix

package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a PostgreSQL that these tests start for themselves: in a temporary
// folder, on a unix socket in it and nowhere else.
type server struct {
	dir     string
	process *exec.Cmd
	output  bytes.Buffer
}

var (
	postgres     *server
	postgresOnce sync.Once
	postgresErr  error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if postgres != nil {
		postgres.stop()
	}
	os.Exit(code)
}

// postgresURL returns the address of an empty database. Without PostgreSQL on
// this machine the test is skipped, unless KUBESTAGE_POSTGRES says that it must
// not be, as `make test` does.
func postgresURL(t *testing.T) string {
	t.Helper()
	postgresOnce.Do(func() { postgres, postgresErr = startPostgres() })
	if errors.Is(postgresErr, errNoPostgres) && os.Getenv("KUBESTAGE_POSTGRES") == "" {
		t.Skip("no PostgreSQL on this machine: .ci/apt postgresql")
	}
	if postgresErr != nil {
		t.Fatal(postgresErr)
	}
	name := "test" + strings.ToLower(rand.Text()[:12])
	db, err := sql.Open("pgx", postgres.url("postgres"))
	must(t, err)
	defer func() { _ = db.Close() }()
	_, err = db.Exec("CREATE DATABASE " + name)
	must(t, err)
	return postgres.url(name)
}

func (s *server) url(database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=kubestage", database, s.dir)
}

var errNoPostgres = errors.New("there is no PostgreSQL on this machine")

// tool finds a program of PostgreSQL, which Debian does not put on the path.
func tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", errNoPostgres
	}
	return slices.Max(found), nil
}

func startPostgres() (_ *server, err error) {
	initdb, err := tool("initdb")
	if err != nil {
		return nil, err
	}
	program, err := tool("postgres")
	if err != nil {
		return nil, err
	}
	s := &server{}
	if s.dir, err = os.MkdirTemp("", "pg-"); err != nil { // short: the name of a socket has at most 107 bytes
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(s.dir)
		}
	}()
	as, err := unprivileged(s.dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	command := exec.Command(initdb, "--pgdata", data, "--username", "kubestage", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	command.SysProcAttr, command.Dir = as, s.dir
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.process = exec.Command(program, "-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off")
	s.process.SysProcAttr, s.process.Dir = as, s.dir
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	deadline := time.Now().Add(time.Minute)
	for err = db.Ping(); err != nil; err = db.Ping() {
		if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, s.output.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return s, nil
}

// unprivileged is another user for root, whom PostgreSQL refuses to run as.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{}
	endWithUs(as)
	if os.Getuid() != 0 {
		return as, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.Atoi(who.Uid)
	gid, err2 := strconv.Atoi(who.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, nil
}

func (s *server) stop() {
	_ = s.process.Process.Signal(os.Interrupt) // a fast shutdown
	force := time.AfterFunc(10*time.Second, func() { _ = s.process.Process.Kill() })
	_ = s.process.Wait()
	force.Stop()
	_ = os.RemoveAll(s.dir)
}

func TestPostgresErrorsSayWhatToDo(t *testing.T) {
	base := postgresURL(t)
	for name, c := range map[string]struct{ where, says string }{
		"no such database": {postgres.url("none"), "createdb"},
		"no server":        {"postgres://somebody:swordfish@127.0.0.1:1/kubestage?connect_timeout=2", "--database"},
		"another kind":     {"mysql://somebody:swordfish@127.0.0.1/kubestage", "postgres://"},
		"no URL":           {"postgres://somebody:swordfish@[/kubestage", "postgres://"},
		"a wrong port":     {"postgres://somebody:swordfish@127.0.0.1:port/kubestage", "postgres://"},
	} {
		_, err := Open(c.where)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %s", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: the password is in the message: %v", name, err)
		}
	}
	s := open(t, base)
	must(t, s.SetPlace(context.Background(), NewLearner(), "pod-birth", "x"))
	_, err := s.db.Exec(`CREATE ROLE guest LOGIN`)
	must(t, err)
	other := postgresURL(t)
	if _, err := Open(strings.Replace(other, "user=kubestage", "user=guest", 1)); err == nil || !strings.Contains(err.Error(), "allowed to create tables") {
		t.Errorf("a guest: got %v", err)
	}
}
