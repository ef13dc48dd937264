//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// bench is what all measurements share.
type bench struct {
	binary  string // of the program
	runs    int    // how often each start is measured
	minutes int    // for how long the heap of the stage is watched
	dir     string // for data directories; removed at the end
	table   table
}

var parts = []struct {
	name    string
	measure func(context.Context, *bench) error
}{
	{"start", measureStart},
	{"restart", measureRestart},
	{"pods", measurePods},
	{"tracing", measureTracing},
	{"nodes", measureNodes},
	{"memory", measureMemory},
	{"frames", measureFrames},
	{"followers", measureFollowers},
	{"replay", measureReplay},
	{"reading", measureReading},
	{"stage", measureStage},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.binary, "binary", "bin/dashboard", "the program to measure; make build makes it")
	flags.IntVar(&b.runs, "runs", 5, "how often each start is measured; the median counts")
	only := flags.String("only", "", "measure only this: start, restart, pods, tracing, nodes, memory, frames, followers, replay, reading or stage")
	flags.IntVar(&b.minutes, "minutes", 0, "for how long the stage replays its recording while its heap is watched; 0 is 20 seconds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := os.Stat(b.binary); err != nil {
		return fmt.Errorf("there is no %s to measure: run make build first", b.binary)
	}
	var err error
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)

	began, before := time.Now(), load()
	measured := false
	for _, part := range parts {
		if *only != "" && *only != part.name {
			continue
		}
		measured = true
		fmt.Fprintf(os.Stderr, "measuring %s\n", part.name)
		if err := part.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if !measured {
		return fmt.Errorf("there is no measurement %q", *only)
	}
	b.table.print(os.Stdout, time.Since(began), before)
	return nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) start(dir string) (*dashboard.Dashboard, error) {
	return dashboard.Start(dashboard.Options{Binary: b.binary, Dir: dir})
}

// load is the machine's load average of the last minute: a measurement beside
// other work is worth less, and the table says so.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	var minute string
	_, _ = fmt.Sscan(string(text), &minute)
	return minute
}
