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

// Log is the one ordered list of events, bounded in memory. A reader keeps a
// sequence number, not a queue: producers never wait for readers, and a reader
// who falls behind the oldest kept event is told so by a *Gap.
//
// The newest events are kept as they are, since that is what almost every
// reader asks for; older ones are packed, many to a block, into about an eighth.
type Log struct {
	id    string
	limit int

	mu      sync.Mutex // guards all below
	blocks  []block    // blocks[0] begins with sequence number first
	tail    []entry    // what follows the last block
	first   uint64
	next    uint64        // sequence number of the next event
	bytes   int           // of blocks and tail
	loose   int           // of these, the tail's
	changed chan struct{} // closed and replaced at each append
	packer  packer
}

type entry struct {
	event Event
	line  []byte // the event's JSON, encoded once for all readers
}

// size is about what an entry costs in memory. Its detail is part of its line.
func (e *entry) size() int { return len(e.line) + 512 }

// detailField begins the last field of an event's JSON. In a string its quotes
// would be escaped, and no field before it holds an object with that name.
var detailField = []byte(`,"detail":`)

// DefaultLimit is how much memory a log takes, in bytes: room for about
// 300,000 events of a busy cluster. The newest looseLimit bytes, and at least a
// block of them, are not packed.
const (
	DefaultLimit = 64 << 20
	looseLimit   = 8 << 20
)

// Stride is how many events a log lets go of at once, so that what its readers
// keep for each Stride of events stays of use.
const Stride = 1024

// NewLog returns an empty log that takes about limit bytes of memory;
// limit <= 0 means DefaultLimit.
func NewLog(limit int) *Log {
	return NewLogNamed(rand.Text()[:12], limit)
}

// NewLogNamed is NewLog for a log that has been before: a recording is played
// under the same ID each time.
func NewLogNamed(id string, limit int) *Log {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Log{id: id, limit: limit, first: 1, next: 1, changed: make(chan struct{})}
}

// ID names this log; sequence numbers of another log mean nothing here.
func (l *Log) ID() string { return l.id }

// Append gives events their sequence numbers, in the order given, and returns
// the number of the last. A Detail must be JSON without line ends, as
// json.Marshal writes it: it is not looked at again, because it is most of what
// there is.
func (l *Log) Append(events ...Event) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		e.Seq = l.next
		line := encode(e)
		if len(e.Detail) > 0 {
			e.Detail = detailIn(line) // kept once
		}
		l.addLocked(e, line)
	}
	return l.endLocked(len(events) > 0)
}

// encode returns the event's JSON. It panics for an event that has none, such
// as one in the year 10000.
func encode(e Event) []byte {
	detail := e.Detail
	e.Detail = nil
	line, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("watch: event %s %s from %s: %v", e.Kind, e.Verb, e.From, err))
	}
	if len(detail) == 0 {
		return line
	}
	whole := make([]byte, 0, len(line)+len(detailField)+len(detail))
	whole = append(whole, line[:len(line)-1]...)
	whole = append(whole, detailField...)
	whole = append(whole, detail...)
	return append(whole, '}')
}

// detailIn returns what follows the field's name, less the end of the event.
func detailIn(line []byte) []byte {
	_, detail, ok := bytes.Cut(line, detailField)
	if !ok {
		return nil
	}
	return detail[: len(detail)-1 : len(detail)-1]
}

func (l *Log) addLocked(e Event, line []byte) {
	l.tail = append(l.tail, entry{e, line})
	l.next++
	l.grow(l.tail[len(l.tail)-1].size())
}

// endLocked keeps the log within its limit and tells those who wait.
func (l *Log) endLocked(grown bool) (last uint64) {
	l.pack()
	l.drop()
	if grown {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	return l.next - 1
}

func (l *Log) grow(n int) { l.bytes, l.loose = l.bytes+n, l.loose+n }

// pack puts the oldest of the tail into blocks.
func (l *Log) pack() {
	for l.loose > min(looseLimit, l.limit/2) && len(l.tail) >= 2*blockEvents {
		b := l.packer.pack(l.tail[:blockEvents])
		l.cut(blockEvents)
		l.blocks = append(l.blocks, b)
		l.bytes += b.size()
	}
}

// drop lets go of the oldest until the rest fits: of a whole stride if it can.
func (l *Log) drop() {
	for l.bytes > l.limit && len(l.blocks) > 0 {
		for range min(Stride/blockEvents, len(l.blocks)) {
			l.bytes -= l.blocks[0].size()
			l.first += blockEvents
			l.blocks[0] = block{}
			l.blocks = l.blocks[1:]
		}
	}
	for l.bytes > l.limit && len(l.tail) > 1 {
		l.cut(1)
		l.first++
	}
}

// cut takes n entries from the front of the tail.
func (l *Log) cut(n int) {
	for i := range n {
		l.grow(-l.tail[i].size())
		l.tail[i] = entry{}
	}
	l.tail = l.tail[n:]
}

// Bounds returns the sequence numbers of the oldest kept and of the newest
// event. An empty log returns 1, 0.
func (l *Log) Bounds() (first, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first, l.next - 1
}

// After returns up to limit events that follow seq, oldest first; limit <= 0
// means all. It returns a *Gap when the event after seq is no longer kept.
func (l *Log) After(seq uint64, limit int) ([]Event, error) {
	packed, loose, err := l.after(seq, limit)
	events := make([]Event, 0, len(loose))
	for _, p := range packed {
		for _, line := range p.lines() {
			var e Event
			if err := json.Unmarshal(line, &e); err != nil {
				return nil, fmt.Errorf("read an event of the log again: %w", err)
			}
			events = append(events, e)
		}
	}
	for _, e := range loose {
		events = append(events, e.event)
	}
	return events, err
}

// Lines is After for writers: the JSON of each event, without line ends. The
// slices are shared between readers and must not be written to.
func (l *Log) Lines(seq uint64, limit int) ([][]byte, error) {
	packed, loose, err := l.after(seq, limit)
	lines := make([][]byte, 0, len(loose))
	for _, p := range packed {
		lines = append(lines, p.lines()...)
	}
	for _, e := range loose {
		lines = append(lines, e.line)
	}
	return lines, err
}

// Pick returns the JSON of single events, in the order of their ascending
// numbers; those that are not kept are left out.
func (l *Log) Pick(seqs []uint64) [][]byte {
	var lines [][]byte
	for len(seqs) > 0 {
		n := 1 // as many as one block may hold
		for n < len(seqs) && seqs[n]-seqs[0] < blockEvents {
			n++
		}
		run, err := l.Lines(seqs[0]-1, int(seqs[n-1]-seqs[0])+1)
		for _, seq := range seqs[:n] {
			if i := int(seq - seqs[0]); err == nil && i < len(run) {
				lines = append(lines, run[i])
			}
		}
		seqs = seqs[n:]
	}
	return lines
}

// part is what a reader wants of a block.
type part struct {
	block
	from, to int
}

func (p part) lines() [][]byte { return p.unpack()[p.from:p.to] }

// after finds what a reader asks for; unpacking it needs no lock.
func (l *Log) after(seq uint64, limit int) (packed []part, loose []entry, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq+1 < l.first {
		return nil, nil, &Gap{l.first, l.next - 1}
	}
	if seq >= l.next-1 {
		return nil, nil, nil
	}
	from, to := int(seq+1-l.first), int(l.next-l.first) // places among all that is kept
	if limit > 0 {
		to = min(to, from+limit)
	}
	for i := from / blockEvents; i < len(l.blocks) && i*blockEvents < to; i++ {
		begin := i * blockEvents
		packed = append(packed, part{l.blocks[i], max(from-begin, 0), min(to-begin, blockEvents)})
	}
	begin := len(l.blocks) * blockEvents
	if to > begin {
		loose = append(loose, l.tail[max(from-begin, 0):to-begin]...)
	}
	return packed, loose, nil
}

// Wait returns nil as soon as the log holds an event after seq, and the
// context's error if that ends first.
func (l *Log) Wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		last, changed := l.next-1, l.changed
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
