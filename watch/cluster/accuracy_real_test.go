//go:build unix

package cluster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/kubestage/kubestage/watch"
)

// TestRealInference follows a busy sandbox from outside and compares what is
// concluded there with the audit log of the same cluster, write by write.
func TestRealInference(t *testing.T) {
	s := startSandbox(t)
	v := s.visit(s.kubeconfig())
	v.sees("a node", is("ADDED", "nodes/node-1", `"listed":true`))
	s.kubectl("", "create", "configmap", "first")
	first := v.sees("the first change", is("ADDED", "configmaps/default/first"))
	s.busy(v)
	s.kubectl("", "create", "configmap", "last")
	last := v.sees("the last change", is("ADDED", "configmaps/default/last"))

	truth := truthBetween(s.events(), first.Revision, last.Revision)
	all, err := v.log.After(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	scores := map[string]*score{}
	var wrong []string
	claimed := map[uint64]claim{} // by seq of the true request
	for _, e := range all {
		if e.Kind != watch.Request || !between(e.Revision, first.Revision, last.Revision) {
			continue
		}
		got := claimOf(e, "")
		want, ok := truth.made[e.Revision]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s at revision %s has no request in the audit log", got, e.Revision))
			continue
		}
		if _, twice := claimed[want.seq]; twice {
			wrong = append(wrong, fmt.Sprintf("%s at revision %s is one request with %s, told twice", got, e.Revision, want))
		}
		claimed[want.seq] = got
		if got.actor == watch.Unknown {
			continue // nothing is claimed
		}
		scoreOf(scores, got.String()).claimed++
		if got.String() == want.String() {
			scoreOf(scores, got.String()).right++
		} else {
			wrong = append(wrong, fmt.Sprintf("%s at revision %s was %s (%s)", got, e.Revision, want, e.Detail))
		}
	}
	missed := map[string]int{}
	for _, want := range truth.requests {
		scoreOf(scores, want.String()).true++
		got, heard := claimed[want.seq]
		switch {
		case !heard:
			missed[want.String()+": no change was delivered that shows it"]++
		case got.actor == watch.Unknown:
			missed[want.String()+": "+whyUnknown(want)]++
		}
	}
	t.Log("\n" + table(scores))
	for _, what := range slices.Sorted(maps.Keys(missed)) {
		t.Logf("not told %d ×: %s", missed[what], what)
	}
	slices.Sort(wrong)
	for _, what := range wrong {
		t.Log("wrong: " + what)
	}

	// What a learner most needs to be right.
	for _, what := range []string{
		"system:kube-scheduler create pods/binding",
		"replicaset-controller create pods",
		"job-controller create pods",
		"system:node: patch pods/status",
		"deployment-controller create replicasets.apps",
		"deployment-controller update replicasets.apps",
		"replicaset-controller update replicasets.apps/status",
		"deployment-controller update deployments.apps/status",
		"kubectl create deployments.apps",
		"kubectl patch deployments.apps",
	} {
		if sc := scores[what]; sc == nil || sc.precision() < 0.98 || sc.recall() < 0.98 {
			t.Errorf("%s: %+v, want precision and recall of 0.98", what, sc)
		}
	}
}

// busy does a little of everything.
func (s *sandbox) busy(v visit) {
	gone := func(key string) { s.t.Helper(); v.sees("the end of "+key, is("DELETED", key)) }
	s.kubectl("", "create", "deployment", "web", "--image=nginx", "--replicas=20")
	s.kubectl("", "create", "job", "once", "--image=busybox", "--", "echo", "done")
	s.kubectl("", "create", "deployment", "bad", "--image=nginx:no-such-tag")
	s.kubectl("", "expose", "deployment", "web", "--port=80")
	s.kubectl("", "rollout", "status", "deployment/web", "--timeout=90s")
	s.kubectl("", "set", "image", "deployment/web", "nginx=httpd")
	s.kubectl("", "rollout", "status", "deployment/web", "--timeout=90s")
	s.kubectl("", "wait", "--for=condition=Complete", "job/once", "--timeout=60s")
	s.kubectl("", "scale", "deployment/web", "--replicas=4")
	s.kubectl("", "label", "deployment", "web", "tier=front")
	s.kubectl(busyObjects, "apply", "-f", "-")
	s.kubectl("", "rollout", "status", "statefulset/db", "--timeout=60s")
	s.kubectl("", "rollout", "status", "daemonset/agent", "--timeout=60s")
	s.kubectl("", "delete", "pod", "db-0", "greedy")
	s.kubectl("", "taint", "node", "node-2", "away=now:NoExecute")
	s.kubectl("", "rollout", "status", "statefulset/db", "--timeout=60s")
	s.kubectl("", "scale", "statefulset/db", "--replicas=1")
	gone("pods/default/db-1")
	s.kubectl("", "taint", "node", "node-2", "away-")
	s.kubectl("", "create", "namespace", "brief")
	s.kubectl("", "create", "deployment", "web", "--image=nginx", "--replicas=3", "-n", "brief")
	s.kubectl("", "rollout", "status", "deployment/web", "--timeout=60s", "-n", "brief")
	s.kubectl("", "delete", "namespace", "brief")
	s.kubectl("", "delete", "deployment", "web")
	s.kubectl("", "delete", "job", "once")
	s.kubectl("", "delete", "statefulset", "db", "--cascade=foreground")
	gone("namespaces/brief")
	gone("batch/jobs/default/once")
	v.sees("the end of the last pod of the deployment", func(e watch.Event) bool {
		return e.Kind == watch.Watch && e.Verb == "DELETED" && e.Object.Resource == "endpointslices" && strings.HasPrefix(e.Object.Name, "web-") ||
			e.Verb == "DELETED" && strings.HasPrefix(e.Object.Key(), "apps/replicasets/default/web-")
	})
}

const busyObjects = `
{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},"spec":{"serviceName":"db","replicas":2,"selector":{"matchLabels":{"app":"db"}},
 "template":{"metadata":{"labels":{"app":"db"}},"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"nginx"}]}}}},
{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent"},"spec":{"selector":{"matchLabels":{"app":"agent"}},
 "template":{"metadata":{"labels":{"app":"agent"}},"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"nginx"}]}}}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"greedy"},"spec":{"containers":[{"name":"c","image":"nginx","resources":{"requests":{"cpu":"400"}}}]}}]}`

// claim is who did what to what kind of object.
type claim struct {
	seq               uint64
	actor, verb, what string
}

func (c claim) String() string { return c.actor + " " + c.verb + " " + c.what }

// claimOf is an event as a claim. All kubelets are one actor, and a controller
// goes by its short name. Who sat at kubectl cannot be known from outside;
// the audit log tells the program too, and that is compared.
func claimOf(e watch.Event, userAgent string) claim {
	c := claim{e.Seq, strings.TrimPrefix(e.From, "system:serviceaccount:kube-system:"), e.Verb, e.Object.Resource}
	if strings.HasPrefix(c.actor, "system:node:") {
		c.actor = "system:node:"
	}
	if strings.HasPrefix(userAgent, "kubectl/") {
		c.actor = watch.Kubectl
	}
	if e.Object.Group != "" {
		c.what += "." + e.Object.Group
	}
	if e.Object.Subresource != "" {
		c.what += "/" + e.Object.Subresource
	}
	return c
}

// truth is what the sandbox's own log knows of its writes.
type truth struct {
	made     map[string]claim // by revision
	requests []claim
}

func truthBetween(events []watch.Event, first, last string) truth {
	out := truth{made: map[string]claim{}}
	bySeq := map[uint64]watch.Event{}
	answered := map[string]watch.Event{} // the first write that was answered with a revision made it
	told := map[uint64]bool{}
	for _, e := range events {
		if _, known := answered[e.Revision]; e.Kind == watch.Request && e.Revision != "" && !known && slices.Contains([]string{"create", "update", "patch", "delete"}, e.Verb) {
			answered[e.Revision] = e
		}
	}
	for _, e := range events {
		bySeq[e.Seq] = e
		if e.Kind != watch.Etcd || e.Verb == "range" || !between(e.Revision, first, last) {
			continue
		}
		var requests []watch.Event
		if request, ok := answered[e.Revision]; ok {
			requests = append(requests, request)
		}
		for _, cause := range e.Causes {
			requests = append(requests, bySeq[cause.Seq])
		}
		for _, request := range requests {
			if request.Kind != watch.Request {
				continue
			}
			var d struct{ UserAgent string }
			json.Unmarshal(request.Detail, &d)
			c := claimOf(request, d.UserAgent)
			out.made[e.Revision] = c
			if !told[request.Seq] {
				told[request.Seq] = true
				out.requests = append(out.requests, c)
			}
			break
		}
	}
	return out
}

// between compares revisions by length and then as text, as
// apimachinery/pkg/util/resourceversion does.
func between(revision, first, last string) bool {
	compare := func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }
	return revision != "" && compare(revision, first) > 0 && compare(revision, last) < 0
}

func whyUnknown(c claim) string {
	switch c.verb {
	case "delete":
		return "to delete leaves no mark in managedFields, and neither an owner nor an Event explains it"
	case "patch", "update":
		return "the write took fields away and set none, so nobody became their owner"
	}
	return "an object without any field has no managedFields"
}

type score struct{ claimed, right, true int }

func (s score) precision() float64 { return float64(s.right) / float64(s.claimed) }
func (s score) recall() float64    { return float64(s.right) / float64(s.true) }

func scoreOf(all map[string]*score, what string) *score {
	if all[what] == nil {
		all[what] = &score{}
	}
	return all[what]
}

func table(scores map[string]*score) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "actor\tverb\tobject\ttrue\tclaimed\tright\tprecision\trecall")
	var sum score
	for _, what := range slices.Sorted(maps.Keys(scores)) {
		s := *scores[what]
		sum = score{sum.claimed + s.claimed, sum.right + s.right, sum.true + s.true}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.3f\t%.3f\n", strings.ReplaceAll(what, " ", "\t"), s.true, s.claimed, s.right, s.precision(), s.recall())
	}
	fmt.Fprintf(w, "all\t\t\t%d\t%d\t%d\t%.3f\t%.3f\n", sum.true, sum.claimed, sum.right, sum.precision(), sum.recall())
	w.Flush()
	return b.String()
}
