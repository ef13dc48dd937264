package sandbox

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// wantError checks that an error says all that a person needs.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func mustOpen(t *testing.T, path string) *dataDir {
	t.Helper()
	d, err := openDataDir(path, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDataDirInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "data")
	d := mustOpen(t, path)
	if !d.fresh {
		t.Error("a new directory is not fresh")
	}
	_, err := openDataDir(path, "0.1.0")
	wantError(t, err, path, "is in use by process", "--data-dir", "--ephemeral")
	wantError(t, Reset(path), "is in use")
	d.close()
	d = mustOpen(t, path)
	d.close()
}

func TestDataDirThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openDataDir(file, "0.1.0")
	wantError(t, err, file, "--data-dir")

	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.tex"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = openDataDir(foreign, "0.1.0")
	wantError(t, err, "something else", "thesis.tex", "--data-dir")
	wantError(t, Reset(foreign), "something else")
	if left, _ := filepath.Glob(filepath.Join(foreign, "*")); len(left) > 2 || !exists(filepath.Join(foreign, "thesis.tex")) {
		t.Errorf("a foreign directory was changed: %v", left)
	}

	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		locked := filepath.Join(t.TempDir(), "locked")
		if err := os.Mkdir(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		_, err = openDataDir(locked, "0.1.0")
		wantError(t, err, "cannot write to the data directory "+locked, "permission denied", "--data-dir", "--ephemeral")
		_, err = openDataDir(filepath.Join(locked, "below"), "0.1.0")
		wantError(t, err, "cannot write to the data directory", "--data-dir")
	}
}

func TestDataDirOfAnotherVersion(t *testing.T) {
	for _, c := range []struct {
		stamp string
		parts []string // of the error; none means that it is accepted
	}{
		{`{"layout":1,"kubernetes":"v1.36.0","kubestage":"0.1.0"}`, nil},
		{`{"layout":1,"kubernetes":"v1.35.9","kubestage":"0.0.9"}`, nil},
		{`{"layout":1,"kubernetes":"v1.34.0","kubestage":"0.0.1"}`, []string{"made by Kubestage 0.0.1 with Kubernetes v1.34.0", "nothing was changed", "dashboard reset"}},
		{`{"layout":1,"kubernetes":"v1.37.0","kubestage":"0.2.0"}`, []string{"made by Kubestage 0.2.0", "Use that version"}},
		{`{"layout":2,"kubernetes":"v1.36.3","kubestage":"9.9.9"}`, []string{"made by Kubestage 9.9.9"}},
		{`{"layout":1,"kubernetes":"what","kubestage":"0.1.0"}`, []string{"cannot use it"}},
		{`{"layout`, []string{"kubestage.json is damaged", "nothing was changed", "dashboard reset"}},
		{``, []string{"is damaged"}},
		{`{}`, []string{"is damaged"}},
	} {
		path := t.TempDir()
		mustOpen(t, path).close()
		stampFile := filepath.Join(path, stampEntry)
		if err := os.WriteFile(stampFile, []byte(c.stamp), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := openDataDir(path, "0.1.0")
		if c.parts == nil {
			if err != nil {
				t.Errorf("%s: %v", c.stamp, err)
				continue
			}
			d.close()
			continue
		}
		wantError(t, err, c.parts...)
		if b, _ := os.ReadFile(stampFile); string(b) != c.stamp {
			t.Errorf("%s was changed to %s", c.stamp, b)
		}
		if err := Reset(path); err != nil || exists(stampFile) {
			t.Errorf("%s: reset: %v", c.stamp, err)
		}
	}
}

func TestDamagedEtcd(t *testing.T) {
	path := t.TempDir()
	mustOpen(t, path).close()
	db := filepath.Join(path, etcdEntry, "member", "snap", "db")
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := openDataDir(path, "0.1.0")
	wantError(t, err, db, "is missing", "nothing was changed", "dashboard reset --data-dir "+path)
	for _, garbage := range [][]byte{nil, []byte("garbage"), bytes.Repeat([]byte("garbage"), 1<<16)} {
		if err := os.WriteFile(db, garbage, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openDataDir(path, "0.1.0")
		wantError(t, err, db, "is damaged", "dashboard reset")
		if b, _ := os.ReadFile(db); !bytes.Equal(b, garbage) {
			t.Error("the damaged database was changed")
		}
	}
}

func TestResetKeepsWhatIsNotTheClusters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := Reset(path); err != nil {
		t.Errorf("nothing to reset: %v", err)
	}
	d := mustOpen(t, path)
	for _, name := range clusterEntries {
		file := filepath.Join(path, name)
		if !exists(file) {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.close()
	if err := os.WriteFile(filepath.Join(path, "kubestage.db"), []byte("progress"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Reset(path); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(path); len(left) != 1 || left[0].Name() != "kubestage.db" {
		t.Errorf("left: %v", left)
	}
	d = mustOpen(t, path) // beside the database
	d.close()
	if err := os.Remove(filepath.Join(path, "kubestage.db")); err != nil {
		t.Fatal(err)
	}
	if err := Reset(path); err != nil || exists(path) {
		t.Errorf("an empty directory is left (%v)", err)
	}
}

func TestEphemeral(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("TEMP", tmp)
	t.Setenv("TMP", tmp)
	d, err := openEphemeral("0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	// A dashboard that was killed leaves its directory without a lock.
	killed, err := openEphemeral("0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	killed.lock.Close()
	if err := os.Mkdir(filepath.Join(tmp, "kubestage-of-a-person"), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := openEphemeral("0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	if exists(killed.path) || !exists(d.path) || !exists(filepath.Join(tmp, "kubestage-of-a-person")) {
		t.Error("only what a killed dashboard left should be swept")
	}
	d.close()
	other.close()
	if exists(d.path) || exists(other.path) {
		t.Error("an ephemeral directory is left")
	}
}

func TestLongPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no unix sockets in question")
	}
	path := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	d := mustOpen(t, path)
	short := d.sockets
	if len(short)+longestInNodeRoot > maxSocketPath || !exists(short) {
		t.Errorf("sockets in %s", short)
	}
	info, err := os.Stat(short)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	root, err := pathsOf(d).nodeRoot("node-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "mark"), nil, 0o600); err != nil || !strings.HasPrefix(root, short) || !exists(filepath.Join(path, nodesEntry, "node-1", "mark")) {
		t.Errorf("the node's root %s is not in the data directory: %v", root, err)
	}
	d.lock.Close() // as after a kill
	d = mustOpen(t, path)
	if !exists(filepath.Join(path, nodesEntry, "node-1", "mark")) {
		t.Error("the node's files went with the sockets")
	}
	if exists(short) {
		t.Errorf("%s is left from the one that was killed", short)
	}
	short = d.sockets
	d.close()
	if exists(short) {
		t.Errorf("%s is left", short)
	}
}

func TestDefaultDataDir(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	if d, err := DefaultDataDir(); err != nil || d != filepath.Join(os.Getenv("XDG_DATA_HOME"), "kubestage") {
		t.Errorf("%s %v", d, err)
	}
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_DATA_HOME", "not/absolute")
		t.Setenv("HOME", "/h")
		if d, err := DefaultDataDir(); err != nil || d != "/h/.local/share/kubestage" {
			t.Errorf("%s %v", d, err)
		}
		t.Setenv("HOME", "")
		_, err := DefaultDataDir()
		wantError(t, err, "--data-dir", "--ephemeral")
	}
}

func TestOfAnotherUser(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() != 0 {
		t.Skip("only root can make a directory of another user")
	}
	path := t.TempDir()
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	_, err := openDataDir(path, "0.1.0")
	wantError(t, err, "belongs to the user 12345", "run the dashboard as that user", "--data-dir")
	wantError(t, Reset(path), "belongs to the user")
}

// The lock is not inherited: a child that outlives us does not hold it.
func TestLockIsNotInherited(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), helperVariable+"=wait")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer stdin.Close()
	d.lock.Close()
	lock, err := lockDir(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
}

func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"one", "two"} {
		if err := replaceFile(path, []byte(text), true); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "two" {
		t.Errorf("%q %v", b, err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/.*"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if err := replaceFile(filepath.Join(path, "below"), nil, false); !errors.Is(err, fs.ErrNotExist) && err == nil {
		t.Error("wrote below a file")
	}
}
