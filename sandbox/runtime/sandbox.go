package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
	"github.com/kubestage/kubestage/sandbox/runtime/rootfs"
)

// sandbox is the place of one pod on the node.
type sandbox struct {
	id      string
	config  *pb.PodSandboxConfig
	handler string
	created int64
	net     *podNetwork // nil for sandboxes of an earlier process
	volumes rootfs.Usages
	address string // of net when it was made; stays for the record

	pids   *program.PIDs      // that its containers share; nil when each has its own
	unhold context.CancelFunc // ends the process that holds pids

	ready   bool // guarded by Server.mu
	removed bool // guarded by Server.mu
}

// ip is the pod's own address; pods in the node's network have none of their own.
func (b *sandbox) ip() string { return b.address }

func (b *sandbox) inHostNetwork() bool {
	return b.config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() == pb.NamespaceMode_NODE
}

func (b *sandbox) hostname(node string) string {
	if b.inHostNetwork() {
		return node
	}
	return cmp.Or(b.config.GetHostname(), b.config.GetMetadata().GetName())
}

func (b *sandbox) stateLocked() pb.PodSandboxState {
	if b.ready {
		return pb.PodSandboxState_SANDBOX_READY
	}
	return pb.PodSandboxState_SANDBOX_NOTREADY
}

// sandboxLocked finds a sandbox by its id or an unambiguous beginning of it.
func (s *Server) sandboxLocked(id string) (*sandbox, error) {
	return lookup(s.sandboxes, "sandbox", id)
}

func lookup[T any](all map[string]T, what, id string) (T, error) {
	if v, ok := all[id]; ok {
		return v, nil
	}
	var found []T
	if id != "" {
		for k, v := range all {
			if strings.HasPrefix(k, id) {
				found = append(found, v)
			}
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var none T
	if len(found) > 1 {
		return none, status.Errorf(codes.InvalidArgument, "%q is the beginning of %d ids of a %s", id, len(found), what)
	}
	return none, status.Errorf(codes.NotFound, "an error occurred when try to find %s %q: not found", what, id)
}

// RunPodSandbox makes the place for a pod and gives it an address.
func (s *Server) RunPodSandbox(_ context.Context, r *pb.RunPodSandboxRequest) (resp *pb.RunPodSandboxResponse, err error) {
	c := call("RunPodSandbox")
	c.StandIn, c.Namespaces = pauseStandIn, namespaces(r.GetConfig())
	b := &sandbox{id: newID(), config: r.GetConfig(), handler: r.GetRuntimeHandler(), created: now(), ready: true}
	defer func() { s.tell(c.about(b), err) }()
	if r.GetConfig().GetMetadata() == nil {
		return nil, status.Error(codes.InvalidArgument, "pod sandbox config has no metadata")
	}
	if b.handler != "" {
		return nil, status.Errorf(codes.InvalidArgument, "no runtime for %q is configured: this node has one runtime handler, the default", b.handler)
	}
	if b.inHostNetwork() {
		b.net = s.network.host
	} else {
		if b.net, err = s.network.add(); err != nil {
			return nil, status.Errorf(codes.Unknown, "failed to setup network for sandbox %q: %v", b.id, err)
		}
		b.address = b.net.Address()
		m := r.GetConfig().GetMetadata()
		b.net.pod = func() (string, string, string) { return m.GetNamespace(), m.GetName(), m.GetUid() }
	}
	if err := s.recordSandbox(b, true); err != nil {
		b.net.release()
		return nil, status.Error(codes.Internal, err.Error())
	}
	s.hold(b)
	s.mu.Lock()
	s.sandboxes[b.id] = b
	s.mu.Unlock()
	return &pb.RunPodSandboxResponse{PodSandboxId: b.id}, nil
}

// StopPodSandbox kills what still runs in the pod and gives its address back.
func (s *Server) StopPodSandbox(ctx context.Context, r *pb.StopPodSandboxRequest) (resp *pb.StopPodSandboxResponse, err error) {
	c := call("StopPodSandbox")
	s.mu.Lock()
	b, err := s.sandboxLocked(r.GetPodSandboxId())
	s.mu.Unlock()
	if status.Code(err) == codes.NotFound {
		return &pb.StopPodSandboxResponse{}, nil // stopping what is gone is no error, and nothing changed
	}
	if err != nil {
		return nil, err
	}
	changed, err := s.stopSandbox(ctx, b)
	if changed || err != nil {
		s.tell(c.about(b), err)
	}
	if err != nil {
		return nil, err
	}
	return &pb.StopPodSandboxResponse{}, nil
}

// stopSandbox reports whether there was anything to stop.
func (s *Server) stopSandbox(ctx context.Context, b *sandbox) (bool, error) {
	s.mu.Lock()
	running := s.containersOfLocked(b)
	running = slices.DeleteFunc(running, func(k *container) bool { return k.state != pb.ContainerState_CONTAINER_RUNNING })
	was := b.ready
	b.ready = false
	s.mu.Unlock()
	for _, k := range running {
		if err := s.kill(ctx, k); err != nil {
			return true, err
		}
	}
	if !was {
		return false, nil
	}
	if b.unhold != nil {
		b.unhold()
	}
	if b.net != nil {
		b.net.release()
	}
	if err := s.recordSandbox(b, false); err != nil {
		return true, status.Error(codes.Internal, err.Error())
	}
	return true, nil
}

// RemovePodSandbox forgets a pod sandbox and its containers.
func (s *Server) RemovePodSandbox(ctx context.Context, r *pb.RemovePodSandboxRequest) (resp *pb.RemovePodSandboxResponse, err error) {
	c := call("RemovePodSandbox")
	s.mu.Lock()
	b, err := s.sandboxLocked(r.GetPodSandboxId())
	s.mu.Unlock()
	if status.Code(err) == codes.NotFound {
		return &pb.RemovePodSandboxResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { s.tell(c.about(b), err) }()
	if _, err := s.stopSandbox(ctx, b); err != nil {
		return nil, err
	}
	s.mu.Lock()
	inside := s.containersOfLocked(b)
	s.mu.Unlock()
	for _, k := range inside {
		if err := s.forget(k); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.removed = true
	if err := s.records.remove(sandboxRecords + "/" + b.id); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	delete(s.sandboxes, b.id)
	return &pb.RemovePodSandboxResponse{}, nil
}

// PodSandboxStatus describes a sandbox.
func (s *Server) PodSandboxStatus(_ context.Context, r *pb.PodSandboxStatusRequest) (*pb.PodSandboxStatusResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.sandboxLocked(r.GetPodSandboxId())
	if err != nil {
		return nil, err
	}
	st := &pb.PodSandboxStatus{
		Id:             b.id,
		Metadata:       b.config.GetMetadata(),
		State:          b.stateLocked(),
		CreatedAt:      b.created,
		Network:        &pb.PodSandboxNetworkStatus{},
		Labels:         b.config.GetLabels(),
		Annotations:    b.config.GetAnnotations(),
		RuntimeHandler: b.handler,
		Linux: &pb.LinuxPodSandboxStatus{Namespaces: &pb.Namespace{
			Options: b.config.GetLinux().GetSecurityContext().GetNamespaceOptions(),
		}},
	}
	if b.ready {
		st.Network.Ip = b.ip()
	}
	resp := &pb.PodSandboxStatusResponse{Status: st, Timestamp: now()}
	if r.GetVerbose() {
		resp.Info = map[string]string{"standIn": pauseStandIn}
	}
	return resp, nil
}

// ListPodSandbox lists sandboxes.
func (s *Server) ListPodSandbox(_ context.Context, r *pb.ListPodSandboxRequest) (*pb.ListPodSandboxResponse, error) {
	f := r.GetFilter()
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &pb.ListPodSandboxResponse{}
	for _, b := range s.sandboxes {
		if f.GetId() != "" && !strings.HasPrefix(b.id, f.GetId()) ||
			f.GetState() != nil && f.GetState().GetState() != b.stateLocked() ||
			!selects(f.GetLabelSelector(), b.config.GetLabels()) {
			continue
		}
		resp.Items = append(resp.Items, &pb.PodSandbox{
			Id:             b.id,
			Metadata:       b.config.GetMetadata(),
			State:          b.stateLocked(),
			CreatedAt:      b.created,
			Labels:         b.config.GetLabels(),
			Annotations:    b.config.GetAnnotations(),
			RuntimeHandler: b.handler,
		})
	}
	slices.SortFunc(resp.Items, func(a, b *pb.PodSandbox) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	return resp, nil
}

func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// UpdatePodSandboxResources takes note of a pod's resized resources: there are
// no control groups here that could hold them.
func (s *Server) UpdatePodSandboxResources(_ context.Context, r *pb.UpdatePodSandboxResourcesRequest) (*pb.UpdatePodSandboxResourcesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.sandboxLocked(r.GetPodSandboxId()); err != nil {
		return nil, err
	}
	return &pb.UpdatePodSandboxResourcesResponse{}, nil
}

// sandboxRecord is a sandbox on disk.
type sandboxRecord struct {
	ID      string `json:"id"`
	Created int64  `json:"created"`
	Ready   bool   `json:"ready"`
	Address string `json:"address,omitempty"`
	Handler string `json:"handler,omitempty"`
	Config  []byte `json:"config"` // pb.PodSandboxConfig in its own encoding
}

func (s *Server) recordSandbox(b *sandbox, ready bool) error {
	config, err := encode(b.config)
	if err != nil {
		return fmt.Errorf("record sandbox %s: %w", b.id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.removed {
		return nil // while it was being stopped
	}
	return s.records.write(sandboxRecords+"/"+b.id, sandboxRecord{
		ID: b.id, Created: b.created, Ready: ready, Address: b.address, Handler: b.handler, Config: config,
	})
}

var errStopping = errors.New("the runtime is stopping")
