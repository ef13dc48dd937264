package runtime

import (
	"time"

	"google.golang.org/grpc/status"
)

// Call reports one change on a node: a CRI call that changes something, or a
// container that exited (Verb ContainerExited, with Start equal to End).
type Call struct {
	Verb       string
	Start, End time.Time

	PodNamespace, PodName, PodUID string
	Sandbox                       string // id of the pod sandbox
	Container                     string // id of the container
	ContainerName                 string
	Image                         string      // as people write it
	StandIn                       string      // what really runs, in words
	IP                            string      // of the pod
	Namespaces                    *Namespaces // of a sandbox: what the kubelet asked for
	Attempt                       uint32
	Size                          uint64  // of an image that was pulled
	Layers                        []Layer // of it, in the order they came
	ExitCode                      *int32
	Reason                        string // of an exit: Completed, Error, StartError, Unknown
	Stopped                       bool   // of an exit: StopContainer had asked for it, and is told when it returns
	Signal                        string // that ended the program, or that StopContainer sent
	Error                         string
	Code                          int // gRPC code of a failure
}

// Namespaces says who shares each of a pod's Linux namespaces, in CRI's words:
// POD (its containers), CONTAINER (nobody) or NODE (the whole node).
type Namespaces struct {
	Network string `json:"network"`
	PID     string `json:"pid"`
	IPC     string `json:"ipc"`
}

// tell hands a call to the log once the change it reports is visible to all
// other calls.
func (s *Server) tell(c Call, err error) {
	c.End = time.Now()
	if err != nil {
		st := status.Convert(err)
		c.Error, c.Code = st.Message(), int(st.Code())
	}
	s.config.Record(c)
}

// call begins a report.
func call(verb string) Call { return Call{Verb: verb, Start: time.Now()} }

// about fills in the pod.
func (c Call) about(b *sandbox) Call {
	if b == nil {
		return c
	}
	m := b.config.GetMetadata()
	c.PodNamespace, c.PodName, c.PodUID = m.GetNamespace(), m.GetName(), m.GetUid()
	c.Sandbox, c.IP = b.id, b.ip()
	if c.Container == "" {
		c.Attempt = m.GetAttempt()
	}
	return c
}

// of fills in the container and its pod.
func (c Call) of(k *container) Call {
	if k == nil {
		return c
	}
	m := k.config.GetMetadata()
	c.Container, c.ContainerName, c.Attempt = k.id, m.GetName(), m.GetAttempt()
	c.Image, c.StandIn = k.image.Reference, k.standIn
	return c.about(k.sandbox)
}
