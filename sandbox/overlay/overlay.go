// Package overlay carries connections between the nodes of a sandbox, as the
// overlay network of a cluster carries packets between its machines.
//
// No packet can be sent to a pod's address without privileges, so what travels
// is a connection: whoever wants one from one address of the cluster to another
// asks the node that has the other (CONNECT over the node's unix socket, which
// only the user who runs the sandbox may open), and the very same socket is
// then handed to the program that listens there. What a kernel would answer to
// a first packet (nobody listens, nobody is there, nothing comes back) are the
// errors of this package.
package overlay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// What a kernel would say when there is no connection.
var (
	ErrRefused     = errors.New("connection refused")
	ErrUnreachable = errors.New("no route to host")
	ErrTimeout     = errors.New("connection timed out")
)

var statuses = map[int]error{
	http.StatusBadGateway:     ErrRefused,
	http.StatusNotFound:       ErrUnreachable,
	http.StatusGatewayTimeout: ErrTimeout,
}

// IsAnswer reports whether an error is what a kernel would have said, and not
// that nobody could be asked.
func IsAnswer(err error) bool {
	return errors.Is(err, ErrRefused) || errors.Is(err, ErrUnreachable) || errors.Is(err, ErrTimeout)
}

// Patience is how long a connection is tried for that nobody answers: what
// Linux takes to give up with its usual net.ipv4.tcp_syn_retries of 6.
const Patience = 127 * time.Second

// Silence is what happens to packets that nobody answers. It returns when they
// are no longer tried for.
func Silence(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	<-ctx.Done()
	return ErrTimeout
}

// Node is what a node does for others.
type Node interface {
	// Range is the range of its pods' addresses, once it has one.
	Range() netip.Prefix
	// Reach prepares a connection to an address of the node, and returns who
	// takes it. The error is one of this package.
	Reach(ctx context.Context, from, to netip.AddrPort) (take func(net.Conn), err error)
}

// about is what a node tells of itself.
type about struct {
	PodCIDR netip.Prefix `json:"podCIDR"`
}

// Serve answers on l for a node until ctx ends, and returns when all questions
// are answered. Connections that were handed over live on.
func Serve(ctx context.Context, l net.Listener, n Node) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("the node's network: %w", err)
		}
		wg.Go(func() {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			take := answer(ctx, c, n)
			if !stop() || take == nil {
				c.Close()
				return
			}
			take(c)
		})
	}
}

// answer returns who takes the connection, if anybody does.
func answer(ctx context.Context, c net.Conn, n Node) func(net.Conn) {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	// Whoever asks sends nothing more before the answer, so that nothing of
	// what is meant for the other end is left in this reader.
	r, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, 4<<10)))
	if err != nil {
		return nil
	}
	c.SetReadDeadline(time.Time{})
	if r.Method != http.MethodConnect {
		b, _ := json.Marshal(about{n.Range()})
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(b), b)
		return nil
	}
	to, err1 := netip.ParseAddrPort(r.Host)
	from, err2 := netip.ParseAddrPort(r.Header.Get("From"))
	if err1 != nil || err2 != nil {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		return nil
	}
	// Nobody reads from c until it is taken, so its other end going away is not
	// noticed meanwhile; Patience bounds that.
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	take, err := n.Reach(ctx, from, to)
	if err != nil {
		code := http.StatusBadGateway
		for status, is := range statuses {
			if errors.Is(err, is) {
				code = status
			}
		}
		fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", code, http.StatusText(code))
		return nil
	}
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return func(c net.Conn) { c.Close(); take(c) } // who waits for it must hear of its end
	}
	return take
}

// Dial asks whoever is behind a socket for a connection.
func Dial(ctx context.Context, socket string, from, to netip.AddrPort) (net.Conn, error) {
	c, answer, r, err := ask(ctx, socket, http.MethodConnect, fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\nFrom: %s\r\n\r\n", to, from))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		c.Close()
		if err := statuses[answer.StatusCode]; err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the network of a node answered %s", answer.Status)
	}
	return &Conn{Conn: c, early: r, From: from, To: to}, nil
}

// ask sends a request to a node and reads the head of its answer.
func ask(ctx context.Context, socket, method, request string) (net.Conn, *http.Response, *bufio.Reader, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	r := bufio.NewReader(c)
	if _, err = io.WriteString(c, request); err == nil {
		var answer *http.Response
		if answer, err = http.ReadResponse(r, &http.Request{Method: method}); err == nil && stop() {
			return c, answer, r, nil
		}
	}
	c.Close()
	if ctx.Err() != nil {
		err = ErrTimeout
	}
	return nil, nil, nil, err
}
