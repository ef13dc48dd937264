// Package state tells what there was at any event a log still keeps: each
// object as it was last written and by whom, each component, each link.
//
// A State is the fold of all events up to one. A Timeline keeps snapshots of it
// beside a log, so that to find a State means to begin with the snapshot before
// it and to apply a few hundred events. What leaves the log lives on in the
// oldest snapshot.
package state

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

// Object is an object as it was last written.
type Object struct {
	Object   watch.Object    `json:"object"`
	Revision string          `json:"revision"`
	Value    json.RawMessage `json:"value,omitempty"`
	Seq      uint64          `json:"seq"`          // of the event that says so
	By       string          `json:"by,omitempty"` // who asked for the write; empty when that is not known

	key  string
	text []byte
}

// newObject also makes what almost every reader asks for, an order and JSON: an
// object is written once and read in every State until it is written again.
func newObject(about watch.Object, revision string, value json.RawMessage, seq uint64, by string) *Object {
	o := &Object{Object: about, Revision: revision, Seq: seq, By: by, key: about.Key()}
	o.text, _ = json.Marshal(o) // strings and numbers only
	if len(value) > 0 {
		// It was valid when it was made, and package json would read it again.
		head := append(o.text[:len(o.text)-1], `,"value":`...)
		o.text = append(append(slices.Grow(head, len(value)+1), value...), '}')
		o.Value = o.text[len(head) : len(head)+len(value)]
	}
	return o
}

// JSON is the object as package json would write it. It must not be written to.
func (o *Object) JSON() []byte { return o.text }

// Component is a component as its last event left it.
type Component struct {
	Name     string `json:"name"`
	State    string `json:"state"` // the verb of its last event; a thawed one is what it was before it froze
	PID      int    `json:"pid,omitempty"`
	Restarts int    `json:"restarts,omitempty"`
	Seq      uint64 `json:"seq"`

	beneath string // what it is when it thaws
}

// Link is a link as its last event left it: cut, delayed or whole. A link that
// nobody has touched is whole and not in the list.
type Link struct {
	Name  string  `json:"name"`
	State string  `json:"state"`
	Delay float64 `json:"delay,omitempty"` // seconds
	Seq   uint64  `json:"seq"`
}

// State is all there was at an event. What it points at is never changed.
type State struct {
	Seq        uint64
	objects    map[string]*Object // by uid, or by key where there is none
	components map[string]*Component
	links      map[string]*Link
	asked      askers
}

// New returns the state before anything happened.
func New() *State {
	return &State{objects: map[string]*Object{}, components: map[string]*Component{}, links: map[string]*Link{}, asked: askers{young: map[uint64]string{}}}
}

func (s *State) clone() *State {
	return &State{s.Seq, maps.Clone(s.objects), maps.Clone(s.components), maps.Clone(s.links), s.asked.clone()}
}

// Objects returns all objects, sorted by their keys.
func (s *State) Objects() []*Object {
	return slices.SortedFunc(maps.Values(s.objects), func(a, b *Object) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.Object.UID, b.Object.UID)
	})
}

// Object returns the object with a uid, nil when there is none.
func (s *State) Object(uid string) *Object { return s.objects[uid] }

// Components returns all components, sorted by name.
func (s *State) Components() []*Component {
	return slices.SortedFunc(maps.Values(s.components), func(a, b *Component) int { return strings.Compare(a.Name, b.Name) })
}

// Links returns the links that somebody has touched, sorted by name.
func (s *State) Links() []*Link {
	return slices.SortedFunc(maps.Values(s.links), func(a, b *Link) int { return strings.Compare(a.Name, b.Name) })
}

// Apply goes on to the next event.
func (s *State) Apply(e *watch.Event) {
	s.Seq = e.Seq
	switch e.Kind {
	case watch.Request:
		s.asked.note(e)
	case watch.Etcd:
		s.store(e, e.Verb == "delete")
	case watch.Watch:
		if e.To == watch.Kubestage { // an attached cluster: there is no nearer witness
			s.store(e, e.Verb == "DELETED")
		}
	case watch.Component:
		s.component(e)
	case "link":
		s.link(e)
	}
}

func (s *State) store(e *watch.Event, gone bool) {
	if e.Object == nil {
		return
	}
	name := nameOf(e.Object)
	if gone {
		delete(s.objects, name)
		return
	}
	var d struct {
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(e.Detail, &d) != nil || e.Kind == watch.Watch && len(d.Value) == 0 {
		return
	}
	s.objects[name] = newObject(*e.Object, e.Revision, d.Value, e.Seq, s.asked.of(e))
}

func nameOf(o *watch.Object) string {
	if o.UID != "" {
		return o.UID
	}
	return o.Key()
}

func (s *State) component(e *watch.Event) {
	var d struct {
		PID      int `json:"pid"`
		Restarts int `json:"restarts"`
	}
	_ = json.Unmarshal(e.Detail, &d) // then only the verb is known
	c := &Component{Name: e.To, State: e.Verb, PID: d.PID, Restarts: d.Restarts, Seq: e.Seq, beneath: e.Verb}
	if was := s.components[e.To]; was != nil {
		switch e.Verb {
		case "frozen":
			c.beneath = was.beneath
		case "thawed":
			c.State, c.beneath = was.beneath, was.beneath
		}
		if e.Verb == "frozen" || e.Verb == "thawed" {
			c.PID, c.Restarts = was.PID, was.Restarts
		}
	}
	s.components[e.To] = c
}

func (s *State) link(e *watch.Event) {
	var d struct {
		Link  string  `json:"link"`
		Delay float64 `json:"delay"`
	}
	if json.Unmarshal(e.Detail, &d) != nil || d.Link == "" {
		return
	}
	l := &Link{Name: d.Link, State: e.Verb, Seq: e.Seq}
	switch e.Verb {
	case "delayed":
		l.Delay = d.Delay
	case "healed":
		l.State = "whole"
	}
	s.links[l.Name] = l
}

// askers remembers who made the last requests, in two generations: a write
// follows its request closely.
type askers struct{ young, old map[uint64]string }

const askersKept = 512

func (a *askers) note(e *watch.Event) {
	switch e.Verb {
	case "get", "list", "watch":
		return
	}
	if len(a.young) == askersKept {
		a.old, a.young = a.young, map[uint64]string{}
	}
	a.young[e.Seq] = e.From
}

func (a *askers) of(e *watch.Event) string {
	for _, c := range e.Causes {
		for _, g := range []map[uint64]string{a.young, a.old} {
			if who, ok := g[c.Seq]; ok {
				return who
			}
		}
	}
	return ""
}

func (a *askers) clone() askers { return askers{maps.Clone(a.young), a.old} } // old is never written to
