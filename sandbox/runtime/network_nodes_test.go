package runtime

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// oneService is a Router that knows one Service, one node port and other nodes.
type oneService struct {
	peers             *overlay.Peers
	service, nodePort netip.AddrPort
	endpoint          netip.AddrPort
}

func (r *oneService) Route(ctx context.Context, protocol string, from, to netip.AddrPort) (Route, error) {
	if to == r.service || to == r.nodePort {
		return Route{From: from, To: r.endpoint, Service: "default/web"}, nil
	}
	return Route{From: from, To: to}, nil
}

func (r *oneService) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	return r.peers.Dial(ctx, from, to)
}

func (r *oneService) Answer(ctx context.Context, from, to netip.AddrPort, question []byte) ([]byte, error) {
	return slices.Concat([]byte("answer to "), question), nil
}

// TestTwoNodes shows a program of one node that talks to one of another, what
// both see of it, and that nothing of it is left.
func TestTwoNodes(t *testing.T) {
	web := startNode(t) // 10.244.1.0/24
	dir := t.TempDir()
	records := records{dir}
	if err := records.prepare(); err != nil {
		t.Fatal(err)
	}
	far := must[*network](t)(newNetwork(records, "10.0.0.12", func() string { return "10.244.2.0/24" }))
	var mu sync.Mutex
	var told []Connection
	far.tell = func(c Connection) { mu.Lock(); defer mu.Unlock(); told = append(told, c) }
	socket := filepath.Join(web.dir, "n")
	l := must[net.Listener](t)(net.Listen("unix", socket))
	router := &oneService{
		peers:   overlay.NewPeers([]overlay.Peer{{Name: "node-1", Address: netip.MustParseAddr("10.0.0.11"), Socket: socket}}),
		service: netip.MustParseAddrPort("10.96.0.7:80"), nodePort: netip.MustParseAddrPort("10.0.0.11:30080"),
		endpoint: netip.MustParseAddrPort("10.244.1.2:80"),
	}
	far.router, web.s.network.router = router, router
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { overlay.Serve(ctx, l, web.s.network) })
	defer serving.Wait()
	defer cancel()

	pod, config := web.pod("web")
	id := web.create(pod, config, &pb.ContainerConfig{Image: ref("nginx")})
	web.start(id)
	waitFor(t, "the server", func() bool { return web.s.Listens("10.244.1.2", 80) })
	goroutines := runtime.NumGoroutine()

	box := must[*podNetwork](t)(far.add())
	box.pod = func() (string, string, string) { return "default", "box", "uid" }
	for _, try := range []struct {
		to   string
		want error
	}{
		{"10.244.1.2:80", nil}, {"10.96.0.7:80", nil}, {"10.0.0.11:30080", nil},
		{"10.244.1.2:81", overlay.ErrRefused}, {"10.244.1.9:80", overlay.ErrUnreachable}, {"10.244.9.9:80", overlay.ErrUnreachable}, {"127.0.0.1:80", overlay.ErrRefused},
	} {
		c, err := box.Dial(t.Context(), try.to)
		if !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", try.to, err, try.want)
		}
		if err != nil {
			continue
		}
		io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		if got, _ := io.ReadAll(c); len(got) < 100 {
			t.Errorf("%s: %q", try.to, got)
		}
		c.Close()
	}
	answer, err := box.Ask(t.Context(), netip.MustParseAddrPort("10.96.0.10:53"), []byte("who"))
	if err != nil || string(answer) != "answer to who" {
		t.Errorf("a datagram: %q, %v", answer, err)
	}
	mu.Lock()
	var chosen []string
	for _, c := range told {
		if c.PodUID != "uid" || c.From.Addr() != box.addr {
			t.Errorf("told of %+v", c)
		}
		if c.Route.Service != "" {
			chosen = append(chosen, c.To.String()+" "+c.Route.To.String())
		}
	}
	if len(told) != 7 || len(chosen) != 2 { // loopback is nobody's business
		t.Errorf("told of %d connections, of these through Services %q", len(told), chosen)
	}
	mu.Unlock()

	// What is open ends with the pod, also on the other node.
	open := must[net.Conn](t)(box.Dial(t.Context(), "10.96.0.7:80"))
	must[*pb.StopPodSandboxResponse](t)(web.StopPodSandbox(web.ctx(), &pb.StopPodSandboxRequest{PodSandboxId: pod}))
	open.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := open.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a connection to a pod that is gone: %v", err)
	}
	open.Close()
	waitFor(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	if len(box.open) != 0 || len(web.s.network.host.open) != 0 {
		t.Errorf("%d and %d connections are still kept", len(box.open), len(web.s.network.host.open))
	}
}
