//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// measureFrames listens as browsers do while 100 pods start.
func measureFrames(ctx context.Context, b *bench) error {
	for _, clients := range []int{1, 200} {
		if err := framesWith(ctx, b, clients); err != nil {
			return fmt.Errorf("%d clients: %w", clients, err)
		}
	}
	return nil
}

func framesWith(ctx context.Context, b *bench, clients int) error {
	d, err := b.start(b.path(fmt.Sprintf("frames-%d", clients)))
	if err != nil {
		return err
	}
	defer d.Stop()
	if err := d.Ready(ctx); err != nil {
		return err
	}
	kube, err := clusterOf(d.Dir)
	if err != nil {
		return err
	}
	listening, hangUp := context.WithCancel(ctx)
	defer hangUp()
	all := make([]*listener, clients)
	var closed sync.WaitGroup
	defer closed.Wait()
	defer hangUp()
	for i := range all {
		all[i] = &listener{}
		closed.Go(func() { all[i].err = all[i].listen(listening, d.URL) })
	}
	// Each begins with the oldest event and has to catch up first: that is
	// history, not delay.
	if err := reach(ctx, d, all); err != nil {
		return err
	}
	since := time.Now()
	for _, l := range all {
		l.since.Store(since.UnixNano())
	}
	if err := runPods(ctx, kube, "many", 100); err != nil {
		return err
	}
	if err := reach(ctx, d, all); err != nil {
		return err
	}
	hangUp()
	closed.Wait()

	var delays []time.Duration
	missing, twice, events := 0, 0, uint64(0)
	for _, l := range all {
		delays = append(delays, l.delays...)
		missing += l.missing
		twice += l.twice
		events = max(events, l.last.Load())
	}
	who := fmt.Sprintf("%d clients", clients)
	if clients == 1 {
		who = "1 client"
	}
	p99 := percentile(delays, 0.99)
	r := row{
		name:  "commit in etcd to websocket while 100 pods start, " + who,
		value: fmt.Sprintf("p50 %d ms, p99 %d ms", percentile(delays, 0.5).Milliseconds(), p99.Milliseconds()),
	}
	if clients > 1 {
		r.goal, r.ok = "p99 ≤ 100 ms", p99 <= 100*time.Millisecond
	}
	b.table.add(r)
	b.table.add(row{
		name:  fmt.Sprintf("events missing or twice, %s × %d events", who, events),
		value: fmt.Sprintf("%d and %d", missing, twice), goal: "0", ok: missing+twice == 0,
	})
	return nil
}

// reach waits until every listener has the event that is now the last.
func reach(ctx context.Context, d *dashboard.Dashboard, all []*listener) error {
	last, err := lastOf(ctx, d.URL)
	if err != nil {
		return err
	}
	return dashboard.Until(ctx, 30*time.Second, fmt.Sprintf("event %d at every client", last), func() (bool, string) {
		behind := 0
		for i, l := range all {
			if l.failed.Load() {
				return false, fmt.Sprintf("client %d has lost its connection", i)
			}
			if l.last.Load() < last {
				behind++
			}
		}
		return behind == 0, fmt.Sprintf("%d are behind", behind)
	})
}

// lastOf asks for the number of the newest event: it is in the greeting.
func lastOf(ctx context.Context, url string) (uint64, error) {
	c, _, err := websocket.Dial(ctx, streamOf(url)+"?after=0", nil)
	if err != nil {
		return 0, err
	}
	defer c.CloseNow()
	_, frame, err := c.Read(ctx)
	if err != nil {
		return 0, err
	}
	var hello struct{ Last uint64 }
	return hello.Last, json.Unmarshal(frame, &hello)
}

func streamOf(url string) string {
	return strings.Replace(url, "http:", "ws:", 1) + "/api/stream"
}

// listener is a browser that only takes the time.
type listener struct {
	since  atomic.Int64  // commits after this count; 0 means none
	last   atomic.Uint64 // the last event it has
	failed atomic.Bool

	delays         []time.Duration
	missing, twice int
	err            error
}

func (l *listener) listen(ctx context.Context, url string) error {
	c, _, err := websocket.Dial(ctx, streamOf(url)+"?after=0", nil)
	if err != nil {
		l.failed.Store(true)
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(64 << 20)
	var frame bytes.Buffer // one for all frames: 200 listeners must not be what is measured
	for {
		_, r, err := c.Reader(ctx)
		if err == nil {
			frame.Reset()
			_, err = frame.ReadFrom(r)
		}
		if err != nil {
			l.failed.Store(true)
			return err
		}
		l.read(frame.Bytes(), time.Now())
	}
}

var (
	gapFrame  = []byte(`{"type":"gap"`)
	beginning = []byte(`{"seq":`)
	kindIs    = []byte(`,"kind":"`)
	etcdIs    = []byte(`etcd"`)
	endIs     = []byte(`"end":"`)
	quote     = []byte(`"`)
)

// read finds events in a frame without decoding all of it 200 times: their
// first fields are always seq, kind, start and end.
func (l *listener) read(frame []byte, now time.Time) {
	if bytes.HasPrefix(frame, gapFrame) {
		l.missing++
		return
	}
	since := l.since.Load()
	last := l.last.Load()
	for {
		_, rest, ok := bytes.Cut(frame, beginning)
		if !ok {
			break
		}
		frame = rest
		number, rest, ok := digits(rest)
		if !ok || !bytes.HasPrefix(rest, kindIs) {
			continue // a cause
		}
		switch {
		case number > last+1:
			l.missing += int(number - last - 1)
		case number <= last:
			l.twice++
		}
		last = max(number, last)
		if since == 0 || !bytes.HasPrefix(rest[len(kindIs):], etcdIs) {
			continue
		}
		_, rest, _ = bytes.Cut(rest, endIs)
		text, _, _ := bytes.Cut(rest, quote)
		if committed, err := time.Parse(time.RFC3339Nano, string(text)); err == nil && committed.UnixNano() > since {
			l.delays = append(l.delays, now.Sub(committed))
		}
	}
	l.last.Store(last)
}

func digits(text []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	n, err := strconv.ParseUint(string(text[:i]), 10, 64)
	return n, text[i:], err == nil
}
