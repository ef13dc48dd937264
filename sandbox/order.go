package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Order is what a person wants done to a component.
type Order string

// The orders. A component that was stopped stays down until it is started;
// one that was killed is started again like any that failed.
const (
	Stop   Order = "stop"
	Kill   Order = "kill"
	Freeze Order = "freeze"
	Thaw   Order = "thaw"
	Start  Order = "start"
)

// refused is why something cannot be done now, in both languages.
type refused struct{ en, ko string }

func (r refused) Error() string  { return r.en }
func (r refused) Korean() string { return r.ko }

// learner is who gave an order, in the detail of its events.
const learner = "learner"

// orders are what a keeper was told and has to remember.
type orders struct {
	mu      sync.Mutex // guards all below
	child   *process
	isDown  bool // until start
	ending  bool // the child has to end, or is doing so, also when the next one is wanted already
	frozen  bool
	atOnce  bool   // no more waiting for the next attempt
	by      string // who wants the next start, if a person does
	changed chan struct{}
}

func newOrders() orders { return orders{changed: make(chan struct{})} }

func (o *orders) hold(p *process) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.child, o.ending, o.frozen, o.atOnce = p, p != nil && o.isDown, false, false
}

func (o *orders) ordered() (ending, frozen bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ending, o.frozen, o.changed
}

func (o *orders) down() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.isDown
}

func (o *orders) startedBy() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	by := o.by
	o.by = ""
	return by
}

// pause waits between two attempts, unless a person wants it otherwise.
func (k *keeper) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		k.mu.Lock()
		over, changed := k.atOnce || k.isDown, k.changed
		k.atOnce = false
		k.mu.Unlock()
		if over {
			return
		}
		select {
		case <-changed:
			continue
		case <-timer.C:
		case <-ctx.Done():
		case <-k.quit:
		}
		return
	}
}

// order does what a person wants, or says why it cannot be done, and returns
// when it shows; of a stop, when it is over: what comes next may be a start, and
// whatever is done next was done without the component.
func (k *keeper) order(ctx context.Context, o Order) error {
	before := k.board.state(k.name)
	if err := k.obey(o); err != nil {
		return err
	}
	k.board.stir()
	soon, cancel := context.WithTimeout(ctx, k.grace+2*time.Second)
	defer cancel()
	k.board.wait(soon, func() bool {
		now := k.board.state(k.name)
		switch o {
		case Stop:
			return now.State == Stopped
		case Kill:
			return now.Pid != before.Pid
		case Freeze:
			return now.State == Frozen || now.Pid != before.Pid
		case Thaw:
			return now.State != Frozen
		default:
			return now.State != Stopped && now.State != Backoff
		}
	})
	return nil
}

func (k *keeper) obey(o Order) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.quit:
		return refused{"the dashboard is stopping", "대시보드가 멈추는 중입니다"}
	default:
	}
	p := k.child
	if p == nil && (o == Kill || o == Freeze || o == Thaw) {
		return refused{k.name + " is not running", k.name + " 구성 요소가 실행 중이 아닙니다"}
	}
	switch o {
	case Stop:
		if k.isDown {
			return refused{k.name + " is stopped already", k.name + " 구성 요소는 이미 멈춰 있습니다"}
		}
		k.isDown, k.ending = true, p != nil
		if p == nil {
			k.event("stopped", 0, componentDetail{By: learner})
		}
	case Kill:
		k.event("killed", p.pid, componentDetail{Pid: p.pid, By: learner})
		if err := p.kill(); err != nil {
			return fmt.Errorf("kill %s: %w", k.name, err)
		}
	case Freeze:
		if k.frozen {
			return refused{k.name + " is frozen already", k.name + " 구성 요소는 이미 얼어 있습니다"}
		}
		if err := p.freeze(); err != nil {
			return fmt.Errorf("freeze %s: %w", k.name, err)
		}
		k.frozen = true
		k.event("frozen", p.pid, componentDetail{Pid: p.pid, By: learner})
	case Thaw:
		if !k.frozen {
			return refused{k.name + " is not frozen", k.name + " 구성 요소는 얼어 있지 않습니다"}
		}
		if err := p.thaw(); err != nil {
			return fmt.Errorf("thaw %s: %w", k.name, err)
		}
		k.frozen = false
		k.event("thawed", p.pid, componentDetail{Pid: p.pid, By: learner})
	case Start:
		if p != nil && !k.ending {
			return refused{k.name + " is running already", k.name + " 구성 요소는 이미 실행 중입니다"}
		}
		k.isDown, k.atOnce, k.by = false, true, learner
	default:
		return fmt.Errorf("there is no order %q", o)
	}
	close(k.changed)
	k.changed = make(chan struct{})
	return nil
}
