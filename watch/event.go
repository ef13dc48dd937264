package watch

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Kind says what sort of thing happened.
type Kind string

// The kinds of events. Readers must accept kinds they do not know.
const (
	Request   Kind = "request"   // an API request was answered; Verb is the audit verb, Code the HTTP status
	Etcd      Kind = "etcd"      // etcd holds a revision; Verb is put, delete, or range for what was there when we began to look
	Watch     Kind = "watch"     // a watcher was notified; Verb is ADDED, MODIFIED, DELETED or BOOKMARK
	Schedule  Kind = "schedule"  // one scheduling cycle of one pod; Verb is schedule
	CRI       Kind = "cri"       // the kubelet called its runtime (Verb is the CRI method), or a container exited (Verb is ContainerExited)
	Probe     Kind = "probe"     // the kubelet probed a container
	Net       Kind = "net"       // a program connected, or tried to (Verb connect), or asked DNS (Verb lookup)
	Component Kind = "component" // a component's process changed; Verb is starting, ready, exited, backoff, stopping, stopped, killed, frozen or thawed
	Span      Kind = "span"      // a request went through the apiserver; Verb is request, Detail has the steps
	Link      Kind = "link"      // the network between a component and a server changed; Verb is cut, delayed or healed
	Source    Kind = "source"    // a source changed: connected, disconnected, denied, gap
)

// Actors that have no user name in the audit log.
const (
	APIServer  = "kube-apiserver"
	EtcdServer = "etcd"
	Kubestage  = "kubestage"
	Kubectl    = "kubectl" // a person whose name an attached cluster does not tell
	Unknown    = "unknown" // whoever wrote what nothing names a writer of, or was answered 401
)

// RuntimeActor is the actor name of the container runtime on a node.
func RuntimeActor(node string) string { return "runtime:" + node }

// Event is one thing that happened. Events are values: once in the log they
// are never changed, and readers must not write to Causes or Detail.
type Event struct {
	Seq      uint64          `json:"seq"`                // place in the log, from 1, without holes
	Kind     Kind            `json:"kind"`               //
	Start    time.Time       `json:"start"`              // by the witness's clock
	End      time.Time       `json:"end"`                // equal to Start for what has no duration
	From     string          `json:"from"`               // actor that did it
	To       string          `json:"to,omitempty"`       // actor it was done to
	Verb     string          `json:"verb"`               //
	Code     int             `json:"code,omitempty"`     // HTTP status of a request; gRPC status of a failed CRI call
	Object   *Object         `json:"object,omitempty"`   //
	Revision string          `json:"revision,omitempty"` // etcd revision it made, carried or answered with
	Causes   []Cause         `json:"causes,omitempty"`   // earlier events, nearest first
	Evidence Evidence        `json:"evidence"`           //
	Detail   json.RawMessage `json:"detail,omitempty"`   // depends on Kind; see docs/events.md
}

// Object names a Kubernetes object, or a collection when Name is empty.
type Object struct {
	Group       string `json:"group,omitempty"`
	Version     string `json:"version,omitempty"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	UID         string `json:"uid,omitempty"`
}

// Key returns the object's place without version, subresource and uid, as in
// "pods/default/hello" or "apps/deployments/default/web".
func (o Object) Key() string {
	parts := make([]string, 0, 4)
	for _, p := range []string{o.Group, o.Resource, o.Namespace, o.Name} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "/")
}

// Cause points at an earlier event.
type Cause struct {
	Seq uint64 `json:"seq"`
	How string `json:"how"` // one of the How constants
}

// How a cause is known.
const (
	ByAuditID  = "auditID"        // both carry the same audit ID
	ByRevision = "revision"       // resourceVersion of the one is the etcd revision of the other
	ByObject   = "object"         // in older recordings: a write of the same object, its commit inside the request's time
	ByBinding  = "binding"        // the scheduler's decision and the binding it posted: same pod uid
	ByUID      = "uid"            // same pod uid, or the uid an Event is about
	ByOwner    = "ownerReference" // the owner's uid in the created object
	ByProcess  = "process"        // same component process
	BySandbox  = "podSandbox"     // same pod sandbox or container id
	ByVersion  = "version"        // the resourceVersion a write sent is the one this had told its actor
	ByDelivery = "delivery"       // the newest the actor had been told of it when it began
	ByStep     = "step"           // the same actor's step before
	ByReport   = "report"         // what an Event tells of
	ByAbsence  = "absence"        // what did not follow any more: a renewal, after this
)

// Evidence says how an event is known and where to look it up.
type Evidence struct {
	How    string `json:"how"`          // observed or inferred
	Source string `json:"source"`       // audit, etcd, scheduler, cri, supervisor, client, managedFields, ...
	ID     string `json:"id,omitempty"` // audit ID, key@revision, call number ...
}

// Observed returns evidence of something a witness saw itself.
func Observed(source, id string) Evidence { return Evidence{"observed", source, id} }

// Inferred returns evidence of something concluded from what a witness saw.
func Inferred(source, id string) Evidence { return Evidence{"inferred", source, id} }

// Feeder is something that puts events into a log until its context ends:
// the sandbox, an attached cluster, a recording.
type Feeder interface {
	Run(ctx context.Context, log *Log) error
}
