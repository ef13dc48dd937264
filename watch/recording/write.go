package recording

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/kubestage/kubestage/watch"
)

// end is the last line.
type end struct {
	End *endMark `json:"end"`
}

type endMark struct {
	Events int    `json:"events"`
	SHA256 string `json:"sha256"`
}

// Write writes a recording of events that are numbered from 1. It writes
// nothing and returns a *Leak when one of them holds what must not leave the
// computer, and *TooLarge when they are more than DefaultLimits.
func Write(w io.Writer, h Header, events []watch.Event) error {
	lines, err := encode(events, DefaultLimits)
	if err != nil {
		return err
	}
	h.Format, h.Version, h.Events = Format, Version, len(events)
	h.Carried = min(h.Carried, len(events))
	for i, e := range events[h.Carried:] {
		if i == 0 || e.Start.Before(h.Start) {
			h.Start = e.Start
		}
		if e.End.After(h.End) {
			h.End = e.End
		}
	}
	return write(w, h, lines)
}

func encode(events []watch.Event, l Limits) ([][]byte, error) {
	lines := make([][]byte, len(events))
	size := 0
	for i, e := range events {
		if e.Seq != uint64(i+1) {
			return nil, fmt.Errorf("write a recording: event %d has the number %d", i+1, e.Seq)
		}
		line, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("write a recording: event %d: %w", e.Seq, err)
		}
		if err := scrub(e, line); err != nil {
			return nil, err
		}
		lines[i] = line
		if size += len(line) + 1; size > l.Bytes || i >= l.Events {
			return nil, &TooLarge{len(events), l}
		}
	}
	return lines, nil
}

func write(w io.Writer, h Header, lines [][]byte) error {
	head, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("write a recording: %w", err)
	}
	// The titles are people's words, so they are looked at like events.
	if what := leakIn(head); what != "" {
		return &Leak{What: what, Where: "the title"}
	}
	z := gzip.NewWriter(w)
	sum := sha256.New()
	both := io.MultiWriter(z, sum)
	for _, line := range append([][]byte{head}, lines...) {
		if err := writeLine(both, line); err != nil {
			return fmt.Errorf("write a recording: %w", err)
		}
	}
	last, err := json.Marshal(end{&endMark{len(lines), sumOf(sum)}})
	if err == nil {
		err = writeLine(z, last)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("write a recording: %w", err)
	}
	return nil
}

func writeLine(w io.Writer, line []byte) error {
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("a line has a line end in it: %.40q", line)
	}
	if _, err := w.Write(line); err != nil {
		return err
	}
	_, err := w.Write([]byte{'\n'})
	return err
}

func sumOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// TooLarge is the error of a choice that is more than a recording holds.
type TooLarge struct {
	Events int
	Limits Limits
}

func (t *TooLarge) Error() string {
	return fmt.Sprintf("%d events are more than a recording holds (%d events, %d MiB): choose a shorter time, or one story",
		t.Events, t.Limits.Events, t.Limits.Bytes>>20)
}
