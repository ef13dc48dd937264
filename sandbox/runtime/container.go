package runtime

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
	"github.com/kubestage/kubestage/sandbox/runtime/rootfs"
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
	as      program.User // whom its processes run as
	files   *rootfs.FS   // nil when it was made by an earlier process

	// guarded by Server.mu
	state     pb.ContainerState
	started   int64
	finished  int64
	exitCode  int32
	reason    string
	message   string
	oom       atomic.Bool // it asked for more memory than it may have
	stopping  bool        // StopContainer has asked it to end
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
	if k.as, err = k.user(); err != nil {
		return nil, status.Error(codes.Unknown, "failed to create containerd container: "+err.Error())
	}
	if k.files, err = s.newFiles(k); err != nil {
		return nil, status.Error(codes.Unknown, "failed to create container: "+err.Error())
	}
	s.settle(k)
	if err := s.recordContainer(k); err != nil {
		k.files.Close()
		return nil, status.Error(codes.Internal, err.Error())
	}
	s.mu.Lock()
	s.containers[k.id] = k
	s.mu.Unlock()
	return &pb.CreateContainerResponse{ContainerId: k.id}, nil
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
	if k.files != nil {
		k.files.Close()
	}
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
		User:        userMessage(k.as),
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
		if k.world != nil {
			k.world.Memory.SetLimit(k.resources.GetMemoryLimitInBytes())
			k.world.LimitCPU(cpuLimit(k.resources))
		}
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
