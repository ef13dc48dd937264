package watch

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"time"
)

// Observation is an event on its way into the log. Witnesses run in different
// processes, so their reports arrive out of order; an observation therefore
// says what it is connected to, and the Joiner does the rest.
type Observation struct {
	Event
	Needs []Need `json:"needs,omitempty"` // each one found becomes a Cause, in this order
	Gives []Give `json:"gives,omitempty"` // keys under which later observations find this event
	Lane  string `json:"lane,omitempty"`  // observations of one lane never overtake each other
	Knows string `json:"knows,omitempty"` // a user: what that one had been told, or done, before this began is told before this

	// Complete, when there is one, tells whether all is known that Finish adds.
	// Until it is, the observation is held, but not beyond the joiner's patience.
	Complete func() bool `json:"-"`
	// Finish, when there is one, adds what has become known since the
	// observation was offered; it is called once, before the event is appended.
	Finish func(*Event) `json:"-"`
}

// Line is the observation as a witness in another process writes it, with its
// line end: the detail, a tab, and the rest as JSON. The detail is most of it, and
// in this form nobody has to read it on its way to the log. It comes first: a
// line that was torn off has no rest, and is no observation.
func (o Observation) Line() []byte {
	detail := o.Detail
	o.Detail = nil
	rest, err := json.Marshal(o)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	line := make([]byte, 0, len(detail)+len(rest)+2)
	line = append(append(line, detail...), '\t')
	return append(append(line, rest...), '\n')
}

// ReadObservation reads a line without its end. It keeps nothing of the line.
func ReadObservation(line []byte) (o Observation, ok bool) {
	detail, rest, ok := bytes.Cut(line, []byte{'\t'})
	if !ok || json.Unmarshal(rest, &o) != nil {
		return Observation{}, false
	}
	o.Detail = nil
	if len(detail) > 0 {
		o.Detail = bytes.Clone(detail)
	}
	return o, true
}

// Need names an earlier event by a key it gives. The waited-for needs of one
// observation are alternatives, the best first: one of them becomes a Cause.
type Need struct {
	Key  string `json:"key"`
	How  string `json:"how,omitempty"`  // becomes Cause.How; empty means that only the order matters
	Wait bool   `json:"wait,omitempty"` // hold the observation until one of its waited-for keys is known, or patience ends
}

// Give makes an event findable under Key. The newest giver of a key wins.
type Give struct {
	Key string `json:"key"`
}

// Joiner orders observations and appends them to a log. Two rules make the
// order: within Hold, observations are sorted by the time they ended; and an
// observation that waits for a key comes after the event that gives it. After
// Patience it goes ahead without that cause; after twice as long when that event
// is here and waits itself.
type Joiner struct {
	Hold     time.Duration // zero means DefaultHold
	Patience time.Duration // zero means DefaultPatience
	Why      Why           // adds causes that no key tells; may be nil

	log *Log
	in  chan Observation
}

// Reached is when an actor may have acted upon an event. A notification is with
// its client at some moment between Start and End, the next time the client
// reads; on a link that is slow it is at the End.
func Reached(e *Event) time.Time {
	if e.Kind == Watch && e.End.Sub(e.Start) < 10*time.Millisecond {
		return e.Start
	}
	return e.End
}

// Why finds causes among the events before.
type Why interface {
	Causes(*Event) []Cause // of an event that has no number yet
	Remember(*Event)       // with its number and all its causes
}

// DefaultHold covers the time a pipe between two processes needs on a busy
// machine; DefaultPatience the time between a commit in etcd and the audit
// record of a slow request. Both are part of the delay a viewer sees.
const (
	DefaultHold     = 20 * time.Millisecond
	DefaultPatience = 250 * time.Millisecond
)

// NewJoiner returns a joiner that appends to log once Run is called.
func NewJoiner(log *Log) *Joiner {
	return &Joiner{log: log, in: make(chan Observation, 4096)}
}

// Offer hands in an observation. It waits when 4096 are unprocessed and
// returns false if ctx ends first; the observation is then lost.
func (j *Joiner) Offer(ctx context.Context, o Observation) bool {
	select {
	case j.in <- o:
		return true
	case <-ctx.Done():
		return false
	}
}

// pace is the time between two looks at what is held. Each is a look at all of
// it, and hundreds of arrivals may share one.
const pace = 5 * time.Millisecond

// Run appends until ctx ends, then appends what it still holds and returns.
func (j *Joiner) Run(ctx context.Context) {
	s := newJoinState(j)
	look := time.NewTimer(pace)
	defer look.Stop()
	resting := false
	for {
		select {
		case o := <-j.in:
			s.add(o, time.Now())
			if resting {
				look.Reset(pace)
				resting = false
			}
		case now := <-look.C:
			s.advance(now)
			if resting = s.empty(); !resting {
				look.Reset(pace)
			}
		case <-ctx.Done():
			for len(j.in) > 0 {
				s.add(<-j.in, time.Now())
			}
			s.advance(time.Now().Add(time.Hour))
			return
		}
	}
}

// held is an observation between its arrival and the log.
type held struct {
	Observation
	order   uint64    // arrival, the tie-breaker
	due     time.Time // when sorting ends
	giveUp  time.Time // when waiting ends
	waiting bool
	longer  bool // giveUp has been put off, once
}

type byEnd []*held

func (h byEnd) Len() int { return len(h) }
func (h byEnd) Less(a, b int) bool {
	if !h[a].End.Equal(h[b].End) {
		return h[a].End.Before(h[b].End)
	}
	return h[a].order < h[b].order
}
func (h byEnd) Swap(a, b int) { h[a], h[b] = h[b], h[a] }
func (h *byEnd) Push(x any)   { *h = append(*h, x.(*held)) }
func (h *byEnd) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

type joinState struct {
	log            *Log
	why            Why
	hold, patience time.Duration
	arrivals       uint64
	sorting        byEnd
	waiting        []*held // released from sorting, in order
	// Keys in two generations, so that what is remembered stays bounded
	// without a clock: a key lives for one to two generations.
	young, old map[string]uint64 // sequence numbers
	coming     map[string]int    // keys that what is held will give
}

const generation = 100_000

func newJoinState(j *Joiner) *joinState {
	s := &joinState{log: j.log, why: j.Why, hold: j.Hold, patience: j.Patience, young: map[string]uint64{}, coming: map[string]int{}}
	if s.hold == 0 {
		s.hold = DefaultHold
	}
	if s.patience == 0 {
		s.patience = DefaultPatience
	}
	return s
}

func (s *joinState) add(o Observation, now time.Time) {
	s.arrivals++
	for _, g := range o.Gives {
		s.coming[g.Key]++
	}
	heap.Push(&s.sorting, &held{Observation: o, order: s.arrivals, due: now.Add(s.hold), giveUp: now.Add(s.hold + s.patience)})
}

func (s *joinState) empty() bool { return len(s.sorting)+len(s.waiting) == 0 }

func (s *joinState) advance(now time.Time) {
	// The head of the heap ended first, but may have arrived last: what ended
	// before something that is due is let go with it.
	var due time.Time
	for _, h := range s.sorting {
		if !h.due.After(now) && h.End.After(due) {
			due = h.End
		}
	}
	for len(s.sorting) > 0 && !s.sorting[0].End.After(due) {
		s.waiting = append(s.waiting, heap.Pop(&s.sorting).(*held))
	}
	for s.pass(now) {
	}
}

// pass appends each waiting observation that may go, and reports whether one
// did, since that may free another.
func (s *joinState) pass(now time.Time) bool {
	went := false
	blocked := map[string]bool{}
	untold := map[string]time.Time{} // of each user, the end of the first thing that waits
	kept := s.waiting[:0]
	for _, h := range s.waiting {
		if blocked[h.Lane] || !s.ready(h, now) || s.ahead(h, untold, now) {
			if h.Lane != "" {
				blocked[h.Lane] = true
			}
			who := h.From
			if h.Kind == Watch {
				who = h.To
			}
			if t, ok := untold[who]; !ok || Reached(&h.Event).Before(t) {
				untold[who] = Reached(&h.Event)
			}
			kept = append(kept, h)
			continue
		}
		s.release(h)
		went = true
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return went && len(kept) > 0
}

func (s *joinState) ready(h *held, now time.Time) bool {
	h.waiting = h.Complete != nil && !h.Complete() && h.giveUp.After(now)
	if h.waiting {
		return false
	}
	coming := false
	for _, n := range h.Needs {
		if n.Wait {
			if _, ok := s.find(n.Key); ok {
				h.waiting = false
				return true
			}
			h.waiting = true
			coming = coming || s.coming[n.Key] > 0
		}
	}
	if coming && !h.longer && !h.giveUp.After(now) {
		h.longer, h.giveUp = true, h.giveUp.Add(s.patience)
	}
	return !h.waiting || !h.giveUp.After(now)
}

// ahead reports whether something waits that h's actor knew when h began. That
// is a matter of moments, and no two can wait for each other: what was known
// had ended before.
func (s *joinState) ahead(h *held, untold map[string]time.Time, now time.Time) bool {
	t, ok := untold[h.Knows]
	h.waiting = h.Knows != "" && ok && !t.After(h.Start) && h.giveUp.After(now)
	return h.waiting
}

func (s *joinState) find(key string) (seq uint64, ok bool) {
	if seq, ok = s.young[key]; !ok {
		seq, ok = s.old[key]
	}
	return seq, ok
}

func (s *joinState) release(h *held) {
	e := h.Event
	e.Causes = append([]Cause(nil), e.Causes...)
	waited := false // for something that has come
	for _, n := range h.Needs {
		seq, ok := s.find(n.Key)
		if !ok || n.Wait && waited {
			continue
		}
		waited = waited || n.Wait
		if n.How != "" && !hasCause(e.Causes, seq) {
			e.Causes = append(e.Causes, Cause{seq, n.How})
		}
	}
	if s.why != nil {
		why := s.why.Causes(&e)
		for _, c := range e.Causes {
			if !hasCause(why, c.Seq) {
				why = append(why, c)
			}
		}
		e.Causes = why
	}
	if h.Finish != nil {
		h.Finish(&e)
	}
	seq := s.log.Append(e)
	if s.why != nil {
		e.Seq = seq
		s.why.Remember(&e)
	}
	for _, g := range h.Gives {
		s.young[g.Key] = seq
		if s.coming[g.Key]--; s.coming[g.Key] == 0 {
			delete(s.coming, g.Key)
		}
	}
	if len(s.young) > generation {
		s.old, s.young = s.young, map[string]uint64{}
	}
}

func hasCause(cs []Cause, seq uint64) bool {
	for _, c := range cs {
		if c.Seq == seq {
			return true
		}
	}
	return false
}
