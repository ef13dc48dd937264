package runtime

import (
	"strings"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestSharedProcesses looks from one container of a pod at the processes of
// another, as shareProcessNamespace allows, and at what a debugging container joins.
func TestSharedProcesses(t *testing.T) {
	n := startNode(t)
	config := n.podConfig("shared")
	config.Linux.SecurityContext.NamespaceOptions.Pid = pb.NamespaceMode_POD
	pod := must[*pb.RunPodSandboxResponse](t)(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: config})).PodSandboxId
	if got, want := *n.call("RunPodSandbox", pod).Namespaces, (Namespaces{Network: "POD", PID: "POD", IPC: "POD"}); got != want {
		t.Errorf("the report says %+v, want %+v", got, want)
	}
	start := func(name string, options *pb.NamespaceOption, user int64, command ...string) string {
		security := asUser(user)
		security.NamespaceOptions = options
		id := n.create(pod, config, &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: name}, Image: ref("busybox"), Command: command, Linux: &pb.LinuxContainerConfig{SecurityContext: security},
		})
		n.start(id)
		return id
	}
	shared := &pb.NamespaceOption{Pid: pb.NamespaceMode_POD}
	a := start("a", shared, 0, "sleep", "1000")
	waitFor(t, "process 2", func() bool { return n.says(a, "ps | grep -c 'sleep 1000$'") == "1\n" })
	b := start("b", shared, 1000, "sleep", "2000")
	waitFor(t, "the other process", func() bool { return n.says(a, "ps | grep -c 'sleep 2000$'") == "1\n" })
	n.mustExec(a, "ps | head -n 2 | tail -n 1 | tr -s ' '", " 1 65535 0:00 /pause\n")
	n.mustExec(b, "kill $(ps | grep 'sleep 1000$' | cut -c1-5)", "kill: can't kill pid 2: Operation not permitted\n")
	n.mustExec(a, "cat /proc/1/root/etc/hostname; ls /proc | grep -c '[2-9]'", "0\ncat: /proc/1/root/etc/hostname: No such file or directory\n")
	n.mustExec(a, "kill $(ps | grep 'sleep 2000$' | cut -c1-6)", "")
	if st := n.exited(b); st.ExitCode != 143 {
		t.Errorf("killed from the other container it exits with %d, want 143", st.ExitCode)
	}

	// What joins another container's processes ends with them.
	solo, soloConfig := n.pod("solo")
	pod, config = solo, soloConfig
	own := start("own", nil, 0, "sleep", "3000")
	debug := start("debug", &pb.NamespaceOption{Pid: pb.NamespaceMode_TARGET, TargetId: own}, 0, "sleep", "4000")
	waitFor(t, "the debugger", func() bool { return n.says(own, "ps | grep -c 'sleep 4000$'") == "1\n" })
	n.mustExec(debug, "ps | grep -c 'sleep [34]000$'", "2\n")
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: own}))
	if st := n.exited(debug); st.ExitCode != 137 {
		t.Errorf("the debugging container outlives its target, or exits with %d, want 137", st.ExitCode)
	}

	// Without sharing, nobody sees anybody.
	a2 := start("a2", nil, 0, "sleep", "5000")
	start("b2", nil, 0, "sleep", "6000")
	time.Sleep(20 * time.Millisecond)
	n.mustExec(a2, "ps | grep -c 'sleep 6000$'; ps | head -n 2 | tail -n 1 | tr -s ' '", "0\n 1 root 0:00 sleep 5000\n")
}

// TestPodEndsWithItsFirstProcess ends pause from inside a pod.
func TestPodEndsWithItsFirstProcess(t *testing.T) {
	n := startNode(t)
	config := n.podConfig("shared")
	config.Linux.SecurityContext.NamespaceOptions.Pid = pb.NamespaceMode_POD
	pod := must[*pb.RunPodSandboxResponse](t)(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: config})).PodSandboxId
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sh", "-c", "kill 1; sleep 1000"}})
	n.start(id)
	if st := n.exited(id); st.ExitCode != 137 {
		t.Errorf("after its pod's process 1 ended, a container exits with %d, want 137", st.ExitCode)
	}
	waitFor(t, "the sandbox to end", func() bool {
		return must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: pod})).Status.State == pb.PodSandboxState_SANDBOX_NOTREADY
	})
}

// says runs a script in a container and returns what it prints.
func (n *node) says(id, script string) string {
	n.t.Helper()
	r := must[*pb.ExecSyncResponse](n.t)(n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh", "-c", script}, Timeout: 10}))
	return strings.ReplaceAll(string(r.Stdout)+string(r.Stderr), "\r", "")
}
