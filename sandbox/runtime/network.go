package runtime

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// network is the node's network as far as it exists without privileges: it
// gives pods their addresses and knows who listens on which port of which pod.
type network struct {
	records records
	preset  func() string
	router  Router           // nil where there are no others
	tell    func(Connection) // nil where nobody wants to know

	mu   sync.Mutex // guards all below, and the listeners and connections of pods
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
	n.host = newPodNetwork(n, addr)
	n.host.host = true
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
	p := newPodNetwork(n, addr)
	n.pods[addr] = p
	return p, n.recordLocked()
}

// close ends all connections.
func (n *network) close() {
	n.mu.Lock()
	all := []*podNetwork{n.host}
	for _, p := range n.pods {
		all = append(all, p)
	}
	n.mu.Unlock()
	for _, p := range all {
		p.shut()
	}
}

// at returns whose address it is: a pod's, or the node's own.
func (n *network) at(addr netip.Addr) *podNetwork {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.host.addr == addr {
		return n.host
	}
	return n.pods[addr]
}

// Range is the range of the pods' addresses.
func (n *network) Range() netip.Prefix {
	n.mu.Lock()
	defer n.mu.Unlock()
	prefix, _ := n.rangeLocked()
	return prefix
}

// has reports whether packets to an address end on this node.
func (n *network) has(addr netip.Addr) bool {
	return n.host.addr == addr || n.Range().Contains(addr)
}

// listener finds who listens on a port of this node or of one of its pods.
func (n *network) listener(to netip.AddrPort) (*podListener, error) {
	p := n.at(to.Addr())
	if p == nil {
		return nil, overlay.ErrUnreachable
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := p.listeners[int(to.Port())]; l != nil {
		return l, nil
	}
	return nil, overlay.ErrRefused
}

// Reach prepares a connection that another node has for an address of this one.
func (n *network) Reach(ctx context.Context, from, to netip.AddrPort) (take func(net.Conn), err error) {
	if !n.has(to.Addr()) {
		return nil, overlay.ErrUnreachable
	}
	if p := n.at(to.Addr()); p != nil && p.host && n.router != nil { // perhaps a node port
		route, err := n.router.Route(ctx, "tcp", from, to)
		if err != nil {
			return nil, err
		}
		if route.To != to {
			far, err := n.connect(ctx, route.From, route.To)
			if err != nil {
				return nil, err
			}
			return func(near net.Conn) { go overlay.Splice(near, far) }, nil
		}
	}
	l, err := n.listener(to)
	if err != nil {
		return nil, err
	}
	return func(c net.Conn) { l.take(c, from, to) }, nil
}

// connect makes a connection once it is decided where it goes.
func (n *network) connect(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	if !n.has(to.Addr()) {
		if n.router == nil {
			return nil, overlay.ErrUnreachable
		}
		return n.router.Dial(ctx, from, to)
	}
	l, err := n.listener(to)
	if err != nil {
		return nil, err
	}
	return n.hand(l, from, to)
}

// hand gives a listener the far end of a new connection.
func (n *network) hand(l *podListener, from, to netip.AddrPort) (net.Conn, error) {
	if l == nil {
		return nil, overlay.ErrRefused
	}
	near, far, err := overlay.Pair()
	if err != nil {
		return nil, err
	}
	l.take(far, from, to)
	return near, nil
}

// Listens reports whether somebody listens on a port of a pod of this node.
func (s *Server) Listens(ip string, port int) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	_, err = s.network.listener(netip.AddrPortFrom(addr, uint16(port)))
	return err == nil
}

// Dial connects the node itself to a port of a pod, of any node, or of a
// Service, for those who must reach a program from outside its pod. The errors
// of package overlay say why it does not.
func (s *Server) Dial(ctx context.Context, ip string, port int) (net.Conn, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, err
	}
	h := s.network.host
	return h.reach(ctx, h.source(), netip.AddrPortFrom(addr, uint16(port)))
}

// Enter connects somebody outside the cluster to a port of this node.
func (s *Server) Enter(ctx context.Context, from netip.AddrPort, port int) (net.Conn, error) {
	h := s.network.host
	return h.reach(ctx, from, netip.AddrPortFrom(h.addr, uint16(port)))
}

// Door opens a port on loopback behind which is a port of a pod of this node,
// for what can dial nothing else. Whoever opens it closes it soon.
func (s *Server) Door(ip string, port int) (address string, shut func(), err error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "", nil, err
	}
	to := netip.AddrPortFrom(addr, uint16(port))
	if _, err := s.network.listener(to); err != nil {
		return "", nil, err
	}
	door, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	var through sync.WaitGroup
	through.Go(func() {
		for {
			near, err := door.Accept()
			if err != nil {
				return
			}
			far, err := s.network.connect(s.life, s.network.host.source(), to)
			if err != nil {
				near.Close()
				continue
			}
			go overlay.Splice(near, far) // ends with what came through the door
		}
	})
	return door.Addr().String(), func() { door.Close(); through.Wait() }, nil
}
