package program

import (
	"context"
	"sync"
	"time"
)

// meter keeps the computing of one container within a share of one core. The
// shell reports each step it takes; steps that follow each other closely are
// computing, longer pauses are waiting. A container that has computed for a
// while then rests, all its processes together, so that no loop, and no number
// of them, can take the machine away from the cluster.
type meter struct {
	mu   sync.Mutex // guards all below
	last time.Time
	busy time.Duration
}

const (
	turn     = 5 * time.Millisecond // computing before a rest, and the longest step that counts as computing
	restsPer = 3                    // rest this many times as long: a quarter of a core
)

// step reports one step and returns the context's error when the process has to end.
func (m *meter) step(ctx context.Context, used func(time.Duration)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := time.Now()
	if d := t.Sub(m.last); d < turn {
		m.busy += d
	}
	m.last = t
	if m.busy >= turn {
		used(m.busy)
		Wait(ctx, restsPer*m.busy)
		m.busy, m.last = 0, time.Now()
	}
	return ctx.Err()
}
