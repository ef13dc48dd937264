package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/state"
)

// Choice is what of a log goes into a recording: the events First to Last, or,
// when Story has any, those of a story (numbers, in order), which First and
// Last then follow from.
type Choice struct {
	First, Last uint64
	Story       []uint64
	Causes      []uint64 // of events of the story, where these do not name them themselves

	// Carry chooses among what was there before; nil carries all of it in.
	Carry func(watch.Event) bool

	// Past returns what there was at an event, for what was last written before
	// the oldest event that the log keeps. nil does without.
	Past interface {
		At(seq uint64) (*state.State, error)
		Since() uint64
	}
}

// ErrNothing is returned when there are no events to record.
var ErrNothing = errors.New("there are no events in what was chosen")

// Cut takes events out of a log and makes a log of its own of them; the package
// comment says how. The header it returns says what was taken. It returns a
// *watch.Gap when the log does not keep all that was chosen.
func Cut(log *watch.Log, c Choice) (Header, []watch.Event, error) {
	oldest, newest := log.Bounds()
	if len(c.Story) > 0 {
		c.First, c.Last = c.Story[0], c.Story[len(c.Story)-1]
	} else {
		c.Last = min(c.Last, newest)
	}
	if c.First == 0 || c.First > c.Last || c.Last > newest {
		return Header{}, nil, ErrNothing
	}
	if c.First < oldest {
		return Header{}, nil, &watch.Gap{First: oldest, Last: newest}
	}
	k := &cutter{choice: c, before: map[string]watch.Event{}}
	if len(c.Story) > 0 {
		var err error
		if k.chosen, err = closure(log, oldest, c); err != nil {
			return Header{}, nil, err
		}
	}
	if err := each(log, oldest, c.Last, k.add); err != nil {
		return Header{}, nil, err
	}
	h := Header{Log: log.ID(), First: c.First, Last: c.Last}
	events := k.carried()
	if oldest > 1 {
		h.Since = oldest
		if c.Past != nil {
			// The log may be too small for anybody to remember; then Since says so.
			if past, err := c.Past.At(c.First - 1); err == nil {
				events = append(events, k.remembered(past, oldest)...)
				if h.Since = c.Past.Since(); h.Since == 1 {
					h.Since = 0
				}
			}
		}
	}
	h.Carried = len(events)
	// What caused a story before it began stands among what was carried in, in
	// the order of the log, and so counts as carried.
	for _, e := range k.events {
		if e.Seq < c.First {
			h.Carried++
		}
	}
	events = append(events, k.events...)
	slices.SortFunc(events, func(a, b watch.Event) int { return int(int64(a.Seq) - int64(b.Seq)) })
	h.Origin = renumber(events)
	return h, events, nil
}

// each hands out events in order. What the log lets go of meanwhile is an error.
func each(log *watch.Log, first, last uint64, add func(watch.Event)) error {
	for seq := first - 1; seq < last; {
		events, err := log.After(seq, 4096)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return ErrNothing
		}
		for _, e := range events {
			if seq = e.Seq; seq > last {
				break
			}
			add(e)
		}
	}
	return nil
}

// closure returns the numbers of a story's events and of all that caused them,
// and of the spans of their requests, which belong to no story by themselves.
func closure(log *watch.Log, oldest uint64, c Choice) (map[uint64]bool, error) {
	causes := map[uint64][]watch.Cause{}
	var spans []uint64
	if err := each(log, oldest, c.Last, func(e watch.Event) {
		if e.Kind == watch.Span {
			spans = append(spans, e.Seq)
		}
		if len(e.Causes) > 0 {
			causes[e.Seq] = e.Causes
		}
	}); err != nil {
		return nil, err
	}
	chosen := map[uint64]bool{}
	open := slices.Concat(c.Story, c.Causes)
	for len(open) > 0 {
		seq := open[len(open)-1]
		open = open[:len(open)-1]
		if seq < oldest || chosen[seq] {
			continue
		}
		chosen[seq] = true
		for _, cause := range causes[seq] {
			open = append(open, cause.Seq)
		}
	}
	for _, seq := range spans {
		if slices.ContainsFunc(causes[seq], func(request watch.Cause) bool { return chosen[request.Seq] }) {
			chosen[seq] = true
		}
	}
	return chosen, nil
}

// cutter looks at the events up to the last that is recorded.
type cutter struct {
	choice Choice
	chosen map[uint64]bool // nil means all from First on
	events []watch.Event   // to be recorded

	// The newest event before First of each thing whose state outlives it.
	before map[string]watch.Event
	begin  time.Time // of the event First
}

func (k *cutter) add(e watch.Event) {
	early := e.Seq < k.choice.First
	if e.Seq == k.choice.First {
		k.begin = e.Start
	}
	if early {
		if thing := lasting(&e); thing != "" {
			k.before[thing] = e
		}
	}
	if k.chosen == nil && !early || k.chosen[e.Seq] {
		k.events = append(k.events, e)
	}
}

// carried returns what was so before First, in order.
func (k *cutter) carried() []watch.Event {
	early := map[string]bool{} // things of which an earlier event is recorded anyway
	for _, e := range k.events {
		if thing := lasting(&e); thing != "" && e.Seq < k.choice.First {
			early[thing] = true
		}
	}
	var events []watch.Event
	for thing, e := range k.before {
		switch {
		case k.chosen[e.Seq]: // it is recorded as it is
		case gone(&e) && !early[thing]: // nobody will ask for it
		case k.choice.Carry != nil && !k.choice.Carry(e):
		default:
			events = append(events, standing(e))
		}
	}
	return events
}

// remembered tells of what was last written before the oldest event of the log,
// as far as somebody remembers it. The events that said so are gone, and with
// them their times and their evidence.
func (k *cutter) remembered(past *state.State, oldest uint64) (events []watch.Event) {
	add := func(seq uint64, e watch.Event, detail any) {
		if seq >= oldest {
			return
		}
		e.Seq, e.Start, e.End = seq, k.begin, k.begin
		e.Evidence = watch.Inferred("state", fmt.Sprintf("event %d", seq))
		e.Detail, _ = json.Marshal(detail) // of strings, numbers, and JSON
		if k.choice.Carry == nil || k.choice.Carry(e) {
			events = append(events, e)
		}
	}
	type object map[string]any
	for _, o := range past.Objects() {
		about := o.Object
		add(o.Seq, watch.Event{Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: "range", Object: &about, Revision: o.Revision}, object{"value": o.Value})
	}
	for _, c := range past.Components() {
		add(c.Seq, watch.Event{Kind: watch.Component, From: watch.Kubestage, To: c.Name, Verb: c.State}, object{"pid": c.PID, "restarts": c.Restarts})
	}
	for _, l := range past.Links() {
		if l.State != "whole" {
			add(l.Seq, watch.Event{Kind: "link", From: watch.Kubestage, To: l.Name, Verb: l.State}, object{"link": l.Name, "delay": l.Delay})
		}
	}
	return events
}

// lasting names the thing whose state an event tells, and is empty for events
// that pass.
func lasting(e *watch.Event) string {
	switch e.Kind {
	case watch.Etcd:
		key, _, _ := strings.Cut(e.Evidence.ID, "@")
		return "etcd " + key
	case watch.Watch:
		if e.Object != nil && e.Object.Name != "" && holdsValue(e) {
			return "watch " + e.Object.Key()
		}
	case watch.Request:
		if e.Verb == "watch" && e.Code < 400 && e.Object != nil {
			return "open " + e.From + " " + e.Object.Group + " " + e.Object.Resource
		}
	case watch.Component:
		if e.Verb == "frozen" || e.Verb == "thawed" { // it is what it was as well
			return "frozen " + e.To
		}
		return "component " + e.To
	case watch.Source:
		if e.Object != nil {
			return "source " + e.Object.Key()
		}
		return "source"
	case "link":
		var d struct {
			Link string `json:"link"`
		}
		_ = json.Unmarshal(e.Detail, &d) // then it has no name
		return "link " + d.Link
	}
	return ""
}

// holdsValue: an attached cluster is known by what its watches bring; in a
// sandbox they only say that something was delivered.
func holdsValue(e *watch.Event) bool {
	var d struct {
		Value json.RawMessage `json:"value"`
	}
	return json.Unmarshal(e.Detail, &d) == nil && len(d.Value) > 0
}

func gone(e *watch.Event) bool {
	return e.Kind == watch.Etcd && e.Verb == "delete" || e.Kind == watch.Watch && e.Verb == "DELETED"
}

// standing tells of a thing that was there before, not of how it came about.
func standing(e watch.Event) watch.Event {
	switch {
	case gone(&e):
	case e.Kind == watch.Etcd:
		e.Verb, e.Causes = "range", nil
	case e.Kind == watch.Watch:
		var detail map[string]json.RawMessage
		if json.Unmarshal(e.Detail, &detail) == nil {
			detail["listed"] = json.RawMessage("true")
			if text, err := json.Marshal(detail); err == nil {
				e.Verb, e.Causes, e.Detail = "ADDED", nil, text
			}
		}
	}
	return e
}

// renumber numbers events from 1, lets their causes follow, and returns the
// runs of numbers they had.
func renumber(events []watch.Event) (origin [][2]uint64) {
	numbers := make(map[uint64]uint64, len(events))
	for i := range events {
		e := &events[i]
		if n := len(origin); n > 0 && origin[n-1][0]+origin[n-1][1] == e.Seq {
			origin[n-1][1]++
		} else {
			origin = append(origin, [2]uint64{e.Seq, 1})
		}
		numbers[e.Seq] = uint64(i + 1)
		e.Seq = uint64(i + 1)
		causes := make([]watch.Cause, 0, len(e.Causes))
		for _, c := range e.Causes {
			c.Seq = numbers[c.Seq] // 0 when it is not here
			if !slices.Contains(causes, c) {
				causes = append(causes, c)
			}
		}
		if e.Causes = nil; len(causes) > 0 {
			e.Causes = causes
		}
	}
	return origin
}

// Describe says in one line what a recording is.
func (h Header) Describe() string {
	text := fmt.Sprintf("%d events", h.Events-h.Carried)
	if h.Title != "" {
		text = fmt.Sprintf("%q, %s", h.Title, text)
	}
	if !h.Start.IsZero() {
		text += fmt.Sprintf(" from %s, %.1f s", h.Start.UTC().Format("2006-01-02 15:04:05"), h.End.Sub(h.Start).Seconds())
	}
	return text
}
