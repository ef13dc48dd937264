package overlay

import (
	"net"
	"net/netip"
	"sync"
)

// Listener is an address of the cluster somebody listens on. Nothing listens on
// this machine for it: connections are handed over.
type Listener struct {
	addr  netip.AddrPort
	queue chan net.Conn
	end   chan struct{}

	mu     sync.Mutex // guards closed, and that nothing is queued after it
	closed bool
}

// backlog is how many connections wait to be accepted.
const backlog = 128

// Listen returns a listener with an address of the cluster.
func Listen(addr netip.AddrPort) *Listener {
	return &Listener{addr: addr, queue: make(chan net.Conn, backlog), end: make(chan struct{})}
}

// Hand queues a connection; one that finds no room is reset.
func (l *Listener) Hand(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		select {
		case l.queue <- c:
			return
		default:
		}
	}
	c.Close()
}

func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	}
}

func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// Close resets what has not been accepted.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	close(l.end)
	for {
		select {
		case c := <-l.queue:
			c.Close()
		default:
			return nil
		}
	}
}
