//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// stageRow is what stage.mjs prints for a row: a ratio with its goal, or a
// number that may be at most so large.
type stageRow struct {
	Name, Value, Beside string
	Ratio, Goal         float64
	Is                  float64
	Most                *float64
}

// measureStage draws the fixed recording in a browser.
func measureStage(ctx context.Context, b *bench) error {
	dir, err := os.MkdirTemp(b.dir, "stage-")
	if err != nil {
		return err
	}
	recording := filepath.Join("e2e", "bench", "testdata", "class.kubestage")
	node := exec.CommandContext(ctx, "node", filepath.Join("e2e", "bench", "stage.mjs"), "--binary", b.binary,
		"--recording", recording, "--dir", dir, "--runs", strconv.Itoa(b.runs), "--minutes", strconv.Itoa(b.minutes))
	node.Stderr = os.Stderr
	out, err := node.StdoutPipe()
	if err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return fmt.Errorf("%w: the stage is measured by a script, which needs Node.js", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var s stageRow
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		r := row{name: s.Name, value: s.Value, beside: s.Beside}
		if s.Ratio != 0 {
			r.ratio = fmt.Sprintf("%.2f×", s.Ratio)
		}
		switch {
		case s.Goal != 0:
			r.goal, r.ok = fmt.Sprintf("≤ %.2f×", s.Goal), math.Round(s.Ratio*100)/100 <= s.Goal
		case s.Most != nil:
			r.goal, r.ok = fmt.Sprintf("≤ %g", *s.Most), s.Is <= *s.Most
		}
		fmt.Fprintf(os.Stderr, "  %s: %s %s %s\n", r.name, r.value, r.beside, r.ratio)
		b.table.add(r)
	}
	return node.Wait()
}
