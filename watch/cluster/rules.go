package cluster

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubestage/kubestage/watch"
)

// conclusion is what a rule concludes about the request behind a change. What
// it leaves empty is as the change says.
type conclusion struct {
	actor       string
	verb        string
	subresource string
	source      string   // of the evidence
	writer      *writer  // when managedFields named one
	owner       string   // uid of the object that made the actor act
	collection  bool     // the request was about all objects of the kind in the namespace
	unsure      []string // "actor", "verb": concluded, and other answers are possible
}

// rule concludes who caused a change, or leaves it to the next one.
type rule struct {
	name     string // told as the event's rule; docs/events.md says what each means
	conclude func(*inference, *change) (conclusion, bool)
}

// rules are asked in this order. The last one has an answer for everything,
// which may be that nobody knows.
var rules = []rule{
	{"created", created},
	{"bound", bound},
	{"ended", ended},
	{"deleted", deletedBy},
	{"finalized", finalized},
	{"written", written},
}

// created: what is new has one writer. Who made it follows from its owner, if
// it has one; an Event names who reports it.
func created(n *inference, c *change) (conclusion, bool) {
	if c.verb != added {
		return conclusion{}, false
	}
	out := n.byWriter(c)
	if out.source == "ownerReference" {
		out.owner = controllerOf(c.is())
	}
	return out, true
}

// bound: a pod's node is set once, by a binding, which leaves no mark in
// managedFields. Who binds is the scheduler that the pod asks for.
func bound(_ *inference, c *change) (conclusion, bool) {
	if !c.pod() || c.verb != modified || text(c.was(), "spec", "nodeName") != "" || text(c.is(), "spec", "nodeName") == "" {
		return conclusion{}, false
	}
	out := conclusion{actor: watch.Unknown, verb: "create", subresource: "binding", source: "nodeName"}
	if text(c.is(), "spec", "schedulerName") == "default-scheduler" {
		out.actor = schedulerUser
	}
	return out, true
}

// ended: the kubelet of a pod that was asked to end deletes it at once when
// its containers have. To delete at once is two writes: the grace period
// becomes 0, then the pod goes.
func ended(_ *inference, c *change) (conclusion, bool) {
	if !c.pod() || c.verb != modified || !deleting(c.was()) || number(c.was(), "metadata", "deletionGracePeriodSeconds") == 0 ||
		number(c.is(), "metadata", "deletionGracePeriodSeconds") != 0 {
		return conclusion{}, false
	}
	out := conclusion{actor: watch.Unknown, verb: "delete", source: "deletionTimestamp"}
	if node := text(c.is(), "spec", "nodeName"); node != "" && !running(c.is()) {
		out.actor = "system:node:" + node
	}
	return out, true
}

// deletedBy: to delete leaves no mark. Who did follows from what the owner
// needs, or from what somebody says about it.
func deletedBy(n *inference, c *change) (conclusion, bool) {
	asked := c.verb == modified && !deleting(c.was()) && deleting(c.is())
	atOnce := c.verb == deleted && !deleting(c.was())
	if !asked && !atOnce {
		return conclusion{}, false
	}
	out := n.deleter(c)
	if out.verb == "" {
		out.verb = "delete"
	}
	return out, true
}

// finalizers that only one controller takes away.
var finalizers = map[string]string{
	"foregroundDeletion":               "generic-garbage-collector",
	"orphan":                           "generic-garbage-collector",
	"batch.kubernetes.io/job-tracking": "job-controller",
	"kubernetes.io/pvc-protection":     "pvc-protection-controller",
	"kubernetes.io/pv-protection":      "pv-protection-controller",
}

// finalized: whoever takes a finalizer away; the last one deletes the object.
func finalized(n *inference, c *change) (conclusion, bool) {
	before, after := c.was().GetFinalizers(), c.is().GetFinalizers()
	if c.verb == added || c.verb == modified && len(after) >= len(before) {
		return conclusion{}, false
	}
	if c.verb == deleted {
		after = nil
	}
	out := conclusion{actor: watch.Unknown, verb: "update", source: "finalizers", unsure: []string{"verb"}}
	if c.name() == "namespaces" {
		out.actor, out.subresource, out.unsure = n.accounts.controller("namespace-controller"), "finalize", nil
		return out, true
	}
	for _, f := range before {
		if who, known := finalizers[f]; known && !slices.Contains(after, f) {
			out.actor, out.verb, out.unsure = n.accounts.controller(who), "patch", nil
			if strings.HasPrefix(f, "kubernetes.io/p") {
				out.verb = "update"
			}
			return out, true
		}
	}
	return out, c.verb == deleted
}

// written: everything else has a writer in managedFields, or nobody knows.
func written(n *inference, c *change) (conclusion, bool) { return n.byWriter(c), true }

// byWriter concludes from managedFields.
func (n *inference) byWriter(c *change) conclusion {
	found, lost := c.writers()
	if len(found) != 1 {
		verb, unsure := "update", []string{"verb"}
		if c.verb == added {
			verb, unsure = "create", nil
		}
		return conclusion{actor: watch.Unknown, verb: verb, source: "managedFields", unsure: unsure}
	}
	w := found[0]
	out := conclusion{subresource: w.Subresource, writer: &w}
	out.actor, out.source = n.accounts.user(w, c)
	verb, sure := verbOf(w, c)
	if out.verb = verb; !sure {
		out.unsure = append(out.unsure, "verb")
	}
	if lost {
		// Its fields went and nothing came: it took them away, or another did.
		out.unsure = append(out.unsure, "actor")
	}
	return out
}

// deleter concludes who asked for a deletion.
func (n *inference) deleter(c *change) conclusion {
	o := c.was()
	if who := n.hinted(c); who != "" {
		return conclusion{actor: who, source: "events", owner: controllerOf(o)}
	}
	if n.ending[o.GetNamespace()] != "" {
		return conclusion{actor: n.accounts.controller("namespace-controller"), verb: "deletecollection", source: "namespace",
			owner: n.ending[o.GetNamespace()], collection: true}
	}
	if owner, all := n.orphaned(o); all {
		return conclusion{actor: n.accounts.controller("generic-garbage-collector"), source: "ownerReference", owner: owner}
	}
	owner := n.alive[controllerOf(o)]
	switch {
	case c.pod() && condition(o, "DisruptionTarget") == "PreemptionByScheduler":
		return conclusion{actor: schedulerUser, source: "conditions"}
	case c.pod() && condition(o, "DisruptionTarget") == "EvictionByEvictionAPI":
		return conclusion{actor: watch.Unknown, verb: "create", subresource: "eviction", source: "conditions"}
	case c.pod() && disruptors[condition(o, "DisruptionTarget")] != "":
		return conclusion{actor: n.accounts.controller(disruptors[condition(o, "DisruptionTarget")]), source: "conditions"}
	case owner == nil:
	case c.pod() && tooMany(n, owner, o):
		return conclusion{actor: n.accounts.controller(controllersFor[owner.kind]), source: "ownerReference", owner: owner.uid}
	case c.name() == "replicasets.apps" && owner.kind == "Deployment" && number(o, "spec", "replicas") == 0 && int64(len(n.under[owner.uid])) > owner.historyLimit+1:
		return conclusion{actor: n.accounts.controller("deployment-controller"), source: "ownerReference", owner: owner.uid}
	}
	return conclusion{actor: watch.Unknown, source: "deletionTimestamp"}
}

// tooMany reports whether the owner of a pod has to delete one like it.
func tooMany(n *inference, owner *life, pod *unstructured.Unstructured) bool {
	switch owner.kind {
	case "ReplicaSet", "ReplicationController":
		return int64(len(n.under[owner.uid])) > owner.replicas
	case "StatefulSet":
		if i, err := strconv.ParseInt(pod.GetLabels()["apps.kubernetes.io/pod-index"], 10, 64); err == nil && i >= owner.first+owner.replicas {
			return true
		}
		fallthrough
	case "DaemonSet": // a new revision replaces pods of the old one, and nobody else has reason to
		revision := pod.GetLabels()["controller-revision-hash"]
		return owner.revision != "" && revision != "" && revision != owner.revision
	}
	return false
}

// orphaned reports whether an object has owners and none is left, or one of
// them waits for it to go.
func (n *inference) orphaned(o *unstructured.Unstructured) (owner string, all bool) {
	for _, ref := range o.GetOwnerReferences() {
		uid := string(ref.UID)
		l := n.alive[uid]
		if l != nil && l.foreground {
			return uid, true
		}
		if _, gone := n.gone.get(uid); l != nil || !gone {
			return "", false
		}
		owner = uid
	}
	return owner, owner != ""
}

func controllerOf(o *unstructured.Unstructured) (uid string) {
	for _, ref := range o.GetOwnerReferences() {
		if ref.Controller != nil && *ref.Controller {
			return string(ref.UID)
		}
	}
	return ""
}

func deleting(o *unstructured.Unstructured) bool { return o.GetDeletionTimestamp() != nil }

// running reports whether a container of a pod is said to run.
func running(pod *unstructured.Unstructured) bool {
	for _, list := range []string{"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"} {
		all, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
		for _, s := range all {
			if m, ok := s.(map[string]any); ok {
				if state, ok := m["state"].(map[string]any); ok && state["running"] != nil {
					return true
				}
			}
		}
	}
	return false
}
