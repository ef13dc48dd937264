package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// testKeeper returns a keeper of a helper process, and what it tells.
func testKeeper(t *testing.T, b *board, c component, script string) (*keeper, *notes, *notes) {
	t.Helper()
	var events, says notes
	d, err := openDiary(filepath.Join(t.TempDir(), "k.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	l := helperLaunch(script)
	l.stdout, l.stderr = d.write, d.write
	k := &keeper{
		component: c, board: b, forker: testForker(t), diary: d, launch: l,
		prepare: func(context.Context) error { return nil },
		ask:     func(context.Context) error { return nil },
		tell: func(o watch.Observation) {
			var detail componentDetail
			_ = json.Unmarshal(o.Detail, &detail)
			events.write(fmt.Appendf(nil, "%s %s %s %s", o.To, o.Verb, detail.Exit, strings.Join(detail.LastLines, "+")))
		},
		say:  func(f string, a ...any) { says.write(fmt.Appendf(nil, f, a...)) },
		quit: make(chan struct{}), done: make(chan struct{}), orders: newOrders(),
	}
	return k, &events, &says
}

func TestKeeperStartsAgain(t *testing.T) {
	c := component{name: "c", grace: time.Second, advice: "do this"}
	b := newBoard([]component{c})
	k, events, says := testKeeper(t, b, c, "out:why out:really exit:5")
	k.ask = func(context.Context) error { return errors.New("not yet") }
	ctx, cancel := context.WithCancel(context.Background())
	begin := time.Now()
	go k.keep(ctx)
	events.has(t, "c exited exit status 5 why+really,c backoff  ,c starting  ,c exited exit status 5 why+really,c backoff")
	if e := time.Since(begin); e < firstWait {
		t.Errorf("started again after %v", e)
	}
	says.has(t, "has gone (exit status 5)")
	says.has(t, "| why\n    | really")
	if s := b.components()[0]; s.State != Backoff || s.Restarts != 1 || s.Pid != 0 {
		t.Errorf("state %+v", s)
	}
	cancel()
	k.stop()
	if s := b.components()[0]; s.State != Stopped {
		t.Errorf("state %+v", s)
	}
}

func TestKeeperWaitsForNeeds(t *testing.T) {
	first := component{name: "first", grace: time.Second}
	second := component{name: "second", needs: []string{"first"}, node: "n", grace: time.Second}
	b := newBoard([]component{first, second})
	f, _, _ := testKeeper(t, b, first, "wait")
	s, events, _ := testKeeper(t, b, second, "wait")
	var mu sync.Mutex
	ok := false
	f.ask = func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if !ok {
			return errors.New("not yet")
		}
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go f.keep(ctx)
	go s.keep(ctx)
	time.Sleep(100 * time.Millisecond)
	if got := events.all(); got != "" {
		t.Errorf("before its time: %s", got)
	}
	mu.Lock()
	ok = true
	mu.Unlock()
	events.has(t, "second starting")
	// Its node must be reported ready by this very kubelet.
	b.node(json.RawMessage(`{"metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2020-01-01T00:00:00Z"}]}}`))
	time.Sleep(50 * time.Millisecond)
	if b.ready() {
		t.Error("an old report counts")
	}
	b.node(fmt.Appendf(nil, `{"metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339)))
	events.has(t, "second ready")
	if !b.wait(ctx, func() bool { return b.ready() }) {
		t.Error("not ready")
	}

	if err := s.order(ctx, Kill); err != nil {
		t.Error(err)
	}
	events.has(t, "second killed  ,second exited signal: killed")
	b.wait(ctx, func() bool { return b.components()[1].State == Backoff })
	if err := s.order(ctx, Kill); err == nil {
		t.Error("killed a component without a process")
	}
	cancel()
	s.stop()
	f.stop()
}

func TestKeeperStops(t *testing.T) {
	c := component{name: "c", grace: 5 * time.Second}
	b := newBoard([]component{c})
	k, events, _ := testKeeper(t, b, c, "wait")
	ctx, cancel := context.WithCancel(context.Background())
	go k.keep(ctx)
	events.has(t, "c ready")
	cancel()
	time.Sleep(20 * time.Millisecond)
	if s := b.components()[0]; s.State != Ready {
		t.Errorf("the end of the context alone must not end it: %+v", s)
	}
	k.stop()
	events.has(t, "c stopping  ,c stopped signal: terminated")
	k.stop() // again
}

func TestKeeperCannotStart(t *testing.T) {
	c := component{name: "c"}
	b := newBoard([]component{c})
	k, _, says := testKeeper(t, b, c, "")
	k.launch.path = filepath.Join(t.TempDir(), "none")
	ctx, cancel := context.WithCancel(context.Background())
	go k.keep(ctx)
	says.has(t, "could not be started")
	says.has(t, "none")
	cancel()
	k.stop()
}
