//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table is what is printed in the end.
type table struct{ rows []row }

// row is a line of it. Beside is the same thing without us, ratio ours to
// that, and a row without a goal has no verdict.
type row struct {
	name, value, beside, ratio, goal string
	ok                               bool
}

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// against adds a row that compares medians, with a goal for the ratio.
func (t *table) against(name string, ours, theirs []time.Duration, show func([]time.Duration) string, atMost float64) {
	r := float64(median(ours)) / float64(median(theirs))
	t.add(row{
		name: name, value: show(ours), beside: show(theirs), ratio: fmt.Sprintf("%.2f×", r),
		goal: fmt.Sprintf("≤ %.2f×", atMost), ok: math.Round(r*100)/100 <= atMost,
	})
}

// inTurn adds a row for what was done in turn, with us and without: the sums,
// and the median of each round's ratio with the middle half of these. A round
// that something else has slowed down does not decide. Goal 0 is none.
func (t *table) inTurn(name string, ours, theirs []time.Duration, goal float64) {
	var ratios []float64
	var sum [2]time.Duration
	for i := range min(len(ours), len(theirs)) {
		sum[0], sum[1] = sum[0]+ours[i], sum[1]+theirs[i]
		ratios = append(ratios, float64(ours[i])/float64(max(theirs[i], 10*time.Millisecond)))
	}
	slices.Sort(ratios)
	middle := (ratios[len(ratios)/2] + ratios[(len(ratios)-1)/2]) / 2
	r := row{
		name: name, value: fmt.Sprintf("%.2f s", sum[0].Seconds()), beside: fmt.Sprintf("%.2f s", sum[1].Seconds()),
		ratio: fmt.Sprintf("%.2f× [%.2f to %.2f]", middle, ratios[len(ratios)/4], ratios[len(ratios)*3/4]),
	}
	if goal > 0 {
		r.goal, r.ok = fmt.Sprintf("≤ %.2f×", goal), math.Round(middle*100)/100 <= goal
	}
	t.add(r)
}

func (t *table) print(w io.Writer, took time.Duration, load string) {
	fmt.Fprintf(w, "\n%d cores, %s/%s; load before: %s; all in %s.\nMedians [lowest to highest of all runs]; beside: the same components without Kubestage around them.\n\n",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, load, took.Round(time.Second))
	lines := [][]string{{"", "value", "beside", "ratio", "goal", ""}}
	for _, r := range t.rows {
		verdict := ""
		if r.goal != "" {
			verdict = map[bool]string{true: "ok", false: "NOT OK"}[r.ok]
		}
		lines = append(lines, []string{r.name, r.value, r.beside, r.ratio, r.goal, verdict})
	}
	width := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			fmt.Fprintf(&b, "%-*s  ", width[i], cell) // %-*s counts runes
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// percentile returns the value below which p of all are, 0 < p < 1.
func percentile(ds []time.Duration, p float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(ds))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func median(ds []time.Duration) time.Duration { return percentile(ds, 0.5) }

func seconds(ds []time.Duration) string {
	return fmt.Sprintf("%.2f s [%.2f to %.2f]", median(ds).Seconds(), slices.Min(ds).Seconds(), slices.Max(ds).Seconds())
}

func milliseconds(ds []time.Duration) string {
	return fmt.Sprintf("%d ms [%d to %d]", median(ds).Milliseconds(), slices.Min(ds).Milliseconds(), slices.Max(ds).Milliseconds())
}

func mebibytes(bytes int) string { return fmt.Sprintf("%d MiB", (bytes+1<<19)>>20) }
