package cause

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// source is one place to look for causes of an act.
type source func(*Finder, *act) []watch.Cause

func all(why ...source) []source { return why }

// first is the first source that finds anything.
func first(why ...source) source {
	return func(f *Finder, a *act) []watch.Cause {
		for _, s := range why {
			if found := s(f, a); len(found) > 0 {
				return found
			}
		}
		return nil
	}
}

func one(seq uint64, how string) []watch.Cause {
	if seq == 0 {
		return nil
	}
	return []watch.Cause{{Seq: seq, How: how}}
}

func what(a *act, how string) []watch.Cause {
	if a == nil {
		return nil
	}
	return one(a.seq, how)
}

// process is the newest event of the component an actor is.
func process(f *Finder, a *act) []watch.Cause {
	name := "kube-apiserver" // also of what we ask for when it is ready
	switch {
	case isKubelet(a):
		name = "kubelet:" + nodeOf(a.actor)
	case a.actor == scheduler:
		name = "kube-scheduler"
	case a.controls():
		name = "kube-controller-manager"
	}
	for _, c := range slices.Backward(f.components[name]) {
		if !c.end.After(a.start) {
			return one(c.seq, watch.ByProcess)
		}
	}
	return nil
}

// Relatives: of which objects the news count.

type relatives func(*Finder, *act) []string

func itself(_ *Finder, a *act) []string { return []string{a.uid} }

func owners(f *Finder, a *act) []string {
	var uids []string
	for _, o := range a.sent.Metadata.Owners {
		uids = append(uids, o.UID)
	}
	if t := f.things[a.uid]; t != nil && len(uids) == 0 {
		uids = t.owners
	}
	return uids
}

func possessions(f *Finder, a *act) []string { return f.owned[a.uid] }

func siblings(f *Finder, a *act) []string {
	var uids []string
	for _, o := range owners(f, a) {
		uids = append(uids, f.owned[o]...)
	}
	return uids
}

// selected are the Pods a PodDisruptionBudget is about.
func selected(f *Finder, a *act) []string {
	wanted := f.things[a.uid]
	if wanted == nil || len(wanted.selects) == 0 {
		return nil
	}
	var uids []string
	for uid, t := range f.things {
		if t.object.Resource != "pods" || t.object.Namespace != a.object.Namespace {
			continue
		}
		fits := true
		for k, v := range wanted.selects {
			fits = fits && t.labels[k] == v
		}
		if fits {
			uids = append(uids, uid)
		}
	}
	return uids
}

// guarded is the newest notice of a Pod a PodDisruptionBudget is about: that it
// is gone, or else that it is there.
func guarded(gone bool) source {
	return func(f *Finder, a *act) []watch.Cause {
		var found notice
		for _, uid := range selected(f, a) {
			if n := f.last(a.ears(), uid, a.start, func(n notice) bool { return f.foreign(a.actor)(n) && (n.verb == "DELETED") == gone }); n.after(found) {
				found = n
			}
		}
		return one(found.seq, watch.ByDelivery)
	}
}

// scalers are the HorizontalPodAutoscalers of what is scaled.
func scalers(f *Finder, a *act) []string {
	var uids []string
	for uid, t := range f.things {
		if t.scales.Name == a.object.Name && t.object.Namespace == a.object.Namespace && strings.ToLower(t.scales.Kind)+"s" == a.object.Resource {
			uids = append(uids, uid)
		}
	}
	return uids
}

// fresh is like news, of what came since the actor wrote the object last.
func fresh(who ...relatives) source {
	return func(f *Finder, a *act) []watch.Cause {
		since := f.since(a)
		var found notice
		for _, r := range who {
			for _, uid := range r(f, a) {
				if n := f.last(a.ears(), uid, a.start, f.foreign(a.actor)); n.after(found) && n.end.After(since) {
					found = n
				}
			}
		}
		return one(found.seq, watch.ByDelivery)
	}
}

// newsOrDeed is the newest notice of an object or of what it owns, or, when it
// came later, what the actor itself has made, changed or deleted of these: a
// status tells of that, too.
func newsOrDeed(f *Finder, a *act) []watch.Cause {
	var heard notice
	for _, uid := range append(slices.Clone(f.owned[a.uid]), a.uid) {
		if n := f.last(a.ears(), uid, a.start, f.foreign(a.actor)); n.after(heard) {
			heard = n
		}
	}
	if a.object.Subresource == "status" {
		var deed *act
		for _, uid := range f.owned[a.uid] {
			b := f.did(uid, a.start, func(b *act) bool {
				return b.kind == watch.Request && b.actor == a.actor && b.code < 300 && b.object.Subresource == "" && !slices.Contains(reads, b.verb)
			})
			if b != nil && (deed == nil || b.end.After(deed.end)) {
				deed = b
			}
		}
		if deed != nil && deed.end.After(heard.end) {
			return what(deed, watch.ByStep)
		}
	}
	return one(heard.seq, watch.ByDelivery)
}

// news is the newest notice of a relative that is no echo of the actor's own
// write.
func news(who ...relatives) source {
	return func(f *Finder, a *act) []watch.Cause {
		var found notice
		for _, r := range who {
			for _, uid := range r(f, a) {
				if n := f.last(a.ears(), uid, a.start, f.foreign(a.actor)); n.after(found) {
					found = n
				}
			}
		}
		return one(found.seq, watch.ByDelivery)
	}
}

// counted is the newest notice of an object, or of one it owns, with which the
// numbers come out that its status was set to. A controller that has made Pods
// writes at last what it had counted at first, and by then has been told more.
func counted(f *Finder, a *act) []watch.Cause {
	var candidates []notice
	for _, uid := range append(slices.Clone(f.owned[a.uid]), a.uid) {
		for _, user := range a.ears() {
			for _, n := range f.told[user][uid] {
				if !n.end.After(a.start) && f.foreign(a.actor)(n) {
					candidates = append(candidates, n)
				}
			}
		}
	}
	slices.SortFunc(candidates, latest)
	for _, c := range candidates {
		if f.tallied(a, c) == a.sent.Status.tally {
			return one(c.seq, watch.ByDelivery)
		}
	}
	return nil
}

// tallied is the sum of what an object owns, as its controller knew it when it
// had been told so much.
func (f *Finder) tallied(a *act, upTo notice) (sum tally) {
	for _, uid := range f.owned[a.uid] {
		n := f.last(a.ears(), uid, upTo.end, func(n notice) bool { return !n.after(upTo) })
		if w := f.writes[n.revision]; w != nil && n.verb != "DELETED" {
			sum.Replicas += w.tally.Replicas
			sum.Ready += w.tally.Ready
			sum.Terminating += w.tally.Terminating
		}
	}
	return sum
}

// listed is the list with which the actor's watch of such objects, or of their
// owners, began.
func listed(f *Finder, a *act) []watch.Cause {
	kinds := []string{a.object.Group + "/" + a.object.Resource}
	for _, uid := range owners(f, a) {
		if t := f.things[uid]; t != nil {
			kinds = append([]string{t.object.Group + "/" + t.object.Resource}, kinds...)
		}
	}
	for _, kind := range kinds {
		for _, user := range a.ears() {
			if n := newest(f.lists[user][kind], a.start, nil); n.seq > 0 {
				return one(n.seq, watch.ByDelivery)
			}
		}
	}
	return nil
}

// version is what told the actor the resourceVersion it has sent: a notice, or
// the answer to a write of its own.
func version(f *Finder, a *act) []watch.Cause {
	rv := a.sent.Metadata.ResourceVersion
	if rv == "" || a.verb == "create" {
		return nil
	}
	if n := f.last(a.ears(), a.uid, a.start, func(n notice) bool { return n.revision == rv }); n.seq > 0 {
		return one(n.seq, watch.ByVersion)
	}
	return what(f.did(a.uid, a.start, func(b *act) bool {
		return b.kind == watch.Request && b.actor == a.actor && b.revision == rv
	}), watch.ByVersion)
}

// replaced is the end of another object of the same owner in whose place this
// one is made. Each end counts for one.
func replaced(f *Finder, a *act) []watch.Cause {
	// One with the same name has to be gone altogether.
	if t := f.things[f.lost[a.object.Key()]]; t != nil && a.object.Name != "" && slices.ContainsFunc(owners(f, a), func(uid string) bool { return slices.Contains(t.owners, uid) }) {
		return lost(f, a)
	}
	for _, owner := range owners(f, a) {
		wish := f.last(a.ears(), owner, a.start, f.foreign(a.actor))
		var end notice // the first of them
		var gone *thing
		for _, uid := range f.owned[owner] {
			t := f.things[uid]
			if t == nil || t.replaced || t.object.Resource != a.object.Resource {
				continue
			}
			n := f.last(a.ears(), uid, a.start, func(n notice) bool {
				w := f.writes[n.revision]
				return w != nil && (w.ending || w.finished || w.gone && !t.ending) && w.by != a.actor
			})
			if wish.seq > 0 && n.after(wish) && (end.seq == 0 || end.after(n)) {
				end, gone = n, t
			}
		}
		if gone != nil {
			gone.replaced = a.code < 300
			return one(end.seq, watch.ByDelivery)
		}
	}
	return nil
}

// freed is the newest notice that brought other taints of a node, if the actor
// heard nothing of the DaemonSet or the end of a Pod of it since: where these
// may run is decided by taints.
func freed(f *Finder, a *act) []watch.Cause {
	var found notice
	for uid, t := range f.things {
		if t.object.Resource != "nodes" || t.taintRev == "" || a.verb == "delete" && t.object.Name != f.node(a) {
			continue
		}
		if n := f.last(a.ears(), uid, a.start, func(n notice) bool { return n.revision == t.taintRev }); n.after(found) {
			found = n
		}
	}
	for _, owner := range owners(f, a) {
		for _, uid := range append(slices.Clone(f.owned[owner]), owner) {
			if n := f.last(a.ears(), uid, a.start, func(n notice) bool {
				w := f.writes[n.revision]
				return w != nil && w.by != a.actor && (uid == owner || w.ending || w.finished)
			}); n.after(found) {
				return nil
			}
		}
	}
	return one(found.seq, watch.ByDelivery)
}

// node is the name of the node a Pod is on.
func (f *Finder) node(a *act) string {
	if t := f.things[a.uid]; t != nil {
		return t.node
	}
	return ""
}

// lost is the end of an object that is made again under its name.
func lost(f *Finder, a *act) []watch.Cause {
	name := a.object
	if name.Name == "" {
		return nil
	}
	return one(f.last(a.ears(), f.lost[name.Key()], a.start, func(n notice) bool { return n.verb == "DELETED" }).seq, watch.ByDelivery)
}

// namespace is the newest notice of the namespace something is in, or is.
func namespace(f *Finder, a *act) []watch.Cause {
	name := a.object.Namespace
	if a.object.Resource == "namespaces" {
		name = a.object.Name
	}
	uid := f.named["namespaces/"+name]
	n := f.last(a.ears(), uid, a.start, f.foreign(a.actor))
	if n.seq > 0 {
		return one(n.seq, watch.ByDelivery)
	}
	for _, user := range a.ears() {
		if n := newest(f.lists[user]["/namespaces"], a.start, nil); n.seq > 0 && uid != "" {
			return one(n.seq, watch.ByDelivery)
		}
	}
	return nil
}

// orphaned is the end of an owner.
func orphaned(f *Finder, a *act) []watch.Cause {
	for _, owner := range owners(f, a) {
		n := f.last(a.ears(), owner, a.start, func(n notice) bool {
			w := f.writes[n.revision]
			return n.verb == "DELETED" || w != nil && w.ending
		})
		if n.seq > 0 {
			return one(n.seq, watch.ByDelivery)
		}
	}
	return nil
}

// dependents is the end of the last of what an object owned, for which its
// deletion had to wait.
func dependents(f *Finder, a *act) []watch.Cause {
	var found notice
	for _, uid := range f.owned[a.uid] {
		n := f.last(a.ears(), uid, a.start, func(n notice) bool { return n.verb == "DELETED" })
		if n.after(found) {
			found = n
		}
	}
	if found.seq > 0 {
		return one(found.seq, watch.ByDelivery)
	}
	return news(itself)(f, a)
}

// targets are the notices of the Pods that a list of endpoints now has and had
// not, or the other way round; or the newest of all its Pods, when they are
// the same and only their state is not.
func targets(f *Finder, a *act) []watch.Cause {
	now := []string{}
	for _, x := range a.sent.Endpoints {
		now = append(now, x.Target.UID)
	}
	for _, x := range a.sent.Subsets {
		for _, y := range append(x.Address, x.Not...) {
			now = append(now, y.Target.UID)
		}
	}
	var before []string
	if t := f.things[a.uid]; t != nil {
		before = t.targets
	}
	var last notice
	var changes []notice
	look := func(uid string, changed bool) {
		n := f.last(a.ears(), uid, a.start, nil)
		if n.after(last) {
			last = n
		}
		if changed && n.seq > 0 && !slices.Contains(changes, n) {
			changes = append(changes, n)
		}
	}
	for _, uid := range now {
		look(uid, !slices.Contains(before, uid))
	}
	for _, uid := range before {
		if !slices.Contains(now, uid) {
			look(uid, true)
		}
	}
	if len(changes) == 0 && last.end.After(f.since(a)) {
		return one(last.seq, watch.ByDelivery)
	}
	slices.SortFunc(changes, latest)
	var causes []watch.Cause
	for _, n := range changes {
		causes = append(causes, watch.Cause{Seq: n.seq, How: watch.ByDelivery})
	}
	return causes
}

// latest sorts notices, the newest first.
func latest(a, b notice) int {
	switch {
	case a.after(b):
		return -1
	case b.after(a):
		return 1
	}
	return 0
}

// since is when the actor began to write the object the last time: what came
// later it had not known then.
func (f *Finder) since(a *act) (t time.Time) {
	if b := f.did(a.uid, a.start, func(b *act) bool {
		return b.kind == watch.Request && b.actor == a.actor && !slices.Contains(reads, b.verb) && b.what() == a.what() && b.code < 300
	}); b != nil {
		t = b.start
	}
	return t
}

// service is the newest notice of the Service that endpoints belong to.
func service(f *Finder, a *act) []watch.Cause {
	uids := owners(f, a)
	if uid := f.named["services/"+a.object.Namespace+"/"+a.object.Name]; uid != "" {
		uids = append(uids, uid)
	}
	for _, uid := range uids {
		if n := f.last(a.ears(), uid, a.start, nil); n.seq > 0 && n.end.After(f.since(a)) {
			return one(n.seq, watch.ByDelivery)
		}
	}
	return nil
}

// Nodes.

// podOrNode is the newest notice of a Pod or of its node, whoever of those who
// share this account wrote it.
func podOrNode(f *Finder, a *act) []watch.Cause {
	found := f.last(a.ears(), a.uid, a.start, nil)
	if t := f.things[a.uid]; t != nil {
		if n := f.last(a.ears(), f.named["nodes/"+t.node], a.start, nil); n.after(found) {
			found = n
		}
	}
	return one(found.seq, watch.ByDelivery)
}

// appeared is the notice that an object is there.
func appeared(f *Finder, a *act) []watch.Cause {
	return one(f.last(a.ears(), a.uid, a.start, func(n notice) bool { return n.verb == "ADDED" }).seq, watch.ByDelivery)
}

// silence is why a node counts as silent: its line was cut or its kubelet
// ended, and the last lease it had renewed before. For other changes of a
// node's status it is the node's news.
func silence(f *Finder, a *act) []watch.Cause {
	unknown := slices.ContainsFunc(a.sent.Status.Conditions, func(c condition) bool { return c.Status == "Unknown" })
	if !unknown {
		return nodeNews(f, a)
	}
	node := a.object.Name
	var causes []watch.Cause
	if l := f.links["kubelet:"+node]; l != nil && (l.verb == "cut" || l.verb == "delayed") && !l.end.After(a.start) {
		causes = append(causes, one(l.seq, watch.ByAbsence)...)
	}
	if events := f.components["kubelet:"+node]; len(events) > 0 {
		c := events[len(events)-1]
		if slices.Contains([]string{"killed", "frozen", "exited", "backoff", "stopping", "stopped"}, c.verb) && !c.end.After(a.start) {
			causes = append(causes, one(c.seq, watch.ByAbsence)...)
		}
	}
	return append(causes, one(newest(f.leases["kube-node-lease/"+node], a.start, nil).seq, watch.ByAbsence)...)
}

// nodeNews is the newest notice of a node, its own writes' echoes too: who
// shares this account acts upon what the others write.
func nodeNews(f *Finder, a *act) []watch.Cause {
	if n := f.last(a.ears(), a.uid, a.start, nil); n.seq > 0 {
		return one(n.seq, watch.ByDelivery)
	}
	for _, user := range a.ears() {
		if n := newest(f.lists[user]["/nodes"], a.start, nil); n.seq > 0 {
			return one(n.seq, watch.ByDelivery)
		}
	}
	return nil
}

// silent is the step in which a Pod's node was found silent.
func silent(f *Finder, a *act) []watch.Cause {
	t := f.things[a.uid]
	if t == nil || t.node == "" {
		return nil
	}
	return what(f.did(f.named["nodes/"+t.node], a.start, func(b *act) bool {
		return b.kind == watch.Request && b.actor == a.actor && b.what() == "nodes/status"
	}), watch.ByStep)
}

// taint is the notice that brought the taints a Pod's node has now.
func taint(f *Finder, a *act) []watch.Cause {
	t := f.things[a.uid]
	if t == nil || t.node == "" {
		return nil
	}
	if a.verb != "delete" && !slices.ContainsFunc(a.sent.Status.Conditions, func(c condition) bool { return c.Reason == "DeletionByTaintManager" }) {
		return nil
	}
	uid := f.named["nodes/"+t.node]
	if n := f.things[uid]; n != nil && n.taints != "" {
		return one(f.last(a.ears(), uid, a.start, func(x notice) bool { return x.revision == n.taintRev }).seq, watch.ByDelivery)
	}
	return nil
}

// The scheduler.

// scheduled is the notice of the very version of the Pod a cycle looked at, and
// the cycle before if this is not the first.
func scheduled(f *Finder, a *act) []watch.Cause {
	causes := one(f.last([]string{scheduler}, a.uid, a.start, func(n notice) bool { return n.revision == a.revision }).seq, watch.ByVersion)
	if w := f.writes[a.revision]; len(causes) == 0 && w != nil && w.uid == a.uid {
		causes = one(w.seq, watch.ByRevision)
	}
	if a.d.Attempt > 1 {
		causes = append(causes, cycle(f, a)...)
	}
	for i := range causes {
		if causes[i].How == watch.ByBinding {
			causes[i].How = watch.ByStep
		}
	}
	return causes
}

func cycle(f *Finder, a *act) []watch.Cause {
	return what(f.did(a.uid, a.start.Add(time.Nanosecond), func(b *act) bool { return b.kind == watch.Schedule }), watch.ByBinding)
}

// victim is the preemptor of a Pod that is told it has to make room.
func victim(f *Finder, a *act) []watch.Cause {
	if slices.ContainsFunc(a.sent.Status.Conditions, func(c condition) bool { return c.Type == "DisruptionTarget" }) {
		return preemptor(f, a)
	}
	return nil
}

// preemptor is the cycle in which no node was found for another Pod.
func preemptor(f *Finder, a *act) []watch.Cause {
	if b := f.newest[scheduler+" schedule"]; b != nil && b.d.Result == "unschedulable" && b.d.Nominated != "" {
		return what(b, watch.ByStep)
	}
	return nil
}

// The kubelet and its runtime.

// podNews is the newest notice of a Pod that is not the echo of the kubelet's
// own write.
func podNews(f *Finder, a *act) []watch.Cause {
	return one(f.last([]string{a.actor}, a.uid, a.start, f.foreign(a.actor)).seq, watch.ByDelivery)
}

// newsSinceStart is podNews, if it came after the container was started.
func newsSinceStart(f *Finder, a *act) []watch.Cause {
	began := f.did(a.uid, a.start, func(b *act) bool { return b.calls("StartContainer") && sameContainer(a, b) })
	n := f.last(a.ears(), a.uid, a.start, f.foreign(a.actor))
	if began == nil || !n.end.After(began.end) {
		return nil
	}
	return one(n.seq, watch.ByDelivery)
}

// manifest is the kubelet's process, for Pods it has found in a folder of its
// node. They are known by a hash, not a UUID (pkg/kubelet/config/common.go,
// applyDefaults).
func manifest(f *Finder, a *act) []watch.Cause {
	if a.uid == "" || strings.Contains(a.uid, "-") {
		return nil
	}
	return process(f, a)
}

// mirrorDeleted is the notice that somebody deletes the mirror Pod this one is
// made again for: the kubelet makes another at once.
func mirrorDeleted(f *Finder, a *act) []watch.Cause {
	b := act{actor: a.actor, start: a.start, uid: f.lost[a.object.Key()]}
	return ending(f, &b)
}

// ending is the notice that a Pod is to be deleted.
func ending(f *Finder, a *act) []watch.Cause { return one(f.ending(a).seq, watch.ByDelivery) }

func (f *Finder) ending(a *act) notice {
	return f.last(a.ears(), a.uid, a.start, func(n notice) bool {
		w := f.writes[n.revision]
		return w != nil && w.ending
	})
}

// exitOrEnding is why what is left of a container or sandbox goes: the newest
// exit, or, when that was long before, that the Pod is to be deleted.
func exitOrEnding(same func(a, b *act) bool) source {
	return func(f *Finder, a *act) []watch.Cause {
		b := f.did(a.uid, a.start, func(b *act) bool { return b.calls("ContainerExited") && same(a, b) })
		if n := f.ending(a); n.seq > 0 && (b == nil || n.end.After(b.end)) {
			return one(n.seq, watch.ByDelivery)
		}
		return what(b, watch.BySandbox)
	}
}

// lastStatus is the status of a Pod that its kubelet wrote last.
func lastStatus(f *Finder, a *act) []watch.Cause {
	if f.static[a.uid] != "" { // no end of its containers is waited for
		return nil
	}
	return what(f.did(a.uid, a.start, func(b *act) bool {
		return b.actor == a.actor && b.kind == watch.Request && b.what() == "pods/status"
	}), watch.ByStep)
}

func samePod(*act, *act) bool         { return true }
func sameSandbox(a, b *act) bool      { return a.d.Sandbox != "" && a.d.Sandbox == b.d.Sandbox }
func sameContainer(a, b *act) bool    { return a.d.Container != "" && a.d.Container == b.d.Container }
func sameName(a, b *act) bool         { return a.d.ContainerName == b.d.ContainerName }
func (a *act) calls(verb string) bool { return a.kind == watch.CRI && a.verb == verb }

// call is the newest call, or exit, before this one.
func call(verbs string, same func(a, b *act) bool) source {
	return func(f *Finder, a *act) []watch.Cause {
		return what(f.did(a.uid, a.start, func(b *act) bool {
			return b.kind == watch.CRI && slices.Contains(strings.Fields(verbs), b.verb) && same(a, b)
		}), watch.BySandbox)
	}
}

// debugged is the notice that brought a Pod an ephemeral container.
func (f *Finder) debugged(a *act) notice {
	return f.last(a.ears(), a.uid, a.start, func(n notice) bool {
		w := f.writes[n.revision]
		return w != nil && w.debugged
	})
}

// needsImage is why an image is pulled: the sandbox is there, a container of
// this image has to be started again, or an ephemeral one was added.
func needsImage(f *Finder, a *act) []watch.Cause {
	b := f.did(a.uid, a.start, func(b *act) bool {
		return b.calls("RunPodSandbox") || b.calls("ContainerExited") && b.d.Image == a.d.Image
	})
	if n := f.debugged(a); n.seq > 0 && (b == nil || n.end.After(b.end)) {
		return one(n.seq, watch.ByDelivery)
	}
	return what(b, watch.BySandbox)
}

// sandboxBefore is the end of the sandbox that a new one of the same Pod
// replaces.
func sandboxBefore(f *Finder, a *act) []watch.Cause {
	return call("StopPodSandbox", samePod)(f, a)
}

// asked is why a program was asked to end. The call that asks it returns after
// the exit and is told later.
func asked(f *Finder, a *act) []watch.Cause {
	if !a.d.Stopped {
		return nil
	}
	return first(ending, failedProbe, newsSinceStart)(f, a)
}

// failedProbe is the newest probe that makes a kubelet end a container, if it
// failed.
func failedProbe(f *Finder, a *act) []watch.Cause {
	return failed("liveness", "startup")(f, a)
}

// failed is the newest probe of some sorts, if it failed. Which sort a command
// belongs to is not told.
func failed(sorts ...string) source {
	return func(f *Finder, a *act) []watch.Cause {
		b := f.did(a.uid, a.start, func(b *act) bool { return probes(b, a, sorts) })
		if b != nil && b.fails() {
			return what(b, watch.BySandbox)
		}
		b = f.did(a.uid, a.start, func(b *act) bool { return b.calls("ExecSync") && sameName(a, b) })
		if b != nil && b.fails() {
			return what(b, watch.BySandbox)
		}
		return nil
	}
}

// lastFailed is the newest of the probes of a sort that failed, though others
// may have succeeded since.
func lastFailed(sort string) source {
	return func(f *Finder, a *act) []watch.Cause {
		return what(f.did(a.uid, a.start, func(b *act) bool {
			return b.fails() && (probes(b, a, []string{sort}) || b.calls("ExecSync") && sameName(a, b))
		}), watch.BySandbox)
	}
}

func probes(b, a *act, sorts []string) bool {
	return b.kind == watch.Probe && sameName(a, b) && slices.ContainsFunc(sorts, func(s string) bool { return slices.Contains(b.d.Probes, s) })
}

// fails reports whether a probe, or a command that is one, has failed.
func (a *act) fails() bool {
	if a.kind == watch.Probe {
		return a.d.Result == "failure"
	}
	return a.code != 0 || a.d.ExitCode != 0
}

// podStatus is what has changed on the node since the kubelet last wrote a
// Pod's status: a container its status tells of has started or exited, the
// sandbox is there, a call failed, a probe has turned, or else the Pod's news.
// The kubelet reads the Pod before it patches it (pkg/kubelet/status/
// status_manager.go, syncPod): what it writes was decided before that.
func podStatus(f *Finder, a *act) []watch.Cause {
	patched := func(b *act) bool {
		return b.kind == watch.Request && b.actor == a.actor && b.what() == "pods/status"
	}
	// decided returns by when a status was decided that was written at t.
	decided := func(t time.Time) time.Time {
		b := f.did(a.uid, t, func(b *act) bool {
			return patched(b) || b.kind == watch.Request && b.actor == a.actor && b.verb == "get"
		})
		if b != nil && b.verb == "get" {
			return b.start
		}
		return t
	}
	by := decided(a.start)
	before := f.did(a.uid, a.start, patched)
	var since time.Time
	if before != nil {
		since = decided(before.start)
	}
	ready := func(status string) bool {
		return slices.ContainsFunc(a.sent.Status.Conditions, func(c condition) bool {
			return c.Type == "PodReadyToStartContainers" && c.Status == status
		})
	}
	told := f.did(a.uid, a.start, func(b *act) bool { return patched(b) && len(b.statuses()) > 0 })
	news := func(s containerStatus) bool {
		return told == nil || !slices.ContainsFunc(told.statuses(), func(t containerStatus) bool {
			return t.Name == s.Name && t.ID == s.ID && maps.EqualFunc(t.State, s.State, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
		})
	}
	found := f.did(a.uid, by, func(b *act) bool {
		switch {
		case b.calls("RunPodSandbox") && b.code == 0:
			return ready("True")
		case b.calls("StopPodSandbox"):
			return ready("False")
		case b.calls("UpdateContainerResources"):
			return !b.end.Before(since)
		case b.calls("StartContainer") && b.code == 0, b.calls("ContainerExited"):
			return slices.ContainsFunc(a.statuses(), func(s containerStatus) bool {
				_, terminated := s.State["terminated"]
				_, waiting := s.State["waiting"]
				return strings.HasSuffix(s.ID, "/"+b.d.Container) && (b.verb == "StartContainer") != (terminated || waiting) && news(s)
			})
		case b.kind == watch.CRI && b.code != 0 && b.verb != "ExecSync":
			return slices.ContainsFunc(a.statuses(), func(s containerStatus) bool {
				_, waiting := s.State["waiting"]
				return waiting && (told == nil || !b.end.Before(told.start)) && (b.d.ContainerName == "" || b.d.ContainerName == s.Name) && news(s)
			})
		case b.kind == watch.Probe, b.calls("ExecSync"):
			began := f.did(a.uid, b.start, func(c *act) bool { return c.calls("StartContainer") && sameName(c, b) })
			return began != nil && turned(told, a.statuses(), b, began.d.Container)
		}
		return false
	})
	if found != nil {
		return what(found, watch.BySandbox)
	}
	n := f.last([]string{a.actor}, a.uid, by, f.foreign(a.actor))
	if n.seq > 0 && (before == nil || n.end.After(since)) {
		return one(n.seq, watch.ByDelivery)
	}
	if before == nil {
		return listed(f, a)
	}
	return first(call("StopPodSandbox ContainerExited StartContainer", samePod), lastStatus)(f, a)
}

// turned reports whether a probe of a container is why that is ready now, or has
// started, and was not in the status before, or the other way round.
func turned(before *act, now []containerStatus, probe *act, container string) bool {
	if before == nil {
		return false
	}
	good := !probe.fails()
	is := func(sort string) bool { return probe.kind == watch.CRI || slices.Contains(probe.d.Probes, sort) }
	for _, s := range now {
		if _, running := s.State["running"]; !running || !strings.HasSuffix(s.ID, "/"+container) {
			continue
		}
		for _, w := range before.statuses() {
			if w.Name == s.Name && w.ID == s.ID {
				return w.Ready != s.Ready && s.Ready == good && is("readiness") || w.Began != s.Began && s.Began == good && is("startup")
			}
		}
	}
	return false
}

// Events.

// reported is what an Event tells of.
func reported(f *Finder, a *act) []watch.Cause {
	about, reason, message := a.sent.Involved, a.sent.Reason, a.sent.Message+a.sent.Note
	if about.Name == "" {
		about = a.sent.Regarding
	}
	if t := f.things[f.named[a.object.Key()]]; about.Name == "" && t != nil { // a patch that counts one more
		about, reason, message = t.about, t.why, t.text
	}
	uid := about.UID
	key := strings.Join(slices.DeleteFunc([]string{strings.ToLower(about.Kind) + "s", about.Namespace, about.Name}, func(s string) bool { return s == "" }), "/")
	if f.things[uid] == nil { // kubelets give a Node's name as its uid
		uid = f.named[key]
		if uid == "" { // it is gone already
			uid = f.lost[key]
		}
		if uid == "" { // a static Pod whose mirror is not there yet
			uid = about.UID
		}
	}
	container := strings.TrimSuffix(about.Field[strings.IndexByte(about.Field, '{')+1:], "}")
	b := *a
	b.uid, b.d.ContainerName = uid, container
	mine := func(verbs string) source {
		return func(f *Finder, a *act) []watch.Cause {
			return what(f.did(a.uid, a.start, func(x *act) bool {
				return x.kind == watch.Request && x.actor == a.actor && slices.Contains(strings.Fields(verbs), x.verb+" "+x.what()) || x.kind == watch.Request && x.actor == a.actor && verbs == ""
			}), watch.ByReport)
		}
	}
	tells := func(s source) []watch.Cause {
		found := s(f, &b)
		for i := range found {
			if found[i].How == watch.BySandbox || found[i].How == watch.ByBinding {
				found[i].How = watch.ByReport
			}
		}
		return found
	}
	failedCall := func(f *Finder, a *act) []watch.Cause {
		return what(f.did(a.uid, a.start, func(x *act) bool { return x.kind == watch.CRI && x.code != 0 }), watch.ByReport)
	}
	switch {
	case reason == "LeaderElection":
		for _, verb := range []string{"update", "create"} {
			if l := f.newest[a.actor+" "+verb+" leases"]; l != nil {
				return what(l, watch.ByReport)
			}
		}
		return nil
	case isKubelet(a) && about.Kind == "Node":
		return process(f, a)
	case isKubelet(a):
		switch reason {
		case "Pulling":
			switch {
			case strings.HasPrefix(about.Field, "spec.ephemeralContainers"):
				return tells(func(f *Finder, a *act) []watch.Cause { return one(f.debugged(a).seq, watch.ByDelivery) })
			case a.verb == "create": // the first time
				return tells(call("RunPodSandbox", samePod))
			}
			return tells(first(call("ContainerExited", sameName), call("RunPodSandbox", samePod)))
		case "Pulled":
			return tells(first(call("PullImage", samePod), call("RunPodSandbox", samePod)))
		case "Created":
			return tells(call("CreateContainer", sameName))
		case "Started":
			return tells(call("StartContainer", sameName))
		case "Killing":
			return tells(first(ending, failedProbe, podNews))
		case "Unhealthy":
			sort, _, _ := strings.Cut(message, " ") // "Liveness probe failed: …"
			return tells(lastFailed(strings.ToLower(sort)))
		case "BackOff":
			return tells(first(call("ContainerExited", sameName), failedCall))
		case "ResizeCompleted":
			return tells(call("UpdateContainerResources", samePod))
		case "Failed", "FailedCreatePodSandBox", "FailedKillPod":
			return tells(failedCall)
		}
		return tells(podNews)
	case a.actor == scheduler && reason == "Scheduled":
		return tells(func(f *Finder, a *act) []watch.Cause {
			return what(f.did(a.uid, a.start, func(x *act) bool { return x.kind == watch.Request && x.what() == "pods/binding" }), watch.ByReport)
		})
	case a.actor == scheduler && reason == "Preempted":
		return tells(first(mine("delete pods"), preemptor))
	case a.actor == scheduler:
		return tells(cycle)
	case a.controller() == "node-controller" && about.Kind == "Pod":
		if strings.HasPrefix(message, "Cancelling") { // perhaps because the Pod is gone
			gone := b
			gone.uid = f.lost[key]
			return first(func(f *Finder, _ *act) []watch.Cause { return podOrNode(f, &b) }, func(f *Finder, _ *act) []watch.Cause { return podOrNode(f, &gone) })(f, a)
		}
		b.verb = "delete"
		return tells(first(taint, silent, podOrNode))
	case a.controller() == "node-controller" && reason == "RegisteredNode":
		return tells(first(appeared, func(f *Finder, a *act) []watch.Cause {
			return one(newest(f.lists[controllerManager]["/nodes"], a.start, nil).seq, watch.ByDelivery)
		}))
	case a.controller() == "node-controller":
		return tells(first(mine("patch nodes/status"), nodeNews))
	}
	switch t := f.things[uid]; {
	case a.controller() == "disruption-controller":
		return tells(first(guarded(reason == "NoPods"), news(itself)))
	case reason == "SawCompletedJob":
		return tells(news(possessions))
	case reason == "SuccessfulRescale" && t != nil:
		scaled := f.newest[a.actor+" update "+strings.ToLower(t.scales.Kind)+"s/scale"]
		if scaled != nil && scaled.object.Name == t.scales.Name && scaled.object.Namespace == t.object.Namespace {
			return what(scaled, watch.ByReport)
		}
	}
	// "Created pod: web-1", "Scaled up replica set web-1 from 0 to 2".
	for _, word := range strings.FieldsFunc(message, func(r rune) bool { return strings.ContainsRune(" ,:\"'", r) }) {
		for _, uid := range slices.Backward(f.owned[uid]) { // the last of those that had this name
			if t := f.things[uid]; t != nil && t.object.Name == word {
				if x := f.did(uid, a.start, func(x *act) bool {
					return x.kind == watch.Request && x.actor == a.actor && !slices.Contains(reads, x.verb) && x.object.Subresource == ""
				}); x != nil {
					return what(x, watch.ByReport)
				}
			}
		}
	}
	return tells(first(mine(""), news(itself, possessions)))
}
