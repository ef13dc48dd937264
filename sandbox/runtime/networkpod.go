package runtime

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// podNetwork is the network namespace of one pod, or the node's own.
type podNetwork struct {
	node *network
	addr netip.Addr
	host bool
	pod  func() (namespace, name, uid string) // nil for the node's own

	listeners map[int]*podListener // guarded by node.mu
	open      map[net.Conn]bool    // guarded by node.mu; connections of the pod
	last      uint16               // guarded by node.mu; the port the last connection came from
}

func newPodNetwork(n *network, addr netip.Addr) *podNetwork {
	return &podNetwork{node: n, addr: addr, listeners: map[int]*podListener{}, open: map[net.Conn]bool{}}
}

// release gives the address back.
func (p *podNetwork) release() {
	if p.host {
		return
	}
	p.node.mu.Lock()
	delete(p.node.pods, p.addr)
	p.node.mu.Unlock()
	p.shut()
}

// shut closes what still listens or is connected.
func (p *podNetwork) shut() {
	p.node.mu.Lock()
	var open []interface{ Close() error }
	for _, l := range p.listeners {
		open = append(open, l)
	}
	for c := range p.open {
		open = append(open, c)
	}
	p.node.mu.Unlock()
	for _, o := range open {
		o.Close()
	}
}

// keep has a connection closed with its pod.
func (p *podNetwork) keep(c *overlay.Conn) net.Conn {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	p.open[c] = true
	c.Closed = func() {
		p.node.mu.Lock()
		delete(p.open, c)
		p.node.mu.Unlock()
	}
	return c
}

// Address is the pod's address, as programs print it.
func (p *podNetwork) Address() string {
	if !p.addr.IsValid() {
		return ""
	}
	return p.addr.String()
}

// source is where the next connection of the pod comes from: its address and
// one of the ports that Linux uses for that (net.ipv4.ip_local_port_range).
func (p *podNetwork) source() netip.AddrPort {
	const first, last = 32768, 60999
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.last++; p.last < first || p.last > last {
		p.last = first
	}
	return netip.AddrPortFrom(p.addr, p.last)
}

// podListener is a port of a pod somebody listens on.
type podListener struct {
	*overlay.Listener
	pod  *podNetwork
	port int
}

// Listen takes a port of the pod.
func (p *podNetwork) Listen(port int) (net.Listener, error) {
	if port < 1 || port > 65535 {
		return nil, fmt.Errorf("port %d: invalid argument", port)
	}
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.listeners[port] != nil {
		return nil, errors.New("address already in use")
	}
	l := &podListener{overlay.Listen(netip.AddrPortFrom(p.addr, uint16(port))), p, port}
	p.listeners[port] = l
	return l, nil
}

// take queues a connection, which ends with the pod.
func (l *podListener) take(c net.Conn, from, to netip.AddrPort) {
	l.Hand(l.pod.keep(&overlay.Conn{Conn: c, From: to, To: from}))
}

// Close frees the port.
func (l *podListener) Close() error {
	l.pod.node.mu.Lock()
	if l.pod.listeners[l.port] == l {
		delete(l.pod.listeners, l.port)
	}
	l.pod.node.mu.Unlock()
	return l.Listener.Close()
}

// Dial connects to a port of this pod, of another pod or node, or of a Service.
// Nothing else is reachable: neither the host's loopback nor any other network.
func (p *podNetwork) Dial(ctx context.Context, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: invalid argument", portText)
	}
	return p.dial(ctx, host, int(port))
}

func (p *podNetwork) dial(ctx context.Context, host string, port int) (net.Conn, error) {
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "localhost":
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case err != nil:
		return nil, fmt.Errorf("lookup %s: no such host", host)
	}
	from := p.source()
	if addr.IsLoopback() {
		from = netip.AddrPortFrom(addr, from.Port())
	}
	c, err := p.reach(ctx, from, netip.AddrPortFrom(addr, uint16(port)))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", net.JoinHostPort(host, strconv.Itoa(port)), err)
	}
	return p.keep(c.(*overlay.Conn)), nil
}

// reach makes a connection the way a packet would go: loopback stays in the
// pod, a Service's address is changed to an endpoint's, everything else goes
// where the address is.
func (p *podNetwork) reach(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	asked := Connection{Start: time.Now(), From: from, To: to, Protocol: "tcp"}
	route := Route{From: from, To: to}
	var err error
	switch addr := to.Addr(); {
	case addr.IsLoopback():
		route.To = netip.AddrPortFrom(p.addr, to.Port())
	case p.node.router != nil:
		route, err = p.node.router.Route(ctx, "tcp", from, to)
	}
	var c net.Conn
	if err == nil {
		c, err = p.connectTo(ctx, route.From, route.To)
	}
	if p.node.tell != nil && !to.Addr().IsLoopback() {
		asked.Route, asked.Err, asked.End = route, err, time.Now()
		if p.pod != nil {
			asked.PodNamespace, asked.PodName, asked.PodUID = p.pod()
		}
		p.node.tell(asked)
	}
	if err != nil {
		return nil, err
	}
	return &overlay.Conn{Conn: c, From: from, To: to}, nil
}

// connectTo also works for a pod without an address.
func (p *podNetwork) connectTo(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	if to.Addr() != p.addr {
		return p.node.connect(ctx, from, to)
	}
	p.node.mu.Lock()
	l := p.listeners[int(to.Port())]
	p.node.mu.Unlock()
	return p.node.hand(l, from, to)
}

// Ask sends a datagram and waits for the one that answers it. The node answers
// questions to its DNS server; to others nothing comes back.
func (p *podNetwork) Ask(ctx context.Context, server netip.AddrPort, question []byte) ([]byte, error) {
	from := p.source()
	switch {
	case server.Addr().IsLoopback() || server.Addr() == p.addr:
		return nil, overlay.ErrRefused // as ICMP tells
	case p.node.router == nil:
		return nil, overlay.ErrUnreachable
	}
	asked := Connection{Start: time.Now(), From: from, To: server, Protocol: "udp"}
	route, err := p.node.router.Route(ctx, "udp", from, server)
	var answer []byte
	if err == nil {
		answer, err = p.node.router.Answer(ctx, route.From, route.To, question)
	}
	if p.node.tell != nil {
		asked.Route, asked.Err, asked.End, asked.Question, asked.Answer = route, err, time.Now(), question, answer
		if p.pod != nil {
			asked.PodNamespace, asked.PodName, asked.PodUID = p.pod()
		}
		p.node.tell(asked)
	}
	return answer, err
}
