//go:build !nosandbox

package kube

import (
	"strconv"
	"sync/atomic"

	"github.com/kubestage/kubestage/sandbox/runtime"
	"github.com/kubestage/kubestage/watch"
)

// criRecorder tells the calls the kubelet makes to its runtime, and the exits
// the runtime sees.
type criRecorder struct {
	w      *witness
	node   string
	number atomic.Uint64
}

func newCRIRecorder(w *witness, node string) *criRecorder { return &criRecorder{w: w, node: node} }

// criCall is the detail of a cri event.
type criCall struct {
	Node          string `json:"node"`
	PodSandbox    string `json:"podSandbox,omitempty"`
	Container     string `json:"container,omitempty"`
	ContainerName string `json:"containerName,omitempty"`
	Image         string `json:"image,omitempty"`
	Attempt       uint32 `json:"attempt,omitempty"`
	IP            string `json:"ip,omitempty"`
	ExitCode      *int32 `json:"exitCode,omitempty"`
	Reason        string `json:"reason,omitempty"`
	Stopped       bool   `json:"stopped,omitempty"`
	Signal        string `json:"signal,omitempty"`
	Error         string `json:"error,omitempty"`
	StandIn       string `json:"standIn,omitempty"`
	Size          uint64 `json:"size,omitempty"`

	Layers     []runtime.Layer     `json:"layers,omitempty"`
	Namespaces *runtime.Namespaces `json:"namespaces,omitempty"`
}

func (r *criRecorder) record(c runtime.Call) {
	if r.w.mute() {
		return
	}
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.CRI, Start: c.Start, End: c.End,
			From: "system:node:" + r.node, To: watch.RuntimeActor(r.node), Verb: c.Verb, Code: c.Code,
			Evidence: watch.Observed("cri", r.node+" call "+strconv.FormatUint(r.number.Add(1), 10)),
			Detail: detail(criCall{
				Node: r.node, PodSandbox: c.Sandbox, Container: c.Container, ContainerName: c.ContainerName,
				Image: c.Image, Attempt: c.Attempt, IP: c.IP, ExitCode: c.ExitCode, Reason: c.Reason,
				Stopped: c.Stopped, Signal: c.Signal, Error: c.Error, StandIn: c.StandIn, Size: c.Size, Layers: c.Layers, Namespaces: c.Namespaces,
			}),
		},
		Lane:  "cri:" + r.node,
		Knows: "system:node:" + r.node,
	}
	if c.Verb == "ContainerExited" {
		o.From, o.To = watch.RuntimeActor(r.node), ""
	}
	if c.PodUID != "" {
		o.Object = &watch.Object{Version: "v1", Resource: "pods", Namespace: c.PodNamespace, Name: c.PodName, UID: c.PodUID}
		if c.Verb == "RunPodSandbox" {
			o.Needs = []watch.Need{{Key: "bound:" + c.PodUID, How: watch.ByUID, Wait: true}}
		}
	}
	r.w.tell(o)
}
