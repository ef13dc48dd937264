//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// questions are what readers look for, in both languages: whole words, parts of
// compounds, other spellings, and what is not there.
var questions = map[string][]string{
	"en": {"pod", "sched", "etcd revision", "who writes status", "container runtime", "kubelet watch", "nothing like this"},
	"ko": {"파드", "스케줄러가", "트롤러", "etcd에 기록", "컨테이너 런타임", "엣시디", "없는말없는말"},
}

// measureReading says how long a reader waits: for answers to a search over the
// whole book, and until a section's page is painted.
func measureReading(ctx context.Context, b *bench) error {
	d, err := dashboard.Replay(dashboard.Options{Binary: b.binary}, "content/recordings/pod-birth.kubestage")
	if err != nil {
		return err
	}
	defer d.Stop()
	began := time.Now()
	if _, err := fetch(ctx, d, "/en/search?q=pod"); err != nil {
		return err
	}
	first := time.Since(began) // makes the index
	var waits []time.Duration
	var body bytes.Buffer
	for range 20 {
		for lang, all := range questions {
			for _, q := range all {
				began := time.Now()
				body.Reset()
				if err := fetchInto(ctx, d, "/"+lang+"/search?q="+url.QueryEscape(q), &body); err != nil {
					return err
				}
				waits = append(waits, time.Since(began))
			}
		}
	}
	p95 := percentile(waits, 0.95)
	b.table.add(row{name: "search over the whole book, over HTTP: p50 / p95", value: fmt.Sprintf("%d / %d ms", percentile(waits, 0.5).Milliseconds(), p95.Milliseconds()),
		goal: "p95 < 50 ms", ok: p95 < 50*time.Millisecond})
	b.table.add(row{name: "  the first one, which makes the index", value: fmt.Sprintf("%d ms", first.Milliseconds())})

	painted, err := paints(ctx, d.URL+"/en/chapter/pod-birth", d.URL+"/ko/chapter/pod-birth")
	if err != nil {
		return err
	}
	least, err := paints(ctx, d.URL+"/no-such-page")
	if err != nil {
		return err
	}
	b.table.add(row{name: "a section's page, from the request to the first paint", value: milliseconds(painted), beside: milliseconds(least),
		goal: "< 300 ms", ok: median(painted) < 300*time.Millisecond})
	b.table.add(row{name: "  beside: a page of one sentence in the same browser"})
	return nil
}

// paints asks a browser when it had painted pages. Playwright is there where
// browser tests run.
func paints(ctx context.Context, pages ...string) ([]time.Duration, error) {
	out, err := exec.CommandContext(ctx, "node", append([]string{"e2e/bench/paint.mjs"}, pages...)...).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return nil, fmt.Errorf("ask a browser when it painted: %w", err)
	}
	var milliseconds []float64
	if err := json.Unmarshal(out, &milliseconds); err != nil {
		return nil, fmt.Errorf("read when the browser painted: %w", err)
	}
	var all []time.Duration
	for _, ms := range milliseconds {
		all = append(all, time.Duration(ms*float64(time.Millisecond)))
	}
	return all, nil
}
