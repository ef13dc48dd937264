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

// Four times twenty-five pods make the hundred.
const tracingRounds, tracingPods = 4, 25

// traced is a cluster with or without anybody who watches it.
type traced struct {
	*dashboard.Dashboard
	kube *kubernetes.Clientset
	took time.Duration
	cpu  map[string]time.Duration // by role, for all rounds
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
		clusters = append(clusters, &traced{Dashboard: d, kube: kube, cpu: map[string]time.Duration{}})
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
	b.table.against(name+", tracing on and off", []time.Duration{on.took}, []time.Duration{off.took}, seconds, 1.15)
	for _, role := range []string{"kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelet", "dashboard"} {
		r := row{
			name:  "  CPU of " + role + " for them",
			value: fmt.Sprintf("%.2f s", on.cpu[role].Seconds()), beside: fmt.Sprintf("%.2f s", off.cpu[role].Seconds()),
		}
		ratio := float64(on.cpu[role]) / float64(max(off.cpu[role], 10*time.Millisecond))
		r.ratio = fmt.Sprintf("%.2f×", ratio)
		if role == "kube-apiserver" {
			r.goal, r.ok = "≤ 1.30×", ratio < 1.305
		}
		b.table.add(r)
	}
	return nil
}

// round runs pods and adds up what they took.
func (c *traced) round(ctx context.Context, round int) error {
	if err := c.spent(-1); err != nil {
		return err
	}
	began := time.Now()
	if err := runPods(ctx, c.kube, fmt.Sprintf("round-%d", round), tracingPods); err != nil {
		return err
	}
	c.took += time.Since(began)
	return c.spent(1)
}

// spent adds what each process has computed so far, or takes it away.
func (c *traced) spent(sign time.Duration) error {
	for _, p := range c.Family() {
		cpu, err := dashboard.CPU(p.Pid)
		if err != nil {
			return err
		}
		role, _, _ := strings.Cut(p.Role(), ":")
		c.cpu[role] += sign * cpu
	}
	return nil
}
