package cause

import (
	"slices"
	"time"

	"github.com/kubestage/kubestage/watch"
)

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
