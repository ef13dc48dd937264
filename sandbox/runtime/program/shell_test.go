package program

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// noNetwork is a network with nobody in it.
type noNetwork struct{}

func (noNetwork) Address() string                  { return "10.244.1.2" }
func (noNetwork) Listen(int) (net.Listener, error) { return nil, net.ErrClosed }
func (noNetwork) Ask(context.Context, netip.AddrPort, []byte) ([]byte, error) {
	return nil, net.ErrClosed
}
func (noNetwork) Dial(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed }

type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() < 1<<20 {
		b.b.Write(p)
	}
	return len(p), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// FuzzShell looks for scripts that make the interpreter panic, and with it
// the whole node.
func FuzzShell(f *testing.F) {
	for _, s := range []string{
		"echo hi; sleep 1; exit 3", "for i in $(seq 3); do echo $i | cat; done & wait $!", "trap 'echo x' EXIT TERM; kill $$",
		"f() { local a=1; return $a; }; f; case $? in 1) echo ${a:-x};; esac", "a=(1 2 [5]=3); echo ${a[@]:1} ${#a[*]} ${!a[@]}", "cat <<E\n$HOME $(date)\nE",
		"while read -r x; do echo ${x%%b*} ${x//a/b} ${x^^}; done <<< abc", "[[ $x =~ ^(a|b)$ && -f /etc ]] || (( x++ ))", "select x in a b; do break; done", "eval 'x=1; echo {a,b}{1..3}'",
		"declare -A m=([a]=1); echo ${m[a]}; unset m[a]; let x=1+2; printf '%5s|%-3d\\n' a 1", "set -eu; echo ${x?no}; shift 3; getopts ab: o -b 1", "exec 2>&1 >/dev/null; . /nosuch; command -v sh; type sh",
		"coproc cat; time ! true |& cat; echo $'\\x41' ~root $(( 1 ? 2 : 3 ** 2 ))",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if strings.Contains(script, "sleep") || len(script) > 4096 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		var out buffer
		c := &Container{Hostname: "box", Network: noNetwork{}, Programs: Commands(), Memory: NewMemory(0, nil, nil), PIDs: &PIDs{}}
		c.Files = Bare{Programs: c.Programs}
		p := &Process{Args: []string{"bash", "-c", script}, Env: []string{"HOME=/root", "PATH=/bin"}, Stdout: &out, Stderr: &out, Container: c, Init: true}
		stuck := time.AfterFunc(5*time.Second, func() {
			stacks := make([]byte, 1<<20)
			panic(fmt.Sprintf("%q cannot be killed:\n%s", script, stacks[:runtime.Stack(stacks, true)]))
		})
		p.Run(ctx, Shell)
		stuck.Stop()
		if strings.Contains(out.String(), "goroutine ") {
			t.Errorf("panic: %s", out.String())
		}
	})
}
