package runtime

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
)

// network is the node's network as far as it exists without privileges: it
// gives pods their addresses and knows which loopback listener is behind which
// port of which pod.
type network struct {
	records records
	preset  func() string

	mu   sync.Mutex // guards all below and the listeners of pods
	told netip.Prefix
	next netip.Addr
	pods map[netip.Addr]*podNetwork
	host *podNetwork // of pods that share the node's network
}

// networkRecord is what outlives the process: addresses are not given again
// until the range has been used up, also across restarts.
type networkRecord struct {
	PodCIDR string `json:"podCIDR"`
	Next    string `json:"next"`
}

func newNetwork(r records, address string, preset func() string) (*network, error) {
	n := &network{records: r, preset: preset, pods: map[netip.Addr]*podNetwork{}}
	addr, _ := netip.ParseAddr(address)
	n.host = &podNetwork{node: n, addr: addr, host: true, listeners: map[int]*podListener{}}
	var rec networkRecord
	if _, err := r.read("network", &rec); err != nil {
		return nil, err
	}
	n.told, _ = netip.ParsePrefix(rec.PodCIDR)
	n.next, _ = netip.ParseAddr(rec.Next)
	return n, nil
}

// setRange is told by the kubelet once the node has its range.
func (n *network) setRange(cidr string) error {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return fmt.Errorf("pod range %q: %w", cidr, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.told == p.Masked() {
		return nil
	}
	n.told, n.next = p.Masked(), netip.Addr{}
	return n.recordLocked()
}

func (n *network) recordLocked() error {
	rec := networkRecord{PodCIDR: n.told.String()}
	if n.next.IsValid() {
		rec.Next = n.next.String()
	}
	return n.records.write("network", rec)
}

func (n *network) ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.rangeLocked()
	return ok
}

func (n *network) rangeLocked() (netip.Prefix, bool) {
	if n.told.IsValid() {
		return n.told, true
	}
	if n.preset != nil {
		if p, err := netip.ParsePrefix(n.preset()); err == nil {
			n.told = p.Masked()
			return n.told, true
		}
	}
	return netip.Prefix{}, false
}

var errNoRange = errors.New("the node has no pod range yet: it gets one (spec.podCIDR) from the node-ipam-controller after it registered")

// add gives a pod an address: the next one of the range that is free. The first
// two addresses are the network's own and its gateway's, the last is broadcast.
func (n *network) add() (*podNetwork, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	prefix, ok := n.rangeLocked()
	if !ok {
		return nil, errNoRange
	}
	first := prefix.Addr().Next().Next()
	addr := n.next
	if !addr.IsValid() || !prefix.Contains(addr) {
		addr = first
	}
	usable := func(a netip.Addr) bool {
		return prefix.Contains(a) && prefix.Contains(a.Next()) // the last one is broadcast
	}
	for start, wrapped := addr, false; ; {
		if !usable(addr) {
			addr, wrapped = first, true
			if !usable(addr) {
				return nil, fmt.Errorf("pod range %s has no room for pods", prefix)
			}
		}
		if n.pods[addr] == nil {
			break
		}
		addr = addr.Next()
		if wrapped && addr == start {
			return nil, fmt.Errorf("no address is free in the node's pod range %s", prefix)
		}
	}
	n.next = addr.Next()
	p := &podNetwork{node: n, addr: addr, listeners: map[int]*podListener{}}
	n.pods[addr] = p
	return p, n.recordLocked()
}

// resolve finds the loopback address behind a pod's port.
func (n *network) resolve(addr netip.Addr, port int) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pods[addr]
	if p == nil && n.host.addr == addr {
		p = n.host
	}
	if p == nil {
		return "", false
	}
	l := p.listeners[port]
	if l == nil {
		return "", false
	}
	return l.Listener.Addr().String(), true
}

// Resolve returns the loopback address behind a port of a pod of this node, for
// those who must reach a program from outside its pod, like probes.
func (s *Server) Resolve(ip string, port int) (address string, ok bool) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "", false
	}
	return s.network.resolve(addr, port)
}

// podNetwork is the network namespace of one pod, or the node's own.
type podNetwork struct {
	node      *network
	addr      netip.Addr
	host      bool
	listeners map[int]*podListener // guarded by node.mu
}

// podListener is a port of a pod somebody listens on.
type podListener struct {
	net.Listener
	pod  *podNetwork
	port int
	once sync.Once
}

// Close frees the port.
func (l *podListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		l.pod.node.mu.Lock()
		delete(l.pod.listeners, l.port)
		l.pod.node.mu.Unlock()
		err = l.Listener.Close()
	})
	return err
}

// release gives the address back and closes what still listens.
func (p *podNetwork) release() {
	p.node.mu.Lock()
	if !p.host {
		delete(p.node.pods, p.addr)
	}
	var open []*podListener
	if !p.host {
		for _, l := range p.listeners {
			open = append(open, l)
		}
	}
	p.node.mu.Unlock()
	for _, l := range open {
		l.Close()
	}
}

// Address is the pod's address, as programs print it.
func (p *podNetwork) Address() string {
	if !p.addr.IsValid() {
		return ""
	}
	return p.addr.String()
}

// Listen takes a port of the pod.
func (p *podNetwork) Listen(port int) (net.Listener, error) {
	if port < 1 || port > 65535 {
		return nil, fmt.Errorf("port %d: invalid argument", port)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.listeners[port] != nil {
		l.Close()
		return nil, errors.New("address already in use")
	}
	pl := &podListener{Listener: l, pod: p, port: port}
	p.listeners[port] = pl
	return pl, nil
}

// Dial connects to a port of this pod or of another pod of the node. Nothing
// else is reachable: neither the host's loopback nor any other network.
func (p *podNetwork) Dial(ctx context.Context, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("port %q: invalid argument", portText)
	}
	return p.dial(ctx, host, port)
}

func (p *podNetwork) dial(ctx context.Context, host string, port int) (net.Conn, error) {
	var behind string
	var ok bool
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && (addr.IsLoopback() || addr == p.addr) {
		p.node.mu.Lock()
		if l := p.listeners[port]; l != nil {
			behind, ok = l.Listener.Addr().String(), true
		}
		p.node.mu.Unlock()
	} else if err != nil {
		return nil, fmt.Errorf("lookup %s: no such host", host)
	} else {
		behind, ok = p.node.resolve(addr, port)
	}
	if !ok {
		return nil, fmt.Errorf("connect to %s: connection refused", net.JoinHostPort(host, strconv.Itoa(port)))
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp4", behind)
}
