package main

import (
	"context"
	"time"

	"github.com/kubestage/kubestage/sandbox"
	"github.com/kubestage/kubestage/server"
)

// controls lets the server give orders to the sandbox, of which it knows nothing.
type controls struct{ s *sandbox.Sandbox }

func (c controls) Components() []server.ComponentState {
	all := []server.ComponentState{} // a list in JSON, also when it is empty
	for _, is := range c.s.Components() {
		all = append(all, server.ComponentState{Name: is.Name, State: string(is.State), Pid: is.Pid, Restarts: is.Restarts, Link: c.s.LinkOf(is.Name)})
	}
	return all
}

func (c controls) Links() []server.LinkState {
	all := []server.LinkState{}
	for _, is := range c.s.Links() {
		l := server.LinkState{Name: is.Name, State: is.State}
		if is.Delay > 0 {
			l.Delay = is.Delay.String()
		}
		all = append(all, l)
	}
	return all
}

func (c controls) Order(ctx context.Context, component, order string) error {
	return c.s.Order(ctx, component, sandbox.Order(order))
}

func (c controls) Disturb(link, how string, delay time.Duration) error {
	return c.s.Disturb(link, sandbox.Disturbance(how), delay)
}
