//go:build linux

package behaviours

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

var (
	only = flag.String("only", "", "try only the cases whose FILE/NAME this regular expression matches")
	most = flag.Int("at-once", 40, "how many cases are tried at the same time")
)

// The table is well formed.
func TestTable(t *testing.T) {
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	differing := 0
	for _, c := range all {
		if c.Differs != "" {
			differing++
		}
	}
	if len(all) < 150 || differing*50 > len(all) {
		t.Errorf("%d cases, of which %d are known to differ; want at least 150, and 98 %% that do not", len(all), differing)
	}
}

// Every promise of the table is kept, but for those that are listed.
func TestRealBehaviours(t *testing.T) {
	binary := dashboard.Binary()
	if binary == "" {
		t.Skip("KUBESTAGE_BINARY names no binary to test; `make test` builds one and names it")
	}
	cases, err := load()
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(*only)
	cases = slices.DeleteFunc(cases, func(c *Case) bool { return !pattern.MatchString(c.File + "/" + c.Name) })
	slices.SortStableFunc(cases, func(a, b *Case) int { return cmp.Compare(b.Lasts, a.Lasts) })

	l := open(t, binary)
	began := time.Now()
	results := make([]result, len(cases))
	var all sync.WaitGroup
	free := make(chan struct{}, *most)
	for i, c := range cases {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			results[i] = l.result(t.Context(), c, c.Name)
		})
	}
	all.Wait()
	// Forty cases on two cores can make one too late that is not wrong.
	for i, r := range results {
		if r.err != nil && r.c.Differs == "" {
			results[i] = l.result(t.Context(), r.c, r.c.Name+"-alone")
			results[i].beside = r.err
		}
	}
	kept := report(results)
	fmt.Printf("%d of %d promises are kept (%.1f %%), tried in %s\n", kept, len(results), 100*float64(kept)/float64(len(results)), time.Since(began).Round(time.Second))
	for _, r := range results {
		t.Run(r.c.File+"/"+r.c.Name, func(t *testing.T) {
			switch {
			case r.err != nil && r.c.Differs == "":
				t.Errorf("%s\n    %v", r.c.Promise, r.err)
			case r.err == nil && r.c.Differs != "":
				t.Errorf("it is listed as differing (%s), but does not: take the listing away", r.c.Differs)
			}
		})
	}
}

type result struct {
	c      *Case
	err    error
	beside error // what was wrong beside other cases, when it was tried again alone
	took   time.Duration
}

func (l *laboratory) result(ctx context.Context, c *Case, namespace string) result {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	start := time.Now()
	err := l.try(ctx, c, namespace)
	return result{c: c, err: err, took: time.Since(start)}
}

// report prints the table and returns how many promises are kept.
func report(results []result) (kept int) {
	slices.SortFunc(results, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.c.File, b.c.File), cmp.Compare(a.c.Name, b.c.Name))
	})
	file := ""
	for _, r := range results {
		if r.c.File != file {
			file = r.c.File
			fmt.Printf("\n%s\n", file)
		}
		verdict := "kept"
		switch {
		case r.err == nil:
			kept++
			if r.beside != nil {
				verdict = "kept alone; beside others: " + firstLine(r.beside)
			}
		case r.c.Differs != "":
			verdict = "DIFFERS: " + r.c.Differs
		default:
			verdict = "NOT KEPT: " + firstLine(r.err)
		}
		fmt.Printf("  %-46s %6.1f s  %s\n", r.c.Name, r.took.Seconds(), verdict)
	}
	fmt.Println()
	return kept
}

func firstLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// open starts the cluster that all cases share. Node-3 is kept free for cases
// that are alone on it.
func open(t *testing.T, binary string) *laboratory {
	t.Helper()
	parent, err := os.MkdirTemp("", "ks") // a short path, as unix sockets demand
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	d, err := dashboard.Start(dashboard.Options{Binary: binary, Dir: filepath.Join(parent, "data"), Args: []string{"--nodes", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := d.ReadyWithin(t.Context(), 3*time.Minute); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", d.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config = dashboard.Unlimited(config)
	l := &laboratory{d: d, binary: binary, config: config, log: &causalLog{d: d, events: map[string][]map[string]any{}}}
	if l.kube, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if l.objects, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	groups, err := restmapper.GetAPIGroupResources(l.kube.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	l.mapper = meta.RESTMapper(restmapper.NewDiscoveryRESTMapper(groups))
	if l.world, err = watchWorld(t.Context(), l.objects); err != nil {
		t.Fatal(err)
	}
	taint := `{"spec":{"taints":[{"key":"alone","effect":"NoSchedule"}]}}`
	if _, err := l.kube.CoreV1().Nodes().Patch(t.Context(), "node-3", types.MergePatchType, []byte(taint), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	return l
}
