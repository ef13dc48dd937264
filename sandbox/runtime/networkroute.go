package runtime

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Router knows what is beyond a node's own pods.
type Router interface {
	// Route decides where a connection or datagram goes: the address of a
	// Service becomes that of an endpoint, every other stays as it is. The
	// errors are those of package overlay.
	Route(ctx context.Context, protocol string, from, to netip.AddrPort) (Route, error)
	// Dial connects to an address that is none of this node's.
	Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error)
	// Answer answers a datagram.
	Answer(ctx context.Context, from, to netip.AddrPort, question []byte) ([]byte, error)
}

// Route is where a connection goes and from where it seems to come there.
type Route struct {
	From, To netip.AddrPort
	Service  string // NAMESPACE/NAME:PORT that was translated; empty when none was
}

// Connection reports that a connection, or a datagram that wants an answer, was
// tried from an address of this node.
type Connection struct {
	Start, End                    time.Time
	PodNamespace, PodName, PodUID string // of the pod it comes from; empty for the node itself
	Protocol                      string // tcp or udp
	From, To                      netip.AddrPort
	Route                         Route
	Err                           error
	Question, Answer              []byte // of datagrams
}
