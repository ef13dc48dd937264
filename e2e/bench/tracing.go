//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// Ten times ten pods make the hundred. Each round of the one cluster is
// compared with the round of the other that is next to it.
const tracingRounds, tracingPods = 10, 10

// traced is a cluster with or without anybody who watches it.
type traced struct {
	*dashboard.Dashboard
	kube *kubernetes.Clientset
	took []time.Duration            // each round
	cpu  map[string][]time.Duration // in each round, by role
}

// measureTracing compares what it costs to see everything. Both clusters run
// all the time and get their pods in turn, so that whatever else the machine
// does is the same for both.
func measureTracing(ctx context.Context, b *bench) error {
	var clusters []*traced
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
		if err := runPods(ctx, kube, "warm", 3); err != nil {
			return err
		}
		clusters = append(clusters, &traced{Dashboard: d, kube: kube, cpu: map[string][]time.Duration{}})
	}
	for round := range tracingRounds {
		for _, c := range clusters {
			if err := c.round(ctx, round); err != nil {
				return err
			}
		}
		slices.Reverse(clusters)
	}
	on, off := clusters[0], clusters[1]
	name := fmt.Sprintf("%d pods to Running, %d at a time", tracingRounds*tracingPods, tracingPods)
	b.table.inTurn(name+", tracing on and off", on.took, off.took, 1.15)
	for _, role := range []string{"kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelet", "dashboard"} {
		goal := 0.0
		if role == "kube-apiserver" {
			goal = 1.3
		}
		b.table.inTurn("  CPU of "+role+" for them", on.cpu[role], off.cpu[role], goal)
	}
	return nil
}

// round runs pods and notes what they took.
func (c *traced) round(ctx context.Context, round int) error {
	before, err := c.spent()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := runPods(ctx, c.kube, fmt.Sprintf("round-%d", round), tracingPods); err != nil {
		return err
	}
	c.took = append(c.took, time.Since(began))
	after, err := c.spent()
	for role := range after {
		c.cpu[role] = append(c.cpu[role], after[role]-before[role])
	}
	return err
}

// spent is what the processes of each role have computed so far.
func (c *traced) spent() (map[string]time.Duration, error) {
	spent := map[string]time.Duration{}
	for _, p := range c.Family() {
		cpu, err := dashboard.CPU(p.Pid)
		if err != nil {
			return nil, err
		}
		role, _, _ := strings.Cut(p.Role(), ":")
		spent[role] += cpu
	}
	return spent, nil
}
