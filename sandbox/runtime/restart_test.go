package runtime

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestRestart ends the runtime's process, so to speak, and starts another one
// on the same folder: everything is remembered and nothing runs.
func TestRestart(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	running := n.create(pod, config, &pb.ContainerConfig{
		Metadata: &pb.ContainerMetadata{Name: "running", Attempt: 2}, Image: ref("nginx:1.27"),
		Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"io.kubernetes.container.restartCount": "2"},
	})
	n.start(running)
	ended, _ := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "ended"}, Image: ref("busybox"), Command: []string{"exit", "4"}})
	created := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "created"}, Image: ref("busybox")})
	before := n.status(running)
	// A killed process leaves what is on disk now; the graceful one that goes on leaves more.
	crashed := n.crash()
	n.stop()

	n2 := startNodeIn(t, crashed)
	after := n2.status(running)
	if after.State != pb.ContainerState_CONTAINER_EXITED || after.ExitCode != 255 || after.Reason != "Unknown" || after.FinishedAt < before.StartedAt {
		t.Errorf("a container that ran is %v, want exited, 255, Unknown", after)
	}
	if after.StartedAt != before.StartedAt || after.CreatedAt != before.CreatedAt || after.Metadata.Attempt != 2 ||
		after.Labels["l"] != "1" || after.Annotations["io.kubernetes.container.restartCount"] != "2" ||
		after.ImageRef != before.ImageRef || after.ImageId != before.ImageId || !strings.HasSuffix(after.LogPath, "running/0.log") {
		t.Errorf("after the restart:\n%v\nbefore:\n%v", after, before)
	}
	if got := n2.status(ended.Id); got.ExitCode != 4 || got.FinishedAt != ended.FinishedAt || got.Reason != "Error" {
		t.Errorf("a container that had ended is %v, was %v", got, ended)
	}
	if got := n2.status(created); got.State != pb.ContainerState_CONTAINER_CREATED {
		t.Errorf("a container that was created is %v", got)
	}
	ps := must[*pb.PodSandboxStatusResponse](t)(n2.PodSandboxStatus(n2.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: pod})).Status
	if ps.State != pb.PodSandboxState_SANDBOX_NOTREADY || ps.Network.Ip != "" || ps.Metadata.Uid != "uid-box" {
		t.Errorf("the sandbox is %v, want not ready", ps)
	}
	if _, err := n2.StartContainer(n2.ctx(), &pb.StartContainerRequest{ContainerId: created}); err == nil {
		t.Error("a container of a sandbox that is gone could be started")
	}
	if c := n2.call("ContainerExited", running); *c.ExitCode != 255 || c.Reason != "Unknown" || c.Error == "" || c.PodUID != "uid-box" {
		t.Errorf("the loss was told as %+v", c)
	}
	if slices.Contains(n2.verbs(), "RunPodSandbox") {
		t.Errorf("reports after the restart: %v", n2.verbs())
	}
	// A new sandbox for the same pod gets the next address.
	again, _ := n2.pod("box")
	ps = must[*pb.PodSandboxStatusResponse](t)(n2.PodSandboxStatus(n2.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: again})).Status
	if ps.Network.Ip != "10.244.1.3" {
		t.Errorf("address after the restart is %s, want 10.244.1.3: the last one was 10.244.1.2", ps.Network.Ip)
	}
	if got := must[*pb.ImageStatusResponse](t)(n2.images.ImageStatus(n2.ctx(), &pb.ImageStatusRequest{Image: ref("nginx:1.27")})).Image; got == nil {
		t.Error("the image is gone after the restart")
	}
	must[*pb.RemovePodSandboxResponse](t)(n2.RemovePodSandbox(n2.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: pod}))
	n2.stop()

	n3 := startNodeIn(t, crashed)
	boxes := must[*pb.ListPodSandboxResponse](t)(n3.ListPodSandbox(n3.ctx(), &pb.ListPodSandboxRequest{})).Items
	if len(boxes) != 1 || boxes[0].Id != again {
		t.Errorf("sandboxes after removal and another restart: %v", boxes)
	}
	if exits := n3.verbs(); len(exits) != 0 {
		t.Errorf("a loss was told again: %v", exits)
	}
}

// TestGracefulStop shows that a runtime which is told to end knows how its containers ended.
func TestGracefulStop(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sleep", "1000"}})
	n.start(id)
	n.stop()
	if c := n.call("ContainerExited", id); *c.ExitCode != 137 || c.Signal != "SIGKILL" {
		t.Errorf("the end was told as %+v", c)
	}
	n2 := startNodeIn(t, n.dir)
	if st := n2.status(id); st.State != pb.ContainerState_CONTAINER_EXITED || st.ExitCode != 137 || st.Reason != "Error" {
		t.Errorf("after the restart it is %v", st)
	}
	if verbs := n2.verbs(); len(verbs) != 0 {
		t.Errorf("told again: %v", verbs)
	}
}

// TestBadRecords shows that damage is named, and private files are private.
func TestBadRecords(t *testing.T) {
	n := startNode(t)
	pod, _ := n.pod("box")
	n.stop()
	root := filepath.Join(n.dir, "root")
	info := must[os.FileInfo](t)(os.Stat(filepath.Join(root, "sandboxes", pod+".json")))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("a record has mode %v, want 0600: containers' environments can hold Secrets", info.Mode())
	}
	if err := os.WriteFile(filepath.Join(root, "sandboxes", pod+".json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Node: "n", Socket: filepath.Join(n.dir, "s"), RootDir: root}); err == nil {
		t.Error("a damaged record was accepted")
	} else {
		t.Log(err)
	}
}

// crash copies what a process would leave that ends without a word.
func (n *node) crash() string {
	n.t.Helper()
	dir := must[string](n.t)(os.MkdirTemp("", "rt"))
	n.t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.CopyFS(filepath.Join(dir, "root"), os.DirFS(filepath.Join(n.dir, "root"))); err != nil {
		n.t.Fatal(err)
	}
	return dir
}
