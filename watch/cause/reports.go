package cause

import (
	"slices"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

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
