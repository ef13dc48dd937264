package story

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

// lane is where an event is drawn. Only the foreground makes stories; the page
// has the same lanes in web/src/model/lane.ts.
type lane uint8

const (
	foreground lane = iota
	heartbeats      // leases and the status of nodes
	background      // what components read, their Events, probes
	setup           // what the apiserver does for itself
)

var (
	reads     = []string{"get", "list", "watch", "head", "options"}
	questions = []string{"tokenreviews", "subjectaccessreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}
	small     = []string{"ImageStatus", "ReopenContainerLog", "ExecSync", "UpdateContainerResources"}
)

const (
	serviceAccount = "system:serviceaccount:"
	apiserver      = "system:apiserver"
	proxy          = "system:kube-proxy" // one user for all nodes: nobody can tell which of them hears
)

// isPerson reports somebody from outside the cluster's own machinery: a
// person, a program, a workload.
func isPerson(e *watch.Event) bool {
	switch {
	case e.From == watch.Kubestage || e.From == watch.APIServer || e.From == watch.EtcdServer:
		return false
	case strings.HasPrefix(e.From, serviceAccount+"kube-system:"):
		var d struct {
			UserAgent string `json:"userAgent"`
		}
		_ = json.Unmarshal(e.Detail, &d)
		return d.UserAgent != "" && !strings.HasPrefix(d.UserAgent, "kube-controller-manager/") && !strings.HasPrefix(d.UserAgent, "cloud-controller-manager/")
	case strings.HasPrefix(e.From, serviceAccount):
		return true
	}
	return !strings.HasPrefix(e.From, "system:") && !strings.HasPrefix(e.From, "runtime:")
}

func (s *Stories) laneOf(e *watch.Event) lane {
	switch e.Kind {
	case watch.Request:
		return requestLane(e)
	case watch.Etcd:
		if e.Verb == "range" {
			return setup
		}
		for _, c := range e.Causes {
			if p, ok := s.place(c.Seq); ok && (c.How == watch.ByRevision || c.How == watch.ByObject) {
				return p.lane
			}
		}
		return resourceLane(e)
	case watch.Watch:
		if e.Verb == "BOOKMARK" || e.To == apiserver || e.To == proxy {
			return background
		}
		for _, c := range e.Causes {
			if p, ok := s.place(c.Seq); ok && c.How == watch.ByRevision {
				return p.lane
			}
		}
		return resourceLane(e)
	case watch.CRI:
		if slices.Contains(small, e.Verb) {
			return background
		}
		return foreground
	case watch.Schedule, watch.Component, "link":
		return foreground
	}
	return background // probes, spans, sources, and kinds that are not known here
}

func requestLane(e *watch.Event) lane {
	o := e.Object
	person := isPerson(e)
	switch {
	case o == nil:
		return background
	case o.Resource == "leases":
		return heartbeats
	case slices.Contains(reads, e.Verb):
		if person || e.Code == 401 || e.Code == 403 {
			return foreground
		}
		return background
	case o.Resource == "events" && !person:
		return background
	case o.Resource == "nodes" && o.Subresource == "status" && strings.HasPrefix(e.From, "system:node:"):
		return heartbeats
	case slices.Contains(questions, o.Resource) || o.Subresource == "token":
		return background
	case e.From == apiserver, e.From == "system:kube-controller-manager" && o.Resource == "serviceaccounts":
		return setup
	}
	return foreground
}

// resourceLane is for what no request explains.
func resourceLane(e *watch.Event) lane {
	switch {
	case e.Object == nil:
		return setup
	case strings.Contains(e.Object.Resource, "leases"):
		return heartbeats
	case e.Object.Resource == "events":
		return background
	case e.Kind == watch.Etcd && e.Object.UID == "":
		return setup
	}
	return foreground
}

// begins reports whether an event is a root whatever caused it: somebody from
// outside acted, or something failed.
func begins(e *watch.Event) bool {
	switch e.Kind {
	case watch.Request:
		return isPerson(e) || e.From == watch.Kubestage
	case watch.Component:
		switch e.Verb {
		case "ready", "backoff", "stopped", "thawed":
			return false
		case "starting":
			return !restarts(e)
		}
		return true
	case "link":
		return e.Verb != "healed"
	}
	return false
}

// restarts reports a start that follows from an exit.
func restarts(e *watch.Event) bool {
	var d struct {
		Restarts int    `json:"restarts"`
		By       string `json:"by"`
	}
	_ = json.Unmarshal(e.Detail, &d)
	return d.Restarts > 0 && d.By == ""
}
