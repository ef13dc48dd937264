package watch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const recorded = `{"seq":1,"kind":"etcd","start":"2026-11-21T03:30:32.4Z","end":"2026-11-21T03:30:32.4Z","from":"kube-apiserver","to":"etcd","verb":"put","revision":"9","evidence":{"how":"observed","source":"etcd","id":"/registry/a@9"},"detail":{"key":"a"}}`

func TestReplayKeepsLinesAsTheyAre(t *testing.T) {
	newer := strings.Replace(recorded, `,"detail":{"key":"a"}}`, `,"detail":{ "key": "<b>", "detail":{"x":1} },"weather":"fine"}`, 1)
	newer = strings.Replace(newer, `"seq":1`, `"seq": 2,"causes":[{"seq":1,"how":"revision"},{"seq":0,"how":"auditID"}]`, 1)
	l := NewLogNamed("TAPE", 0)
	if err := l.Replay([][]byte{[]byte(recorded), []byte(newer)}); err != nil {
		t.Fatal(err)
	}
	if lines, err := l.Lines(0, 0); err != nil || l.ID() != "TAPE" || string(lines[0]) != recorded || string(lines[1]) != newer {
		t.Fatalf("got %s, %v", lines, err)
	}
	events, err := l.After(0, 0)
	if err != nil || string(events[0].Detail) != `{"key":"a"}` || string(events[1].Detail) != `{ "key": "<b>", "detail":{"x":1} }` {
		t.Fatalf("got %+v, %v", events, err)
	}
}

func TestReplayRefusesWhatIsNoLog(t *testing.T) {
	for name, change := range map[string][2]string{
		"number":        {`"seq":1`, `"seq":2`},
		"no number":     {`"seq":1`, `"seq":0`},
		"no kind":       {`"kind":"etcd"`, `"kind":""`},
		"not JSON":      {`"kind"`, `kind`},
		"later cause":   {`"revision":"9"`, `"causes":[{"seq":1,"how":"uid"}]`},
		"detail a list": {`{"key":"a"}`, `["key"]`},
		"detail null":   {`{"key":"a"}`, `null`},
		"two lines":     {`"verb"`, "\n\"verb\""},
	} {
		l := NewLog(0)
		if err := l.Replay([][]byte{[]byte(strings.Replace(recorded, change[0], change[1], 1))}); err == nil {
			t.Errorf("%s: was taken", name)
		}
		if _, last := l.Bounds(); last != 0 {
			t.Errorf("%s: is in the log all the same", name)
		}
	}
}

// Whatever is taken can be told on: it is one JSON object, and it reads as the
// event that the log has.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte(`{"seq":1,"kind":"x","from":"y","verb":"z","detail":{"detail":1},"detail":{}}`))
	f.Add([]byte(`{"seq":1,"kind":"x","from":"y","verb":"z","end":"2026-11-21T03:30:32.4+09:00","object":{"resource":"\ud800"},"DETAIL":{ }} `))
	f.Fuzz(func(t *testing.T, line []byte) {
		l := NewLog(0)
		if l.Replay([][]byte{line}) != nil {
			return
		}
		lines, err := l.Lines(0, 0)
		if err != nil || !bytes.Equal(lines[0], line) || !json.Valid(line) {
			t.Fatalf("told as %q: %v", lines, err)
		}
		events, err := l.After(0, 0)
		if err != nil || len(events) != 1 || events[0].Seq != 1 {
			t.Fatalf("got %v, %v", events, err)
		}
		again, err := json.Marshal(events[0])
		if err != nil {
			t.Fatalf("cannot be told again: %v", err)
		}
		copied := NewLog(0)
		if err := copied.Replay([][]byte{again}); err != nil {
			t.Fatalf("%s is not taken again: %v", again, err)
		}
	})
}
