package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Replay appends events as they were recorded: what Lines returns is what was
// given, byte for byte, with fields in it that this program does not know. The
// lines must be numbered as the log goes on, name earlier events as causes, and
// stay as they are from now on. On an error none of them is appended.
func (l *Log) Replay(lines [][]byte) error {
	events := make([]Event, len(lines))
	for i, line := range lines {
		if err := decodeEvent(line, &events[i]); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range events {
		if want := l.next + uint64(i); e.Seq != want {
			return fmt.Errorf("event %d stands where %d should be", e.Seq, want)
		}
	}
	for i, e := range events {
		l.addLocked(e, lines[i])
	}
	l.endLocked(len(lines) > 0)
	return nil
}

// decodeEvent reads what somebody else has written, and refuses what no log of
// ours would hold.
func decodeEvent(line []byte, e *Event) error {
	if err := json.Unmarshal(line, e); err != nil {
		return fmt.Errorf("an event cannot be read: %w", err)
	}
	if bytes.ContainsAny(line, "\n\r") {
		return fmt.Errorf("event %d is more than one line", e.Seq)
	}
	if e.Seq == 0 || e.Kind == "" || e.From == "" || e.Verb == "" {
		return fmt.Errorf("event %d lacks its number, kind, actor or verb", e.Seq)
	}
	for _, c := range e.Causes {
		if c.Seq >= e.Seq {
			return fmt.Errorf("event %d names %d as its cause, which is not earlier", e.Seq, c.Seq)
		}
	}
	if e.Detail != nil && !bytes.HasPrefix(bytes.TrimSpace(e.Detail), []byte("{")) {
		return fmt.Errorf("the detail of event %d is no object", e.Seq)
	}
	if detail := detailIn(line); e.Detail != nil && bytes.Equal(detail, e.Detail) {
		e.Detail = detail // kept once; a newer program may write fields behind it
	}
	return nil
}
