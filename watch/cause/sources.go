package cause

import (
	"slices"
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
