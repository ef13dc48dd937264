//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// A short run is part of every test; the long one is
// go test ./e2e/sandbox -run Chaos -timeout 1h -kills 20
var (
	kills = flag.Int("kills", 2, "how often each component is killed")
	seed  = flag.Uint64("seed", 1, "of the order and the moments of the kills")
)

var components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet:node-1", "kubelet:node-2", "kubelet:node-3"}

// Components die with kill -9 at random moments while a deployment rolls from
// version to version. Afterwards the cluster is as it should be, the log tells
// everything once, and nothing is left over.
func TestRealChaos(t *testing.T) {
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
	l := keepLedger(t, d)
	kube := learner(t, d)
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(6), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)

	rolling, enough := context.WithCancel(t.Context())
	var roller sync.WaitGroup
	rolls := 0
	roller.Go(func() { rolls = roll(rolling, kube) })
	began := time.Now()
	done := killAll(t, d)
	enough()
	roller.Wait()
	t.Logf("seed %d: %d kills in %s, %d new versions of the deployment", *seed, done, time.Since(began).Round(time.Second), rolls)

	began = time.Now()
	if err := d.ReadyWithin(t.Context(), 3*time.Minute); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, 3*time.Minute)
	t.Logf("settled %s after the last kill", time.Since(began).Round(100*time.Millisecond))

	events := compareLedger(t, d, l)
	exits := map[string]int{}
	writes, alone := 0, 0
	for _, e := range events {
		if key, _, _ := strings.Cut(e.Evidence.ID, "@"); e.Kind == "etcd" && e.Verb != "range" && !withoutRequest(key) {
			writes++
			if len(e.Causes) == 0 {
				alone++
			}
		}
		if e.Kind == "component" && e.Verb == "exited" {
			exits[e.To]++
		}
	}
	for _, c := range components {
		if exits[c] < *kills {
			t.Errorf("the log tells of %d exits of %s, which was killed %d times", exits[c], c, *kills)
		}
	}
	noOrphans(t, d, kube)
	t.Logf("%d events, none missing and none twice; exits: %v", len(events), exits)
	// An apiserver that dies between a write and its record takes that along.
	t.Logf("%d writes, of which %d have lost their request", writes, alone)
	if took := stop(t, d); took > 5*time.Second {
		t.Errorf("Ctrl-C took %s, want less than 5 s", took)
	}
}

// roll gives the deployment a new version every few seconds, if the apiserver
// happens to be there.
func roll(ctx context.Context, kube kubernetes.Interface) (rolls int) {
	for i := 0; ctx.Err() == nil; i++ {
		patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"version":"%d"}}}}}`, i)
		soon, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := kube.AppsV1().Deployments("default").Patch(soon, "web", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
		cancel()
		if err == nil {
			rolls++
		}
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Second):
		}
	}
	return rolls
}

// killAll kills each component as often as asked, in a random order, and
// returns how many processes died. Some die while they start, most when they
// are ready.
func killAll(t *testing.T, d *dashboard.Dashboard) int {
	t.Helper()
	rng := rand.New(rand.NewPCG(*seed, 2))
	var victims []string
	for range *kills {
		victims = append(victims, components...)
	}
	rng.Shuffle(len(victims), func(a, b int) { victims[a], victims[b] = victims[b], victims[a] })
	for n, name := range victims {
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		early := rng.IntN(4) == 0
		until(t, 2*time.Minute, name+" to kill", func() (bool, string) {
			if state := stateOf(d, name); !early && state != "ready" {
				return false, state
			}
			for _, p := range d.Family() {
				if p.Role() == name {
					return syscall.Kill(p.Pid, syscall.SIGKILL) == nil, "gone before it was killed"
				}
			}
			return false, "no process"
		})
		if (n+1)%20 == 0 {
			t.Logf("%d of %d killed", n+1, len(victims))
		}
	}
	return len(victims)
}

// stateOf asks the program for a component's state.
func stateOf(d *dashboard.Dashboard, name string) string {
	var answer struct {
		Components []struct{ Name, State string }
	}
	if err := get(d.URL+"/readyz", &answer); err != nil {
		return err.Error()
	}
	for _, c := range answer.Components {
		if c.Name == name {
			return c.State
		}
	}
	return "unknown"
}

// noOrphans looks for what belongs to pods that are no more: their directories
// on the nodes.
func noOrphans(t *testing.T, d *dashboard.Dashboard, kube kubernetes.Interface) {
	t.Helper()
	until(t, 2*time.Minute, "nodes without leftovers", func() (bool, string) {
		defer time.Sleep(200 * time.Millisecond)
		pods, err := kube.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		node := map[string]string{}
		for _, p := range pods.Items {
			node[string(p.UID)] = p.Spec.NodeName
		}
		left, err := filepath.Glob(filepath.Join(d.Dir, "nodes", "*", "pods", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range left {
			uid, on := filepath.Base(dir), filepath.Base(filepath.Dir(filepath.Dir(dir)))
			if node[uid] != on {
				return false, fmt.Sprintf("%s has a directory of pod %s", on, uid)
			}
		}
		return true, ""
	})
}

func unmarshal(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w in %s", err, text)
	}
	return nil
}
