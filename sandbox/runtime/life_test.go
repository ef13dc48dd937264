package runtime

import (
	"io"
	"net/http"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestServerPodLife(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("web")
	ps := must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: pod})).Status
	if ps.State != pb.PodSandboxState_SANDBOX_READY || ps.Network.Ip != "10.244.1.2" {
		t.Fatalf("sandbox is %v with address %q, want ready with 10.244.1.2", ps.State, ps.Network.Ip)
	}
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx")})
	if st := n.status(id); st.State != pb.ContainerState_CONTAINER_CREATED || st.StartedAt != 0 {
		t.Fatalf("created container is %v", st)
	}
	n.start(id)
	st := n.status(id)
	if st.State != pb.ContainerState_CONTAINER_RUNNING || st.StartedAt == 0 || st.FinishedAt != 0 {
		t.Fatalf("started container is %v", st)
	}
	waitFor(t, "port 80 of the pod", func() bool { return n.s.Listens("10.244.1.2", 80) })
	if n.s.Listens("10.244.1.2", 81) {
		t.Error("port 81 is resolved although nobody listens on it")
	}
	addr, shut, err := n.s.Door("10.244.1.2", 80)
	if err != nil {
		t.Fatal(err)
	}
	defer shut()
	resp := must[*http.Response](t)(http.Get("http://" + addr + "/?x=1"))
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, want := range []string{"pod web", "default", "node-1", "nginx", "10.244.1.2", "stand-in"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("answer %q does not say %q", body, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 30}))
	st = n.status(id)
	if st.State != pb.ContainerState_CONTAINER_EXITED || st.ExitCode != 0 || st.Reason != "Completed" || st.FinishedAt < st.StartedAt {
		t.Errorf("stopped server is %v, want exited 0 Completed", st)
	}
	log := strings.Join(readLog(t, st.LogPath), "\n")
	if !strings.Contains(log, `"GET /?x=1 HTTP/1.1" 200`) || !strings.Contains(log, "SIGQUIT") {
		t.Errorf("log is\n%s\nwant an access log line and the signal", log)
	}
	if n.s.Listens("10.244.1.2", 80) {
		t.Error("port 80 is still resolved after the server ended")
	}
	must[*pb.StopPodSandboxResponse](t)(n.StopPodSandbox(n.ctx(), &pb.StopPodSandboxRequest{PodSandboxId: pod}))
	must[*pb.RemoveContainerResponse](t)(n.RemoveContainer(n.ctx(), &pb.RemoveContainerRequest{ContainerId: id}))
	must[*pb.RemovePodSandboxResponse](t)(n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: pod}))
	got := strings.Join(n.verbs(), " ")
	want := "RunPodSandbox PullImage CreateContainer StartContainer ContainerExited StopContainer StopPodSandbox RemoveContainer RemovePodSandbox"
	if got != want {
		t.Errorf("reports:\n got %s\nwant %s", got, want)
	}
	if c := n.call("ContainerExited", id); c.PodUID != "uid-web" || c.ContainerName != "main" || *c.ExitCode != 0 || c.StandIn == "" {
		t.Errorf("exit was reported as %+v", c)
	}
}
