//go:build !nosandbox

package kube

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubestage/kubestage/sandbox/overlay"
	"github.com/kubestage/kubestage/sandbox/runtime"
	"github.com/kubestage/kubestage/watch"
)

// connections tells the connections that programs on a node make. A program can
// make any number of them, so that they are counted out: a bucket of so many,
// filled again with so many a second.
type connections struct {
	w    *witness
	node string

	mu      sync.Mutex // guards all below
	number  uint64
	left    float64
	filled  time.Time
	skipped int
}

const (
	connectionsAtOnce   = 100
	connectionsASecond  = 20
	connectionsStandIn  = "no packets are sent: the runtime joins the two programs' sockets"
	longestAnswerInText = 10 // records
)

func newConnections(w *witness, node string) *connections {
	return &connections{w: w, node: node, left: connectionsAtOnce, filled: time.Now()}
}

// connection is the detail of a net event.
type connection struct {
	Node     string   `json:"node"`
	Protocol string   `json:"protocol"`
	Source   string   `json:"source"`
	Target   string   `json:"target"`
	Service  string   `json:"service,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	Result   string   `json:"result"`
	Name     string   `json:"name,omitempty"`
	Type     string   `json:"type,omitempty"`
	Answer   []string `json:"answer,omitempty"`
	Skipped  int      `json:"skipped,omitempty"`
	StandIn  string   `json:"standIn"`
}

func (c *connections) record(r runtime.Connection) {
	if c.w.mute() {
		return
	}
	number, skipped, ok := c.count(r.End)
	if !ok {
		return
	}
	d := connection{
		Node: c.node, Protocol: r.Protocol, Source: r.From.String(), Target: r.To.String(), Service: r.Route.Service,
		Result: result(r.Err), Skipped: skipped, StandIn: connectionsStandIn,
	}
	if r.Route.To != r.To {
		d.Endpoint = r.Route.To.String()
	}
	verb := "connect"
	if r.Question != nil {
		verb = "lookup"
		d.readDNS(r.Question, r.Answer)
	}
	o := watch.Observation{Event: watch.Event{
		Kind: watch.Net, Start: r.Start, End: r.End, From: watch.RuntimeActor(c.node), Verb: verb,
		Evidence: watch.Observed("runtime", c.node+" connection "+strconv.FormatUint(number, 10)),
		Detail:   detail(d),
	}}
	if r.PodUID != "" {
		o.Object = &watch.Object{Version: "v1", Resource: "pods", Namespace: r.PodNamespace, Name: r.PodName, UID: r.PodUID}
	}
	c.w.tell(o)
}

// count reports whether there is room for one more, its number, and how many
// had to be left out before it.
func (c *connections) count(now time.Time) (number uint64, skipped int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	c.left = min(connectionsAtOnce, c.left+now.Sub(c.filled).Seconds()*connectionsASecond)
	c.filled = now
	if c.left < 1 {
		c.skipped++
		return 0, 0, false
	}
	c.left--
	skipped, c.skipped = c.skipped, 0
	return c.number, skipped, true
}

func result(err error) string {
	switch {
	case err == nil:
		return "connected"
	case errors.Is(err, overlay.ErrRefused):
		return "refused"
	case errors.Is(err, overlay.ErrUnreachable):
		return "unreachable"
	default:
		return "timeout"
	}
}

func (d *connection) readDNS(question, answer []byte) {
	var q, a dnsmessage.Message
	if q.Unpack(question) != nil || len(q.Questions) == 0 {
		return
	}
	d.Name = strings.TrimSuffix(q.Questions[0].Name.String(), ".")
	d.Type = strings.TrimPrefix(q.Questions[0].Type.String(), "Type")
	if a.Unpack(answer) != nil {
		return
	}
	d.Result = map[dnsmessage.RCode]string{
		dnsmessage.RCodeSuccess: "NOERROR", dnsmessage.RCodeNameError: "NXDOMAIN", dnsmessage.RCodeServerFailure: "SERVFAIL",
	}[a.RCode]
	for _, r := range a.Answers[:min(len(a.Answers), longestAnswerInText)] {
		switch b := r.Body.(type) {
		case *dnsmessage.AResource:
			d.Answer = append(d.Answer, netip.AddrFrom4(b.A).String())
		case *dnsmessage.CNAMEResource:
			d.Answer = append(d.Answer, b.CNAME.String())
		case *dnsmessage.PTRResource:
			d.Answer = append(d.Answer, b.PTR.String())
		case *dnsmessage.SRVResource:
			d.Answer = append(d.Answer, strconv.Itoa(int(b.Port))+" "+b.Target.String())
		}
	}
}
