//go:build linux

package book

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Several learners run the same scene at the same time, and each sees a story of
// their own; one learner in two tabs is told so; and what a learner has left is
// gone when the scene begins again.
func TestRealLearnersSideBySide(t *testing.T) {
	at := open(t)
	const id = "pod-birth"
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	namespaces := make([]string, 3)
	var all sync.WaitGroup
	for i := range namespaces {
		all.Go(func() {
			l := newLearner(at)
			own, err := l.scenes(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			namespaces[i] = own[slices.IndexFunc(own, func(s scene) bool { return s.ID == id })].Namespace
			for range 2 { // the second run begins with what the first has left
				out, err := l.run(ctx, id)
				if err != nil {
					t.Error(err)
				}
				if len(out.untrue) > 0 || out.claimed == 0 {
					t.Errorf("beside others, %d claims are made and these are not true: %s", out.claimed, out.untrue)
				}
			}
			// The console of the page is where the scene was.
			_, output, _, err := l.kubectl(ctx, id, "kubectl get pods -o jsonpath={.items[*].metadata.namespace}", "", 20*time.Second)
			if err != nil || output != namespaces[i] {
				t.Errorf("the console shows pods of %q (%v), want those of %s", output, err, namespaces[i])
			}
		})
	}
	all.Wait()
	slices.Sort(namespaces)
	if len(slices.Compact(namespaces)) != 3 {
		t.Errorf("three learners share namespaces: %v", namespaces)
	}

	l := newLearner(at)
	if _, err := l.scenes(ctx); err != nil { // takes a cookie
		t.Fatal(err)
	}
	outcomes := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := l.run(ctx, id)
			outcomes <- err
		}()
	}
	first, second := <-outcomes, <-outcomes
	if first == nil {
		first, second = second, first
	}
	if first == nil || !strings.Contains(first.Error(), "another tab") || second != nil {
		t.Errorf("one learner in two tabs: %v, and %v", first, second)
	}
}

// Refusals that chapters show, with nothing of the computer's in them.
func TestRealRefusalsInTheConsole(t *testing.T) {
	l := newLearner(open(t))
	for _, c := range []struct {
		line, says string
		exit       int
	}{
		{"kubectl get pods --token=nobody", "must be logged in", 1},
		{"kubectl get pods --as=jane", `User "jane" cannot list resource "pods"`, 1},
		{"kubectl get --raw /version", `"gitVersion": "v1.36.3"`, 0},
		{"kubectl get --raw /readyz?verbose", "readyz check passed", 0},
	} {
		exit, output, _, err := l.kubectl(t.Context(), "pod-birth", c.line, "", 30*time.Second)
		if err != nil || exit != c.exit || !strings.Contains(output, c.says) {
			t.Errorf("%s: exit %d (%v), %s\nwant exit %d and %q", c.line, exit, err, output, c.exit, c.says)
		}
	}
}
