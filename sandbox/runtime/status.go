package runtime

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Version tells what the runtime is.
func (s *Server) Version(context.Context, *pb.VersionRequest) (*pb.VersionResponse, error) {
	return &pb.VersionResponse{Version: "0.1.0", RuntimeName: Name, RuntimeVersion: Version, RuntimeApiVersion: "v1"}, nil
}

// Status tells whether pods can run: the runtime always, the network as soon
// as the node has a pod range.
func (s *Server) Status(_ context.Context, r *pb.StatusRequest) (*pb.StatusResponse, error) {
	net := &pb.RuntimeCondition{Type: "NetworkReady", Status: s.network.ready()}
	if !net.Status {
		net.Reason, net.Message = "NoPodRange", errNoRange.Error()
	}
	resp := &pb.StatusResponse{
		Status:          &pb.RuntimeStatus{Conditions: []*pb.RuntimeCondition{{Type: "RuntimeReady", Status: true}, net}},
		RuntimeHandlers: []*pb.RuntimeHandler{{Name: "", Features: &pb.RuntimeHandlerFeatures{}}},
		Features:        &pb.RuntimeFeatures{SupplementalGroupsPolicy: true},
	}
	if r.GetVerbose() {
		resp.Info = map[string]string{"standIn": "containers are built-in programs running in the kubelet's process"}
	}
	return resp, nil
}

// RuntimeConfig tells the kubelet which cgroup driver to use. There are no
// control groups; cgroupfs is the driver that asks nothing of the host.
func (s *Server) RuntimeConfig(context.Context, *pb.RuntimeConfigRequest) (*pb.RuntimeConfigResponse, error) {
	return &pb.RuntimeConfigResponse{Linux: &pb.LinuxRuntimeConfiguration{CgroupDriver: pb.CgroupDriver_CGROUPFS}}, nil
}

// UpdateRuntimeConfig takes the node's pod range.
func (s *Server) UpdateRuntimeConfig(_ context.Context, r *pb.UpdateRuntimeConfigRequest) (*pb.UpdateRuntimeConfigResponse, error) {
	if cidr := r.GetRuntimeConfig().GetNetworkConfig().GetPodCidr(); cidr != "" {
		if err := s.network.setRange(cidr); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	return &pb.UpdateRuntimeConfigResponse{}, nil
}
