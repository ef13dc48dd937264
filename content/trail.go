package content

import (
	"math"
	"strconv"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/kubestage/kubestage/watch"
)

// Fact is a step that was reached.
type Fact struct {
	Step   string            `json:"step"`
	Seq    uint64            `json:"seq"`              // the event that made it true
	Start  time.Time         `json:"start"`            // when that event began, by the clock of its witness
	At     time.Time         `json:"at"`               // when it ended
	Values map[string]string `json:"values,omitempty"` // what this fact captured, for captions
	Answer string            `json:"answer,omitempty"` // the right option, at the step that decides the prediction
}

// Trail follows a chain of facts, in one namespace, through events that are
// added in the order of the log. A fact is looked for behind the event of the fact it comes after, so
// two branches of a story may reach the log in either order.
type Trail struct {
	facts    []*fact
	reached  map[string]uint64 // fact id → seq
	captured map[string]any
}

// Follow starts a trail for one run of the scene in a namespace.
func (s *Scene) Follow(ns string) *Trail { return newTrail(s.claims().facts, ns) }

// Follow starts a trail for one attempt at what the checkpoint asks of the log.
func (c *Checkpoint) Follow(ns string) *Trail { return newTrail(c.claims().trace, ns) }

func newTrail(c *factChain, ns string) *Trail {
	return &Trail{facts: c.facts, reached: map[string]uint64{}, captured: map[string]any{"ns": ns}}
}

// Begins reports whether an attempt at the checkpoint starts with this event.
func (c *Checkpoint) Begins(ns string, e watch.Event) bool {
	return holds(c.claims().trace.facts[0].is, input(&e, map[string]any{"ns": ns}))
}

// Reached reports whether a fact has been true.
func (t *Trail) Reached(id string) bool { _, ok := t.reached[id]; return ok }

// Values are what was captured so far, the way captions show it, and the
// namespace.
func (t *Trail) Values() map[string]string {
	values := map[string]string{}
	for name, v := range t.captured {
		values[name] = caption(v)
	}
	return values
}

// Done reports whether every fact has been true.
func (t *Trail) Done() bool { return len(t.reached) == len(t.facts) }

// Waiting returns the id of the first fact that has not been true yet, and ""
// when there is none.
func (t *Trail) Waiting() string {
	for _, f := range t.facts {
		if _, ok := t.reached[f.id]; !ok {
			return f.id
		}
	}
	return ""
}

// Add hands the trail the next event of the log and returns the facts that are
// true because of it, in the order of the scene.
func (t *Trail) Add(e watch.Event) []Fact {
	var news []Fact
	for _, f := range t.facts {
		after, ready := t.reached[f.after]
		if _, done := t.reached[f.id]; done || (f.after != "" && (!ready || e.Seq <= after)) {
			continue
		}
		if n, ok := t.try(f, &e); ok {
			news = append(news, n)
		}
	}
	return news
}

func (t *Trail) try(f *fact, e *watch.Event) (Fact, bool) {
	vars := input(e, t.captured)
	if !holds(f.is, vars) {
		return Fact{}, false
	}
	t.reached[f.id] = e.Seq
	out := Fact{Step: f.id, Seq: e.Seq, Start: e.Start, At: e.End, Values: map[string]string{}}
	for _, c := range f.capture {
		value, _, err := c.is.Eval(vars)
		if err != nil {
			value = types.String("") // a fact that needs it will not be true; a caption shows nothing
		}
		vars[c.name] = value.Value()
		t.captured[c.name] = value.Value()
		out.Values[c.name] = caption(value.Value())
	}
	for _, a := range f.answers {
		if holds(a.when, vars) {
			out.Answer = a.option
			break
		}
	}
	return out, true
}

// caption writes a captured value the way a caption shows it.
func caption(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return ""
}
