package program

import (
	"slices"
	"sync"
)

// PIDs is a namespace of process ids: a container's own, or one that the
// containers of a pod share.
type PIDs struct {
	mu      sync.Mutex // guards all below
	last    int
	running map[int]*Process
}

func (n *PIDs) next() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	return n.last
}

// Processes are those that run now, by their ids.
func (n *PIDs) Processes() []*Process {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]*Process, 0, len(n.running))
	for _, p := range n.running {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Process) int { return a.PID() - b.PID() })
	return list
}

func (n *PIDs) began(pid int, p *Process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil {
		n.running = map[int]*Process{}
	}
	if n.running[pid] == nil {
		n.running[pid] = p
	}
}

func (n *PIDs) finished(pid int, p *Process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running[pid] == p {
		delete(n.running, pid)
	}
}
