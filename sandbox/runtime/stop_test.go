package runtime

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestStop shows what becomes of programs that are asked to end.
func TestStop(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	for _, test := range []struct {
		name    string
		image   string
		command []string
		timeout int64
		code    int32
		signal  string
		atLeast time.Duration
		within  time.Duration
		log     string
	}{
		{name: "a server ends gracefully", image: "nginx", timeout: 30, code: 0, signal: "SIGQUIT", within: 2 * time.Second},
		{name: "an unknown image's server too", image: "example.com/app:v1", timeout: 30, code: 0, signal: "SIGTERM", within: 2 * time.Second},
		{name: "pause", image: "registry.k8s.io/pause:3.10.1", timeout: 30, code: 0, signal: "SIGTERM", within: 2 * time.Second},
		{name: "sleep as process 1 ignores SIGTERM", command: []string{"sleep", "1000"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", atLeast: time.Second, within: 3 * time.Second},
		{name: "a shell as process 1 too", command: []string{"sh", "-c", "while true; do sleep 1; done"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", atLeast: time.Second, within: 3 * time.Second},
		{name: "no grace", command: []string{"sleep", "inf"}, timeout: 0, code: 137, signal: "SIGKILL", within: 2 * time.Second},
		{name: "a trap", command: []string{"sh", "-c", `trap 'echo bye; exit 3' TERM; while true; do sleep 0.02; done`}, timeout: 30, code: 3, signal: "SIGTERM", within: 2 * time.Second, log: "stdout bye"},
		{name: "a trap while waiting for a job", command: []string{"sh", "-c", `trap 'echo bye; exit 0' TERM; sleep 1000 & wait`}, timeout: 30, code: 0, signal: "SIGTERM", within: 2 * time.Second, log: "stdout bye"},
		{name: "exec passes signals on", command: []string{"sh", "-c", "exec sh -c 'trap \"exit 0\" TERM; sleep 1000 & wait'"}, timeout: 30, code: 0, signal: "SIGTERM", within: 2 * time.Second},
		{name: "an endless loop", command: []string{"sh", "-c", "while :; do :; done"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", within: 3 * time.Second},
		{name: "an endless loop without commands", command: []string{"bash", "-c", "while [[ 1 ]]; do ((x++)); done"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", within: 3 * time.Second},
		{name: "endless output", command: []string{"sh", "-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", within: 3 * time.Second},
		{name: "endless pipes", command: []string{"sh", "-c", "while :; do echo a; done | cat | while read x; do :; done"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", within: 4 * time.Second},
		{name: "blocked in a pipe", command: []string{"sh", "-c", "sleep 1000 | cat"}, timeout: 1, code: 137, signal: "SIGTERM, SIGKILL", within: 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := &node{t: t, RuntimeServiceClient: n.RuntimeServiceClient, images: n.images, dir: n.dir, s: n.s}
			img := test.image
			if img == "" {
				img = "busybox"
			}
			own, ownConfig := pod, config
			if test.image != "" { // servers need their port for themselves
				own, ownConfig = n.pod(strings.Map(word, test.name))
			}
			id := n.create(own, ownConfig, &pb.ContainerConfig{
				Metadata: &pb.ContainerMetadata{Name: strings.Map(word, test.name)}, Image: ref(img), Command: test.command,
			})
			n.start(id)
			time.Sleep(150 * time.Millisecond) // handlers are set by then; if not, the test is weaker, not wrong
			began := time.Now()
			must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: test.timeout}))
			took := time.Since(began)
			st := n.status(id)
			if st.State != pb.ContainerState_CONTAINER_EXITED || st.ExitCode != test.code {
				t.Errorf("after StopContainer: %v, exit code %d; want exited with %d", st.State, st.ExitCode, test.code)
			}
			if took < test.atLeast || took > test.within {
				t.Errorf("stopping took %s, want between %s and %s", took, test.atLeast, test.within)
			}
			if log := readLog(t, st.LogPath); test.log != "" && !slices.Contains(log, test.log) {
				t.Errorf("log is %q, want %q in it", log, test.log)
			}
			if _, err := n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id}); err != nil {
				t.Errorf("stopping a second time: %v", err)
			}
		})
	}
}

// TestStopReports checks what is told about a stop.
func TestStopReports(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sleep", "1000"}})
	n.start(id)
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 1}))
	stop, exit := n.call("StopContainer", id), n.call("ContainerExited", id)
	if stop.Signal != "SIGTERM, SIGKILL" || exit.Signal != "SIGKILL" || *exit.ExitCode != 137 || exit.Reason != "Error" {
		t.Errorf("stop was told as %+v, exit as %+v", stop, exit)
	}
	if exit.End.After(stop.End) || exit.Start.Before(stop.Start) || stop.End.Sub(stop.Start) < time.Second {
		t.Errorf("stop lasted from %s to %s, the exit was at %s", stop.Start, stop.End, exit.End)
	}
}

// TestLowLevelErrors shows refusals with their codes.
func TestLowLevelErrors(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"nosuch"}})

	_, err := n.StartContainer(n.ctx(), &pb.StartContainerRequest{ContainerId: id})
	if status.Code(err) != codes.Unknown || !strings.Contains(err.Error(), `exec: "nosuch": executable file not found in $PATH`) {
		t.Errorf("starting an unknown command: %v", err)
	}
	st := n.status(id)
	if st.State != pb.ContainerState_CONTAINER_EXITED || st.ExitCode != 128 || st.Reason != "StartError" || !strings.Contains(st.Message, "nosuch") || st.StartedAt != 0 {
		t.Errorf("a container that could not start is %v", st)
	}
	if c := n.call("StartContainer", id); c.Error == "" || c.Code != int(codes.Unknown) {
		t.Errorf("the failure was told as %+v", c)
	}
	path := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "path"}, Image: ref("busybox"), Command: []string{"/opt/app"}})
	if _, err := n.StartContainer(n.ctx(), &pb.StartContainerRequest{ContainerId: path}); !strings.Contains(err.Error(), `exec: "/opt/app": stat /opt/app: no such file or directory`) {
		t.Errorf("starting a path that does not exist: %v", err)
	}

	for what, try := range map[string]struct {
		err  error
		want codes.Code
	}{
		"status of an unknown container":  {second(n.ContainerStatus(n.ctx(), &pb.ContainerStatusRequest{ContainerId: "x"})), codes.NotFound},
		"status without an id":            {second(n.ContainerStatus(n.ctx(), &pb.ContainerStatusRequest{})), codes.NotFound},
		"status of an unknown sandbox":    {second(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: "x"})), codes.NotFound},
		"starting what has exited":        {second(n.StartContainer(n.ctx(), &pb.StartContainerRequest{ContainerId: id})), codes.FailedPrecondition},
		"exec in what has exited":         {second(n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"true"}})), codes.FailedPrecondition},
		"reopening the log of the exited": {second(n.ReopenContainerLog(n.ctx(), &pb.ReopenContainerLogRequest{ContainerId: id})), codes.FailedPrecondition},
		"stopping an unknown container":   {second(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: "x"})), codes.OK},
		"removing an unknown container":   {second(n.RemoveContainer(n.ctx(), &pb.RemoveContainerRequest{ContainerId: "x"})), codes.OK},
		"stopping an unknown sandbox":     {second(n.StopPodSandbox(n.ctx(), &pb.StopPodSandboxRequest{PodSandboxId: "x"})), codes.OK},
		"removing an unknown sandbox":     {second(n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: "x"})), codes.OK},
		"a sandbox without metadata":      {second(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{})), codes.InvalidArgument},
		"a runtime handler":               {second(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: config, RuntimeHandler: "gvisor"})), codes.InvalidArgument},
		"a container in no sandbox":       {second(n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: "x"})), codes.NotFound},
		"a container without metadata":    {second(n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod, Config: &pb.ContainerConfig{Image: ref("busybox")}})), codes.InvalidArgument},
		"an image that was not pulled": {second(n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod,
			Config: &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "a"}, Image: ref("never")}})), codes.NotFound},
		"a log outside the pod's folder": {second(n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod,
			Config: &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "a"}, Image: ref("busybox"), LogPath: "../../x"}})), codes.InvalidArgument},
		"a bad image name":   {second(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref("Not An Image")})), codes.InvalidArgument},
		"the pause image":    {second(n.images.RemoveImage(n.ctx(), &pb.RemoveImageRequest{Image: ref(pauseImage)})), codes.FailedPrecondition},
		"an absent image":    {second(n.images.RemoveImage(n.ctx(), &pb.RemoveImageRequest{Image: ref("never")})), codes.OK},
		"container events":   {second(first(n.GetContainerEvents(n.ctx(), &pb.GetEventsRequest{})).Recv()), codes.Unimplemented},
		"checkpoint":         {second(n.CheckpointContainer(n.ctx(), &pb.CheckpointContainerRequest{ContainerId: id})), codes.Unimplemented},
		"a port of nothing":  {second(n.PortForward(n.ctx(), &pb.PortForwardRequest{PodSandboxId: "x", Port: []int32{80}})), codes.NotFound},
		"attach to the dead": {second(n.Attach(n.ctx(), &pb.AttachRequest{ContainerId: id, Stdout: true})), codes.FailedPrecondition},
	} {
		if got := status.Code(try.err); got != try.want {
			t.Errorf("%s: %v, want code %s", what, try.err, try.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
func first[T any](v T, _ error) T        { return v }

// TestStopSandbox kills what is left and gives the address back.
func TestStopSandbox(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx")})
	n.start(id)
	waitFor(t, "the server", func() bool { return n.s.Listens("10.244.1.2", 80) })
	must[*pb.StopPodSandboxResponse](t)(n.StopPodSandbox(n.ctx(), &pb.StopPodSandboxRequest{PodSandboxId: pod}))
	if st := n.status(id); st.ExitCode != 137 {
		t.Errorf("container in a stopped sandbox is %v, want exit code 137", st)
	}
	if n.s.Listens("10.244.1.2", 80) {
		t.Error("the address of a stopped sandbox is still in the network")
	}
	ps := must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: pod})).Status
	if ps.State != pb.PodSandboxState_SANDBOX_NOTREADY || ps.Network.Ip != "" {
		t.Errorf("stopped sandbox is %v", ps)
	}
	_, err := n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod, Config: &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "b"}, Image: ref("nginx")}})
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a container in a stopped sandbox: %v", err)
	}
	must[*pb.RemovePodSandboxResponse](t)(n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: pod}))
	if list := must[*pb.ListContainersResponse](t)(n.ListContainers(n.ctx(), &pb.ListContainersRequest{})).Containers; len(list) != 0 {
		t.Errorf("containers after their sandbox was removed: %v", list)
	}
}
