//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"github.com/kubestage/kubestage/sandbox/overlay"
	"github.com/kubestage/kubestage/sandbox/runtime"
)

// nodePorts are the ports of 127.0.0.1 that lead to Services of type NodePort
// and LoadBalancer. No other computer can reach a node's address, so that one
// node's ports are opened here, the first one's: what comes to 127.0.0.1:30080
// is treated as what would come to 10.0.0.11:30080.
type nodePorts struct {
	ctx      context.Context
	programs *runtime.Server
	refused  func(service string, port int, err error) // told when somebody else has the port

	mu   sync.Mutex // guards all below
	open map[int]*nodePort
	busy sync.WaitGroup
	over bool
}

type nodePort struct {
	net.Listener // nil when it could not be opened
	service      string
}

func newNodePorts(ctx context.Context, programs *runtime.Server, refused func(string, int, error)) *nodePorts {
	return &nodePorts{ctx: ctx, programs: programs, refused: refused, open: map[int]*nodePort{}}
}

// set opens what is wanted and not open, and closes what is no longer wanted.
func (n *nodePorts) set(wanted map[int]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	for port, p := range n.open {
		if wanted[port] != p.service {
			p.close()
			delete(n.open, port)
		}
	}
	for port, service := range wanted {
		if n.open[port] != nil {
			continue
		}
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		n.open[port] = &nodePort{l, service}
		if err != nil {
			fmt.Fprintf(os.Stderr, "node port %d of %s is not open on 127.0.0.1: %v\n", port, service, err)
			go n.refused(service, port, err)
			continue
		}
		n.busy.Go(func() { n.serve(l, port) })
	}
}

func (p *nodePort) close() {
	if p.Listener != nil {
		p.Listener.Close()
	}
}

func (n *nodePorts) serve(l net.Listener, port int) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		n.busy.Go(func() {
			defer near.Close()
			defer context.AfterFunc(n.ctx, func() { near.Close() })()
			from, _ := netip.ParseAddrPort(near.RemoteAddr().String())
			far, err := n.programs.Enter(n.ctx, from, port)
			if err != nil {
				// The connection was accepted already, which a refused one is
				// not; a reset is the nearest that is left.
				near.(*net.TCPConn).SetLinger(0)
				return
			}
			overlay.Splice(near, far)
		})
	}
}

// close closes all and waits for what came through.
func (n *nodePorts) close() {
	n.mu.Lock()
	n.over = true
	for _, p := range n.open {
		p.close()
	}
	n.mu.Unlock()
	n.busy.Wait()
}
