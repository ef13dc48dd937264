package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// Each rule, by the changes that it is for. A line is what was concluded:
// actor, verb, object, evidence.
func TestRules(t *testing.T) {
	entry := func(manager, subresource string, second int, fields string) any {
		return map[string]any{"manager": manager, "operation": "Update", "subresource": subresource, "apiVersion": "v1",
			"time": fmt.Sprintf("2026-01-01T00:00:%02dZ", second), "fieldsType": "FieldsV1", "fieldsV1": json.RawMessage(fields)}
	}
	managed := func(o object, entries ...any) object {
		o = o.clone()
		o.meta()["managedFields"] = entries
		return o
	}
	meta := func(o object, key string, value any) object {
		o = o.clone()
		o.meta()[key] = value
		return o
	}
	owned := func(o object, kind, uid string) object {
		return meta(o, "ownerReferences", []any{map[string]any{"kind": kind, "name": "any", "uid": uid, "controller": true}})
	}
	const soon = "2026-01-01T00:01:00Z"
	pod := named("mine", "a").with("spec", object{"schedulerName": "default-scheduler"})
	onNode := pod.with("spec", object{"schedulerName": "default-scheduler", "nodeName": "node-1"})
	running := onNode.with("status", object{"containerStatuses": []any{map[string]any{"state": map[string]any{"running": map[string]any{}}}}})
	ending := func(o object, seconds int) object {
		return meta(meta(o, "deletionTimestamp", soon), "deletionGracePeriodSeconds", seconds)
	}
	set := named("mine", "web").with("spec", object{"replicas": 1})
	kubeletStatus := entry("kubelet", "status", 1, `{"f:status":{"f:phase":{}}}`)

	type step struct {
		of   string // the kind; empty is pods
		do   object
		gone bool
	}
	for name, c := range map[string]struct {
		before []step // there when we come
		steps  []step
		want   []string
	}{
		"a person creates": {nil,
			[]step{{do: managed(pod, entry("kubectl-run", "", 0, `{"f:spec":{}}`))}},
			[]string{"kubectl create pods/mine/a managedFields"}},
		"a stranger creates": {nil,
			[]step{{do: managed(pod, entry("my-operator", "", 0, `{"f:spec":{}}`))}},
			[]string{"unknown create pods/mine/a managedFields"}},
		"a controller creates": {nil,
			[]step{{do: owned(managed(pod, entry("kube-controller-manager", "", 0, `{"f:spec":{}}`)), "ReplicaSet", "uid-of-web")}},
			[]string{"system:serviceaccount:kube-system:replicaset-controller create pods/mine/a ownerReference"}},
		"a controller without account of its own": {nil,
			[]step{{do: owned(managed(pod, entry("kube-controller-manager", "", 0, `{"f:spec":{}}`)), "CronJob", "uid-of-web")}},
			[]string{"system:kube-controller-manager create pods/mine/a ownerReference"}},
		"a binding": {[]step{{do: pod}}, []step{{do: onNode}},
			[]string{"system:kube-scheduler create pods/binding/mine/a nodeName"}},
		"a binding by another scheduler": {[]step{{do: named("mine", "a").with("spec", object{"schedulerName": "mine"})}},
			[]step{{do: named("mine", "a").with("spec", object{"schedulerName": "mine", "nodeName": "node-1"})}},
			[]string{"unknown create pods/binding/mine/a nodeName"}},
		"a kubelet's second word in one second": {
			[]step{{do: managed(onNode.with("status", object{"phase": "Pending"}), entry("kubectl-run", "", 0, `{"f:spec":{"f:nodeName":{}}}`), kubeletStatus)}},
			[]step{{do: managed(onNode.with("status", object{"phase": "Running"}), entry("kubectl-run", "", 0, `{"f:spec":{"f:nodeName":{}}}`), kubeletStatus)}},
			[]string{"system:node:node-1 patch pods/status/mine/a managedFields"}},
		"asked to end, and ended by its kubelet": {[]step{{do: running}},
			[]step{{do: ending(running, 30)}, {do: ending(onNode, 0)}, {do: ending(onNode, 0), gone: true}},
			[]string{"unknown delete pods/mine/a deletionTimestamp", "system:node:node-1 delete pods/mine/a deletionTimestamp"}},
		"ended while it runs": {[]step{{do: ending(running, 30)}}, []step{{do: ending(running, 0)}},
			[]string{"unknown delete pods/mine/a deletionTimestamp"}},
		"one too many": {[]step{{of: "replicasets", do: set}, {do: owned(onNode, "ReplicaSet", "uid-of-web")}, {do: owned(named("mine", "b"), "ReplicaSet", "uid-of-web")}},
			[]step{{do: ending(owned(onNode, "ReplicaSet", "uid-of-web"), 30)}, {do: ending(owned(named("mine", "b"), "ReplicaSet", "uid-of-web"), 30)}},
			[]string{"system:serviceaccount:kube-system:replicaset-controller delete pods/mine/a ownerReference", "unknown delete pods/mine/b deletionTimestamp"}},
		"without owner": {[]step{{of: "replicasets", do: set}, {do: owned(onNode, "ReplicaSet", "uid-of-web")}},
			[]step{{of: "replicasets", do: set, gone: true}, {do: ending(owned(onNode, "ReplicaSet", "uid-of-web"), 30)}},
			[]string{"unknown delete replicasets/mine/web deletionTimestamp", "system:serviceaccount:kube-system:generic-garbage-collector delete pods/mine/a ownerReference"}},
		"with its namespace": {[]step{{of: "namespaces", do: named("", "mine")}, {do: pod}, {do: named("mine", "b")}},
			[]step{{of: "namespaces", do: ending(named("", "mine"), 0)}, {do: pod, gone: true}, {do: named("mine", "b"), gone: true}},
			[]string{"unknown delete namespaces/mine deletionTimestamp", "system:serviceaccount:kube-system:namespace-controller deletecollection pods/mine namespace"}},
		"a finalizer goes": {[]step{{do: meta(pod, "finalizers", []any{"batch.kubernetes.io/job-tracking"})}}, []step{{do: pod}},
			[]string{"system:serviceaccount:kube-system:job-controller patch pods/mine/a finalizers"}},
	} {
		t.Run(name, func(t *testing.T) {
			shelves := map[string]*shelf{"": pods(),
				"replicasets":     {group: "apps", version: "v1", resource: "replicasets", kind: "ReplicaSet", namespaced: true},
				"namespaces":      {version: "v1", resource: "namespaces", kind: "Namespace"},
				"serviceaccounts": {version: "v1", resource: "serviceaccounts", kind: "ServiceAccount", namespaced: true}}
			d := openDoor(t, shelves[""], shelves["replicasets"], shelves["namespaces"], shelves["serviceaccounts"])
			for _, account := range []string{"replicaset-controller", "generic-garbage-collector", "namespace-controller", "job-controller"} {
				d.put(shelves["serviceaccounts"], named("kube-system", account), true)
			}
			for _, s := range c.before {
				d.put(shelves[s.of], s.do, true)
			}
			story := d.follow()
			for _, s := range shelves {
				d.watched(s, 1)
			}
			for i, s := range c.steps {
				// One etcd numbers all kinds.
				d.set(func() { shelves[s.of].revision = 1000 + i })
				if s.gone {
					d.remove(shelves[s.of], s.do, false)
				} else {
					d.put(shelves[s.of], s.do, false)
				}
			}
			var got []string
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
				notified := 0
				for _, e := range story.events() {
					var told detail
					json.Unmarshal(e.Detail, &told)
					if e.Kind == watch.Watch && !told.Listed {
						notified++
						if len(e.Causes) == 0 || e.Causes[0].How != watch.ByRevision {
							t.Errorf("%s %s has causes %v, want first the request that made it", e.Verb, e.Object.Key(), e.Causes)
						}
					}
				}
				got = nil
				for _, e := range story.requests() {
					got = append(got, strings.Join([]string{e.From, e.Verb, strings.Replace(e.Object.Key(), "pods/", slash("pods", e.Object.Subresource), 1), e.Evidence.Source}, " "))
					if e.Evidence.How != "inferred" {
						t.Errorf("%s is told as %s, want inferred", got[len(got)-1], e.Evidence.How)
					}
				}
				if notified == len(c.steps) || time.Now().After(deadline) {
					break
				}
			}
			for i := range got {
				got[i] = strings.Replace(got[i], "apps/", "", 1)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("concluded\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func slash(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/") + "/"
}
