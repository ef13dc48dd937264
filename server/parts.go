package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubestage/kubestage/content"
)

// order gives an order of a scene.
func (s *scenes) order(ctx context.Context, o content.Order) error {
	if s.Controls == nil {
		return errors.New("there are no components here to control")
	}
	if o.ToLink() {
		return s.Controls.Disturb(o.Of, o.Verb, o.Delay)
	}
	return s.Controls.Order(ctx, o.Of, o.Verb)
}

// restore starts what was stopped, thaws what was frozen and heals what was cut,
// and waits until the cluster is ready again.
func (s *scenes) restore(ctx context.Context) error {
	if s.Controls == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, preparing)
	defer cancel()
	for {
		for _, l := range s.Controls.Links() {
			if l.State != "whole" {
				if err := s.Controls.Disturb(l.Name, "heal", 0); err != nil {
					return err
				}
			}
		}
		waiting, last := "", error(nil)
		for _, c := range s.Controls.Components() {
			order := ""
			switch c.State {
			case "ready":
				continue
			case "frozen":
				order = "thaw"
			case "stopped", "backoff":
				order = "start"
			}
			waiting = c.Name + ": " + c.State
			if order != "" {
				last = s.Controls.Order(ctx, c.Name, order)
			}
		}
		if ready, _ := s.Ready(); waiting == "" && ready {
			return nil
		}
		if sleep(ctx, 100*time.Millisecond) != nil {
			return errors.Join(fmt.Errorf("after %s: %s", preparing, waiting), last)
		}
	}
}

// disturbed says whether it is a person's doing that the cluster is not ready.
func (s *scenes) disturbed() bool {
	return s.Controls != nil &&
		(slices.ContainsFunc(s.Controls.Components(), func(c ComponentState) bool { return c.State == "stopped" || c.State == "frozen" }) ||
			slices.ContainsFunc(s.Controls.Links(), func(l LinkState) bool { return l.State != "whole" }))
}

// inLanguage is an error in words, in the language when it knows it.
func inLanguage(err error, lang string) string {
	var both interface{ Korean() string }
	if lang == "ko" && errors.As(err, &both) {
		return both.Korean()
	}
	return err.Error()
}
