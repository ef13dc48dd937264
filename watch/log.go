package watch

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
)

// Gap is the error of a reader who asks for events the log no longer keeps.
type Gap struct {
	First uint64 // the oldest sequence number still kept
	Last  uint64
}

func (g *Gap) Error() string {
	return fmt.Sprintf("the log keeps events %d to %d only; go on with after=%d", g.First, g.Last, g.First-1)
}

// Log is the one ordered list of events, bounded in bytes. A reader keeps a
// sequence number, not a queue: producers never wait for readers, and a reader
// who falls behind the oldest kept event is told so by a *Gap.
type Log struct {
	id    string
	limit int

	mu      sync.Mutex // guards all below
	entries []entry    // entries[0] has sequence number first
	first   uint64
	bytes   int
	changed chan struct{} // closed and replaced at each append
}

type entry struct {
	event Event
	line  []byte // the event's JSON, encoded once for all readers
}

// detailField begins the last field of an event's JSON. In a string its quotes
// would be escaped, and no field before it holds an object with that name.
var detailField = []byte(`,"detail":`)

// DefaultLimit is the size of a log's events, as JSON, in bytes.
const DefaultLimit = 192 << 20

// NewLog returns an empty log that keeps about limit bytes of events;
// limit <= 0 means DefaultLimit.
func NewLog(limit int) *Log {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Log{id: rand.Text()[:12], limit: limit, first: 1, changed: make(chan struct{})}
}

// ID names this log; sequence numbers of another log mean nothing here.
func (l *Log) ID() string { return l.id }

// Append gives events their sequence numbers, in the order given, and returns
// the number of the last. It panics when an event cannot be encoded, which
// only a Detail that is not JSON can cause.
func (l *Log) Append(events ...Event) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		e.Seq = l.first + uint64(len(l.entries))
		line, err := json.Marshal(e)
		if err != nil {
			panic(fmt.Sprintf("watch: event %s %s from %s: %v", e.Kind, e.Verb, e.From, err))
		}
		// Most of an event is its detail, and that is in the line already.
		if _, detail, ok := bytes.Cut(line, detailField); ok && len(e.Detail) > 0 {
			e.Detail = detail[: len(detail)-1 : len(detail)-1]
		}
		l.entries = append(l.entries, entry{e, line})
		l.bytes += len(line)
	}
	drop := 0
	for l.bytes > l.limit && drop < len(l.entries)-1 {
		l.bytes -= len(l.entries[drop].line)
		l.entries[drop] = entry{}
		drop++
	}
	l.entries = l.entries[drop:]
	l.first += uint64(drop)
	if len(events) > 0 {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	return l.first + uint64(len(l.entries)) - 1
}

// Bounds returns the sequence numbers of the oldest kept and of the newest
// event. An empty log returns 1, 0.
func (l *Log) Bounds() (first, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first, l.first + uint64(len(l.entries)) - 1
}

// After returns up to limit events that follow seq, oldest first; limit <= 0
// means all. It returns a *Gap when the event after seq is no longer kept.
func (l *Log) After(seq uint64, limit int) ([]Event, error) {
	es, err := l.after(seq, limit)
	events := make([]Event, len(es))
	for i, e := range es {
		events[i] = e.event
	}
	return events, err
}

// Lines is After for writers: the JSON of each event, without line ends. The
// slices are shared between readers and must not be written to.
func (l *Log) Lines(seq uint64, limit int) ([][]byte, error) {
	es, err := l.after(seq, limit)
	lines := make([][]byte, len(es))
	for i, e := range es {
		lines[i] = e.line
	}
	return lines, err
}

func (l *Log) after(seq uint64, limit int) ([]entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.first + uint64(len(l.entries)) - 1
	if seq+1 < l.first {
		return nil, &Gap{l.first, last}
	}
	if seq >= last {
		return nil, nil
	}
	es := l.entries[seq+1-l.first:]
	if limit > 0 && len(es) > limit {
		es = es[:limit]
	}
	return append([]entry(nil), es...), nil
}

// Wait returns nil as soon as the log holds an event after seq, and the
// context's error if that ends first.
func (l *Log) Wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		last, changed := l.first+uint64(len(l.entries))-1, l.changed
		l.mu.Unlock()
		if last > seq {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
