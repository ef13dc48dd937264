//go:build linux

package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// order gives an order through the page's own API and returns the answer.
func order(t *testing.T, d *dashboard.Dashboard, kind, name, what string) string {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"confirm": name})
	res, err := http.Post(d.URL+"/api/"+kind+"/"+name+"/"+what, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", what, name, res.Status, text, err)
	}
	return string(text)
}

// oneFrom is an event of the log after a number, or the test ends.
func oneFrom(t *testing.T, d *dashboard.Dashboard, after uint64, patience time.Duration, what string, is func(dashboard.Event) bool) dashboard.Event {
	t.Helper()
	events, err := d.Follow(t.Context(), after, patience, what, is)
	if err != nil {
		t.Fatal(err)
	}
	e := events[len(events)-1]
	t.Logf("%s: %s", what, e)
	return e
}

// Every frame that a watcher received carries a revision that etcd stored, and
// belongs to a watch that was opened.
func TestRealEveryFrameHasItsRevision(t *testing.T) {
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
	busy(t, learner(t, d))
	time.Sleep(2 * time.Second) // longer than the log waits for a cause
	events, err := d.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	bySeq := map[uint64]dashboard.Event{}
	for _, e := range events {
		bySeq[e.Seq] = e
	}
	frames, lists, matched, opened := 0, 0, 0, 0
	for _, e := range events {
		if e.Kind != "watch" {
			continue
		}
		if e.Evidence.How != "observed" || e.Evidence.Source != "link" {
			t.Errorf("not seen on a link: %s", e)
		}
		revision, request := false, false
		for _, c := range e.Causes {
			switch cause := bySeq[c.Seq]; {
			case c.How == "revision":
				revision = cause.Kind == "etcd" && cause.Revision == e.Revision && cause.Object.UID == e.Object.UID
			case c.How == "auditID":
				request = cause.Kind == "request" && cause.Verb == "watch" && cause.From == e.To
			}
		}
		if request {
			opened++
		} else {
			t.Errorf("a frame without its watch: %s", e)
		}
		if e.Verb == "BOOKMARK" {
			lists++
			continue
		}
		frames++
		if revision {
			matched++
		} else {
			t.Errorf("a frame without its revision: %s", e)
		}
	}
	t.Logf("%d frames, %d with the revision that etcd stored; %d lists that a watch begins with; %d with the watch they belong to", frames, matched, lists, opened)
	if frames < 500 {
		t.Errorf("only %d frames: were some overlooked?", frames)
	}
	stop(t, d)
}

// A scheduler that is frozen decides nothing; thawed, it decides.
func TestRealFrozenScheduler(t *testing.T) {
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
	kube := learner(t, d)
	if got := order(t, d, "components", "kube-scheduler", "freeze"); !strings.Contains(got, `"state":"frozen"`) {
		t.Fatal(got)
	}
	frozen := oneFrom(t, d, 0, 10*time.Second, "frozen", func(e dashboard.Event) bool { return e.Kind == "component" && e.Verb == "frozen" })
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(2), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pods := 0
	oneFrom(t, d, frozen.Seq, 30*time.Second, "both pods stored", func(e dashboard.Event) bool {
		if e.Kind == "etcd" && e.Verb == "put" && e.Object != nil && e.Object.Resource == "pods" {
			pods++
		}
		return pods == 2
	})
	time.Sleep(3 * time.Second) // in which a scheduler that runs has long decided
	events, err := d.Events(t.Context(), frozen.Seq)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == "schedule" {
			t.Errorf("a frozen scheduler has decided: %s", e)
		}
	}
	list, err := kube.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Items {
		if p.Status.Phase != corev1.PodPending || p.Spec.NodeName != "" {
			t.Errorf("%s is %s on %q", p.Name, p.Status.Phase, p.Spec.NodeName)
		}
	}
	order(t, d, "components", "kube-scheduler", "thaw")
	settled(t, kube, time.Minute)
	oneFrom(t, d, frozen.Seq, 10*time.Second, "decided", func(e dashboard.Event) bool { return e.Kind == "schedule" })

	order(t, d, "components", "kube-scheduler", "freeze")
	if took := stop(t, d); took > 5*time.Second {
		t.Errorf("with a frozen component Ctrl-C took %s, want less than 5 s", took)
	}
}

// cutNode cuts the link of a node that has Pods which cannot bear that, and
// returns what is to be called a minute later: the node is missed, for its lease
// is not renewed any more; the node controller marks and taints it, and what
// cannot bear that is evicted. Healed, it comes back. Nothing new is put on the
// node meanwhile.
func cutNode(t *testing.T, d *dashboard.Dashboard, kube kubernetes.Interface, node string) (missedAndHealed func()) {
	t.Helper()
	user, link := "system:node:"+node, "kubelet:"+node
	impatient := int64(1)
	deployment := web(6)
	deployment.Name = "impatient"
	labels := map[string]string{"app": deployment.Name}
	deployment.Spec.Selector.MatchLabels, deployment.Spec.Template.Labels = labels, labels
	for _, key := range []string{corev1.TaintNodeUnreachable, corev1.TaintNodeNotReady} {
		deployment.Spec.Template.Spec.Tolerations = append(deployment.Spec.Template.Spec.Tolerations, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &impatient,
		})
	}
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	allRun := func() {
		t.Helper()
		until(t, 2*time.Minute, "six impatient Pods, all of them running", func() (bool, string) {
			pods, err := kube.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=impatient"})
			if err != nil {
				return false, err.Error()
			}
			running := 0
			for _, p := range pods.Items {
				if p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
					running++
				}
			}
			return running == 6 && len(pods.Items) == 6, fmt.Sprintf("%d of %d", running, len(pods.Items))
		})
	}
	allRun()
	if _, err := kube.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	order(t, d, "links", link, "cut")
	cut := oneFrom(t, d, 0, 10*time.Second, "cut", func(e dashboard.Event) bool { return e.Kind == "link" && e.Verb == "cut" })
	ofNode := func(e dashboard.Event, parts ...string) bool {
		if e.Kind != "etcd" || e.Verb != "put" || e.Object == nil || e.Object.Resource != "nodes" || e.Object.Name != node {
			return false
		}
		for _, p := range parts {
			if !strings.Contains(string(e.Detail), p) {
				return false
			}
		}
		return true
	}
	return func() {
		t.Helper()
		unknown := oneFrom(t, d, cut.Seq, 2*time.Minute, "NotReady", func(e dashboard.Event) bool { return ofNode(e, "NodeStatusUnknown") })
		t.Logf("noticed after %s", unknown.End.Sub(cut.End).Round(time.Second))
		tainted := oneFrom(t, d, cut.Seq, time.Minute, "tainted", func(e dashboard.Event) bool {
			return ofNode(e, corev1.TaintNodeUnreachable, string(corev1.TaintEffectNoExecute))
		})
		evicted := oneFrom(t, d, tainted.Seq, time.Minute, "evicted", func(e dashboard.Event) bool {
			return e.Kind == "request" && e.Verb == "delete" && e.Object != nil && e.Object.Resource == "pods" &&
				strings.HasPrefix(e.Object.Name, "impatient-") && strings.HasPrefix(e.From, "system:serviceaccount:kube-system:")
		})
		events, err := d.Events(t.Context(), cut.Seq)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.End.After(cut.End) && (e.Kind == "request" && e.From == user && e.Start.After(cut.End) || e.Kind == "watch" && e.To == user) {
				t.Errorf("came through a link that was cut: %s", e)
			}
		}
		for _, step := range []dashboard.Event{unknown, tainted, evicted} {
			chain := because(t, d, step, cut.Seq)
			t.Logf("%s ← %s", step, chain)
		}
		order(t, d, "links", link, "heal")
		oneFrom(t, d, events[len(events)-1].Seq, 2*time.Minute, "Ready again", func(e dashboard.Event) bool { return ofNode(e, "KubeletReady") })
		allRun()
	}
}

// because follows causes back to an event, or fails.
func because(t *testing.T, d *dashboard.Dashboard, from dashboard.Event, to uint64) string {
	t.Helper()
	events, err := d.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	seen, ways := map[uint64]bool{}, []string{fmt.Sprint(from.Seq)}
	queue := []dashboard.Event{from}
	for len(queue) > 0 {
		e := queue[0]
		way := ways[0]
		queue, ways = queue[1:], ways[1:]
		if e.Seq == to {
			return way
		}
		for _, c := range e.Causes {
			if !seen[c.Seq] {
				seen[c.Seq] = true
				queue = append(queue, events[c.Seq-1])
				ways = append(ways, fmt.Sprintf("%s ←%s %d", way, c.How, c.Seq))
			}
		}
	}
	t.Errorf("the chain of causes of %s does not lead to event %d", from, to)
	return ""
}
