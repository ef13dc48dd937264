package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// quietNode is the network of a node with one pod that echoes.
type quietNode struct{}

func (quietNode) Range() netip.Prefix { return netip.MustParsePrefix("10.244.0.0/24") }

func (quietNode) Reach(_ context.Context, _, to netip.AddrPort) (func(net.Conn), error) {
	if to.String() != "10.244.0.8:80" {
		return nil, overlay.ErrRefused
	}
	return func(c net.Conn) {
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadString('\n')
		fmt.Fprint(c, "echo "+line)
	}, nil
}

func TestEgress(t *testing.T) {
	kubelet, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer kubelet.Close()
	go func() {
		for {
			c, err := kubelet.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				line, _ := bufio.NewReader(c).ReadString('\n')
				fmt.Fprint(c, "echo "+line)
			}()
		}
	}()
	port := kubelet.Addr().(*net.TCPAddr).Port
	nodes := planNodes(2)
	nodes[0].port = port
	free, err := newPort(func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	nodes[1].port = free // nobody listens

	socket := filepath.Join(t.TempDir(), "e.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	network, err := net.Listen("unix", filepath.Join(t.TempDir(), "n.sock"))
	if err != nil {
		t.Fatal(err)
	}
	go overlay.Serve(ctx, network, quietNode{})
	peers := overlay.NewPeers([]overlay.Peer{
		{Name: "node-1", Address: netip.MustParseAddr("10.0.0.11"), Socket: network.Addr().String()},
	})
	e := &egress{way: ways(nodes, nil, peers), dial: inside(nodes, peers, nil)}
	go func() { served <- e.serve(ctx, l) }()

	connect := func(target string) (net.Conn, string) {
		t.Helper()
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target)
		var status strings.Builder
		one := make([]byte, 1)
		for !strings.HasSuffix(status.String(), "\r\n\r\n") {
			if _, err := c.Read(one); err != nil {
				break
			}
			status.Write(one)
		}
		line, _, _ := strings.Cut(status.String(), "\r\n")
		return c, line
	}
	for target, want := range map[string]string{
		fmt.Sprint("10.0.0.11:", port):     "200",
		fmt.Sprint("node-1:", port):        "200",
		"10.0.0.11:22":                     "connection refused",
		fmt.Sprint("10.0.0.12:", free):     "does not answer",
		fmt.Sprint("127.0.0.1:", port):     "no route to host",
		"10.244.1.7:80":                    "no route to host",
		"10.244.0.7:80":                    "connection refused",
		"10.244.0.8:80":                    "200",
		"nonsense":                         "no address",
		fmt.Sprint("10.0.0.11:", port+1e5): "no address",
	} {
		c, status := connect(target)
		if !strings.Contains(status, want) {
			t.Errorf("%s: %q, want %q", target, status, want)
		}
		if want == "200" {
			fmt.Fprintln(c, "hello")
			if b, _ := io.ReadAll(c); string(b) != "echo hello\n" {
				t.Errorf("%s: got %q", target, b)
			}
		}
		c.Close()
	}
	idle, _ := connect(fmt.Sprint("10.0.0.11:", port))
	defer idle.Close()
	cancel()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("serving did not end with an idle connection open")
	}
}
