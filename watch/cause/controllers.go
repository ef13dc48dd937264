package cause

import (
	"slices"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

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
