package program

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Signal is one of the signals a container can receive.
type Signal int

// The signals programs know, with their numbers on Linux.
const (
	SIGHUP  Signal = 1
	SIGINT  Signal = 2
	SIGQUIT Signal = 3
	SIGKILL Signal = 9
	SIGUSR1 Signal = 10
	SIGUSR2 Signal = 12
	SIGPIPE Signal = 13
	SIGTERM Signal = 15

	SIGWINCH Signal = 28 // does nothing by default; Apache's order to finish and end
)

var signalNames = map[Signal]string{
	SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGKILL: "SIGKILL",
	SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM", SIGWINCH: "SIGWINCH",
}

func (s Signal) String() string {
	if n, ok := signalNames[s]; ok {
		return n
	}
	return fmt.Sprintf("signal %d", int(s))
}

// ParseSignal reads "SIGTERM", "TERM" or "15".
func ParseSignal(name string) (Signal, bool) {
	up := strings.ToUpper(name)
	for s, n := range signalNames {
		if up == n || "SIG"+up == n || up == fmt.Sprint(int(s)) {
			return s, true
		}
	}
	return 0, false
}

// Network is the network a process is in: that of its pod, or of the node.
type Network interface {
	// Address is the address the process would see on its interface.
	Address() string
	// Listen takes a port on all addresses of the pod. It returns an error that
	// says the address is in use when another process of the pod has it.
	Listen(port int) (net.Listener, error)
	// Dial connects to a port of this pod ("localhost:80", "127.0.0.1:80"), or to the address of another pod, a node or
	// a Service. Errors wrap those of package overlay.
	Dial(ctx context.Context, address string) (net.Conn, error)
	// Ask sends a datagram and waits for the one that answers it.
	Ask(ctx context.Context, server netip.AddrPort, question []byte) ([]byte, error)
}

// Container is what all processes of one container share.
type Container struct {
	Hostname     string
	PodNamespace string
	PodName      string
	Name         string // of the container
	Node         string
	Image        string // as people write it
	Ports        []int  // TCP ports the image serves, or the container declares
	Network      Network
	Programs     Set
	Files        Files
	User         User
	Docroot      string // folder of pages, where the image's server has one
	Memory       *Memory
	PIDs         *PIDs

	CPU   atomic.Int64 // nanoseconds its programs say they computed
	meter meter
}

// Used adds to the time the container's programs computed.
func (c *Container) Used(d time.Duration) { c.CPU.Add(int64(d)) }

// Process is what a program sees of the world. Args[0] is the name the program
// was called by. Streams are never nil once the process runs.
type Process struct {
	Args   []string
	Env    []string // NAME=value; the last one of a name counts
	Dir    string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	*Container

	Terminal bool // its streams are a terminal

	Init   bool     // process 1 of its namespace: signals without a handler do nothing
	Parent *Process // that started it; nil for process 1 and what joins from outside

	mu       sync.Mutex // guards all below
	handled  map[Signal]bool
	signals  chan Signal
	kill     context.CancelFunc
	killedBy Signal
	done     bool
	pid      int
	became   *Process // that replaced it by exec
	shown    []string // Args, as they were when it began, for others
	held     int64    // bytes of memory
	job      int      // the id of the shell's job it is part of; never changes
}

// PID is the process's id inside its container.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// Begin gives the process its id before it runs, so that nothing that comes
// later can have it.
func (p *Process) Begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid = p.PIDs.next()
}

// HasStdin reports whether anything can ever be read from Stdin.
func (p *Process) HasStdin() bool {
	_, none := p.Stdin.(noInput)
	return p.Stdin != nil && !none
}

// noInput is the standard input of a process nobody is connected to.
type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// Getenv returns the value of an environment variable, or "".
func (p *Process) Getenv(name string) string {
	for i := len(p.Env) - 1; i >= 0; i-- {
		if n, v, ok := strings.Cut(p.Env[i], "="); ok && n == name {
			return v
		}
	}
	return ""
}

// Notify installs a handler: from now on the signals come through the returned
// channel instead of their default action. SIGKILL cannot be handled.
func (p *Process) Notify(signals ...Signal) <-chan Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signals == nil {
		p.signals = make(chan Signal, 8)
		p.handled = map[Signal]bool{}
	}
	for _, s := range signals {
		if s != SIGKILL {
			p.handled[s] = true
		}
	}
	return p.signals
}

// Default gives signals back their default action.
func (p *Process) Default(signals ...Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range signals {
		delete(p.handled, s)
	}
}

// Signal sends a signal to the process, as kill does. Signals beyond those a
// process has not yet taken are merged, like in a kernel.
func (p *Process) Signal(s Signal) {
	p.mu.Lock()
	if next := p.became; next != nil {
		p.mu.Unlock()
		if s == SIGKILL {
			p.end(s)
		}
		next.Signal(s)
		return
	}
	defer p.mu.Unlock()
	if p.done {
		return
	}
	switch {
	case p.handled[s]:
		select {
		case p.signals <- s:
		default:
		}
	case s == SIGWINCH:
	case s == SIGKILL, !p.Init:
		if p.killedBy == 0 {
			p.killedBy = s
		}
		if p.kill != nil { // a process that has not begun ends when it does
			p.kill()
		}
	}
}

// Exit is how a process ended.
type Exit struct {
	Code   int
	Signal Signal // not zero when a signal ended it; Code is then 128 + Signal
}

// Run runs the program as this process and returns when it has ended. The end
// of ctx kills the process.
func (p *Process) Run(ctx context.Context, run Program) (exit Exit) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.Stdin == nil {
		p.Stdin = noInput{}
	}
	if p.Stdout == nil {
		p.Stdout = io.Discard
	}
	if p.Stderr == nil {
		p.Stderr = io.Discard
	}
	if p.Dir == "" {
		p.Dir = "/"
	}
	p.mu.Lock()
	p.kill = cancel
	if p.pid == 0 {
		p.pid = p.PIDs.next()
	}
	killed := p.killedBy
	p.shown = p.Args
	pid := p.pid
	p.mu.Unlock()
	if killed != 0 {
		return Exit{128 + int(killed), killed}
	}
	if !p.Hold(processMemory) {
		return Exit{128 + int(SIGKILL), SIGKILL}
	}
	defer func() { p.Release(p.holds()) }()
	p.PIDs.began(pid, p)
	defer p.PIDs.finished(pid, p)
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(p.Stderr, "%s: %v\n%s", p.Args[0], v, debug.Stack())
			exit = Exit{Code: 2}
		}
		p.mu.Lock()
		p.done = true
		if p.killedBy == 0 && ctx.Err() != nil {
			p.killedBy = SIGKILL
		}
		if p.killedBy != 0 {
			exit = Exit{128 + int(p.killedBy), p.killedBy}
		}
		p.mu.Unlock()
	}()
	return Exit{Code: run(ctx, p) & 0xff}
}

// Exec replaces this process's program by another one, as exec does: same
// process, other arguments and environment.
func (p *Process) Exec(ctx context.Context, run Program, args, environ []string) int {
	p.Args, p.Env = args, environ
	return run(ctx, p)
}

// become hands this process's identity to another one that runs in its place.
func (p *Process) become(next *Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next.Init, next.pid, next.Parent = p.Init, p.pid, p.Parent
	p.became = next
}

// end kills the process itself, whatever took its place.
func (p *Process) end(s Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killedBy == 0 {
		p.killedBy = s
	}
	if p.kill != nil {
		p.kill()
	}
}
