package runtime

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// container is one attempt to run one container of a pod.
type container struct {
	id      string
	sandbox *sandbox
	config  *pb.ContainerConfig
	image   *image
	command []string // what runs, from the spec and the image
	standIn string   // the same, in words for the log
	created int64

	// guarded by Server.mu
	state     pb.ContainerState
	started   int64
	finished  int64
	exitCode  int32
	reason    string
	message   string
	resources *pb.LinuxContainerResources
	removed   bool

	// set when it starts, under Server.mu, and never changed again
	world   *program.Container
	process *program.Process // process 1
	output  *output
	stdin   *stdin          // what attached people type
	life    context.Context // of all its processes: ends when process 1 has ended
	die     context.CancelFunc
	ended   chan struct{} // closed when process 1 has ended, the state says so and the exit was told
}

// Reasons of exits, in the words of container runtimes.
const (
	completed  = "Completed"
	failed     = "Error"
	startError = "StartError"
	unknown    = "Unknown"

	startErrorCode = 128
	unknownCode    = 255
)

func (s *Server) containerLocked(id string) (*container, error) {
	return lookup(s.containers, "container", id)
}

func (s *Server) container(id string) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.containerLocked(id)
}

func (s *Server) containersOfLocked(b *sandbox) []*container {
	var list []*container
	for _, k := range s.containers {
		if k.sandbox == b {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *container) int { return cmp.Compare(a.created, b.created) })
	return list
}

// logPath is where the kubelet will look for the container's output.
func (k *container) logPath() string {
	if k.sandbox.config.GetLogDirectory() == "" || k.config.GetLogPath() == "" {
		return ""
	}
	return filepath.Join(k.sandbox.config.GetLogDirectory(), filepath.FromSlash(k.config.GetLogPath()))
}

// CreateContainer makes a container in a sandbox; nothing runs yet.
func (s *Server) CreateContainer(_ context.Context, r *pb.CreateContainerRequest) (resp *pb.CreateContainerResponse, err error) {
	c := call("CreateContainer")
	c.Image = r.GetConfig().GetImage().GetImage()
	s.mu.Lock()
	b, err := s.sandboxLocked(r.GetPodSandboxId())
	usable := err == nil && b.ready
	s.mu.Unlock()
	if err != nil {
		s.tell(c, err)
		return nil, err
	}
	k := &container{
		id:        newID(),
		sandbox:   b,
		config:    r.GetConfig(),
		created:   now(),
		state:     pb.ContainerState_CONTAINER_CREATED,
		resources: r.GetConfig().GetLinux().GetResources(),
		image:     s.images.find(c.Image),
	}
	defer func() {
		if k.image != nil {
			c = c.of(k)
		}
		s.tell(c.about(b), err)
	}()
	switch {
	case k.config.GetMetadata().GetName() == "":
		return nil, status.Error(codes.InvalidArgument, "container config has no metadata")
	case !usable:
		return nil, status.Errorf(codes.FailedPrecondition, "sandbox %s is not running", b.id)
	case k.image == nil:
		return nil, status.Errorf(codes.NotFound, "image %q is not on the node", c.Image)
	case !filepath.IsLocal(cmp.Or(filepath.FromSlash(k.config.GetLogPath()), ".")):
		return nil, status.Errorf(codes.InvalidArgument, "log path %q leads out of the pod's log directory", k.config.GetLogPath())
	}
	s.settle(k)
	if err := s.recordContainer(k); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	s.mu.Lock()
	s.containers[k.id] = k
	s.mu.Unlock()
	return &pb.CreateContainerResponse{ContainerId: k.id}, nil
}

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
	k.world = s.world(k)
	k.output = out
	k.life, k.die = context.WithCancel(s.life)
	k.ended = make(chan struct{})
	k.process = &program.Process{
		Args:      k.command,
		Env:       environment(k),
		Dir:       cmp.Or(k.config.GetWorkingDir(), "/"),
		Stdout:    out.stdout(),
		Stderr:    out.stderr(),
		Container: k.world,
		Init:      true,
		Terminal:  k.config.GetTty(),
	}
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
	run = make(chan struct{})
	s.wait.Go(func() { s.watch(k, prog, run) })
	return run, nil
}

// watch runs the container's program and tells how it ended.
func (s *Server) watch(k *container, prog program.Program, run <-chan struct{}) {
	<-run
	exit := k.process.Run(k.life, prog)
	k.die() // processes of exec end with process 1
	k.output.close()

	s.mu.Lock()
	k.state, k.finished = pb.ContainerState_CONTAINER_EXITED, now()
	k.exitCode, k.reason = int32(exit.Code), failed
	if exit.Code == 0 {
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

// exitCallLocked reports how the container ended.
func (k *container) exitCallLocked() Call {
	code := k.exitCode
	c := Call{Verb: "ContainerExited", Start: time.Unix(0, k.finished), End: time.Unix(0, k.finished), ExitCode: &code, Reason: k.reason}
	return c.of(k)
}

// StopContainer asks the program to end, and kills it when the time is over.
func (s *Server) StopContainer(ctx context.Context, r *pb.StopContainerRequest) (*pb.StopContainerResponse, error) {
	c := call("StopContainer")
	k, err := s.container(r.GetContainerId())
	if status.Code(err) == codes.NotFound {
		return &pb.StopContainerResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	running := k.state == pb.ContainerState_CONTAINER_RUNNING
	s.mu.Unlock()
	if !running {
		return &pb.StopContainerResponse{}, nil // it may have ended by itself; nothing to tell
	}
	signal := k.stopSignal()
	if r.GetTimeout() <= 0 {
		signal = program.SIGKILL
	}
	c.Signal = signal.String()
	k.process.Signal(signal)
	if r.GetTimeout() > 0 {
		err = k.waitEnd(ctx, time.Duration(r.GetTimeout())*time.Second)
		if errors.Is(err, errStillRuns) {
			c.Signal += ", " + program.SIGKILL.String()
			err = s.kill(ctx, k)
		}
	} else {
		err = s.kill(ctx, k)
	}
	s.tell(c.of(k), err)
	if err != nil {
		return nil, err
	}
	return &pb.StopContainerResponse{}, nil
}

var errStillRuns = errors.New("still running")

func (k *container) waitEnd(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-k.ended:
		return nil
	case <-t.C:
		return errStillRuns
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// killPatience is how long a killed program may take to notice. A program that
// takes longer is our bug; the call fails rather than pretending.
const killPatience = 10 * time.Second

func (s *Server) kill(ctx context.Context, k *container) error {
	k.process.Signal(program.SIGKILL)
	err := k.waitEnd(ctx, killPatience)
	if errors.Is(err, errStillRuns) {
		return status.Errorf(codes.DeadlineExceeded, "the program of container %s did not end within %s after SIGKILL", k.id, killPatience)
	}
	return err
}

func (k *container) stopSignal() program.Signal {
	if sig, ok := program.ParseSignal(k.config.GetStopSignal().String()); ok && k.config.GetStopSignal() != pb.Signal_RUNTIME_DEFAULT {
		return sig
	}
	if sig, ok := program.ParseSignal(k.image.recipe.stop); ok {
		return sig
	}
	return program.SIGTERM
}

// RemoveContainer kills a container if need be, and forgets it.
func (s *Server) RemoveContainer(ctx context.Context, r *pb.RemoveContainerRequest) (resp *pb.RemoveContainerResponse, err error) {
	c := call("RemoveContainer")
	k, err := s.container(r.GetContainerId())
	if status.Code(err) == codes.NotFound {
		return &pb.RemoveContainerResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { s.tell(c.of(k), err) }()
	s.mu.Lock()
	running := k.state == pb.ContainerState_CONTAINER_RUNNING
	s.mu.Unlock()
	if running {
		if err := s.kill(ctx, k); err != nil {
			return nil, err
		}
	}
	if err := s.forget(k); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pb.RemoveContainerResponse{}, nil
}

// forget removes a container that does not run. Its log file is the kubelet's to remove.
func (s *Server) forget(k *container) error {
	s.mu.Lock()
	k.removed = true
	delete(s.containers, k.id)
	s.mu.Unlock()
	return s.records.remove(containerRecords + "/" + k.id)
}

// ListContainers lists containers.
func (s *Server) ListContainers(_ context.Context, r *pb.ListContainersRequest) (*pb.ListContainersResponse, error) {
	f := r.GetFilter()
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &pb.ListContainersResponse{}
	for _, k := range s.containers {
		if f.GetId() != "" && !strings.HasPrefix(k.id, f.GetId()) ||
			f.GetState() != nil && f.GetState().GetState() != k.state ||
			f.GetPodSandboxId() != "" && !strings.HasPrefix(k.sandbox.id, f.GetPodSandboxId()) ||
			!selects(f.GetLabelSelector(), k.config.GetLabels()) {
			continue
		}
		resp.Containers = append(resp.Containers, &pb.Container{
			Id:           k.id,
			PodSandboxId: k.sandbox.id,
			Metadata:     k.config.GetMetadata(),
			Image:        &pb.ImageSpec{Image: k.config.GetImage().GetImage(), UserSpecifiedImage: k.config.GetImage().GetUserSpecifiedImage()},
			ImageRef:     k.image.ID,
			ImageId:      k.image.ID,
			State:        k.state,
			CreatedAt:    k.created,
			Labels:       k.config.GetLabels(),
			Annotations:  k.config.GetAnnotations(),
		})
	}
	slices.SortFunc(resp.Containers, func(a, b *pb.Container) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	return resp, nil
}

// ContainerStatus describes a container.
func (s *Server) ContainerStatus(_ context.Context, r *pb.ContainerStatusRequest) (*pb.ContainerStatusResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.containerLocked(r.GetContainerId())
	if err != nil {
		return nil, err
	}
	st := &pb.ContainerStatus{
		Id:          k.id,
		Metadata:    k.config.GetMetadata(),
		State:       k.state,
		CreatedAt:   k.created,
		StartedAt:   k.started,
		FinishedAt:  k.finished,
		ExitCode:    k.exitCode,
		Image:       &pb.ImageSpec{Image: k.image.Full, UserSpecifiedImage: k.config.GetImage().GetUserSpecifiedImage()},
		ImageRef:    k.image.repoDigest(),
		ImageId:     k.image.ID,
		Reason:      k.reason,
		Message:     k.message,
		Labels:      k.config.GetLabels(),
		Annotations: k.config.GetAnnotations(),
		Mounts:      k.config.GetMounts(),
		LogPath:     k.logPath(),
		Resources:   &pb.ContainerResources{Linux: k.resources},
		StopSignal:  k.config.GetStopSignal(),
	}
	resp := &pb.ContainerStatusResponse{Status: st}
	if r.GetVerbose() {
		resp.Info = map[string]string{"standIn": k.standIn}
	}
	return resp, nil
}

// UpdateContainerResources takes note of new limits, as an in-place resize asks for.
func (s *Server) UpdateContainerResources(_ context.Context, r *pb.UpdateContainerResourcesRequest) (resp *pb.UpdateContainerResourcesResponse, err error) {
	c := call("UpdateContainerResources")
	k, err := s.container(r.GetContainerId())
	if err != nil {
		s.tell(c, err)
		return nil, err
	}
	defer func() { s.tell(c.of(k), err) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.state == pb.ContainerState_CONTAINER_EXITED {
		return nil, status.Errorf(codes.FailedPrecondition, "container %s has exited", k.id)
	}
	if want := r.GetLinux(); want != nil {
		k.resources = merge(k.resources, want)
	}
	if err := s.recordContainerLocked(k); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pb.UpdateContainerResourcesResponse{}, nil
}

// merge changes the limits that want names; zero means unchanged.
func merge(have, want *pb.LinuxContainerResources) *pb.LinuxContainerResources {
	if have == nil {
		return want
	}
	merged := proto.Clone(have).(*pb.LinuxContainerResources)
	proto.Merge(merged, want)
	return merged
}

// ReopenContainerLog starts a new log file after a rotation.
func (s *Server) ReopenContainerLog(_ context.Context, r *pb.ReopenContainerLogRequest) (resp *pb.ReopenContainerLogResponse, err error) {
	c := call("ReopenContainerLog")
	k, err := s.container(r.GetContainerId())
	if err != nil {
		s.tell(c, err)
		return nil, err
	}
	defer func() { s.tell(c.of(k), err) }()
	s.mu.Lock()
	running := k.state == pb.ContainerState_CONTAINER_RUNNING
	s.mu.Unlock()
	if !running {
		return nil, status.Errorf(codes.FailedPrecondition, "container %s is not running", k.id)
	}
	if err := k.output.reopen(); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pb.ReopenContainerLogResponse{}, nil
}

// programs are the programs a container can call.
func (s *Server) programs(*container) program.Set { return s.commands }

// look finds the program a container is to run.
func (s *Server) look(k *container, command []string) (program.Program, error) {
	if len(command) == 0 {
		return nil, errors.New("no command specified")
	}
	switch {
	case command[0] == serveProgram:
		return program.Serve, nil
	case command[0] == "/"+pauseProgram:
		return program.Pause, nil
	}
	prog, err := s.programs(k).Look(command[0])
	if err != nil {
		return nil, fmt.Errorf("%w (Kubestage has no files of images, only built-in programs: %s)", err, strings.Join(s.programs(k).Names(), ", "))
	}
	return prog, nil
}

// settle works out what the container will run.
func (s *Server) settle(k *container) {
	k.command = k.image.command(k.config, func(name string) bool { _, err := s.programs(k).Look(name); return err == nil })
	switch _, err := s.look(k, k.command); {
	case err != nil:
		k.standIn = "nothing: no built-in program fits this command"
	case k.command[0] == serveProgram:
		k.standIn = httpStandIn
	case k.command[0] == "/"+pauseProgram:
		k.standIn = pauseStandIn
	default:
		k.standIn = builtIn(k.command)
	}
}

// builtIn names one of the commands that stand in for those of images.
func builtIn(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return "Kubestage's built-in " + path.Base(command[0]) + ", not the image's"
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
		Files:        program.Bare{Programs: s.programs(k)},
	}
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

// environment is what process 1 finds: the usual minimum, then what the spec says.
func environment(k *container) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=" + k.world.Hostname,
		"HOME=/root",
	}
	if k.config.GetTty() {
		env = append(env, "TERM=xterm")
	}
	for _, e := range k.config.GetEnvs() {
		env = append(env, e.GetKey()+"="+string(e.GetValue()))
	}
	return env
}

// containerRecord is a container on disk.
type containerRecord struct {
	ID        string `json:"id"`
	Sandbox   string `json:"sandbox"`
	Image     string `json:"image"`
	Created   int64  `json:"created"`
	State     string `json:"state"`
	Started   int64  `json:"started,omitempty"`
	Finished  int64  `json:"finished,omitempty"`
	ExitCode  int32  `json:"exitCode,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
	Config    []byte `json:"config"`              // pb.ContainerConfig in its own encoding
	Resources []byte `json:"resources,omitempty"` // pb.LinuxContainerResources
}

func (s *Server) recordContainer(k *container) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordContainerLocked(k)
}

func (s *Server) recordContainerLocked(k *container) error {
	if k.removed {
		return nil
	}
	config, err := encode(k.config)
	if err != nil {
		return fmt.Errorf("record container %s: %w", k.id, err)
	}
	rec := containerRecord{
		ID: k.id, Sandbox: k.sandbox.id, Image: k.image.Full, Created: k.created, State: k.state.String(),
		Started: k.started, Finished: k.finished, ExitCode: k.exitCode, Reason: k.reason, Message: k.message, Config: config,
	}
	if k.resources != nil {
		if rec.Resources, err = encode(k.resources); err != nil {
			return fmt.Errorf("record container %s: %w", k.id, err)
		}
	}
	return s.records.write(path.Join(containerRecords, k.id), rec)
}
