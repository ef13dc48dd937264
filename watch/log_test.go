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
