package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestLogParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pod", "c", "0.log")
	o := must[*output](t)(openOutput(path))
	long := strings.Repeat("x", longestPart)
	for _, w := range []struct {
		stderr bool
		text   string
	}{
		{false, "a "}, {true, "error\n"}, {false, "line\nb\n\n"}, // a line in two writes, an empty line
		{false, long + "\n"}, {false, long + "y\n"}, {false, long}, {false, "\n"}, {true, "left"},
	} {
		to := o.stdout()
		if w.stderr {
			to = o.stderr()
		}
		if n, err := to.Write([]byte(w.text)); n != len(w.text) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	o.close()
	o.close()
	if _, err := o.stdout().Write([]byte("late\n")); err == nil {
		t.Error("a closed output takes more")
	}
	want := []string{"stderr error", "stdout a line", "stdout b", "stdout ", "stdout " + long, "stdout " + long + "y", "stdout " + long, `stderr left\c`}
	if got := readLog(t, path); !slices.Equal(got, want) {
		t.Errorf("log is %.200q\nwant %.200q", got, want)
	}
	data, _ := os.ReadFile(path)
	for line := range strings.Lines(string(data)) {
		if len(line) > longestPart+60 {
			t.Errorf("a log line has %d bytes", len(line))
		}
	}
}

// TestConcurrentOutput checks that lines stay whole.
func TestConcurrentOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	o := must[*output](t)(openOutput(path))
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			w := o.stdout()
			if i%2 == 0 {
				w = o.stderr()
			}
			for j := range 200 {
				fmt.Fprintf(w, "writer %d line %d\n", i, j)
			}
		})
	}
	writers.Wait()
	o.close()
	lines := readLog(t, path)
	slices.Sort(lines)
	if lines = slices.Compact(lines); len(lines) != 8*200 {
		t.Errorf("%d different lines, want %d", len(lines), 8*200)
	}
}

// TestRotation moves a log away, as the kubelet does, while a program writes.
func TestRotation(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sh", "-c", "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); sleep 0.002; done"}})
	n.start(id)
	path := n.status(id).LogPath
	waitFor(t, "some lines", func() bool { return len(readLog(t, path)) > 3 })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	must[*pb.ReopenContainerLogResponse](t)(n.ReopenContainerLog(n.ctx(), &pb.ReopenContainerLogRequest{ContainerId: id}))
	n.exited(id)
	all := append(readLog(t, path+".1"), readLog(t, path)...)
	for i, line := range all {
		if line != fmt.Sprint("stdout ", i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	if len(all) != 200 {
		t.Errorf("%d lines, want 200", len(all))
	}
}

// TestFlood shows that a container that writes without end is slowed down.
func TestFlood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	o := must[*output](t)(openOutput(path))
	defer o.close()
	chunk := []byte(strings.Repeat(strings.Repeat("x", 99)+"\n", 1000))
	began, written := time.Now(), 0
	for time.Since(began) < 1500*time.Millisecond {
		o.stdout().Write(chunk)
		written += len(chunk)
	}
	if most := 3 * perSecond; written > most {
		t.Errorf("%d bytes in 1.5 s, want at most %d", written, most)
	}
}
