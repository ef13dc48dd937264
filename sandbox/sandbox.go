package sandbox

import (
	"context"
	"io"

	"github.com/kubestage/kubestage/watch"
)

// Options say how a sandbox is run. The zero value is a sandbox of three
// nodes in the default data directory.
type Options struct {
	DataDir    string    // empty means DefaultDataDir
	Ephemeral  bool      // use a temporary directory and remove it at the end; DataDir must be empty
	Nodes      int       // 0 means 3
	Executable string    // the binary that has the component roles; empty means this one
	Version    string    // of the dashboard, for the data directory's stamp and for component events
	Stderr     io.Writer // boot progress, a line a component; nil means none
	Bare       bool      // no audit log, no tap: for benchmarks
}

// State of a component.
type State string

// The states of a component, in the order they are usually met.
const (
	Waiting  State = "waiting" // for what it needs
	Starting State = "starting"
	Ready    State = "ready"
	Backoff  State = "backoff" // it exited and will be started again
	Stopping State = "stopping"
	Stopped  State = "stopped"
)

// ComponentState is a component at one moment.
type ComponentState struct {
	Name     string // as in component events: etcd, kube-apiserver, ..., kubelet:node-1
	State    State
	Pid      int // 0 when there is no process
	Restarts int
}

// Sandbox is one cluster. It holds the lock of its data directory from New
// until Run returns.
type Sandbox struct{ o Options }

// New locks and checks the data directory.
func New(o Options) (*Sandbox, error) { return &Sandbox{o: o}, nil }

// Run is the sandbox's life.
func (s *Sandbox) Run(ctx context.Context, log *watch.Log) error { <-ctx.Done(); return nil }

// Kubeconfig returns the path of the learner's kubeconfig.
func (s *Sandbox) Kubeconfig() string { return "" }

// Ready reports whether all components and all nodes are ready.
func (s *Sandbox) Ready() bool { return false }

// Components returns the components in start order.
func (s *Sandbox) Components() []ComponentState { return nil }

// DefaultDataDir returns the data directory used when none is given.
func DefaultDataDir() (string, error) { return "", nil }

// Reset deletes the cluster in a data directory.
func Reset(dataDir string) error { return nil }
