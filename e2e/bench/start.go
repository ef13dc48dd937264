//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// measureStart compares the program with a script. The script has it easier:
// its certificates and files are there already, and it serves no page.
func measureStart(ctx context.Context, b *bench) error {
	script, err := learnBare(ctx, b, b.path("bare"))
	if err != nil {
		return err
	}
	var ours, oursPod, theirs, theirsPod []time.Duration
	for i := range b.runs { // in turn, so that a busy minute hits both
		nodes, pod, err := startOurs(ctx, b, b.path(fmt.Sprintf("start-%d", i)))
		if err != nil {
			return err
		}
		ours, oursPod = append(ours, nodes), append(oursPod, pod)
		if nodes, pod, err = startTheirs(ctx, script); err != nil {
			return err
		}
		theirs, theirsPod = append(theirs, nodes), append(theirsPod, pod)
	}
	b.table.against("start to 3 nodes Ready", ours, theirs, seconds, 1.15)
	b.table.against("start to the first pod Running", oursPod, theirsPod, seconds, 1.15)
	return nil
}

func startOurs(ctx context.Context, b *bench, dir string) (nodes, pod time.Duration, err error) {
	d, err := b.start(dir)
	if err != nil {
		return 0, 0, err
	}
	defer d.Stop()
	return boot(ctx, d)
}

func boot(ctx context.Context, d *dashboard.Dashboard) (nodes, pod time.Duration, err error) {
	kube, err := clusterOf(d.Dir)
	if err != nil {
		return 0, 0, err
	}
	if nodes, pod, err = booted(ctx, kube, d.Began); err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, d.Stderr())
	}
	return nodes, pod, nil
}

func startTheirs(ctx context.Context, script *bare) (nodes, pod time.Duration, err error) {
	if err := script.forget(); err != nil {
		return 0, 0, err
	}
	kube, err := clusterOf(script.dir)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	defer script.stop()
	if err := script.start(ctx); err != nil {
		return 0, 0, err
	}
	return booted(ctx, kube, began)
}

// measureRestart starts a cluster with data again.
func measureRestart(ctx context.Context, b *bench) error {
	dir := b.path("restart")
	if _, _, err := startOurs(ctx, b, dir); err != nil {
		return err
	}
	var ready, stops []time.Duration
	for range b.runs {
		d, err := b.start(dir)
		if err != nil {
			return err
		}
		err = d.Ready(ctx)
		ready = append(ready, time.Since(d.Began))
		if err != nil {
			return err
		}
		took, err := d.Stop()
		if err != nil {
			return err
		}
		stops = append(stops, took)
	}
	b.table.add(row{name: "restart with data to Ready", value: seconds(ready), goal: "≤ 3 s", ok: median(ready) <= 3*time.Second})
	b.table.add(row{name: "Ctrl-C to the end of the last process", value: seconds(stops), goal: "< 5 s", ok: median(stops) < 5*time.Second})
	return nil
}
