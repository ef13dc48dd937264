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
	mu    sync.Mutex // guards all below
	last  time.Time
	busy  time.Duration
	rests time.Time     // until then
	limit time.Duration // of computing in a second; 0 is none of its own
}

const (
	turn      = 5 * time.Millisecond   // computing before a rest, and the longest step that counts as computing
	mostShare = 250 * time.Millisecond // of each second: a quarter of a core, whatever the container's limit
	longRest  = 2 * time.Second
)

// LimitCPU sets how much of each second the container may compute; 0 is as
// much as any.
func (c *Container) LimitCPU(d time.Duration) {
	c.meter.mu.Lock()
	defer c.meter.mu.Unlock()
	c.meter.limit = d
}

// step reports one step and returns the context's error when the process has to end.
func (m *meter) step(ctx context.Context, used func(time.Duration)) error {
	m.mu.Lock()
	t := time.Now()
	if d := t.Sub(m.last); d < turn {
		m.busy += d
	}
	m.last = t
	if m.busy >= turn {
		used(m.busy)
		share := mostShare
		if m.limit > 0 {
			share = min(share, m.limit)
		}
		m.rests = t.Add(min(time.Duration(float64(m.busy)*float64(time.Second-share)/float64(share)), longRest))
		m.busy = 0
	}
	rest := m.rests.Sub(t)
	m.mu.Unlock()
	if rest > 0 {
		Wait(ctx, rest)
		m.mu.Lock()
		m.last = time.Now()
		m.mu.Unlock()
	}
	return ctx.Err()
}
