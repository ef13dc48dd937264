//go:build linux

package sandbox

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// What people type wrongly gets an answer that helps, and starts nothing.
func TestRealBadFlags(t *testing.T) {
	o := dashboard.Options{Binary: binary(t)}
	dir := place(t, os.Geteuid())
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	nowhere := filepath.Join(filepath.Dir(dir), "nowhere.kubeconfig")
	if err := os.WriteFile(nowhere, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: gone
contexts: [{name: gone, context: {cluster: gone, user: me}}]
clusters: [{name: gone, cluster: {server: "https://%s"}}]
users: [{name: me, user: {token: x}}]
`, closed.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"--nonsense"}, []string{"nonsense", "dashboard help"}},
		{[]string{"--nodes", "many"}, []string{"nodes", "dashboard help"}},
		{[]string{"--nodes", "0"}, []string{"--nodes 0", "1 to 20"}},
		{[]string{"--nodes", "-1"}, []string{"1 to 20"}},
		{[]string{"--addr", "7766"}, []string{"HOST:PORT"}},
		{[]string{"--addr", "127.0.0.1:99999"}, []string{"--addr"}},
		{[]string{"--addr", "192.0.2.1:0"}, []string{"--addr 192.0.2.1:0"}},
		{[]string{"--ephemeral", "--data-dir", dir}, []string{"use one of them"}},
		{[]string{"--context", "x"}, []string{"--kubeconfig"}},
		{[]string{"serve", "me"}, []string{`"me"`, "dashboard help"}},
		{[]string{"dance"}, []string{`"dance"`, "dashboard help"}},
		{[]string{"kubectl", "--data-dir", dir, "get", "pods"}, []string{"no cluster in " + dir}},
		{[]string{"kubeconfig", "--data-dir", dir}, []string{"no cluster in " + dir}},
		{[]string{"--addr", taken.Addr().String(), "--data-dir", dir}, []string{"is in use", "--addr 127.0.0.1:0"}},
		{[]string{"--addr", "127.0.0.1:0", "--kubeconfig", filepath.Join(dir, "none")}, []string{"does not exist", "--kubeconfig"}},
		{[]string{"--addr", "127.0.0.1:0", "--kubeconfig", nowhere}, []string{closed.Addr().String()}},
		{[]string{"--addr", "127.0.0.1:0", "--kubeconfig", nowhere, "--context", "other"}, []string{`"other"`, "gone"}},
		{[]string{"--addr", "127.0.0.1:0", "--kubeconfig", o.Binary}, []string{o.Binary}},
		{[]string{"component", "kube-dns"}, []string{"kube-dns", "kube-apiserver"}},
	} {
		refused(t, o, c.args, c.says...)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s was made by a command that was refused", dir)
	}
}

// A data directory that cannot be used is named, with what to do, and is the
// same afterwards.
func TestRealBadDirectories(t *testing.T) {
	o := dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())}
	d := ready(t, o)
	args := []string{"--addr", "127.0.0.1:0", "--data-dir", o.Dir}

	// In use: the other one goes on as if nothing had happened.
	refused(t, o, args, "in use", fmt.Sprint(d.Pid()), "--data-dir")
	if err := d.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	stop(t, d)

	stamp := filepath.Join(o.Dir, "kubestage.json")
	db := filepath.Join(o.Dir, "etcd", "member", "snap", "db")
	for _, c := range []struct {
		name   string
		damage func(t *testing.T)
		says   []string
	}{
		{"of a newer version", func(t *testing.T) { edit(t, stamp, `"layout": 1`, `"layout": 2`) }, []string{"cannot use it", "nothing was changed", "reset"}},
		{"of a newer Kubernetes", func(t *testing.T) { edit(t, stamp, "v1.36.", "v1.40.") }, []string{"v1.40.", "cannot use it", "nothing was changed"}},
		{"with a damaged stamp", func(t *testing.T) { overwrite(t, stamp, 0, "garbage") }, []string{"kubestage.json", "damaged", "nothing was changed", "reset"}},
		{"with an empty stamp", func(t *testing.T) { truncate(t, stamp, 0) }, []string{"damaged", "nothing was changed"}},
		{"with a database of zeros", func(t *testing.T) { overwrite(t, db, 0, strings.Repeat("\x00", 128<<10)) }, []string{"etcd", "damaged", "nothing was changed", "reset"}},
		{"with an empty database", func(t *testing.T) { truncate(t, db, 0) }, []string{"etcd", "damaged", "nothing was changed"}},
		{"without a database", func(t *testing.T) { remove(t, db) }, []string{"etcd", "missing", "nothing was changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer restore(t, o.Dir)()
			c.damage(t)
			before := sums(t, o.Dir)
			refused(t, o, args, append(c.says, o.Dir)...)
			same(t, before, sums(t, o.Dir))
		})
	}

	t.Run("of something else", func(t *testing.T) {
		dir := place(t, os.Geteuid())
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("years of work"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := sums(t, dir)
		refused(t, o, []string{"--addr", "127.0.0.1:0", "--data-dir", dir}, "thesis.txt", "nothing was changed")
		refused(t, o, []string{"reset", "--data-dir", dir}, "thesis.txt")
		same(t, before, sums(t, dir))
	})
	t.Run("that is a file", func(t *testing.T) {
		file := place(t, os.Geteuid())
		if err := os.WriteFile(file, []byte("not a directory"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, o, []string{"--addr", "127.0.0.1:0", "--data-dir", file}, file, "--data-dir")
		refused(t, o, []string{"--addr", "127.0.0.1:0", "--data-dir", filepath.Join(file, "below")}, file, "--data-dir")
	})

	// After all this the cluster is there, and starts.
	d = ready(t, o)
	if _, err := learner(t, d).CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	stop(t, d)
}

// What is wrong deep inside the database only etcd can tell. It is tried
// again, what it said is shown, and its files are left to be looked at.
func TestRealDeepDamage(t *testing.T) {
	o := dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())}
	d := ready(t, o)
	stop(t, d)
	db := filepath.Join(o.Dir, "etcd", "member", "snap", "db")
	info, err := os.Stat(db)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, db, 8192, strings.Repeat("\xff", int(info.Size())-8192))

	d = start(t, o)
	until(t, time.Minute, "advice on the terminal", func() (bool, string) {
		return strings.Contains(d.Stderr(), "dashboard reset"), d.Stderr()
	})
	if !strings.Contains(d.Stderr(), "etcd has gone") {
		t.Errorf("the terminal does not say that etcd has gone:\n%s", d.Stderr())
	}
	if _, err := d.Follow(t.Context(), 0, time.Minute, "the exit of etcd with its last lines", func(e dashboard.Event) bool {
		return e.Kind == "component" && e.To == "etcd" && e.Verb == "exited" && strings.Contains(string(e.Detail), "lastLines")
	}); err != nil {
		t.Error(err)
	}
	if took := stop(t, d); took > 5*time.Second {
		t.Errorf("Ctrl-C took %s, want less than 5 s", took)
	}
	if info, err := os.Stat(db); err != nil || info.Size() == 0 {
		t.Errorf("the damaged database is not there any more: %v", err)
	}
}

// Directories that may not be written to are refused; as root everything may.
func TestRealUnwritableDirectories(t *testing.T) {
	o := asNobody(t)
	roots := place(t, 0)
	if err := os.Mkdir(roots, 0o700); err != nil {
		t.Fatal(err)
	}
	readOnly := place(t, nobody)
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(readOnly, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{roots, filepath.Join(roots, "below"), readOnly, filepath.Join(readOnly, "below"), "/proc/kubestage"} {
		refused(t, o, []string{"--addr", "127.0.0.1:0", "--data-dir", dir}, dir, "--data-dir")
	}
	o.Env = append(o.Env, "TMPDIR="+readOnly)
	refused(t, o, []string{"--addr", "127.0.0.1:0", "--ephemeral"}, readOnly, "TMPDIR")

	// A cluster that has become read-only, as on a stick that was locked.
	locked := o
	locked.Env = o.Env[:len(o.Env)-1]
	locked.Dir = place(t, nobody)
	stop(t, ready(t, locked))
	if err := os.Chmod(locked.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	before := sums(t, locked.Dir)
	refused(t, locked, []string{"--addr", "127.0.0.1:0", "--data-dir", locked.Dir}, locked.Dir, "--data-dir")
	same(t, before, sums(t, locked.Dir))

	// Root does not touch what is somebody else's.
	refused(t, dashboard.Options{Binary: o.Binary}, []string{"--addr", "127.0.0.1:0", "--data-dir", locked.Dir}, "belongs to", "--data-dir")
}

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), from, to)
	if changed == string(text) {
		t.Fatalf("%s has no %s in it:\n%s", path, from, text)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, offset int64, with string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(with), offset); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// restore returns a function that brings back a directory's content of now. It
// is a copy that is damaged: a copy knows how to leave the sockets out.
func restore(t *testing.T, dir string) func() {
	t.Helper()
	kept := dir + ".kept"
	if err := os.Rename(dir, kept); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(kept, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		copied := dir + strings.TrimPrefix(path, kept)
		switch {
		case e.IsDir():
			return os.Mkdir(copied, 0o700)
		case !e.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(copied, text, 0o600)
	}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.RemoveAll(dir), os.Rename(kept, dir)); err != nil {
			t.Fatal(err)
		}
	}
}

// sums describes every file below a directory, but not the lock's, which says
// who was there last.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == filepath.Join(dir, "lock") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		all[path] = info.Mode().String()
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[path] += fmt.Sprintf(" %x", sha256.Sum256(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, sum := range before {
		if after[path] != sum {
			t.Errorf("%s was %s and is %q", path, sum, after[path])
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			t.Errorf("%s was made", path)
		}
	}
}
