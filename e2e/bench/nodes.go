//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
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
	idleTime     = 20 * time.Second // for which a kubelet is looked at
	settleTime   = 45 * time.Second // after what made it busy
	cleanTime    = 70 * time.Second // in which the kubelet removes what is left of pods: it looks each minute
)

// measureNodes fills nodes with pods: with our container runtime, and with
// upstream's empty one behind the same kubelet, under the same bare control
// plane. Then it looks at what idle pods cost, and at what is left of them.
func measureNodes(ctx context.Context, b *bench) error {
	script, err := learnBare(ctx, b, b.path("nodes"))
	if err != nil {
		return err
	}
	var ours, empty filled
	for _, arm := range []struct {
		name  string
		empty bool
		into  *filled
	}{{"ours", false, &ours}, {"an empty runtime", true, &empty}} {
		fmt.Fprintf(os.Stderr, "  full nodes with %s\n", arm.name)
		if err := script.emptyRuntimes(arm.empty); err != nil {
			return err
		}
		if err := script.forget(); err != nil {
			return err
		}
		if *arm.into, err = script.fill(ctx, !arm.empty); err != nil {
			return fmt.Errorf("%s: %w", arm.name, err)
		}
		fmt.Fprintf(os.Stderr, "  %+v\n", *arm.into)
	}
	b.table.against(fmt.Sprintf("POST of %d pods to all Running, one node; beside: an empty runtime", onOneNode), []time.Duration{ours.one}, []time.Duration{empty.one}, seconds, 1.3)
	b.table.against(fmt.Sprintf("POST of %d pods to all Running, three nodes; beside: an empty runtime", onThreeNodes), []time.Duration{ours.three}, []time.Duration{empty.three}, seconds, 1.3)

	perPod := float64(ours.full.pss-ours.before.pss) / onOneNode / (1 << 20)
	b.table.add(row{
		name: "memory (PSS) of the kubelet's process per idle pod", value: fmt.Sprintf("%.2f MiB", perPod),
		beside: fmt.Sprintf("%.2f MiB", float64(empty.full.pss-empty.before.pss)/onOneNode/(1<<20)),
		goal:   "≤ 1 MiB", ok: perPod <= 1,
	})
	idle := (ours.full.load - ours.before.load) * 100 / onOneNode
	b.table.add(row{
		name: "CPU of 100 idle pods, in parts of a core", value: fmt.Sprintf("%.2f %%", 100*idle),
		beside: fmt.Sprintf("%.2f %%", 100*(empty.full.load-empty.before.load)*100/onOneNode),
		goal:   "≤ 0.5 %", ok: idle <= 0.005,
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

// filled is what was measured while nodes were filled.
type filled struct {
	one, three          time.Duration
	before, full, after usage // of the kubelet of node-1
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

// fill measures; whether anything is left of pods only if asked to.
func (l *bare) fill(ctx context.Context, leftovers bool) (filled, error) {
	var f filled
	defer l.stop()
	if err := l.start(ctx); err != nil {
		return f, err
	}
	kube, err := clusterOf(l.dir)
	if err != nil {
		return f, err
	}
	if _, _, err := booted(ctx, kube, time.Now()); err != nil {
		return f, err
	}
	kubelet, err := l.kubeletOf("node-1")
	if err != nil {
		return f, err
	}
	// The first pods bring what stays: connections, caches, workers' pools.
	if err := runPodsOn(ctx, kube, "warm", 10, "node-1"); err != nil {
		return f, err
	}
	if err := removePods(ctx, kube); err != nil {
		return f, err
	}
	if f.before, err = idleUsage(ctx, kubelet, settleTime); err != nil {
		return f, err
	}
	began := time.Now()
	if err := runPodsOn(ctx, kube, "one", onOneNode, "node-1"); err != nil {
		return f, err
	}
	f.one = time.Since(began)
	if f.full, err = idleUsage(ctx, kubelet, settleTime); err != nil {
		return f, err
	}
	if err := removePods(ctx, kube); err != nil {
		return f, err
	}
	if leftovers {
		if f.after, err = idleUsage(ctx, kubelet, cleanTime); err != nil {
			return f, err
		}
	}
	began = time.Now()
	if err := runPodsOn(ctx, kube, "three", onThreeNodes, ""); err != nil {
		return f, err
	}
	f.three = time.Since(began)
	return f, nil
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

// idleUsage lets a node come to rest, and looks at its kubelet for a while.
func idleUsage(ctx context.Context, k *kubelet, settle time.Duration) (usage, error) {
	var u usage
	if err := pause(ctx, settle); err != nil {
		return u, err
	}
	began, err := cpuTime(k.pid)
	if err != nil {
		return u, err
	}
	if err := pause(ctx, idleTime); err != nil {
		return u, err
	}
	ended, err := cpuTime(k.pid)
	if err != nil {
		return u, err
	}
	u.load = (ended - began).Seconds() / idleTime.Seconds()
	if u.pss, err = dashboard.PSS(k.pid); err != nil {
		return u, err
	}
	if u.files, u.listeners, err = openFiles(k.pid); err != nil {
		return u, err
	}
	u.goroutines, err = k.goroutines()
	return u, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cpuTime is what a process has used of all cores.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("process %d does not tell its time", pid)
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100, nil // USER_HZ, which is 100 on all Linux
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
