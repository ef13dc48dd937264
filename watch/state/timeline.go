package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/kubestage/kubestage/watch"
)

// snapshotEvery is how many events lie between two snapshots: as many as the log
// lets go of at once, so that there is one just before its oldest event.
const snapshotEvery = watch.Stride

// Timeline finds the state at each event of a log, and the events of each
// object. It reads the log when it is asked, and when CatchUp is called.
type Timeline struct {
	log *watch.Log

	mu        sync.Mutex // guards all below
	now       *State
	since     uint64   // the first event of the fold: 1, unless this reader was once too late
	snapshots []*State // by Seq; never changed
	lives     map[string]*life
	live      map[string]string // uid of the object that has a key now
}

// life is what the log tells of an object.
type life struct {
	object watch.Object
	seqs   []uint64
	writes []write
}

type write struct {
	seq uint64
	by  string
}

// forget lets go of what is before an event.
func (l *life) forget(first uint64) {
	l.seqs = l.seqs[sort.Search(len(l.seqs), func(i int) bool { return l.seqs[i] >= first }):]
	l.writes = l.writes[sort.Search(len(l.writes), func(i int) bool { return l.writes[i].seq >= first }):]
}

// NewTimeline returns a timeline of a log from its oldest event on.
func NewTimeline(log *watch.Log) *Timeline {
	t := &Timeline{log: log}
	t.begin(1)
	return t
}

func (t *Timeline) begin(first uint64) {
	t.since = first
	t.now = New()
	t.now.Seq = first - 1
	t.snapshots = []*State{t.now.clone()}
	t.lives, t.live = map[string]*life{}, map[string]string{}
}

// CatchUp reads what is new in the log. Whoever keeps a timeline calls it
// often enough that the log has not let go of anything in between.
func (t *Timeline) CatchUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
}

func (t *Timeline) catchUpLocked() {
	for {
		events, err := t.log.After(t.now.Seq, snapshotEvery)
		var gap *watch.Gap
		if errors.As(err, &gap) {
			t.begin(gap.First)
			continue
		}
		if err != nil || len(events) == 0 {
			break
		}
		for i := range events {
			e := &events[i]
			t.now.Apply(e)
			t.note(e)
			if e.Seq%snapshotEvery == 0 {
				t.snapshots = append(t.snapshots, t.now.clone())
			}
		}
	}
	t.forget()
}

// note files an event under its object.
func (t *Timeline) note(e *watch.Event) {
	o := e.Object
	if o == nil || o.Name == "" {
		return
	}
	key := o.Key()
	uid := o.UID
	if e.Kind == watch.Etcd {
		if e.Verb == "delete" {
			delete(t.live, key)
		} else if uid != "" {
			t.live[key] = uid
		}
	}
	if uid == "" {
		if uid = t.live[key]; uid == "" {
			return
		}
	}
	l := t.lives[uid]
	if l == nil {
		l = &life{}
		t.lives[uid] = l
	}
	if l.object.UID == "" {
		l.object = *o
		l.object.Subresource, l.object.UID = "", uid
	}
	l.seqs = append(l.seqs, e.Seq)
	if e.Kind == watch.Etcd && e.Verb != "range" {
		if by := t.now.asked.of(e); by != "" {
			l.writes = append(l.writes, write{e.Seq, by})
		}
	}
}

// forget lets go of what the log no longer keeps, all but the state just
// before its oldest event.
func (t *Timeline) forget() {
	first, _ := t.log.Bounds()
	n := sort.Search(len(t.snapshots), func(i int) bool { return t.snapshots[i].Seq >= first }) - 1 // the last one before it
	if n <= 0 {
		return
	}
	t.snapshots = slices.Delete(t.snapshots, 0, n)
	for uid, l := range t.lives {
		if l.forget(first); len(l.seqs) == 0 {
			delete(t.lives, uid)
		}
	}
}

// Since is the first event the states are made of. Nothing is known of objects
// that were last written before.
func (t *Timeline) Since() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since
}

// At returns the state right after an event; the caller owns it. It returns a
// *watch.Gap for an event the log no longer keeps or does not have yet.
func (t *Timeline) At(seq uint64) (*State, error) {
	t.mu.Lock()
	t.catchUpLocked()
	first, _ := t.log.Bounds()
	// A log too small for whole strides may have dropped events that follow
	// the oldest snapshot.
	oldest := sort.Search(len(t.snapshots), func(i int) bool { return t.snapshots[i].Seq+1 >= first })
	if oldest == len(t.snapshots) {
		first = t.now.Seq + 1
	} else {
		first = t.snapshots[oldest].Seq + 1
	}
	if seq+1 < first || seq > t.now.Seq {
		defer t.mu.Unlock()
		return nil, &watch.Gap{First: first, Last: t.now.Seq}
	}
	var s *State
	if seq == t.now.Seq {
		s = t.now.clone()
	} else {
		n := sort.Search(len(t.snapshots), func(i int) bool { return t.snapshots[i].Seq > seq })
		s = t.snapshots[n-1].clone()
	}
	t.mu.Unlock()
	if s.Seq == seq {
		return s, nil
	}
	lines, err := t.log.Lines(s.Seq, int(seq-s.Seq))
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if err := s.applyLine(line); err != nil {
			return nil, err
		}
	}
	s.Seq = seq
	return s, nil
}

// applyLine is Apply for an event in JSON, of which it decodes what it needs:
// most events do not change the state, and most of an event is its detail.
func (s *State) applyLine(line []byte) error {
	head, _, detailed := bytes.Cut(line, []byte(`,"detail":`)) // the last field; see watch.Log
	if bytes.Contains(head, []byte(`"kind":"request"`)) {
		if detailed {
			line = append(bytes.Clone(head), '}')
		}
	} else if !bytes.Contains(head, []byte(`"kind":"etcd"`)) && !bytes.Contains(head, []byte(`"kind":"component"`)) &&
		!bytes.Contains(head, []byte(`"kind":"link"`)) && !bytes.Contains(head, []byte(`"to":"kubestage"`)) {
		return nil
	}
	var e watch.Event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("read an event of the log again: %w", err)
	}
	s.Apply(&e)
	return nil
}

// Components returns all components as they are now, sorted by name.
func (t *Timeline) Components() []*Component {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
	return t.now.Components()
}

// ErrUnknown is the error for an object the log tells nothing of.
var ErrUnknown = errors.New("the log tells nothing of this object")

// History is what the log still tells of one object.
type History struct {
	Object  watch.Object
	Writers []Writer // in the order of their first write
	seqs    []uint64
}

// Writer is who wrote an object, and how often.
type Writer struct {
	Name   string `json:"name"`
	Writes int    `json:"writes"`
	First  uint64 `json:"first"` // the events in which etcd stored it
	Last   uint64 `json:"last"`
}

// Before returns the numbers of the newest events before one, at most limit,
// oldest first, and whether there are more. 0 is after all events.
func (h *History) Before(seq uint64, limit int) (seqs []uint64, more bool) {
	seqs = h.seqs
	if seq > 0 {
		seqs = seqs[:sort.Search(len(seqs), func(i int) bool { return seqs[i] >= seq })]
	}
	from := max(len(seqs)-limit, 0)
	return seqs[from:], from > 0
}

// History returns what the log keeps of the object with a uid.
func (t *Timeline) History(uid string) (*History, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
	l := t.lives[uid]
	if l == nil {
		return nil, fmt.Errorf("%q: %w", uid, ErrUnknown)
	}
	first, _ := t.log.Bounds()
	l.forget(first)
	h := &History{Object: l.object, seqs: slices.Clone(l.seqs)}
	at := map[string]int{}
	for _, w := range l.writes {
		i, ok := at[w.by]
		if !ok {
			i = len(h.Writers)
			at[w.by] = i
			h.Writers = append(h.Writers, Writer{Name: w.by, First: w.seq})
		}
		h.Writers[i].Writes++
		h.Writers[i].Last = w.seq
	}
	return h, nil
}
