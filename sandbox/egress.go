package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// egress is the way from the apiserver to addresses that exist only in the
// cluster. The apiserver asks it with HTTP CONNECT over a unix socket
// (EgressSelectorConfiguration), for logs, exec, attach and port-forward.
type egress struct {
	dial func(ctx context.Context, host string, port int) (net.Conn, error)
	way  func(host string) *line

	mu     sync.Mutex // guards open
	open   map[net.Conn]bool
	closed bool
}

// inside dials what exists only in the cluster, for the apiserver: the kubelets,
// which really listen on a port of 127.0.0.1; what the nodes' own network has,
// pods and programs in the nodes' network; and the metrics add-on.
func inside(nodes []node, peers *overlay.Peers, metrics func() (net.Conn, error)) func(ctx context.Context, host string, port int) (net.Conn, error) {
	return func(ctx context.Context, host string, port int) (net.Conn, error) {
		if host == controlPlaneAddress && port == metricsPort {
			return metrics()
		}
		var d net.Dialer
		for _, n := range nodes {
			switch {
			case host != n.address && host != n.name:
			case port == n.port:
				return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
			default:
				host = n.address
			}
		}
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return nil, fmt.Errorf("no node has the name %s", host)
		}
		from := netip.AddrPortFrom(netip.MustParseAddr(controlPlaneAddress), 0) // whatever port it was
		return peers.Dial(ctx, from, netip.AddrPortFrom(addr, uint16(port)))
	}
}

// ways returns the line to a host. To a node it is its kubelet's link, the other
// way round: who is cut off cannot be reached either, nor the pods there.
func ways(nodes []node, ls links, peers *overlay.Peers) func(host string) *line {
	return func(host string) *line {
		if addr, err := netip.ParseAddr(host); err == nil {
			host = peers.Name(context.Background(), addr)
		}
		for _, n := range nodes {
			if host == n.address || host == n.name {
				if l, err := ls.find(kubeletPrefix + n.name); err == nil {
					return l.line
				}
			}
		}
		return newLine()
	}
}

// serve answers on l until ctx ends, and returns when all connections are closed.
func (e *egress) serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() {
		l.Close()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.closed = true
		for c := range e.open {
			c.Close()
		}
	})
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("egress: %w", err)
		}
		wg.Go(func() {
			defer e.forget(c)
			if e.keep(c) {
				e.connect(ctx, c)
			}
		})
	}
}

// keep has a connection closed when serving ends.
func (e *egress) keep(c net.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	if e.open == nil {
		e.open = map[net.Conn]bool{}
	}
	e.open[c] = true
	return true
}

func (e *egress) forget(c net.Conn) {
	c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, c)
}

func (e *egress) connect(ctx context.Context, c net.Conn) {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	br := bufio.NewReader(io.LimitReader(c, 16<<10))
	req, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	c.SetReadDeadline(time.Time{})
	if req.Method != http.MethodConnect {
		refuse(c, http.StatusMethodNotAllowed, errors.New("only CONNECT is answered here"))
		return
	}
	host, portText, err := net.SplitHostPort(req.Host)
	if req.URL != nil && req.URL.Host != "" {
		host, portText, err = net.SplitHostPort(req.URL.Host)
	}
	port, perr := strconv.ParseUint(portText, 10, 16)
	if err != nil || perr != nil {
		refuse(c, http.StatusBadRequest, errors.New("no address to connect to"))
		return
	}
	line := e.way(host)
	asking, cancel := context.WithTimeout(ctx, unanswered)
	defer cancel()
	if !line.pass(asking, time.Time{}) {
		refuse(c, http.StatusGatewayTimeout, fmt.Errorf("%s does not answer: i/o timeout", net.JoinHostPort(host, portText)))
		return
	}
	dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
	far, err := e.dial(dialing, host, int(port))
	cancel()
	if err != nil {
		refuse(c, http.StatusBadGateway, fmt.Errorf("%s does not answer: %w", net.JoinHostPort(host, portText), err))
		return
	}
	defer e.forget(far)
	if !e.keep(far) {
		return
	}
	if _, err := io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	// What the client sent behind its request is in br, not in c.
	early, _ := br.Peek(br.Buffered())
	line.join(ctx, &begun{c, io.MultiReader(bytes.NewReader(early), c)}, far, func() {})
}

// unanswered is how long a dialler waits for somebody who cannot hear it, as
// client-go does (transport/cache.go).
const unanswered = 30 * time.Second

// begun is a connection of which something has been read already.
type begun struct {
	net.Conn
	r io.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.r.Read(p) }
func (b *begun) CloseWrite() error          { closeWrite(b.Conn); return nil }

// refuse puts the reason into the status line: all that the apiserver reads
// of a refusal, and shows to the person who asked.
func refuse(w io.Writer, code int, why error) {
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code, why)
}

func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}
