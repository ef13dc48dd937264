// Package cause finds out why an actor did what it did.
//
// That two events are one and the same thing (a request and the revision etcd
// stored, a revision and the notification that carried it) is known by exact
// keys, and joined by watch.Joiner. This package answers the other question: a
// controller wrote, a kubelet called its runtime; what had it been told, or
// done before, that made it do so? The answers are a table, rules.go: who did
// what, and where its causes are looked for, best first.
//
// Everything is concluded from the events before, so the same log has the same
// causes, however often it is read. A rule that finds nothing says nothing: a
// wrong cause is worse than none. In particular nobody acts upon what had not
// reached it when its request began, nor upon the echo of its own write.
package cause

import (
	"time"

	"github.com/kubestage/kubestage/watch"
)

// Finder finds causes among the events it was given.
type Finder struct {
	memory

	// What Causes was asked about last is remembered next, and need not be read
	// twice.
	asked   *act
	askedOf sign
}

// sign tells events apart that have no number yet.
type sign struct {
	kind     watch.Kind
	verb     string
	start    time.Time
	evidence watch.Evidence
}

func signOf(e *watch.Event) sign { return sign{e.Kind, e.Verb, e.Start, e.Evidence} }

// New returns a finder that knows of nothing yet.
func New() *Finder { return &Finder{memory: newMemory()} }

// Causes returns why an event happened, the nearest cause first. The event has
// not been given to Remember yet.
func (f *Finder) Causes(e *watch.Event) []watch.Cause {
	f.asked, f.askedOf = read(e), signOf(e)
	if f.asked == nil {
		return nil
	}
	a := new(*f.asked)
	if a.uid == "" && a.verb != "create" && a.object.Name != "" {
		a.uid = f.named[a.object.Key()]
	}
	for i := range rules {
		if rules[i].fits(a) {
			return f.ask(a, rules[i].why)
		}
	}
	return nil
}

// Remember takes an event, with its number, after Causes was asked for it.
func (f *Finder) Remember(e *watch.Event) {
	switch e.Kind {
	case watch.Etcd:
		f.store(e)
		return
	case watch.Watch:
		f.notify(e)
		return
	case watch.Net: // is the cause of nothing
		return
	}
	a := f.asked
	if a == nil || f.askedOf != signOf(e) {
		a = read(e)
	}
	f.asked = nil
	if a != nil {
		a.seq = e.Seq
		f.act(e, a)
	}
}

// Rule names the rule an event falls under, and is empty when there is none.
func Rule(e *watch.Event) string {
	if a := read(e); a != nil {
		for i := range rules {
			if rules[i].fits(a) {
				return rules[i].name
			}
		}
	}
	return ""
}

func (f *Finder) ask(a *act, why []source) []watch.Cause {
	var causes []watch.Cause
	for _, s := range why {
		for _, c := range s(f, a) {
			if !has(causes, c.Seq) {
				causes = append(causes, c)
			}
		}
	}
	return causes
}

func has(causes []watch.Cause, seq uint64) bool {
	for _, c := range causes {
		if c.Seq == seq {
			return true
		}
	}
	return false
}
