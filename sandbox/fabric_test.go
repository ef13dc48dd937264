package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// TestFabric shows that a node which is cut off neither reaches the other's
// pods nor is reached by them, and that what was open goes on once it is healed.
func TestFabric(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 2)
	serve := func(name string, f func(net.Listener) error) string {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		go func() { served <- f(l) }()
		return l.Addr().String()
	}
	node := serve("n", func(l net.Listener) error { return overlay.Serve(ctx, l, quietNode{}) })
	first, second := newLine(), newLine()
	f := &fabric{
		peers: overlay.NewPeers([]overlay.Peer{{Name: "node-1", Address: netip.MustParseAddr("10.0.0.11"), Socket: node}}),
		way: func(host string) *line {
			if strings.HasPrefix(host, "10.244.0.") {
				return first
			}
			return second
		},
	}
	socket := serve("f", func(l net.Listener) error { return f.serve(ctx, l) })
	from, to := netip.MustParseAddrPort("10.244.1.5:40000"), netip.MustParseAddrPort("10.244.0.8:80")
	dial := func(patience time.Duration, to netip.AddrPort) (net.Conn, error) {
		soon, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return overlay.Dial(soon, socket, from, to)
	}
	for _, l := range []*line{first, second} {
		l.set(true, 0)
		if _, err := dial(50*time.Millisecond, to); !errors.Is(err, overlay.ErrTimeout) {
			t.Errorf("through a cut: %v", err)
		}
		l.set(false, 0)
	}
	if _, err := dial(10*time.Second, netip.MustParseAddrPort("10.0.0.1:22")); !errors.Is(err, overlay.ErrRefused) {
		t.Errorf("this machine is reached: %v", err)
	}
	c, err := dial(10*time.Second, to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first.set(true, 0)
	io.WriteString(c, "hello\n")
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == io.EOF {
		t.Errorf("an open connection through a cut: %d, %v", n, err)
	}
	first.set(false, 0)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, _ := io.ReadAll(c); string(got) != "echo hello\n" {
		t.Errorf("after the cut was healed: %q", got)
	}
	cancel()
	for range 2 {
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
