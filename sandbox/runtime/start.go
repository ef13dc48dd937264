package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// Reasons of exits, in the words of container runtimes.
const (
	completed  = "Completed"
	failed     = "Error"
	oomKilled  = "OOMKilled"
	startError = "StartError"
	unknown    = "Unknown"

	startErrorCode = 128
	unknownCode    = 255
)

// StartContainer starts the container's program. Its first instruction runs
// after the call has been told, so that no effect is seen before its cause.
func (s *Server) StartContainer(_ context.Context, r *pb.StartContainerRequest) (*pb.StartContainerResponse, error) {
	c := call("StartContainer")
	k, err := s.container(r.GetContainerId())
	if err != nil {
		s.tell(c, err)
		return nil, err
	}
	run, err := s.start(k)
	s.tell(c.of(k), err)
	if err != nil {
		return nil, err
	}
	close(run)
	return &pb.StartContainerResponse{}, nil
}

// start brings the container to the state running. The program waits until the
// returned channel is closed.
func (s *Server) start(k *container) (run chan struct{}, err error) {
	prog, lookErr := s.look(k, k.command)

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return nil, status.Error(codes.Unavailable, errStopping.Error())
	case k.removed:
		return nil, status.Errorf(codes.NotFound, "container %s has been removed", k.id)
	case k.state != pb.ContainerState_CONTAINER_CREATED:
		return nil, status.Errorf(codes.FailedPrecondition, "container %s is in state %s: a container starts once", k.id, k.state)
	case !k.sandbox.ready:
		return nil, status.Errorf(codes.FailedPrecondition, "sandbox %s is not running", k.sandbox.id)
	}
	out, err := openOutput(k.logPath())
	if err == nil && lookErr != nil {
		out.close()
		err = lookErr
	}
	if err != nil {
		message := "failed to start container process: " + err.Error()
		k.state, k.finished = pb.ContainerState_CONTAINER_EXITED, now()
		k.exitCode, k.reason, k.message = startErrorCode, startError, message
		if err := s.recordContainerLocked(k); err != nil {
			message += " (and " + err.Error() + ")"
		}
		return nil, status.Error(codes.Unknown, message)
	}
	pids, first, life, err := s.namespaceLocked(k)
	if err != nil {
		out.close()
		return nil, err
	}
	k.world = s.world(k)
	k.world.PIDs = pids
	k.makeWorkingDir()
	k.output = out
	k.life, k.die = context.WithCancel(life)
	k.ended = make(chan struct{})
	k.process = &program.Process{
		Args:      k.command,
		Env:       environment(k),
		Dir:       k.workingDir(),
		Stdout:    out.stdout(),
		Stderr:    out.stderr(),
		Container: k.world,
		Init:      first,
		Terminal:  k.config.GetTty(),
	}
	k.world.LimitCPU(cpuLimit(k.resources))
	if k.config.GetTty() {
		k.process.Stderr = k.process.Stdout // a terminal has one output
	}
	if k.config.GetStdin() {
		k.stdin = newStdin(k.life)
		k.process.Stdin = k.stdin
	}
	k.state, k.started = pb.ContainerState_CONTAINER_RUNNING, now()
	if err := s.recordContainerLocked(k); err != nil {
		k.state = pb.ContainerState_CONTAINER_CREATED
		k.die()
		out.close()
		return nil, status.Error(codes.Internal, err.Error())
	}
	k.process.Begin()
	run = make(chan struct{})
	s.wait.Go(func() { s.watch(k, prog, run) })
	return run, nil
}

// watch runs the container's program and tells how it ended.
func (s *Server) watch(k *container, prog program.Program, run <-chan struct{}) {
	<-run
	exit := k.process.Run(k.life, prog)
	k.die() // processes of exec end with process 1
	k.files.Close()
	k.output.close()

	s.mu.Lock()
	k.state, k.finished = pb.ContainerState_CONTAINER_EXITED, now()
	k.exitCode, k.reason = int32(exit.Code), failed
	switch {
	case k.oom.Load():
		k.reason = oomKilled
	case exit.Code == 0:
		k.reason = completed
	}
	err := s.recordContainerLocked(k)
	c := k.exitCallLocked()
	if exit.Signal != 0 {
		c.Signal = exit.Signal.String()
	}
	if err != nil {
		c.Error = err.Error()
	}
	s.mu.Unlock()
	s.config.Record(c)
	close(k.ended) // whoever waited for the end tells of it after the exit was told
}

// outOfMemory ends a container that asked for more memory than it may have, all
// its processes together, as the kubelet sets up control groups (v2, group kill).
func (s *Server) outOfMemory(k *container) {
	k.oom.Store(true)
	k.process.Signal(program.SIGKILL)
}

// exitCallLocked reports how the container ended.
func (k *container) exitCallLocked() Call {
	code := k.exitCode
	c := Call{Verb: "ContainerExited", Start: time.Unix(0, k.finished), End: time.Unix(0, k.finished), ExitCode: &code, Reason: k.reason, Stopped: k.stopping}
	return c.of(k)
}

// programs are the programs a container can call.
func (s *Server) programs(k *container) program.Set { return s.sets[k.image.recipe] }

// look finds the program a container is to run.
func (s *Server) look(k *container, command []string) (program.Program, error) {
	if len(command) == 0 {
		return nil, errors.New("no command specified")
	}
	prog, err := program.Find(s.programs(k), k.rootFiles(s), k.workingDir(), command[0])
	if errors.As(err, new(*program.NotExecutableError)) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w (Kubestage has no files of images, only built-in programs: %s)", err, strings.Join(s.programs(k).Names(), ", "))
	}
	return prog, nil
}

// settle works out what the container will run.
func (s *Server) settle(k *container) {
	k.command = k.image.command(k.config, func(name string) bool { _, err := s.programs(k).Look(name); return err == nil })
	k.standIn = standIn(k.command)
	if _, err := s.look(k, k.command); err != nil {
		k.standIn = "nothing: no built-in program fits this command"
	}
}

// world is what all processes of the container share.
func (s *Server) world(k *container) *program.Container {
	m := k.sandbox.config.GetMetadata()
	ports := k.image.recipe.ports
	if ports == nil {
		ports = declaredPorts(k.config)
	}
	return &program.Container{
		Hostname:     k.sandbox.hostname(s.config.Node),
		PodNamespace: m.GetNamespace(),
		PodName:      m.GetName(),
		Name:         k.config.GetMetadata().GetName(),
		Node:         s.config.Node,
		Image:        k.image.Reference,
		Ports:        ports,
		Network:      k.sandbox.net,
		Programs:     s.programs(k),
		User:         k.as,
		Docroot:      k.image.recipe.docroot,
		Memory:       program.NewMemory(k.resources.GetMemoryLimitInBytes(), s.held, func() { s.outOfMemory(k) }),
		Files:        k.rootFiles(s),
	}
}

// cpuLimit is how much of each second a container may compute.
func cpuLimit(r *pb.LinuxContainerResources) time.Duration {
	if r.GetCpuQuota() <= 0 || r.GetCpuPeriod() <= 0 {
		return 0
	}
	return time.Duration(float64(r.GetCpuQuota()) / float64(r.GetCpuPeriod()) * float64(time.Second))
}

// declaredPorts reads the container's own ports where the kubelet leaves them
// for its hooks; CRI has them for the pod as a whole only.
func declaredPorts(config *pb.ContainerConfig) []int {
	var declared []struct {
		ContainerPort int    `json:"containerPort"`
		Protocol      string `json:"protocol"`
	}
	if json.Unmarshal([]byte(config.GetAnnotations()["io.kubernetes.container.ports"]), &declared) != nil {
		return nil
	}
	var ports []int
	for _, d := range declared {
		if (d.Protocol == "TCP" || d.Protocol == "") && !slices.Contains(ports, d.ContainerPort) {
			ports = append(ports, d.ContainerPort)
		}
	}
	return ports
}

// environment is what process 1 finds: the usual minimum, then what the image
// and the spec say.
func environment(k *container) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=" + k.world.Hostname,
		"HOME=" + k.as.Home,
	}
	env = append(env, k.image.recipe.env...)
	if k.config.GetTty() {
		env = append(env, "TERM=xterm")
	}
	for _, e := range k.config.GetEnvs() {
		env = append(env, e.GetKey()+"="+string(e.GetValue()))
	}
	return env
}
