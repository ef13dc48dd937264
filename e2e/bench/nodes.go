//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// As many pods as nodes take.
const (
	onOneNode    = 110
	onThreeNodes = 330
	fillRounds   = 3
	idleTime     = 20 * time.Second // for which a kubelet is looked at
	settleTime   = 45 * time.Second // after what made it busy
	cleanTime    = 70 * time.Second // in which the kubelet removes what is left of pods: it looks each minute
)

// filling is one of two clusters that are filled in turn: with our container
// runtime, or with upstream's empty one behind the same kubelet, under the same
// bare control plane.
type filling struct {
	*bare
	kube    *kubernetes.Clientset
	kubelet *kubelet // of node-1

	one, three          []time.Duration
	before, full, after usage
}

// measureNodes fills nodes with pods, looks at what idle pods cost, and at what
// is left of them. Both clusters run all the time, so that whatever else the
// machine does is the same for both.
func measureNodes(ctx context.Context, b *bench) error {
	var arms []*filling
	for i, empty := range []bool{false, true} {
		f, err := newFilling(ctx, b, b.path(fmt.Sprintf("nodes-%d", i)), empty)
		if f != nil {
			defer f.stop()
		}
		if err != nil {
			return err
		}
		arms = append(arms, f)
	}
	ours, empty := arms[0], arms[1]
	look := func(settle time.Duration, which func(*filling) *usage) error {
		if err := pause(ctx, settle); err != nil {
			return err
		}
		return idleUsage(ctx, arms, which)
	}

	if err := look(settleTime, func(f *filling) *usage { return &f.before }); err != nil {
		return err
	}
	for round := range fillRounds {
		for _, f := range arms {
			if err := f.fill(ctx, &f.one, fmt.Sprintf("one-%d", round), onOneNode, "node-1"); err != nil {
				return err
			}
		}
		if round == 0 {
			if err := look(settleTime, func(f *filling) *usage { return &f.full }); err != nil {
				return err
			}
		}
		for _, f := range arms {
			if err := removePods(ctx, f.kube); err != nil {
				return err
			}
		}
		slices.Reverse(arms)
	}
	if err := look(cleanTime, func(f *filling) *usage { return &f.after }); err != nil {
		return err
	}
	for round := range fillRounds {
		for _, f := range arms {
			if err := f.fill(ctx, &f.three, fmt.Sprintf("three-%d", round), onThreeNodes, ""); err != nil {
				return err
			}
			if err := removePods(ctx, f.kube); err != nil {
				return err
			}
		}
		slices.Reverse(arms)
	}

	b.table.against(fmt.Sprintf("POST of %d pods to all Running, one node; beside: an empty runtime", onOneNode), ours.one, empty.one, seconds, 1.3)
	b.table.against(fmt.Sprintf("POST of %d pods to all Running, three nodes; beside: an empty runtime", onThreeNodes), ours.three, empty.three, seconds, 1.3)
	perPod := float64(ours.full.pss-ours.before.pss) / onOneNode / (1 << 20)
	b.table.add(row{
		name: "memory (PSS) of the kubelet's process per idle pod", value: fmt.Sprintf("%.2f MiB", perPod),
		beside: fmt.Sprintf("%.2f MiB", float64(empty.full.pss-empty.before.pss)/onOneNode/(1<<20)),
		goal:   "≤ 1 MiB", ok: perPod <= 1,
	})
	// The kubelet looks at each of its pods again and again, whatever is in
	// them; what is in them is ours.
	idle, kubelets := ours.perHundred(), empty.perHundred()
	b.table.add(row{
		name: "CPU of 100 idle pods, in parts of a core", value: fmt.Sprintf("%.2f %%", idle), beside: fmt.Sprintf("%.2f %%", kubelets),
	})
	b.table.add(row{
		name: "  of these beyond the kubelet's own", value: fmt.Sprintf("%.2f %%", idle-kubelets),
		goal: "≤ 0.5 %", ok: idle-kubelets <= 0.5,
	})
	for _, left := range []struct {
		what                string
		before, full, after int
	}{
		{"goroutines", ours.before.goroutines, ours.full.goroutines, ours.after.goroutines},
		{"open files", ours.before.files, ours.full.files, ours.after.files},
		{"listeners", ours.before.listeners, ours.full.listeners, ours.after.listeners},
	} {
		b.table.add(row{
			name:  fmt.Sprintf("%s of a kubelet before %d pods, with them, and after", left.what, onOneNode),
			value: fmt.Sprintf("%d, %d, %d", left.before, left.full, left.after),
			goal:  "as before", ok: left.after <= left.before,
		})
	}
	return nil
}

// newFilling starts a cluster. Its first pods bring what stays: images,
// connections, caches, workers' pools. A cluster that failed to start is
// returned, too, to be stopped.
func newFilling(ctx context.Context, b *bench, dir string, empty bool) (*filling, error) {
	script, err := learnBare(ctx, b, dir)
	if err != nil {
		return nil, err
	}
	f := &filling{bare: script}
	if err := errors.Join(f.emptyRuntimes(empty), f.forget()); err != nil {
		return f, err
	}
	if err := f.start(ctx); err != nil {
		return f, err
	}
	if f.kube, err = clusterOf(dir); err != nil {
		return f, err
	}
	if _, _, err := booted(ctx, f.kube, time.Now()); err != nil {
		return f, err
	}
	if f.kubelet, err = f.kubeletOf("node-1"); err != nil {
		return f, err
	}
	if err := runPodsOn(ctx, f.kube, "warm", 30, ""); err != nil {
		return f, err
	}
	return f, removePods(ctx, f.kube)
}

// fill runs pods and notes how long that took.
func (f *filling) fill(ctx context.Context, took *[]time.Duration, prefix string, pods int, node string) error {
	began := time.Now()
	if err := runPodsOn(ctx, f.kube, prefix, pods, node); err != nil {
		return err
	}
	*took = append(*took, time.Since(began))
	return nil
}

// perHundred is what 100 idle pods compute, in hundredths of a core.
func (f *filling) perHundred() float64 {
	return (f.full.load - f.before.load) * 100 * 100 / onOneNode
}

// usage is what a process uses.
type usage struct {
	pss, goroutines, files, listeners int
	load                              float64 // cores
}

// emptyRuntimes tells all nodes which runtime to have.
func (l *bare) emptyRuntimes(empty bool) error {
	for _, c := range l.commands {
		if c.role != "kubelet" && !strings.HasPrefix(c.role, "kubelet:") {
			continue
		}
		path := c.argv[len(c.argv)-1]
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var config map[string]any
		if err := json.Unmarshal(text, &config); err != nil {
			return err
		}
		config["EmptyRuntime"] = empty
		if text, err = json.Marshal(config); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// kubelet is a kubelet's process and the door to it.
type kubelet struct {
	pid    int
	door   string
	client *http.Client
}

// kubeletOf finds the kubelet of a node. It lets in whoever is of the group
// system:masters.
func (l *bare) kubeletOf(node string) (*kubelet, error) {
	for _, process := range l.running {
		path := process.Args[len(process.Args)-1]
		if filepath.Base(path) != node+".json" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var config struct{ Port int }
		if err := json.Unmarshal(text, &config); err != nil {
			return nil, err
		}
		pair := filepath.Join(l.dir, "pki", "kubestage")
		cert, err := tls.LoadX509KeyPair(pair+".crt", pair+".key")
		if err != nil {
			return nil, err
		}
		return &kubelet{process.Process.Pid, fmt.Sprintf("https://127.0.0.1:%d", config.Port), &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}, // our own child
			DisableKeepAlives: true,
		}}}, nil
	}
	return nil, fmt.Errorf("there is no kubelet of %s", node)
}

// goroutines are those that the process has.
func (k *kubelet) goroutines() (n int, err error) {
	response, err := k.client.Get(k.door + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	profile, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(profile), "goroutine profile: total %d", &n); err != nil {
		return 0, fmt.Errorf("the kubelet said %s: %.200s", response.Status, profile)
	}
	return n, nil
}

// removePods deletes all pods and waits until they are gone.
func removePods(ctx context.Context, kube *kubernetes.Clientset) error {
	now := int64(1)
	if err := kube.CoreV1().Pods("default").DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}); err != nil {
		return err
	}
	return dashboard.Until(ctx, 3*time.Minute, "the end of all pods", func() (bool, string) {
		defer time.Sleep(100 * time.Millisecond)
		list, err := kube.CoreV1().Pods("default").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return false, err.Error()
		}
		return len(list.Items) == 0, fmt.Sprintf("%d pods", len(list.Items))
	})
}

// idleUsage looks at the kubelets of clusters for a while, at all at a time.
func idleUsage(ctx context.Context, of []*filling, which func(*filling) *usage) error {
	cpu := map[*filling]time.Duration{}
	var err error
	for _, f := range of {
		if cpu[f], err = dashboard.CPU(f.kubelet.pid); err != nil {
			return err
		}
	}
	if err := pause(ctx, idleTime); err != nil {
		return err
	}
	for _, f := range of {
		u := which(f)
		ended, err := dashboard.CPU(f.kubelet.pid)
		if err != nil {
			return err
		}
		u.load = (ended - cpu[f]).Seconds() / idleTime.Seconds()
		if u.pss, err = dashboard.PSS(f.kubelet.pid); err != nil {
			return err
		}
		if u.files, u.listeners, err = openFiles(f.kubelet.pid); err != nil {
			return err
		}
		if u.goroutines, err = f.kubelet.goroutines(); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openFiles counts a process's descriptors, and those of them that listen.
func openFiles(pid int) (files, listeners int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	listening := map[string]bool{}
	for _, name := range []string{"tcp", "tcp6", "unix"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		if err != nil {
			return 0, 0, err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			switch {
			case name == "unix" && len(fields) > 6 && fields[3] == "00010000": // __SO_ACCEPTCON
				listening["socket:["+fields[6]+"]"] = true
			case name != "unix" && len(fields) > 9 && fields[3] == "0A": // TCP_LISTEN
				listening["socket:["+fields[9]+"]"] = true
			}
		}
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && listening[to] {
			listeners++
		}
	}
	return len(entries), listeners, nil
}
