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
