package cause

import (
	"slices"

	"github.com/kubestage/kubestage/watch"
)

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
