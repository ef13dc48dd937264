package runtime

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestAddresses(t *testing.T) {
	r := records{t.TempDir()}
	if err := r.prepare(); err != nil {
		t.Fatal(err)
	}
	n := must[*network](t)(newNetwork(r, "10.0.0.11", nil))
	if n.ready() {
		t.Error("ready without a range")
	}
	if _, err := n.add(); err == nil {
		t.Error("an address without a range")
	}
	if err := n.setRange("10.244.3.0/29"); err != nil {
		t.Fatal(err)
	}
	var pods []*podNetwork
	for i := 2; i <= 6; i++ { // .0 network, .1 gateway, .7 broadcast
		p := must[*podNetwork](t)(n.add())
		if want := fmt.Sprintf("10.244.3.%d", i); p.Address() != want {
			t.Errorf("address is %s, want %s", p.Address(), want)
		}
		pods = append(pods, p)
	}
	if _, err := n.add(); err == nil {
		t.Error("an address out of an empty range")
	}
	pods[3].release()
	pods[1].release()
	// Free addresses are used again only after the range has wrapped, and in order.
	for _, want := range []string{"10.244.3.3", "10.244.3.5"} {
		if p := must[*podNetwork](t)(n.add()); p.Address() != want {
			t.Errorf("address is %s, want %s", p.Address(), want)
		}
	}
	again := must[*network](t)(newNetwork(r, "", nil))
	if p := must[*podNetwork](t)(again.add()); p.Address() != "10.244.3.6" {
		t.Errorf("address after a restart is %s, want 10.244.3.6", p.Address())
	}
	if err := n.setRange("not a range"); err == nil {
		t.Error("a bad range was accepted")
	}
}

// TestTable shows who can reach what.
func TestTable(t *testing.T) {
	r := records{t.TempDir()}
	if err := r.prepare(); err != nil {
		t.Fatal(err)
	}
	n := must[*network](t)(newNetwork(r, "10.0.0.11", func() string { return podRange }))
	a, b := must[*podNetwork](t)(n.add()), must[*podNetwork](t)(n.add())
	l := must[net.Listener](t)(a.Listen(80))
	defer l.Close()
	if _, err := a.Listen(80); err == nil || err.Error() != "address already in use" {
		t.Errorf("listening twice: %v", err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hi")
			c.Close()
		}
	}()
	host := must[net.Listener](t)(net.Listen("tcp4", "127.0.0.1:0"))
	defer host.Close()
	_, hostPort, _ := net.SplitHostPort(host.Addr().String())
	for _, try := range []struct {
		from *podNetwork
		to   string
		ok   bool
	}{
		{a, "localhost:80", true},
		{a, "127.0.0.1:80", true},
		{a, a.Address() + ":80", true},
		{b, a.Address() + ":80", true},
		{n.host, a.Address() + ":80", true},
		{b, "localhost:80", false},
		{b, a.Address() + ":81", false},
		{b, "127.0.0.1:" + hostPort, false},
		{n.host, "127.0.0.1:" + hostPort, false},
		{n.host, "localhost:" + hostPort, false},
		{b, "10.0.0.11:" + hostPort, false},
		{b, "0.0.0.0:" + hostPort, false},
		{b, "[::1]:" + hostPort, false},
		{b, "example.com:80", false},
		{b, "1.1.1.1:53", false},
		{b, "localhost:x", false},
	} {
		c, err := try.from.Dial(context.Background(), try.to)
		if (err == nil) != try.ok {
			t.Errorf("dial from %s to %s: %v, want success %v", try.from.Address(), try.to, err, try.ok)
		}
		if err == nil {
			if got, _ := io.ReadAll(c); string(got) != "hi" {
				t.Errorf("read %q", got)
			}
			c.Close()
		}
	}
	a.release()
	if _, err := n.listener(netip.MustParseAddrPort(a.Address() + ":80")); err == nil {
		t.Error("a released pod still has listeners")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a released pod still listens")
	}
}

func TestPodRangeFromTheKubelet(t *testing.T) {
	n := startNode(t)
	n.s.network.preset = nil
	conditions := func() string {
		var b strings.Builder
		for _, c := range must[*pb.StatusResponse](t)(n.Status(n.ctx(), &pb.StatusRequest{})).Status.Conditions {
			fmt.Fprintf(&b, "%s=%v ", c.Type, c.Status)
		}
		return b.String()
	}
	if got := conditions(); got != "RuntimeReady=true NetworkReady=false " {
		t.Errorf("conditions are %s", got)
	}
	if _, err := n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: n.podConfig("early")}); status.Code(err) != codes.Unknown {
		t.Errorf("a pod without a range: %v", err)
	}
	host := n.podConfig("host")
	host.Linux.SecurityContext.NamespaceOptions.Network = pb.NamespaceMode_NODE
	id := must[*pb.RunPodSandboxResponse](t)(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: host})).PodSandboxId
	st := must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: id})).Status
	if st.Network.Ip != "" || st.Linux.Namespaces.Options.Network != pb.NamespaceMode_NODE {
		t.Errorf("a pod in the node's network is %v; its address is the kubelet's to tell", st)
	}
	c := n.create(id, host, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"hostname"}})
	n.start(c)
	if log := readLog(t, n.exited(c).LogPath); len(log) != 1 || log[0] != "stdout node-1" {
		t.Errorf("its hostname is %q, want the node's", log)
	}
	must[*pb.UpdateRuntimeConfigResponse](t)(n.UpdateRuntimeConfig(n.ctx(), &pb.UpdateRuntimeConfigRequest{
		RuntimeConfig: &pb.RuntimeConfig{NetworkConfig: &pb.NetworkConfig{PodCidr: "10.244.7.0/24"}},
	}))
	if got := conditions(); got != "RuntimeReady=true NetworkReady=true " {
		t.Errorf("conditions are %s", got)
	}
	late, _ := n.pod("late")
	st = must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: late})).Status
	if st.Network.Ip != "10.244.7.2" {
		t.Errorf("address is %s", st.Network.Ip)
	}
}

// TestPortConflict shows two containers of a pod that want the same port.
func TestPortConflict(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	first := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "one"}, Image: ref("nginx")})
	n.start(first)
	waitFor(t, "the first server", func() bool { return n.s.Listens("10.244.1.2", 80) })
	st, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "two"}, Image: ref("httpd")})
	if st.ExitCode != 1 || len(log) == 0 || !strings.Contains(log[0], "address already in use") {
		t.Errorf("the second server exited with %d and said %q", st.ExitCode, log)
	}
	declared := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "three"}, Image: ref("example.com/app"),
		Annotations: map[string]string{"io.kubernetes.container.ports": `[{"containerPort":8080,"protocol":"TCP"},{"containerPort":53,"protocol":"UDP"}]`}})
	n.start(declared)
	waitFor(t, "the declared port", func() bool { return n.s.Listens("10.244.1.2", 8080) })
	if n.s.Listens("10.244.1.2", 53) {
		t.Error("a UDP port is served by HTTP")
	}
}
