package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

func event(verb string) Event {
	return Event{Kind: Request, From: "kubernetes-admin", To: APIServer, Verb: verb, Evidence: Observed("audit", verb)}
}

func TestLogNumbersWithoutHoles(t *testing.T) {
	l := NewLog(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				l.Append(event("get"), event("list"))
			}
		})
	}
	wg.Wait()
	es, err := l.After(0, 0)
	if err != nil || len(es) != 3200 {
		t.Fatalf("got %d events, %v; want 3200", len(es), err)
	}
	for i, e := range es {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has seq %d", i, e.Seq)
		}
	}
}

func TestLogTellsOfGaps(t *testing.T) {
	l := NewLog(4096)
	for i := range 1000 {
		l.Append(event(fmt.Sprint(i)))
	}
	first, last := l.Bounds()
	if last != 1000 || first < 900 {
		t.Fatalf("bounds %d..%d; want ..1000 and only the newest kept", first, last)
	}
	_, err := l.After(first-2, 10)
	var gap *Gap
	if !errors.As(err, &gap) || gap.First != first || gap.Last != last {
		t.Fatalf("reading what is gone: %v; want a gap with the bounds", err)
	}
	es, err := l.After(first-1, 3)
	if err != nil || len(es) != 3 || es[0].Seq != first {
		t.Fatalf("reading on as the gap says: %d events, %v", len(es), err)
	}
}

func TestLogLinesAreTheEvents(t *testing.T) {
	l := NewLog(0)
	want := event("create")
	want.Object = &Object{Version: "v1", Resource: "pods", Namespace: "default", Name: "hello"}
	want.Detail = json.RawMessage(`{"userAgent":"kubectl","uri":"a,\"detail\":b","value":{"x":1,"detail":{"y":2}}}`)
	l.Append(want)
	if es, err := l.After(0, 0); err != nil || string(es[0].Detail) != string(want.Detail) {
		t.Fatalf("kept %s, %v; want %s", es[0].Detail, err, want.Detail)
	}
	lines, err := l.Lines(0, 0)
	if err != nil || len(lines) != 1 {
		t.Fatal(len(lines), err)
	}
	var got Event
	if err := json.Unmarshal(lines[0], &got); err != nil {
		t.Fatal(err)
	}
	if got.Seq != 1 || got.Object.Key() != "pods/default/hello" || string(got.Detail) != string(want.Detail) {
		t.Fatalf("got %s", lines[0])
	}
}

func TestLogWait(t *testing.T) {
	l := NewLog(0)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- l.Wait(ctx, 0) }()
	l.Append(event("get"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := l.Wait(ctx, 1); err == nil {
		t.Fatal("waiting for nothing returned without error")
	}
}

// What has been packed is read as it was written, from any place, and takes a
// fraction of the memory.
func TestLogPacks(t *testing.T) {
	const events = 20_000
	l := NewLog(2 << 20)
	written := 0
	for i := range events {
		e := event(fmt.Sprint("v", i))
		e.Object = &Object{Version: "v1", Resource: "pods", Namespace: "default", Name: fmt.Sprint("p", i)}
		e.Causes = []Cause{{1, ByOwner}}
		e.Detail = json.RawMessage(fmt.Sprintf(`{"uri":"/api/v1/namespaces/default/pods/p%d","text":"one\\ntwo","value":{"replicas":%d,"detail":null}}`, i, i%7))
		l.Append(e)
		lines, _ := l.Lines(uint64(i), 0)
		written += len(lines[0])
	}
	first, last := l.Bounds()
	if first != 1 || last != events || len(l.blocks) == 0 {
		t.Fatalf("%d..%d in %d blocks; want all %d, packed", first, last, len(l.blocks), events)
	}
	if l.bytes > l.limit || l.limit > written {
		t.Errorf("%d bytes of events take %d of %d", written, l.bytes, l.limit)
	}
	seam := uint64(len(l.blocks) * blockEvents)
	for _, c := range []struct {
		after uint64
		limit int
	}{{0, 0}, {0, 1}, {1, 127}, {127, 1}, {127, 2}, {100, 300}, {seam - 2, 5}, {seam - 1, 5}, {seam, 5}, {events - 1, 9}, {events, 9}} {
		es, err := l.After(c.after, c.limit)
		lines, err2 := l.Lines(c.after, c.limit)
		want := events - int(c.after)
		if c.limit > 0 {
			want = min(want, c.limit)
		}
		if err != nil || err2 != nil || len(es) != want || len(lines) != want {
			t.Fatalf("after %d, at most %d: %d events and %d lines, %v %v; want %d", c.after, c.limit, len(es), len(lines), err, err2, want)
		}
		for i, e := range es {
			again, _ := json.Marshal(e)
			if e.Seq != c.after+1+uint64(i) || e.Verb != fmt.Sprint("v", e.Seq-1) || string(again) != string(lines[i]) {
				t.Fatalf("event %d after %d is %s; its line is %s", i, c.after, again, lines[i])
			}
		}
	}
	picked := l.Pick([]uint64{1, 2, 128, 129, 700, seam, seam + 1, events, events + 5})
	if len(picked) != 8 {
		t.Fatalf("picked %d of 8 events", len(picked))
	}
	for i, seq := range []uint64{1, 2, 128, 129, 700, seam, seam + 1, events} {
		if want := fmt.Sprintf(`{"seq":%d,`, seq); string(picked[i][:len(want)]) != want {
			t.Errorf("picked %.20s for %d", picked[i], seq)
		}
	}
	for i := range 60_000 { // until the oldest blocks have gone
		l.Append(event(fmt.Sprint("w", i)))
	}
	if first, _ = l.Bounds(); first == 1 || l.bytes > l.limit {
		t.Fatalf("first is %d, %d bytes of %d", first, l.bytes, l.limit)
	}
	es, err := l.After(first-1, 3)
	if err != nil || len(es) != 3 || es[0].Seq != first {
		t.Fatalf("the oldest: %v, %v", es, err)
	}
	if _, err := l.After(first-2, 1); err == nil {
		t.Error("what is before the oldest can be read")
	}
}
