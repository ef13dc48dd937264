package overlay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// machine is a node with one program, which says who came and repeats what it
// is told.
type machine struct {
	pods     netip.Prefix
	listener *Listener
}

func (m *machine) Range() netip.Prefix { return m.pods }

func (m *machine) Reach(ctx context.Context, from, to netip.AddrPort) (func(net.Conn), error) {
	switch {
	case !m.pods.Contains(to.Addr()):
		return nil, ErrUnreachable
	case to.Port() == 81:
		return nil, Silence(ctx)
	case to.Port() != 80:
		return nil, ErrRefused
	}
	return func(c net.Conn) { m.listener.Hand(&Conn{Conn: c, From: to, To: from}) }, nil
}

func (m *machine) run() {
	for {
		c, err := m.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			said, _ := io.ReadAll(c) // until the other side has said all
			io.WriteString(c, c.RemoteAddr().String()+" said "+string(said)+" to "+c.LocalAddr().String())
		}()
	}
}

func start(t *testing.T, pods string) (socket string, stop func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ov") // short: socket paths are limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{netip.MustParsePrefix(pods), Listen(netip.AddrPort{})}
	go m.run()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, m) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		m.listener.Close()
	})
	t.Cleanup(stop)
	return socket, stop
}

func TestBetweenNodes(t *testing.T) {
	one, _ := start(t, "10.244.0.0/24")
	two, stopTwo := start(t, "10.244.1.0/24")
	peers := NewPeers([]Peer{
		{"node-1", netip.MustParseAddr("10.0.0.11"), one},
		{"node-2", netip.MustParseAddr("10.0.0.12"), two},
	})
	from := netip.MustParseAddrPort("10.244.0.9:40000")
	for to, want := range map[string]error{
		"10.244.0.2:80": nil, "10.244.1.2:80": nil, "10.244.1.2:8080": ErrRefused,
		"10.0.0.12:80": ErrUnreachable, "10.244.7.2:80": ErrUnreachable, "127.0.0.1:80": ErrUnreachable,
	} {
		c, err := peers.Dial(t.Context(), from, netip.MustParseAddrPort(to))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", to, err, want)
		}
		if err != nil {
			continue
		}
		long := strings.Repeat("x", 1<<20) // more than any buffer between the two
		io.WriteString(c, long)
		c.(*Conn).CloseWrite()
		if got, _ := io.ReadAll(c); string(got) != from.String()+" said "+long+" to "+to {
			t.Errorf("%s: read %d bytes: %.60q", to, len(got), got)
		}
		if c.RemoteAddr().String() != to || c.LocalAddr().String() != from.String() {
			t.Errorf("%s: the connection is from %s to %s", to, c.LocalAddr(), c.RemoteAddr())
		}
		c.Close()
	}
	// Nothing comes back from a port that is silent, nor from a node that is down.
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := peers.Dial(soon, from, netip.MustParseAddrPort("10.244.1.2:81")); !errors.Is(err, ErrTimeout) {
		t.Errorf("a silent port: %v", err)
	}
	stopTwo()
	soon, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := peers.Dial(soon, from, netip.MustParseAddrPort("10.244.1.2:80")); !errors.Is(err, ErrTimeout) {
		t.Errorf("a node that is down: %v", err)
	}
}

// Whoever asks may be gone when the answer comes.
func TestNobodyWaits(t *testing.T) {
	socket, stop := start(t, "10.244.0.0/24")
	for range 200 {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "CONNECT 10.244.0.2:80 HTTP/1.1\r\nHost: 10.244.0.2:80\r\nFrom: 10.244.0.9:1\r\n\r\n")
		c.Close()
	}
	stop() // does not wait for ever
}

func TestListenerCloses(t *testing.T) {
	l := Listen(netip.MustParseAddrPort("10.244.0.2:80"))
	near, far, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	l.Hand(far)
	l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting of a closed listener: %v", err)
	}
	near.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := near.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that nobody accepted is still open: %v", err)
	}
	late, far, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	l.Hand(far)
	if _, err := late.Read(make([]byte, 1)); err == nil {
		t.Error("a connection after the end was taken")
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	socket, _ := start(t, "10.244.0.0/24")
	for _, request := range []string{
		"CONNECT nowhere HTTP/1.1\r\nHost: nowhere\r\nFrom: 10.244.0.9:1\r\n\r\n",
		"CONNECT 10.244.0.2:80 HTTP/1.1\r\nHost: 10.244.0.2:80\r\n\r\n",
		"what?\r\n\r\n",
		strings.Repeat("x", 64<<10),
	} {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(c, request)
		if got, _ := io.ReadAll(c); strings.Contains(string(got), "200") {
			t.Errorf("%.40q: %q", request, got)
		}
		c.Close()
	}
}
