//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// measurePast says what it costs to remember a recording with all that is made
// of it, snapshots and stories, beside a small one; and how long a client waits
// for all there was at some event.
func measurePast(ctx context.Context, b *bench, small string, events int, large string) error {
	d, err := remembered(ctx, b, small, events)
	if err != nil {
		return err
	}
	least, err := rested(ctx, d)
	d.Stop()
	if err != nil {
		return err
	}
	if d, err = remembered(ctx, b, large, replayEvents); err != nil {
		return err
	}
	defer d.Stop()
	all, err := rested(ctx, d)
	if err != nil {
		return err
	}
	b.table.add(row{name: fmt.Sprintf("memory (PSS) for %d events, with snapshots and stories", replayEvents),
		value: mebibytes(all - least), goal: "≤ 150 MiB", ok: all-least <= 150<<20})
	b.table.add(row{name: fmt.Sprintf("  of the whole process; with %d events", events), value: fmt.Sprintf("%s; %s", mebibytes(all), mebibytes(least))})

	var waits []time.Duration
	var most, objects int
	var body bytes.Buffer                 // one for all: the client's own work is not what counts
	random := rand.New(rand.NewPCG(1, 2)) // the same moments in each run
	for range 300 {
		began := time.Now()
		body.Reset()
		err := fetchInto(ctx, d, fmt.Sprintf("/api/state?at=%d", 1+random.IntN(replayEvents)), &body)
		waits = append(waits, time.Since(began))
		if err != nil {
			return err
		}
		if body.Len() <= most {
			continue
		}
		var state struct{ Objects []json.RawMessage }
		if err := json.Unmarshal(body.Bytes(), &state); err != nil {
			return err
		}
		most, objects = body.Len(), len(state.Objects)
	}
	p99 := percentile(waits, 0.99)
	b.table.add(row{name: fmt.Sprintf("state at any of %d events, over HTTP: p50 / p99", replayEvents),
		value: fmt.Sprintf("%d / %d ms", percentile(waits, 0.5).Milliseconds(), p99.Milliseconds()), goal: "p99 < 100 ms", ok: p99 < 100*time.Millisecond})
	b.table.add(row{name: fmt.Sprintf("  the largest has %d objects", objects), value: mebibytes(most)})
	after, err := dashboard.PSS(d.Pid())
	b.table.add(row{name: "  memory right after them", value: mebibytes(after)})
	return err
}

// remembered starts a replay and waits until everything is made of it.
func remembered(ctx context.Context, b *bench, file string, events int) (*dashboard.Dashboard, error) {
	d, err := dashboard.Replay(dashboard.Options{Binary: b.binary}, file)
	if err != nil {
		return nil, err
	}
	err = allEvents(ctx, d, events)
	for _, path := range []string{"/api/state", "/api/stories"} {
		if err == nil {
			_, err = fetch(ctx, d, path)
		}
	}
	if err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

// rested is a process's memory after a while without work.
func rested(ctx context.Context, d *dashboard.Dashboard) (int, error) {
	select {
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return dashboard.PSS(d.Pid())
}

// allEvents waits until a replay is over.
func allEvents(ctx context.Context, d *dashboard.Dashboard, events int) error {
	return dashboard.Until(ctx, time.Minute, "all events", func() (bool, string) {
		var at struct{ Last int }
		body, err := fetch(ctx, d, "/readyz")
		return err == nil && json.Unmarshal(body, &at) == nil && at.Last == events, string(body)
	})
}

func fetch(ctx context.Context, d *dashboard.Dashboard, path string) ([]byte, error) {
	var body bytes.Buffer
	err := fetchInto(ctx, d, path, &body)
	return body.Bytes(), err
}

func fetchInto(ctx context.Context, d *dashboard.Dashboard, path string, body *bytes.Buffer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err = body.ReadFrom(response.Body); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return err
}
