package cause

import (
	"slices"

	"github.com/kubestage/kubestage/watch"
)

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
