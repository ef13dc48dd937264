// Package story gathers the events of a log into stories: what grew out of one
// root. It is a distributed trace of Kubernetes' loops: "kubernetes-admin
// created Deployment web", and the sixty events that followed from it.
//
// An event belongs to the story of its nearest cause (causes are in that
// order), and to a story of its own when it has none, or when it begins
// something: a person's request, a component that starts or fails, a link that
// is cut. What goes on all the time is in no story but in a lane beside them:
// heartbeats, what components read, Events, the setting up of the apiserver.
//
// A story is settled when nothing has been added to it for SettledAfter, and
// closed, so that what comes later is another story, after ClosedAfter. Both are
// measured by the log's own clock, the newest end of an event in it, so that
// stories depend on the events alone.
package story

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// A rollout pauses for seconds while a probe waits; a container that crashes is
// started again after at most five minutes, and a Pod on a node that is lost is
// evicted after as many.
const (
	SettledAfter = 5 * time.Second
	ClosedAfter  = 10 * time.Minute
)

// Story is what is told of a story; it is a copy and stays as it is.
type Story struct {
	ID      string         `json:"id"` // the root's number
	Root    uint64         `json:"root"`
	Title   Title          `json:"title"`
	Actors  []string       `json:"actors"`  // exact names, as they come on stage
	Objects []watch.Object `json:"objects"` // as they are first written, at most mostObjects
	Counts  Counts         `json:"counts"`
	Start   time.Time      `json:"start"`
	End     time.Time      `json:"end"`
	Last    uint64         `json:"last"` // its newest event
	Settled bool           `json:"settled"`
}

// Counts are how many events of each sort a story has.
type Counts struct {
	Events        int `json:"events"`
	Requests      int `json:"requests"`
	Writes        int `json:"writes"`        // in etcd
	Notifications int `json:"notifications"` // of watchers
	Decisions     int `json:"decisions"`     // of the scheduler
	Calls         int `json:"calls"`         // to container runtimes
	Objects       int `json:"objects"`
}

const mostObjects = 200

// Link is a cause within or beyond a story: an event, what it followed from,
// and how that is known. It is [seq, cause, how] in JSON.
type Link struct {
	Seq, Cause uint64
	How        string
}

// MarshalJSON writes three values in a row: there are thousands of them.
func (l Link) MarshalJSON() ([]byte, error) {
	b := append(strconv.AppendUint([]byte{'['}, l.Seq, 10), ',')
	b = append(strconv.AppendUint(b, l.Cause, 10), ',')
	return append(strconv.AppendQuote(b, l.How), ']'), nil
}

// Stories are all stories of a log, as far as it was given to Add.
type Stories struct {
	first   uint64 // the oldest event that is remembered
	of      []placed
	stories map[uint64]*tale // by root
	order   []uint64         // roots, oldest first
	clock   time.Time        // the log's
}

// placed is where an event is: the root of its story, and its lane.
type placed struct {
	root uint64
	lane lane
}

// tale is a story as it grows.
type tale struct {
	Story
	events []uint64
	links  []Link
	actors map[string]bool
	seen   map[string]bool // objects, by uid or key
}

// New returns no stories yet.
func New() *Stories { return &Stories{first: 1, stories: map[uint64]*tale{}} }

// Add takes the next event of the log.
func (s *Stories) Add(e *watch.Event) {
	if len(s.of) == 0 {
		s.first = e.Seq
	}
	if e.End.After(s.clock) {
		s.clock = e.End
	}
	l := s.laneOf(e)
	p := placed{lane: l}
	if l != heartbeats && l != setup {
		p.root = s.rootOf(e)
	}
	s.of = append(s.of, p)
	if l != foreground {
		return
	}
	t := s.stories[p.root]
	if t == nil || p.root == e.Seq {
		p.root = e.Seq
		s.of[len(s.of)-1] = p
		t = &tale{Story: Story{ID: strconv.FormatUint(e.Seq, 10), Root: e.Seq, Title: titleOf(e), Start: e.Start}, actors: map[string]bool{}, seen: map[string]bool{}}
		s.stories[e.Seq] = t
		s.order = append(s.order, e.Seq)
	}
	t.add(e)
}

func (t *tale) add(e *watch.Event) {
	t.events = append(t.events, e.Seq)
	for _, c := range e.Causes {
		t.links = append(t.links, Link{e.Seq, c.Seq, c.How})
	}
	for _, who := range []string{e.From, e.To} {
		if who != "" && !t.actors[who] {
			t.actors[who] = true
			t.Actors = append(t.Actors, who)
		}
	}
	if e.End.After(t.End) {
		t.End = e.End
	}
	t.Last = e.Seq
	t.Counts.Events++
	switch e.Kind {
	case watch.Request:
		t.Counts.Requests++
	case watch.Etcd:
		t.Counts.Writes++
		t.object(e.Object)
	case watch.Watch:
		t.Counts.Notifications++
	case watch.Schedule:
		t.Counts.Decisions++
	case watch.CRI:
		t.Counts.Calls++
	}
}

func (t *tale) object(o *watch.Object) {
	if o == nil || o.Name == "" {
		return
	}
	name := o.UID
	if name == "" {
		name = o.Key()
	}
	if t.seen[name] {
		return
	}
	t.seen[name] = true
	t.Counts.Objects++
	if len(t.Objects) < mostObjects {
		bare := *o
		bare.Subresource = ""
		t.Objects = append(t.Objects, bare)
	}
}

// rootOf finds the story an event belongs to. It returns the event's own number
// when it begins one.
func (s *Stories) rootOf(e *watch.Event) uint64 {
	if begins(e) {
		return e.Seq
	}
	for _, c := range e.Causes {
		p, ok := s.place(c.Seq)
		if !ok || p.root == 0 {
			continue
		}
		if t := s.stories[p.root]; t != nil && s.clock.Sub(t.End) > ClosedAfter && c.How != watch.ByAbsence {
			continue
		}
		return p.root
	}
	return e.Seq
}

func (s *Stories) place(seq uint64) (placed, bool) {
	if seq < s.first || seq >= s.first+uint64(len(s.of)) {
		return placed{}, false
	}
	return s.of[seq-s.first], true
}

// Drop forgets what comes before an event, when the log has. A story is kept
// until its last event goes.
func (s *Stories) Drop(first uint64) {
	if first <= s.first {
		return
	}
	n := min(first-s.first, uint64(len(s.of)))
	s.of = slices.Clone(s.of[n:])
	s.first = first
	s.order = slices.DeleteFunc(s.order, func(root uint64) bool {
		t := s.stories[root]
		if t.Last < first {
			delete(s.stories, root)
			return true
		}
		from := sort.Search(len(t.events), func(i int) bool { return t.events[i] >= first })
		t.events = slices.Clone(t.events[from:])
		from = sort.Search(len(t.links), func(i int) bool { return t.links[i].Seq >= first })
		t.links = slices.Clone(t.links[from:])
		return false
	})
}

// Bounds returns the numbers of the oldest and the newest story's roots, 0 when
// there is none.
func (s *Stories) Bounds() (first, last uint64) {
	if len(s.order) == 0 {
		return 0, 0
	}
	return s.order[0], s.order[len(s.order)-1]
}

// After returns at most limit stories whose roots come after an event, oldest
// first.
func (s *Stories) After(seq uint64, limit int) []Story {
	from := sort.Search(len(s.order), func(i int) bool { return s.order[i] > seq })
	var list []Story
	for _, root := range s.order[from:min(from+limit, len(s.order))] {
		list = append(list, s.told(s.stories[root]))
	}
	return list
}

// Newest returns the last stories, at most limit, oldest first.
func (s *Stories) Newest(limit int) []Story {
	if n := len(s.order); n > limit {
		return s.After(s.order[n-limit]-1, limit)
	}
	return s.After(0, limit)
}

// Story returns the story with a root, the numbers of its events that are still
// kept, and why each happened.
func (s *Stories) Story(root uint64) (st Story, events []uint64, because []Link, ok bool) {
	t := s.stories[root]
	if t == nil {
		return Story{}, nil, nil, false
	}
	return s.told(t), slices.Clone(t.events), slices.Clone(t.links), true
}

// Of returns the root of the story an event is in, 0 when it is in a lane
// beside all stories.
func (s *Stories) Of(seq uint64) uint64 {
	p, ok := s.place(seq)
	if !ok || p.lane != foreground {
		return 0
	}
	return p.root
}

func (s *Stories) told(t *tale) Story {
	st := t.Story
	st.Actors, st.Objects = slices.Clone(t.Actors), slices.Clone(t.Objects)
	st.Settled = s.clock.Sub(t.End) > SettledAfter
	return st
}
