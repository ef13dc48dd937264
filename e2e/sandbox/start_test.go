//go:build linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// nobody is a user that every Linux has and that owns nothing.
const nobody = 65534

// binary returns the path of the program under test.
func binary(t *testing.T) string {
	t.Helper()
	path := dashboard.Binary()
	if path == "" {
		t.Skip("KUBESTAGE_BINARY names no binary to test; `make test` builds one and names it")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("KUBESTAGE_BINARY: %v", err)
	}
	return path
}

// place returns a path for a data directory that does not exist yet. Its
// parent belongs to the user who will make it, and its path is short, as unix
// sockets demand.
func place(t *testing.T, uid int) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "ks")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	if uid != 0 {
		if err := os.Chown(parent, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(parent, "data")
}

// start starts the program, and sees to it that nothing of it is left when
// the test ends.
func start(t *testing.T, o dashboard.Options) *dashboard.Dashboard {
	t.Helper()
	d, err := dashboard.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	family := d.Family()
	t.Cleanup(func() {
		if !d.Ended() {
			family = d.Family()
			if _, err := d.Stop(); err != nil {
				t.Error(err)
			}
		}
		gone(t, family, d.Dir)
		if t.Failed() {
			t.Logf("the dashboard wrote:\n%s", d.Stderr())
			diaries(t, d.Dir)
		}
	})
	return d
}

// ready starts the program in a directory and waits for its cluster.
func ready(t *testing.T, o dashboard.Options) *dashboard.Dashboard {
	t.Helper()
	d := start(t, o)
	if err := d.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func stop(t *testing.T, d *dashboard.Dashboard) time.Duration {
	t.Helper()
	family := d.Family()
	took, err := d.Stop()
	if err != nil {
		t.Fatal(err)
	}
	gone(t, family, d.Dir)
	return took
}

// gone fails the test when any of the processes is still there, or another
// one that was started with the data directory's path.
func gone(t *testing.T, family []dashboard.Process, dir string) {
	t.Helper()
	var left []dashboard.Process
	err := dashboard.Until(context.Background(), 3*time.Second, "the end of all processes", func() (bool, string) {
		left = nil
		now := map[int]dashboard.Process{}
		for _, p := range dashboard.Processes() {
			now[p.Pid] = p
		}
		for _, p := range family {
			if q, ok := now[p.Pid]; ok && strings.Join(p.Args, " ") == strings.Join(q.Args, " ") {
				left = append(left, p)
			}
		}
		if dir != "" {
			left = append(left, dashboard.Mentioning(dir)...)
		}
		return len(left) == 0, ""
	})
	if err != nil {
		for _, p := range left {
			t.Errorf("process %d is left: %s", p.Pid, p.Role())
		}
	}
}

// diaries logs the last lines of what each component wrote.
func diaries(t *testing.T, dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		t.Logf("%s:\n%s", filepath.Base(file), strings.Join(lines[max(0, len(lines)-8):], "\n"))
	}
}

// refused runs the program, which must end by itself with an error that says
// all the given things.
func refused(t *testing.T, o dashboard.Options, args []string, says ...string) {
	t.Helper()
	out, err := dashboard.Run(o, args...)
	if err != nil {
		t.Fatal(err)
	}
	if out.Code <= 0 {
		t.Errorf("dashboard %s: exit status %d, want a failure; it wrote:\n%s%s", strings.Join(args, " "), out.Code, out.Stdout, out.Stderr)
	}
	for _, want := range says {
		if !strings.Contains(out.Stderr, want) {
			t.Errorf("dashboard %s: want %q in:\n%s", strings.Join(args, " "), want, out.Stderr)
		}
	}
	if strings.Contains(out.Stderr, "goroutine ") {
		t.Errorf("dashboard %s panicked:\n%s", strings.Join(args, " "), out.Stderr)
	}
}

// asNobody returns options under which the program runs as an unprivileged
// user, with a binary that this user can reach.
func asNobody(t *testing.T) dashboard.Options {
	t.Helper()
	o := dashboard.Options{Binary: binary(t), UID: nobody}
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; the other tests have run as an unprivileged one already")
	}
	home := filepath.Dir(place(t, nobody))
	o.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	check := exec.Command(o.Binary, "help")
	check.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := check.Run(); errors.Is(err, os.ErrPermission) {
		copied := filepath.Join(home, "dashboard") // the way to the binary is closed to others
		if out, err := exec.Command("cp", o.Binary, copied).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		o.Binary = copied
	} else if err != nil {
		t.Fatal(err)
	}
	return o
}
