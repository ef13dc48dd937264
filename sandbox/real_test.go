package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// These tests start a real cluster with the binary that KUBESTAGE_BINARY
// names: make test-sandbox.

func dashboardBinary(t *testing.T) string {
	t.Helper()
	b := os.Getenv("KUBESTAGE_BINARY")
	if b == "" {
		t.Skip("KUBESTAGE_BINARY names no built dashboard: make test-sandbox does")
	}
	return b
}

// cluster is a running sandbox and its log.
type cluster struct {
	t *testing.T
	*Sandbox
	log    *watch.Log
	admin  *client
	says   *bytes.Buffer
	cancel context.CancelFunc
	ended  chan error
}

func begin(t *testing.T, o Options) *cluster {
	t.Helper()
	c := &cluster{t: t, log: watch.NewLog(0), says: &bytes.Buffer{}, ended: make(chan error, 1)}
	o.Executable, o.Version, o.Stderr = dashboardBinary(t), "0.1.0", c.says
	var err error
	if c.Sandbox, err = New(o); err != nil {
		t.Fatal(err)
	}
	config, err := c.creds.clusterCA.client(c.creds.admin)
	if err != nil {
		t.Fatal(err)
	}
	c.admin = newClient(config)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() { c.ended <- c.Run(ctx, c.log) }()
	t.Cleanup(func() {
		cancel()
		<-c.ended
		c.admin.close()
		if t.Failed() {
			t.Logf("the sandbox said:\n%s", c.says)
		}
	})
	return c
}

func (c *cluster) mustBeReady(within time.Duration) time.Duration {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	start := time.Now()
	if c.WaitReady(ctx) != nil {
		c.t.Fatalf("not ready within %v: %+v", within, c.Components())
	}
	return time.Since(start)
}

// end stops the cluster and returns how long that took.
func (c *cluster) end() time.Duration {
	c.t.Helper()
	pids := c.pids()
	start := time.Now()
	c.cancel()
	if err := <-c.ended; err != nil {
		c.t.Error(err)
	}
	took := time.Since(start)
	c.ended <- nil // for the cleanup
	for _, pid := range pids {
		if alive(pid) {
			c.t.Errorf("process %d is left", pid)
		}
	}
	return took
}

func (c *cluster) pids() (pids []int) {
	for _, s := range c.Components() {
		if s.Pid != 0 {
			pids = append(pids, s.Pid)
		}
	}
	return pids
}

func (c *cluster) kube(method, path string, doc any) []byte {
	c.t.Helper()
	b, err := c.try(method, path, doc)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return b
}

// server is the address that the learner's kubectl has.
func (c *cluster) server() string { return localURL(c.ports[linkPrefix+learnerLink]) }

func (c *cluster) try(method, path string, doc any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return c.admin.do(ctx, method, c.server()+path, "application/json", doc)
}

func deployment(name string, replicas int) object {
	labels := object{"app": name}
	return object{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": name},
		"spec": object{"replicas": replicas, "selector": object{"matchLabels": labels}, "template": object{
			"metadata": object{"labels": labels},
			"spec":     object{"terminationGracePeriodSeconds": 1, "containers": []object{{"name": "c", "image": "nginx"}}},
		}},
	}
}

const deployments = "/apis/apps/v1/namespaces/default/deployments"

// available waits until as many replicas of a deployment are.
func (c *cluster) available(name string, want int, within time.Duration) {
	c.t.Helper()
	var last string
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		b, err := c.try(http.MethodGet, deployments+"/"+name, nil)
		if err != nil {
			last = err.Error()
			continue
		}
		var d struct {
			Metadata struct{ Generation int }
			Status   struct{ AvailableReplicas, ObservedGeneration, UpdatedReplicas, Replicas int }
		}
		if err := json.Unmarshal(b, &d); err != nil {
			c.t.Fatal(err)
		}
		if s := d.Status; s.AvailableReplicas == want && s.UpdatedReplicas == want && s.Replicas == want && s.ObservedGeneration >= d.Metadata.Generation {
			return
		}
		last = fmt.Sprintf("%+v", d)
	}
	c.t.Fatalf("%s has not %d replicas within %v: %s", name, want, within, last)
}

func TestRealCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	c := begin(t, Options{DataDir: dir})
	t.Logf("ready after %v", c.mustBeReady(60*time.Second))
	c.kube(http.MethodPost, deployments, deployment("web", 3))
	c.available("web", 3, 30*time.Second)
	c.kube(http.MethodPost, "/api/v1/namespaces/default/secrets", object{
		"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "s"}, "stringData": object{"password": "open-sesame"}})
	nothingBeyondLoopback(t, c.pids())
	_, err := New(Options{DataDir: dir, Executable: c.o.Executable})
	wantError(t, err, "is in use by process "+strconv.Itoa(os.Getpid()))
	wantError(t, Reset(dir), "is in use")
	kubeconfig, err := os.ReadFile(c.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{schedulerName, controllerName, "kubelet:node-2", apiserverName, etcdName} {
		before := c.restarts(name)
		pid := c.board.state(name).Pid
		start := time.Now()
		if err := c.Order(t.Context(), name, Kill); err != nil {
			t.Fatal(err)
		}
		c.restarted(name, before, 30*time.Second)
		t.Logf("%s (process %d) was killed and is ready again after %v", name, pid, time.Since(start))
	}
	c.mustBeReady(60 * time.Second)
	c.kube(http.MethodPost, deployments, deployment("after", 2))
	c.available("after", 2, 40*time.Second)
	c.checkLog(5)

	if took := c.end(); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	} else {
		t.Logf("stopped after %v", took)
	}

	again := begin(t, Options{DataDir: dir})
	t.Logf("ready with the old data after %v", again.mustBeReady(60*time.Second))
	again.available("web", 3, 30*time.Second)
	if b, _ := os.ReadFile(again.Kubeconfig()); !bytes.Equal(b, kubeconfig) {
		t.Error("the kubeconfig is another one")
	}
	again.kube(http.MethodDelete, deployments+"/web", nil)
	again.kube(http.MethodPost, deployments, deployment("more", 1))
	again.available("more", 1, 30*time.Second)
	again.checkLog(0)
	again.end()
	if err := Reset(dir); err != nil || exists(dir) {
		t.Errorf("reset: %v", err)
	}
}

func (c *cluster) restarts(name string) int {
	for _, s := range c.Components() {
		if s.Name == name {
			return s.Restarts
		}
	}
	c.t.Fatalf("no component %s", name)
	return 0
}

func (c *cluster) restarted(name string, before int, within time.Duration) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if !c.board.wait(ctx, func() bool {
		return slices.ContainsFunc(c.board.components(), func(s ComponentState) bool {
			return s.Name == name && s.Restarts > before && s.State == Ready
		})
	}) {
		c.t.Fatalf("%s is not ready again within %v: %+v", name, within, c.Components())
	}
}

// checkLog reads the whole log and checks what must hold of any log. Some
// writes may be unexplained: an apiserver that is killed does not tell what it
// has just done.
func (c *cluster) checkLog(unexplained int) {
	c.t.Helper()
	time.Sleep(500 * time.Millisecond) // longer than the joiner's hold and patience
	lines, err := c.log.Lines(0, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	if bytes.Contains(bytes.Join(lines, nil), []byte("open-sesame")) || bytes.Contains(bytes.Join(lines, nil), []byte("b3Blbi1zZXNhbWU")) {
		c.t.Error("the log holds a Secret's value")
	}
	kinds := map[watch.Kind]int{}
	puts := map[string]uint64{}
	var orphans []string
	for i, line := range lines {
		var e watch.Event
		if err := json.Unmarshal(line, &e); err != nil {
			c.t.Fatal(err)
		}
		kinds[e.Kind]++
		if e.Seq != uint64(i+1) {
			c.t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
		how := map[string]bool{}
		for _, cause := range e.Causes {
			if cause.Seq >= e.Seq {
				c.t.Errorf("event %d has a cause after it: %d", e.Seq, cause.Seq)
			}
			how[cause.How] = true
		}
		switch e.Kind {
		case watch.Etcd:
			if e.Verb == "range" {
				continue
			}
			if old := puts[e.Revision]; old != 0 {
				c.t.Errorf("revision %s is told twice: %d and %d", e.Revision, old, e.Seq)
			}
			puts[e.Revision] = e.Seq
			if !how[watch.ByRevision] {
				orphans = append(orphans, fmt.Sprintf("%d %s %s", e.Seq, e.Verb, e.Evidence.ID))
			}
		case watch.Watch:
			if !how[watch.ByRevision] && e.Verb != "BOOKMARK" {
				c.t.Errorf("notification %d of %s has no write as its cause", e.Seq, e.Object.Key())
			}
		}
	}
	orphans = slices.DeleteFunc(orphans, func(s string) bool {
		return strings.Contains(s, "/registry/masterleases/") || strings.Contains(s, "/registry/peerserverleases/") || strings.Contains(s, "/registry/ranges/")
	})
	c.t.Logf("%d events: %v; writes without their request: %v", len(lines), kinds, orphans)
	if len(orphans) > unexplained {
		c.t.Errorf("%d writes without their request", len(orphans))
	}
	for _, kind := range []watch.Kind{watch.Request, watch.Span, watch.Etcd, watch.Watch, watch.Schedule, watch.CRI, watch.Component} {
		if kinds[kind] == 0 {
			c.t.Errorf("no %s events", kind)
		}
	}
}

// nothingBeyondLoopback looks for sockets of the processes that listen on
// other addresses than loopback.
func nothingBeyondLoopback(t *testing.T, pids []int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	ours := map[string]int{}
	for _, pid := range pids {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:[") {
				ours[strings.Trim(to, "socket:[]")] = pid
			}
		}
	}
	listening := 0
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || (f[3] != "0A" && f[3] != "07") || ours[f[9]] == 0 {
				continue
			}
			listening++
			if addr, _, _ := strings.Cut(f[1], ":"); addr != "0100007F" && addr != "00000000000000000000000001000000" {
				t.Errorf("process %d listens on %s (%s)", ours[f[9]], f[1], table)
			}
		}
	}
	if listening < len(pids) {
		t.Errorf("only %d listeners of %d processes found", listening, len(pids))
	}
}
