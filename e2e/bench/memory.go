//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// measureMemory adds up the proportional set sizes of all processes.
func measureMemory(ctx context.Context, b *bench) error {
	d, err := b.start(b.path("memory"))
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
	empty, parts, err := settled(ctx, d)
	if err != nil {
		return err
	}
	if err := runPods(ctx, kube, "load", 30); err != nil {
		return err
	}
	loaded, loadedParts, err := settled(ctx, d)
	if err != nil {
		return err
	}
	b.table.add(row{name: "memory (PSS) of all processes, 3 nodes, 0 pods", value: mebibytes(empty), goal: "≤ 550 MiB", ok: empty <= 550<<20})
	b.table.add(row{name: "  " + parts})
	b.table.add(row{name: "memory (PSS) of all processes, 3 nodes, 30 pods", value: mebibytes(loaded)})
	b.table.add(row{name: "  " + loadedParts})
	return nil
}

// settled waits a little, for collectors of garbage give memory back when they
// get to it, and returns the sum and what it is made of.
func settled(ctx context.Context, d *dashboard.Dashboard) (sum int, parts string, err error) {
	select {
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
		return 0, "", ctx.Err()
	}
	each := map[string]int{}
	for _, p := range d.Family() {
		pss, err := dashboard.PSS(p.Pid)
		if err != nil {
			return 0, "", err
		}
		role, _, _ := strings.Cut(p.Role(), ":")
		each[role] += pss
		sum += pss
	}
	var text []string
	for _, role := range []string{"dashboard", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"} {
		text = append(text, fmt.Sprintf("%s %d", strings.TrimPrefix(role, "kube-"), each[role]>>20))
	}
	return sum, strings.Join(text, ", "), nil
}
