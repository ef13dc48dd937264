//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// replayEvents is how many events the large recording has.
const replayEvents = 100_000

// measureReplay records a cluster in which 30 pods start, says how large that
// is, repeats its events until they are 100,000, and plays those.
func measureReplay(ctx context.Context, b *bench) error {
	small, large := b.path("small.kubestage"), b.path("large.kubestage")
	if err := recordPods(ctx, b, small); err != nil {
		return err
	}
	file, err := os.ReadFile(small)
	if err != nil {
		return err
	}
	lines, err := eventsOf(file)
	if err != nil {
		return err
	}
	b.table.add(row{name: fmt.Sprintf("a recording of %d events", len(lines)), value: fmt.Sprintf("%d bytes an event", len(file)/len(lines))})
	if err := repeat(lines, replayEvents, large); err != nil {
		return err
	}
	var starts, loads []time.Duration
	for range b.runs {
		first, all, err := play(ctx, b, large)
		if err != nil {
			return err
		}
		starts, loads = append(starts, first), append(loads, all)
	}
	start := percentile(starts, 0.5)
	b.table.add(row{name: fmt.Sprintf("replay of %d events, from the command to the first of them", replayEvents),
		value: fmt.Sprintf("%d ms", start.Milliseconds()), goal: "< 1 s", ok: start < time.Second})
	b.table.add(row{name: "  and to the last", value: fmt.Sprintf("%d ms", percentile(loads, 0.5).Milliseconds())})
	return measurePast(ctx, b, small, len(lines), large)
}

func recordPods(ctx context.Context, b *bench, file string) error {
	d, err := b.start(b.path("replay"))
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
	if err := runPods(ctx, kube, "many", 30); err != nil {
		return err
	}
	out, err := dashboard.Run(dashboard.Options{Binary: b.binary}, "record", "--data-dir", d.Dir, "-o", file)
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("dashboard record: %s", out.Stderr)
	}
	return err
}

// eventsOf reads a recording; see watch/recording for what it is made of.
func eventsOf(file []byte) ([][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return lines[1 : len(lines)-1], nil
}

var (
	numbers = regexp.MustCompile(`"seq":(\d+)`)
	uids    = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)
)

// repeat writes a recording in which the events come again and again, each time
// about other objects.
func repeat(lines [][]byte, n int, path string) error {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	sum := sha256.New()
	both := io.MultiWriter(z, sum)
	fmt.Fprintf(both, `{"format":"kubestage-recording","version":1,"source":"sandbox","events":%d}`+"\n", n)
	for i := range n {
		round := i / len(lines)
		before := uint64(round * len(lines))
		line := uids.ReplaceAll(lines[i%len(lines)], fmt.Appendf(nil, "%08x$1", round))
		head, detail, detailed := bytes.Cut(line, []byte(`,"detail":`))
		head = numbers.ReplaceAllFunc(head, func(s []byte) []byte { // its own number and those of its causes
			seq, _ := strconv.ParseUint(string(s[len(`"seq":`):]), 10, 64)
			return fmt.Appendf(nil, `"seq":%d`, seq+before)
		})
		both.Write(head)
		if detailed {
			fmt.Fprintf(both, `,"detail":%s`, detail)
		}
		both.Write([]byte("\n"))
	}
	fmt.Fprintf(z, `{"end":{"events":%d,"sha256":"%x"}}`+"\n", n, sum.Sum(nil))
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, file.Bytes(), 0o600)
}

// play starts a replay, and returns how long it took until events could be
// fetched, and until all could.
func play(ctx context.Context, b *bench, file string) (first, all time.Duration, err error) {
	d, err := dashboard.Replay(dashboard.Options{Binary: b.binary}, file)
	if err != nil {
		return 0, 0, err
	}
	defer d.Stop()
	err = dashboard.Until(ctx, time.Minute, "the first events", func() (bool, string) {
		body, err := fetch(ctx, d, "/api/events?limit=100")
		return err == nil && len(body) > 0, fmt.Sprint(err)
	})
	if err != nil {
		return 0, 0, err
	}
	first = time.Since(d.Began)
	err = allEvents(ctx, d, replayEvents)
	return first, time.Since(d.Began), err
}
