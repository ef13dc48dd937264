package sandbox

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// State of a component.
type State string

// The states of a component, in the order they are usually met.
const (
	Waiting  State = "waiting" // for what it needs
	Starting State = "starting"
	Ready    State = "ready"
	Frozen   State = "frozen"  // its process is there but does not run
	Backoff  State = "backoff" // it exited and will be started again
	Stopping State = "stopping"
	Stopped  State = "stopped" // until somebody starts it
)

// ComponentState is a component at one moment.
type ComponentState struct {
	Name     string // as in component events: etcd, kube-apiserver, ..., kubelet:node-1
	State    State
	Pid      int // 0 when there is no process
	Restarts int
}

// board is what is known of all components and nodes at this moment; keepers
// write on it and wait for what others write.
type board struct {
	mu      sync.Mutex // guards all below
	order   []string
	states  map[string]ComponentState
	answers map[string]bool // whether its process has answered anything yet
	nodes   map[string]nodeReport
	changed chan struct{} // closed and replaced at each change
}

// nodeReport is the last thing a kubelet said about its node.
type nodeReport struct {
	ready bool
	at    time.Time // by the kubelet's clock, in whole seconds
}

func newBoard(all []component) *board {
	b := &board{states: map[string]ComponentState{}, answers: map[string]bool{}, nodes: map[string]nodeReport{}, changed: make(chan struct{})}
	for _, c := range all {
		b.order = append(b.order, c.name)
		b.states[c.name] = ComponentState{Name: c.name, State: Waiting}
	}
	return b
}

func (b *board) changeLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) set(s ComponentState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[s.Name] = s
	switch s.State {
	case Ready:
		b.answers[s.Name] = true
	case Starting, Frozen, Stopping: // what it answers now, or answered before
	default:
		delete(b.answers, s.Name)
	}
	b.changeLocked()
}

// stir makes everybody who waits look again.
func (b *board) stir() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changeLocked()
}

// state returns one component's.
func (b *board) state(name string) ComponentState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.states[name]
}

// answered notes that a component's process has answered, if only to say that
// it is not ready.
func (b *board) answered(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.answers[name] && b.states[name].State == Starting {
		b.answers[name] = true
		b.changeLocked()
	}
}

// answering reports whether all named components have answered.
func (b *board) answering(names ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if !b.answers[name] {
			return false
		}
	}
	return true
}

func (b *board) components() []ComponentState {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]ComponentState, 0, len(b.order))
	for _, name := range b.order {
		all = append(all, b.states[name])
	}
	return all
}

// ready reports whether all named components are; none named means all.
func (b *board) ready(names ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(names) == 0 {
		names = b.order
	}
	for _, name := range names {
		if b.states[name].State != Ready {
			return false
		}
	}
	return true
}

// nodeReady reports whether a node was reported ready by a kubelet that
// started at since or later. What etcd remembers from before does not count.
func (b *board) nodeReady(name string, since time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.nodes[name]
	return r.ready && !r.at.Before(since.Truncate(time.Second))
}

// node takes a Node object as JSON.
func (b *board) node(value json.RawMessage) {
	var n struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Status struct {
			Conditions []struct {
				Type   string    `json:"type"`
				Status string    `json:"status"`
				At     time.Time `json:"lastHeartbeatTime"`
			} `json:"conditions"`
		} `json:"status"`
	}
	if json.Unmarshal(value, &n) != nil {
		return
	}
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" {
			b.mu.Lock()
			b.nodes[n.Metadata.Name] = nodeReport{c.Status == "True", c.At}
			b.changeLocked()
			b.mu.Unlock()
		}
	}
}

// wait returns true when what is asked for holds, false when ctx ends first.
func (b *board) wait(ctx context.Context, holds func() bool) bool {
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if holds() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
