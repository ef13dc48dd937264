//go:build linux

package sandbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// A dashboard that is killed takes everything with it, also while it starts.
func TestRealKillLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		when func(*testing.T, *dashboard.Dashboard)
	}{
		{"ready", func(t *testing.T, d *dashboard.Dashboard) {
			if err := d.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := learner(t, d).AppsV1().Deployments("default").Create(t.Context(), web(3), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			settled(t, learner(t, d), time.Minute)
		}},
		{"starting", func(t *testing.T, d *dashboard.Dashboard) {
			until(t, 30*time.Second, "the apiserver's process", func() (bool, string) { return len(d.Family()) >= 3, "" })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
			c.when(t, d)
			family := d.Family()
			if len(family) < 3 {
				t.Fatalf("only %d processes to leave", len(family))
			}
			d.Kill()
			gone(t, family, d.Dir)
			// The next one starts on what is there, at once.
			again := ready(t, dashboard.Options{Binary: binary(t), Dir: d.Dir})
			stop(t, again)
		})
	}
}

// Ctrl-C ends everything in less than 5 s, in whatever state it comes, and an
// ephemeral cluster leaves no directory.
func TestRealCtrlC(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(*testing.T, *dashboard.Dashboard)
	}{
		{"at once", func(*testing.T, *dashboard.Dashboard) {}},
		{"while the apiserver starts", func(t *testing.T, d *dashboard.Dashboard) {
			until(t, 30*time.Second, "the apiserver's process", func() (bool, string) { return len(d.Family()) >= 3, "" })
			time.Sleep(time.Second)
		}},
		{"with open watches and streams", func(t *testing.T, d *dashboard.Dashboard) {
			if err := d.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				listen(t, d)
			}
			console(t, d, "kubectl get nodes --watch")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := filepath.Dir(place(t, os.Geteuid()))
			d := start(t, dashboard.Options{Binary: binary(t), Env: append(os.Environ(), "TMPDIR="+temp)})
			c.after(t, d)
			if took := stop(t, d); took > 5*time.Second {
				t.Errorf("took %s, want less than 5 s", took)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("left in the directory for temporary files: %v", left)
			}
		})
	}
}
