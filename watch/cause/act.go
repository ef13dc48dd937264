package cause

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// act is what an actor did: an event, read for what rules ask.
type act struct {
	seq        uint64
	kind       watch.Kind
	verb       string
	actor      string // the exact user name
	start, end time.Time
	code       int
	object     watch.Object
	uid        string
	revision   string
	agent      string
	sent       sent    // by a request
	d          details // of the others
}

// what is the kind of object, as rules write it: "pods", "pods/status".
func (a *act) what() string {
	if a.object.Subresource != "" {
		return a.object.Resource + "/" + a.object.Subresource
	}
	return a.object.Resource
}

const (
	controllerManager = "system:kube-controller-manager"
	scheduler         = "system:kube-scheduler"
	kubelet           = "system:node:"
	serviceAccount    = "system:serviceaccount:kube-system:"
)

// controller is the account of a controller, without the prefix all share.
func (a *act) controller() string { return strings.TrimPrefix(a.actor, serviceAccount) }

// controls reports a controller of kube-controller-manager, whichever account
// it uses.
func (a *act) controls() bool {
	return strings.HasPrefix(a.agent, "kube-controller-manager/") || a.actor == controllerManager
}

// ears are the users whose watches an actor hears of the cluster through. All
// controllers share the informers of kube-controller-manager, whatever account
// they write with (cmd/kube-controller-manager/app/controllermanager.go,
// CreateControllerContext).
func (a *act) ears() []string {
	if a.controls() && a.actor != controllerManager {
		return []string{controllerManager, a.actor}
	}
	if node, ok := strings.CutPrefix(a.actor, "runtime:"); ok {
		return []string{kubelet + node}
	}
	return []string{a.actor}
}

// Ears is the user whose watches told an actor of the cluster: its own, or
// those all controllers share.
func Ears(user, userAgent string) string {
	a := act{actor: user, agent: userAgent}
	return a.ears()[0]
}

// sent is what a request carried, as far as it tells of causes.
type sent struct {
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	Note     string `json:"note"`
	Metadata struct {
		ResourceVersion string      `json:"resourceVersion"`
		Owners          []reference `json:"ownerReferences"`
	} `json:"metadata"`
	Involved      reference `json:"involvedObject"`
	Regarding     reference `json:"regarding"`
	Preconditions struct {
		UID string `json:"uid"`
	} `json:"preconditions"`
	Status struct {
		Conditions []condition       `json:"conditions"`
		Containers []containerStatus `json:"containerStatuses"`
		Init       []containerStatus `json:"initContainerStatuses"`
		Ephemeral  []containerStatus `json:"ephemeralContainerStatuses"`
		tally
	} `json:"status"`
	Endpoints []struct {
		Target reference `json:"targetRef"`
	} `json:"endpoints"`
	Subsets []struct {
		Address []target `json:"addresses"`
		Not     []target `json:"notReadyAddresses"`
	} `json:"subsets"`
}

type target struct {
	Target reference `json:"targetRef"`
}

type reference struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Field     string `json:"fieldPath"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type containerStatus struct {
	Name  string                     `json:"name"`
	ID    string                     `json:"containerID"`
	Ready bool                       `json:"ready"`
	Began bool                       `json:"started"` // its startup probe, if it has one, has succeeded
	State map[string]json.RawMessage `json:"state"`
}

func (a *act) statuses() []containerStatus {
	return slices.Concat(a.sent.Status.Containers, a.sent.Status.Init, a.sent.Status.Ephemeral)
}

// details are what CRI calls, probes, cycles and components tell.
type details struct {
	Container     string   `json:"container"`
	ContainerName string   `json:"containerName"`
	Image         string   `json:"image"`
	Sandbox       string   `json:"podSandbox"`
	Node          string   `json:"node"`
	Result        string   `json:"result"`
	Attempt       int      `json:"attempt"`
	ExitCode      int      `json:"exitCode"`
	Probes        []string `json:"probes"`
	Link          string   `json:"link"`
	Nominated     string   `json:"nominated"`
	Stopped       bool     `json:"stopped"`
}

var reads = []string{"get", "list", "watch", "head", "options"}

// read returns what an event's actor did, nil when nobody did anything: what
// etcd stores and whom the apiserver notifies follows from requests alone.
func read(e *watch.Event) *act {
	a := &act{
		seq: e.Seq, kind: e.Kind, verb: e.Verb, actor: e.From, start: e.Start, end: e.End, code: e.Code, revision: e.Revision,
	}
	if e.Object != nil {
		a.object, a.uid = *e.Object, e.Object.UID
	}
	switch e.Kind {
	case watch.Request:
		var d struct {
			UserAgent string          `json:"userAgent"`
			Request   json.RawMessage `json:"request"`
		}
		_ = json.Unmarshal(e.Detail, &d)
		a.agent = d.UserAgent
		if !slices.Contains(reads, e.Verb) {
			_ = json.Unmarshal(d.Request, &a.sent) // a patch may be a list; then it tells nothing here
		}
		if a.uid == "" {
			a.uid = a.sent.Preconditions.UID
		}
	case watch.Schedule, watch.CRI, watch.Probe:
		_ = json.Unmarshal(e.Detail, &a.d)
		if e.Kind == watch.Probe { // its container is a name
			a.d.ContainerName, a.d.Container = a.d.Container, ""
		}
	case watch.Net:
	case watch.Component, "link":
		_ = json.Unmarshal(e.Detail, &a.d)
	default:
		return nil
	}
	return a
}
