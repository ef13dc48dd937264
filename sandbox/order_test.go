//go:build unix

package sandbox

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOrders(t *testing.T) {
	c := component{name: "c", grace: 5 * time.Second}
	b := newBoard([]component{c})
	k, events, _ := testKeeper(t, b, c, "wait")
	ctx, cancel := context.WithCancel(context.Background())
	go k.keep(ctx)
	defer func() {
		cancel()
		k.stop()
	}()
	events.has(t, "c ready")

	must := func(o Order, want State) {
		t.Helper()
		if err := k.order(ctx, o); err != nil {
			t.Fatal(err)
		}
		b.wait(ctx, func() bool { return b.state("c").State == want })
	}
	refused := func(o Order, why string) {
		t.Helper()
		wantError(t, k.order(ctx, o), why)
	}
	refused(Start, "c is running already")
	refused(Thaw, "c is not frozen")
	if runtime.GOOS == "linux" {
		pid := b.state("c").Pid
		must(Freeze, Frozen)
		isFrozen(t, pid)
		refused(Freeze, "frozen already")
		if b.ready("c") || !b.answering("c") {
			t.Error("a frozen component counts as ready, or its listener as closed")
		}
		must(Thaw, Ready)
		if b.state("c").Pid != pid {
			t.Error("it was started anew")
		}
		events.has(t, "c frozen  ,c thawed")
		must(Freeze, Frozen)
	}
	if err := k.order(ctx, Stop); err != nil || b.state("c").State != Stopped {
		t.Errorf("when it has been stopped it is %s (%v)", b.state("c").State, err)
	}
	events.has(t, "c stopping  ,c stopped signal: terminated") // though it was frozen
	for _, o := range []Order{Kill, Freeze, Thaw} {
		refused(o, "c is not running")
	}
	refused(Stop, "stopped already")
	must(Start, Ready)
	must(Kill, Backoff)
	events.has(t, "c killed  ,c exited signal: killed")
	begin := time.Now()
	must(Start, Ready) // sooner than by itself
	if took := time.Since(begin); took >= firstWait {
		t.Errorf("started after %v, as if nobody had asked", took)
	}
	must(Kill, Backoff)
	must(Stop, Stopped)
	refused("dance", "no order")
}

// Who stops a component and wants it back at once need not wait until it has
// gone, which takes a busy machine a while.
func TestStartWhileItStops(t *testing.T) {
	c := component{name: "c", grace: 300 * time.Millisecond}
	b := newBoard([]component{c})
	k, events, _ := testKeeper(t, b, c, "deaf hang") // until it is killed, after its grace
	k.ask = func(context.Context) error {
		if !slices.Contains(k.diary.tail(), "deaf") {
			return errors.New("it still listens to signals")
		}
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	go k.keep(ctx)
	defer func() {
		cancel()
		k.stop()
	}()
	events.has(t, "c ready")
	pid := b.state("c").Pid
	stopped := make(chan error)
	go func() { stopped <- k.order(ctx, Stop) }()
	b.wait(ctx, func() bool { return b.state("c").State == Stopping })
	if err := k.order(ctx, Start); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	b.wait(ctx, func() bool { s := b.state("c"); return s.State == Ready && s.Pid != pid })
	events.has(t, "c stopping  ,c stopped signal: killed ,c starting  ,c ready")
}

// isFrozen waits for a signal to be obeyed, which takes until the process is
// given a processor.
func isFrozen(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); stateOf(t, pid) != "T"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the frozen process is in state %s", stateOf(t, pid))
		}
	}
}

// stateOf is the letter that the kernel has for a process's state.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}

// However the supervisor dies, a frozen child dies, too.
func TestFrozenChildDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing is frozen elsewhere")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), helperVariable+"=parent:wait")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	isFrozen(t, pid)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	goneSoon(t, strconv.Itoa(pid))
}
