package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// helperVariable makes the test binary play a component.
const helperVariable = "KUBESTAGE_TEST_HELPER"

func TestMain(m *testing.M) {
	if script := os.Getenv(helperVariable); script != "" {
		helper(script)
		return
	}
	os.Exit(m.Run())
}

// helper does what a script of words says.
func helper(script string) {
	for word := range strings.FieldsSeq(script) {
		name, arg, _ := strings.Cut(word, ":")
		n, _ := strconv.Atoi(arg)
		switch name {
		case "out":
			fmt.Println(arg)
		case "err":
			fmt.Fprintln(os.Stderr, arg)
		case "witness":
			fmt.Fprintln(os.NewFile(3, "witness"), arg)
		case "long":
			fmt.Println(strings.Repeat("x", n))
		case "deaf":
			signal.Ignore(syscall.SIGTERM)
			fmt.Println("deaf")
		case "hang": // neither stdin nor SIGTERM ends it
			signal.Ignore(syscall.SIGTERM)
			select {}
		case "exit":
			os.Exit(n)
		case "sleep":
			time.Sleep(time.Duration(n) * time.Millisecond)
		case "grandchild":
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), helperVariable+"=hang")
			if err := c.Start(); err != nil {
				panic(err)
			}
			fmt.Println(c.Process.Pid)
		case "wait": // as real components do
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(3)
		case "parent": // a supervisor with one child that hangs
			f := newForker()
			p, err := start(launch{path: os.Args[0], env: append(os.Environ(), helperVariable+"="+arg)}, f)
			if err != nil {
				panic(err)
			}
			fmt.Println(p.pid)
			<-p.exited
		}
	}
}

// notes collects lines from any goroutine.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) write(line []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, string(line))
}

func (n *notes) all() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, ",")
}

func (n *notes) has(t *testing.T, part string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(n.all(), part); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in %q", part, n.all())
		}
	}
}

func helperLaunch(script string) launch {
	return launch{path: os.Args[0], env: append(os.Environ(), helperVariable+"="+script)}
}

func testForker(t *testing.T) *forker {
	f := newForker()
	t.Cleanup(f.close)
	return f
}

func TestProcessSpeaksAndExits(t *testing.T) {
	var out, errs, witness notes
	l := helperLaunch("out:one err:two witness:three out:four exit:7")
	l.stdout, l.stderr = out.write, errs.write
	want := "one,four|two|three"
	if runtime.GOOS != "windows" {
		l.witness = witness.write
	} else {
		want = "one,four|two|"
	}
	p, err := start(l, testForker(t))
	if err != nil {
		t.Fatal(err)
	}
	<-p.exited
	if got := out.all() + "|" + errs.all() + "|" + witness.all(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if p.exit() != "exit status 7" {
		t.Errorf("exit: %s", p.exit())
	}
}

func TestProcessStops(t *testing.T) {
	f := testForker(t)
	p, err := start(helperLaunch("wait"), f)
	if err != nil {
		t.Fatal(err)
	}
	if !p.stop(10 * time.Second) {
		t.Error("had to be killed")
	}
	if runtime.GOOS == "windows" {
		return
	}
	if p.exit() != "signal: terminated" {
		t.Errorf("exit: %s", p.exit())
	}
	var out notes
	l := helperLaunch("deaf hang")
	l.stdout = out.write
	if p, err = start(l, f); err != nil {
		t.Fatal(err)
	}
	out.has(t, "deaf")
	if p.stop(50 * time.Millisecond) {
		t.Error("a deaf process stopped by itself")
	}
	if p.exit() != "signal: killed" {
		t.Errorf("exit: %s", p.exit())
	}
}

func TestNoSuchBinary(t *testing.T) {
	_, err := start(launch{path: filepath.Join(t.TempDir(), "none"), stdout: func([]byte) {}}, testForker(t))
	wantError(t, err, "start a component", "none")
}

// What a component started and left goes with it.
func TestGrandchildrenAreSwept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process groups")
	}
	var out notes
	l := helperLaunch("grandchild exit:0")
	l.stdout = out.write
	p, err := start(l, testForker(t))
	if err != nil {
		t.Fatal(err)
	}
	<-p.exited
	goneSoon(t, out.all())
}

// However the supervisor dies, its child dies, even one that does not look
// at its standard input (on Linux, where the kernel sees to that).
func TestChildDiesWithItsParent(t *testing.T) {
	scripts := []string{"wait"}
	if runtime.GOOS == "linux" {
		scripts = append(scripts, "hang")
	}
	for _, script := range scripts {
		parent := exec.Command(os.Args[0])
		parent.Env = append(os.Environ(), helperVariable+"=parent:"+script)
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		pid, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // the child may not be itself yet
		if err := parent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = parent.Wait()
		goneSoon(t, strings.TrimSpace(pid))
	}
}

func goneSoon(t *testing.T, pidText string) {
	t.Helper()
	pid, err := strconv.Atoi(pidText)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// alive does not count what is dead and not waited for yet by init.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil || p.Signal(syscall.Signal(0)) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return len(after) == 0 || after[0] != 'Z'
}

func TestReadLines(t *testing.T) {
	long := strings.Repeat("y", 200_000)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"a\nb\n", []string{"a", "b"}},
		{"a\r\n\n\nb", []string{"a", "b"}},
		{long + "\nend\n", []string{long[:100_000], "end"}},
		{"a\n" + long, []string{"a", long[:100_000]}},
		{long[:70_000] + "\n" + long[:80_000] + "\n", []string{long[:70_000], long[:80_000]}},
	} {
		var got []string
		readLines(strings.NewReader(c.in), 100_000, func(line []byte) { got = append(got, string(line)) })
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%.20q: %d lines, %.60q", c.in, len(got), got)
		}
	}
}

func TestDiaryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.log")
	d, err := openDiary(path)
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("z"), 3*lineLimit)
	for i := range 3 * diaryLimit / lineLimit {
		copy(line, strconv.Itoa(1_000_000+i))
		d.write(line)
	}
	d.write([]byte("last"))
	total := int64(0)
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 2*(diaryLimit+lineLimit) {
		t.Errorf("%d bytes on disk", total)
	}
	tail := d.tail()
	if len(tail) != lastLines || tail[lastLines-1] != "last" || len(tail[0]) != lastLength {
		t.Errorf("%d last lines, the newest %q", len(tail), tail[len(tail)-1])
	}
	for i := 1; i < lastLines-1; i++ {
		if tail[i][:7] <= tail[i-1][:7] {
			t.Errorf("order: %s after %s", tail[i][:7], tail[i-1][:7])
		}
	}
	d.forget()
	if len(d.tail()) != 0 {
		t.Error("it remembers")
	}
	d.close()
	d.write([]byte("after the end"))
}
