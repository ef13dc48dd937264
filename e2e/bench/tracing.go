//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// Four times twenty-five pods make the hundred.
const tracingRounds, tracingPods = 4, 25

// traced is a cluster with or without anybody who watches it.
type traced struct {
	kube      *kubernetes.Clientset
	apiserver int // its process
	took, cpu time.Duration
}

// measureTracing compares what it costs to see everything. Both clusters run
// all the time and get their pods in turn, so that whatever else the machine
// does is the same for both.
func measureTracing(ctx context.Context, b *bench) error {
	var clusters [2]*traced
	for i, args := range [][]string{nil, {"--no-tracing"}} {
		d, err := dashboard.Start(dashboard.Options{Binary: b.binary, Dir: b.path(fmt.Sprintf("tracing-%d", i)), Args: args})
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
		clusters[i] = &traced{kube: kube}
		for _, p := range d.Family() {
			if p.Role() == "kube-apiserver" {
				clusters[i].apiserver = p.Pid
			}
		}
		if err := runPods(ctx, kube, "warm", 3); err != nil {
			return err
		}
	}
	for round := range tracingRounds {
		for _, c := range clusters {
			before, err := dashboard.CPU(c.apiserver)
			if err != nil {
				return err
			}
			began := time.Now()
			if err := runPods(ctx, c.kube, fmt.Sprintf("round-%d", round), tracingPods); err != nil {
				return err
			}
			c.took += time.Since(began)
			after, err := dashboard.CPU(c.apiserver)
			if err != nil {
				return err
			}
			c.cpu += after - before
		}
	}
	on, off := clusters[0], clusters[1]
	name := fmt.Sprintf("%d pods to Running, %d at a time", tracingRounds*tracingPods, tracingPods)
	b.table.against(name+", tracing on and off", []time.Duration{on.took}, []time.Duration{off.took}, seconds, 1.15)
	b.table.against("  CPU of the apiserver for them", []time.Duration{on.cpu}, []time.Duration{off.cpu}, seconds, 1.3)
	return nil
}
