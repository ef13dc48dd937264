//go:build linux

package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// Everything that etcd stores was asked for by exactly one request, and every
// accepted write is stored; also while a node is cut off.
func TestRealEveryWriteHasItsRequest(t *testing.T) {
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
	l := keepLedger(t, d)
	kube := learner(t, d)
	missedAndHealed := cutNode(t, d, kube, "node-3")
	busy(t, kube)
	missedAndHealed()
	events := compareLedger(t, d, l)

	bySeq := map[uint64]dashboard.Event{}
	for _, e := range events {
		bySeq[e.Seq] = e
	}
	told := toldBySteps(t, events)
	stored := map[uint64][]dashboard.Event{} // what a request has made
	checked, late := 0, 0
	for _, e := range events {
		if e.Kind != "etcd" || e.Verb == "range" {
			continue
		}
		var requests []dashboard.Event
		for _, c := range e.Causes {
			if from := bySeq[c.Seq]; from.Kind == "request" && (c.How == "revision" || c.How == "object") {
				requests = append(requests, from)
				stored[from.Seq] = append(stored[from.Seq], e)
			}
		}
		if key, _, _ := strings.Cut(e.Evidence.ID, "@"); withoutRequest(key) {
			continue
		}
		if r, ok := told[e.Revision]; ok && len(requests) == 0 && r.Seq > e.Seq {
			late++
			requests = append(requests, r)
			stored[r.Seq] = append(stored[r.Seq], e)
		}
		checked++
		if len(requests) != 1 {
			t.Errorf("%d requests have made one write: %s %s", len(requests), e, requests)
			continue
		}
		if r := requests[0]; r.Code >= 300 || r.Object == nil || e.Object == nil || r.Object.Resource != e.Object.Resource ||
			r.Verb != "deletecollection" && (r.Object.Namespace != e.Object.Namespace || r.Object.Name != e.Object.Name) {
			t.Errorf("joined to a wrong request:\n%s\n%s", e, r)
		}
	}

	revisions := map[string]bool{}
	for _, e := range events {
		if e.Kind == "etcd" {
			revisions[e.Revision] = true
		}
	}
	writes, idle := 0, 0
	tooLate := foundGone(t, events)
	last := events[len(events)-1].End
	for _, e := range events {
		if e.Kind != "request" || e.Code >= 300 || !accepted(e) || last.Sub(e.End) < time.Second {
			continue
		}
		switch n := len(stored[e.Seq]); {
		case n == 0 && e.Revision != "" && revisions[e.Revision]:
			idle++ // it changed nothing, and was answered with what is there
		case n == 0 && strings.HasPrefix(e.Verb, "delete"):
			idle++ // of what waits for its finalizers, or of a collection that is empty
		case n == 0 && tooLate[e.Evidence.ID]:
			idle++ // somebody else had deleted it in the meantime
		case n == 0:
			t.Errorf("an accepted write that etcd does not have: %s\n%s", e, e.Detail)
		case n > 1 && !strings.HasPrefix(e.Verb, "delete"):
			t.Errorf("one request has made %d writes: %s %s", n, e, stored[e.Seq])
		default:
			writes++
		}
	}
	t.Logf("%d events; %d writes in etcd, each with its one request; %d accepted requests that wrote, %d that changed nothing; %d writes were told before their request, whose steps name them", len(events), checked, writes, idle, late)
	causesKnown(t, events)
	stop(t, d)
}

// causesKnown prints, and demands, how much of what the components did and were
// told is explained by what came before.
func causesKnown(t *testing.T, events []dashboard.Event) {
	t.Helper()
	bySeq := map[uint64]dashboard.Event{}
	for _, e := range events {
		bySeq[e.Seq] = e
	}
	frames, framed, writes, caused := 0, 0, 0, 0
	for _, e := range events {
		if e.Evidence.Source == "" || e.Evidence.How != "observed" && e.Evidence.How != "inferred" {
			t.Errorf("without evidence: %s", e)
		}
		for _, c := range e.Causes {
			if c.Seq >= e.Seq || c.How == "" {
				t.Errorf("caused by what came later: %s", e)
			}
		}
		if e.Kind == "watch" && e.Verb != "BOOKMARK" {
			frames++
			if slices.ContainsFunc(e.Causes, func(c dashboard.Cause) bool {
				return c.How == "revision" && bySeq[c.Seq].Kind == "etcd" && bySeq[c.Seq].Revision == e.Revision
			}) {
				framed++
			} else {
				t.Errorf("a notification of no revision: %s", e)
			}
		}
		if e.Kind != "request" || e.Code >= 300 || !accepted(e) || !byComponent(e) {
			continue
		}
		writes++
		if slices.ContainsFunc(e.Causes, func(c dashboard.Cause) bool { return bySeq[c.Seq].Evidence.How == "observed" }) {
			caused++
		} else {
			t.Logf("no observed cause: %s", e)
		}
	}
	t.Logf("%d of %d notifications have their revision; %d of %d writes of controllers, scheduler and kubelets have an observed cause", framed, frames, caused, writes)
	if frames < 500 || writes < 200 || caused*100 < writes*99 {
		t.Errorf("less than 99 %% of the writes are explained, or there were too few to tell")
	}
}

// byComponent reports a write by a controller, the scheduler or a kubelet.
func byComponent(e dashboard.Event) bool {
	return e.From == "system:kube-scheduler" || e.From == "system:kube-controller-manager" ||
		strings.HasPrefix(e.From, "system:node:") || strings.HasPrefix(e.From, "system:serviceaccount:kube-system:")
}

// toldBySteps finds the requests that have made revisions by what the storage
// says in their steps. A deletecollection writes first and is told of when its
// last object is gone: on a busy machine later than the log keeps a write
// waiting, and then no cause of it.
func toldBySteps(t *testing.T, events []dashboard.Event) map[string]dashboard.Event {
	t.Helper()
	requests, made := map[string]dashboard.Event{}, map[string]dashboard.Event{}
	for _, e := range events {
		if e.Kind == "request" {
			requests[e.Evidence.ID] = e
		}
	}
	for _, e := range events {
		if e.Kind != "span" {
			continue
		}
		var d struct {
			AuditID string
			Steps   []struct {
				Step       string
				Attributes struct{ Op, Revision string }
			}
		}
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			t.Fatal(err)
		}
		r, ok := requests[d.AuditID]
		for _, s := range d.Steps {
			if ok && s.Step == "etcd" && s.Attributes.Revision != "" && slices.Contains([]string{"create", "update", "delete"}, s.Attributes.Op) {
				made[s.Attributes.Revision] = r
			}
		}
	}
	return made
}

// foundGone finds the requests, by audit ID, that would have deleted what they
// updated, and found that gone: an update of a Pod whose grace period has become
// zero deletes it, and that it is gone already is no failure
// (apiserver/pkg/registry/generic/registry/store.go, deleteWithoutFinalizers).
func foundGone(t *testing.T, events []dashboard.Event) map[string]bool {
	t.Helper()
	gone := map[string]bool{}
	for _, e := range events {
		if e.Kind != "span" {
			continue
		}
		var d struct {
			AuditID string
			Steps   []struct {
				Step       string
				Attributes struct{ Op, Message string }
			}
		}
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Steps {
			if s.Step == "etcd" && s.Attributes.Op == "delete" && strings.Contains(s.Attributes.Message, "key not found") {
				gone[d.AuditID] = true
			}
		}
	}
	return gone
}

// withoutRequest names keys that the apiserver writes of its own accord.
func withoutRequest(key string) bool {
	return slices.ContainsFunc([]string{"/registry/masterleases/", "/registry/peerserverleases/", "/registry/ranges/"}, func(prefix string) bool {
		return strings.HasPrefix(key, prefix)
	})
}

// accepted reports whether a successful request should be in etcd.
func accepted(e dashboard.Event) bool {
	if e.Object == nil || !slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb) || strings.Contains(string(e.Detail), `"dryRun":true`) {
		return false
	}
	switch e.Object.Group {
	case "authentication.k8s.io", "authorization.k8s.io":
		return false // questions
	}
	return !slices.Contains([]string{"token", "exec", "attach", "portforward", "proxy"}, e.Object.Subresource)
}

// busy does a little of everything, some of it at the same time.
func busy(t *testing.T, kube kubernetes.Interface) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := kube.AppsV1().Deployments("default").Create(ctx, web(5), metav1.CreateOptions{})
	must(err)
	_, err = kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "busy"}}, metav1.CreateOptions{})
	must(err)
	for i := range 20 {
		_, err := kube.CoreV1().ConfigMaps("busy").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("c%d", i)}}, metav1.CreateOptions{})
		must(err)
		_, err = kube.CoreV1().Secrets("busy").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("s%d", i)}, StringData: map[string]string{"a": "b"}}, metav1.CreateOptions{})
		must(err)
	}
	_, err = kube.CoreV1().Services("default").Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	must(err)
	_, err = kube.BatchV1().Jobs("default").Create(ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "once"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "echo", Image: "busybox", Command: []string{"echo", "done"}}},
		}}},
	}, metav1.CreateOptions{})
	must(err)
	_, err = kube.CoreV1().Pods("default").Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "crash"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "false", Image: "busybox", Command: []string{"false"}}}},
	}, metav1.CreateOptions{})
	must(err)
	settled(t, kube, time.Minute)

	// A patch that changes nothing, one for show, and one that is refused.
	same := []byte(`{"metadata":{"labels":{"app":"web"}}}`)
	_, err = kube.AppsV1().Deployments("default").Patch(ctx, "web", types.MergePatchType, same, metav1.PatchOptions{})
	must(err)
	_, err = kube.AppsV1().Deployments("default").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":9}}`), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
	must(err)
	if _, err = kube.AppsV1().Deployments("default").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":-1}}`), metav1.PatchOptions{}); !apierrors.IsInvalid(err) {
		t.Fatalf("-1 replicas: %v, want a refusal", err)
	}
	_, err = kube.AppsV1().Deployments("default").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":20,"template":{"metadata":{"annotations":{"v":"2"}}}}}`), metav1.PatchOptions{})
	must(err)
	settled(t, kube, 2*time.Minute)
	until(t, time.Minute, "the job's end", func() (bool, string) {
		job, err := kube.BatchV1().Jobs("default").Get(ctx, "once", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return job.Status.Succeeded == 1, fmt.Sprint(job.Status)
	})
	now := int64(0)
	must(kube.CoreV1().Pods("default").DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{LabelSelector: "app=web"}))
	must(kube.CoreV1().ConfigMaps("busy").DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	settled(t, kube, 2*time.Minute)
	orphan := metav1.DeletePropagationOrphan
	must(kube.BatchV1().Jobs("default").Delete(ctx, "once", metav1.DeleteOptions{PropagationPolicy: &orphan}))
	foreground := metav1.DeletePropagationForeground
	must(kube.AppsV1().Deployments("default").Delete(ctx, "web", metav1.DeleteOptions{PropagationPolicy: &foreground}))
	must(kube.CoreV1().Namespaces().Delete(ctx, "busy", metav1.DeleteOptions{}))
	until(t, 2*time.Minute, "the end of what was deleted", func() (bool, string) {
		_, err := kube.CoreV1().Namespaces().Get(ctx, "busy", metav1.GetOptions{})
		_, err2 := kube.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
		return apierrors.IsNotFound(err) && apierrors.IsNotFound(err2), fmt.Sprint(err, err2)
	})
}
