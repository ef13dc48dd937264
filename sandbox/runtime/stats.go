package runtime

import (
	"context"
	"strings"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Figures of what a container uses: the time its programs computed, and the
// memory they hold by their own account (see program.Memory).

func (s *Server) statsLocked(k *container) *pb.ContainerStats {
	t := now()
	u64 := func(v uint64) *pb.UInt64Value { return &pb.UInt64Value{Value: v} }
	var cpu, memory uint64
	if k.world != nil {
		cpu = uint64(k.world.CPU.Load())
	}
	var written uint64
	if k.state == pb.ContainerState_CONTAINER_RUNNING {
		memory, written = uint64(k.world.Memory.Used()), uint64(k.files.Written())
	}
	return &pb.ContainerStats{
		Attributes: &pb.ContainerAttributes{
			Id: k.id, Metadata: k.config.GetMetadata(), Labels: k.config.GetLabels(), Annotations: k.config.GetAnnotations(),
		},
		Cpu: &pb.CpuUsage{Timestamp: t, UsageCoreNanoSeconds: u64(cpu)},
		Memory: &pb.MemoryUsage{
			Timestamp: t, WorkingSetBytes: u64(memory), UsageBytes: u64(memory), RssBytes: u64(memory),
			PageFaults: u64(0), MajorPageFaults: u64(0), AvailableBytes: u64(available(k.resources.GetMemoryLimitInBytes(), memory)),
		},
		WritableLayer: &pb.FilesystemUsage{
			Timestamp: t, FsId: &pb.FilesystemIdentifier{Mountpoint: s.records.dir}, UsedBytes: u64(written), InodesUsed: u64(0),
		},
		Swap: &pb.SwapUsage{Timestamp: t, SwapAvailableBytes: u64(0), SwapUsageBytes: u64(0)},
	}
}

func available(limit int64, used uint64) uint64 {
	if limit <= 0 || uint64(limit) < used {
		return 0
	}
	return uint64(limit) - used
}

// ContainerStats returns what one container uses.
func (s *Server) ContainerStats(_ context.Context, r *pb.ContainerStatsRequest) (*pb.ContainerStatsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.containerLocked(r.GetContainerId())
	if err != nil {
		return nil, err
	}
	return &pb.ContainerStatsResponse{Stats: s.statsLocked(k)}, nil
}

// ListContainerStats returns what running containers use.
func (s *Server) ListContainerStats(_ context.Context, r *pb.ListContainerStatsRequest) (*pb.ListContainerStatsResponse, error) {
	f := r.GetFilter()
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &pb.ListContainerStatsResponse{}
	for _, k := range s.containers {
		if k.state != pb.ContainerState_CONTAINER_RUNNING ||
			f.GetId() != "" && !strings.HasPrefix(k.id, f.GetId()) ||
			f.GetPodSandboxId() != "" && !strings.HasPrefix(k.sandbox.id, f.GetPodSandboxId()) ||
			!selects(f.GetLabelSelector(), k.config.GetLabels()) {
			continue
		}
		resp.Stats = append(resp.Stats, s.statsLocked(k))
	}
	return resp, nil
}

func (s *Server) sandboxStatsLocked(b *sandbox) *pb.PodSandboxStats {
	t := now()
	u64 := func(v uint64) *pb.UInt64Value { return &pb.UInt64Value{Value: v} }
	linux := &pb.LinuxPodSandboxStats{
		Cpu: &pb.CpuUsage{Timestamp: t},
		Memory: &pb.MemoryUsage{
			Timestamp: t, PageFaults: u64(0), MajorPageFaults: u64(0), AvailableBytes: u64(0),
		},
		Network: &pb.NetworkUsage{Timestamp: t, DefaultInterface: &pb.NetworkInterfaceUsage{
			Name: "eth0", RxBytes: u64(0), RxErrors: u64(0), TxBytes: u64(0), TxErrors: u64(0),
		}},
	}
	var cpu, memory, processes uint64
	for _, k := range s.containersOfLocked(b) {
		st := s.statsLocked(k)
		cpu += st.Cpu.UsageCoreNanoSeconds.Value
		memory += st.Memory.UsageBytes.Value
		if k.state == pb.ContainerState_CONTAINER_RUNNING {
			processes += uint64(k.processes())
			linux.Containers = append(linux.Containers, st)
		}
	}
	linux.Cpu.UsageCoreNanoSeconds = u64(cpu)
	linux.Memory.UsageBytes, linux.Memory.WorkingSetBytes, linux.Memory.RssBytes = u64(memory), u64(memory), u64(memory)
	linux.Process = &pb.ProcessUsage{Timestamp: t, ProcessCount: u64(processes)}
	return &pb.PodSandboxStats{
		Attributes: &pb.PodSandboxAttributes{
			Id: b.id, Metadata: b.config.GetMetadata(), Labels: b.config.GetLabels(), Annotations: b.config.GetAnnotations(),
		},
		Linux: linux,
	}
}

// processes is how many processes of a running container there are.
func (k *container) processes() (n int) {
	for _, p := range k.world.PIDs.Processes() {
		if p.Container == k.world {
			n++
		}
	}
	return n
}

// PodSandboxStats returns what one pod uses.
func (s *Server) PodSandboxStats(_ context.Context, r *pb.PodSandboxStatsRequest) (*pb.PodSandboxStatsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.sandboxLocked(r.GetPodSandboxId())
	if err != nil {
		return nil, err
	}
	return &pb.PodSandboxStatsResponse{Stats: s.sandboxStatsLocked(b)}, nil
}

// ListPodSandboxStats returns what ready pods use.
func (s *Server) ListPodSandboxStats(_ context.Context, r *pb.ListPodSandboxStatsRequest) (*pb.ListPodSandboxStatsResponse, error) {
	f := r.GetFilter()
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &pb.ListPodSandboxStatsResponse{}
	for _, b := range s.sandboxes {
		if !b.ready || f.GetId() != "" && !strings.HasPrefix(b.id, f.GetId()) || !selects(f.GetLabelSelector(), b.config.GetLabels()) {
			continue
		}
		resp.Stats = append(resp.Stats, s.sandboxStatsLocked(b))
	}
	return resp, nil
}

// ListMetricDescriptors says that there are no metrics beyond the stats.
func (s *Server) ListMetricDescriptors(context.Context, *pb.ListMetricDescriptorsRequest) (*pb.ListMetricDescriptorsResponse, error) {
	return &pb.ListMetricDescriptorsResponse{}, nil
}

// ListPodSandboxMetrics returns none, as ListMetricDescriptors announced.
func (s *Server) ListPodSandboxMetrics(context.Context, *pb.ListPodSandboxMetricsRequest) (*pb.ListPodSandboxMetricsResponse, error) {
	return &pb.ListPodSandboxMetricsResponse{}, nil
}
