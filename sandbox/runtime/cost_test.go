package runtime

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestCost runs as many pods as a node may have, measures what they cost while
// nothing happens, and sees that nothing of them is left when they are gone.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 110 pods")
	}
	n := startNode(t)
	n.pod("warm") // connections and pools of the client and the server
	goroutines, files, memory := runtime.NumGoroutine(), openFiles(), inUse()

	const pods = 110
	type made struct {
		pod, container string
	}
	var all []made
	began := time.Now()
	for i := range pods {
		pod, config := n.pod(fmt.Sprint("web-", i))
		id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx")})
		n.start(id)
		all = append(all, made{pod, id})
	}
	for i := range pods {
		waitFor(t, "all servers", func() bool { return n.s.Listens(fmt.Sprintf("10.244.1.%d", i+3), 80) })
	}
	started := time.Since(began)
	perPod := float64(inUse()-memory) / pods / 1024
	cpu := cpuTime()
	time.Sleep(time.Second)
	idle := cpuTime() - cpu
	t.Logf("%d pods started in %s (%s each), %.1f KiB, %.1f goroutines and %.1f files a pod, %s of CPU in an idle second",
		pods, started, started/pods, perPod, float64(runtime.NumGoroutine()-goroutines)/pods, float64(openFiles()-files)/pods, idle)
	if perPod > 100 {
		t.Errorf("an idle pod costs %.1f KiB, want at most 100", perPod)
	}
	for _, m := range all {
		must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: m.container, Timeout: 30}))
		must[*pb.RemovePodSandboxResponse](t)(n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: m.pod}))
	}
	http.DefaultClient.CloseIdleConnections()
	waitFor(t, fmt.Sprintf("%d goroutines and %d files again", goroutines, files), func() bool {
		return runtime.NumGoroutine() <= goroutines && openFiles() <= files
	})
}

// TestNothingRunsAfterRun starts all sorts of programs, then ends the runtime.
func TestNothingRunsAfterRun(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles()
	n := startNode(t)
	pod, config := n.pod("box")
	for i, command := range [][]string{
		nil, {"sleep", "1000"}, {"sh", "-c", "while :; do :; done"}, {"sh", "-c", "sleep 1000 | cat | cat"},
		{"sh", "-c", "sleep 1000 & sleep 1000 & wait"}, {"sh", "-c", "read x"}, {"cat"}, {"sh"},
	} {
		id := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("nginx"), Command: command, Stdin: true})
		n.start(id)
		if i == 1 {
			c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh", "-c", "echo on; sleep 1000"}, Stdin: true, Stdout: true})
			c.until(1, "on")
			a := dialChannels(t, must[*pb.AttachResponse](t)(n.Attach(n.ctx(), &pb.AttachRequest{ContainerId: id, Stdin: true, Stdout: true})).Url)
			a.next()
		}
	}
	waitFor(t, "the server", func() bool { return n.s.Listens("10.244.1.2", 80) })
	f := dialChannels(t, must[*pb.PortForwardResponse](t)(n.PortForward(n.ctx(), &pb.PortForwardRequest{PodSandboxId: pod, Port: []int32{80}})).Url)
	f.next()
	began := time.Now()
	n.stop()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("stopping took %s", took)
	}
	f.conn.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || openFiles() > files+3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines and %d files, before it were %d and %d:\n%s", runtime.NumGoroutine(), openFiles(), goroutines, files, buf[:runtime.Stack(buf, true)])
		}
	}
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not on Linux
	}
	return len(entries)
}

// inUse is what objects and stacks occupy.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func cpuTime() time.Duration {
	s := []metrics.Sample{{Name: "/cpu/classes/user:cpu-seconds"}}
	runtime.GC() // the figure is renewed at each collection
	metrics.Read(s)
	return time.Duration(s[0].Value.Float64() * float64(time.Second))
}
