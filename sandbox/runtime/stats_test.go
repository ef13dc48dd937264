package runtime

import (
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestStats checks the figures a kubelet reads without asking whether they are there.
func TestStats(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sh", "-c", "while :; do :; done"}, Labels: map[string]string{"a": "b"},
		Linux: &pb.LinuxContainerConfig{Resources: &pb.LinuxContainerResources{MemoryLimitInBytes: 64 << 20, CpuShares: 512}}})
	n.start(id)
	ended, _ := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "ended"}, Image: ref("busybox"), Command: []string{"true"}})
	waitFor(t, "computing to be counted", func() bool {
		st := must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: id})).Stats
		return st.Cpu.UsageCoreNanoSeconds.Value > 0 && st.Memory.WorkingSetBytes.Value > 0 &&
			st.Memory.AvailableBytes.Value == 64<<20-st.Memory.WorkingSetBytes.Value && st.WritableLayer.FsId.Mountpoint != "" && st.Attributes.Labels["a"] == "b"
	})
	list := must[*pb.ListContainerStatsResponse](t)(n.ListContainerStats(n.ctx(), &pb.ListContainerStatsRequest{})).Stats
	if len(list) != 1 || list[0].Attributes.Id != id {
		t.Errorf("running containers' stats are %v", list)
	}
	if st := must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: ended.Id})).Stats; st.Memory.UsageBytes.Value != 0 {
		t.Errorf("what has ended uses %v", st.Memory)
	}
	pods := must[*pb.ListPodSandboxStatsResponse](t)(n.ListPodSandboxStats(n.ctx(), &pb.ListPodSandboxStatsRequest{})).Stats
	if len(pods) != 1 || len(pods[0].Linux.Containers) != 1 || pods[0].Linux.Process.ProcessCount.Value != 1 || pods[0].Linux.Network.DefaultInterface.Name != "eth0" {
		t.Errorf("pods' stats are %v", pods)
	}
	one := must[*pb.PodSandboxStatsResponse](t)(n.PodSandboxStats(n.ctx(), &pb.PodSandboxStatsRequest{PodSandboxId: pod})).Stats
	if one.Attributes.Id != pod || one.Linux.Cpu.UsageCoreNanoSeconds.Value == 0 {
		t.Errorf("the pod's stats are %v", one)
	}
	must[*pb.UpdateContainerResourcesResponse](t)(n.UpdateContainerResources(n.ctx(), &pb.UpdateContainerResourcesRequest{ContainerId: id, Linux: &pb.LinuxContainerResources{CpuShares: 1024}}))
	if r := n.status(id).Resources.Linux; r.CpuShares != 1024 || r.MemoryLimitInBytes != 64<<20 {
		t.Errorf("after a resize of CPU the resources are %v", r)
	}
	v := must[*pb.VersionResponse](t)(n.Version(n.ctx(), &pb.VersionRequest{}))
	if v.RuntimeName != Name || v.RuntimeApiVersion != "v1" {
		t.Errorf("version is %v", v)
	}
	if d := must[*pb.RuntimeConfigResponse](t)(n.RuntimeConfig(n.ctx(), &pb.RuntimeConfigRequest{})).Linux.CgroupDriver; d != pb.CgroupDriver_CGROUPFS {
		t.Errorf("cgroup driver is %v", d)
	}
	running := must[*pb.ListContainersResponse](t)(n.ListContainers(n.ctx(), &pb.ListContainersRequest{Filter: &pb.ContainerFilter{
		State: &pb.ContainerStateValue{State: pb.ContainerState_CONTAINER_RUNNING}, PodSandboxId: pod, LabelSelector: map[string]string{"a": "b"},
	}})).Containers
	if len(running) != 1 || running[0].Id != id {
		t.Errorf("filtered list is %v", running)
	}
	if none := must[*pb.ListPodSandboxResponse](t)(n.ListPodSandbox(n.ctx(), &pb.ListPodSandboxRequest{Filter: &pb.PodSandboxFilter{LabelSelector: map[string]string{"app": "other"}}})).Items; len(none) != 0 {
		t.Errorf("a selector that fits nothing lists %v", none)
	}
}

// TestCPULimit lets two containers compute for ever, one of them within a
// limit. What is compared is what they computed in the same time.
func TestCPULimit(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	busy := func(name string, quota int64) string {
		id := n.create(pod, config, &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: name}, Image: ref("busybox"), Command: []string{"sh", "-c", "while :; do :; done"},
			Linux: &pb.LinuxContainerConfig{Resources: &pb.LinuxContainerResources{CpuQuota: quota, CpuPeriod: 100_000}},
		})
		n.start(id)
		return id
	}
	computed := func(id string) uint64 {
		return must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: id})).Stats.Cpu.UsageCoreNanoSeconds.Value
	}
	free, limited := busy("free", 0), busy("limited", 2_000) // 20m
	waitFor(t, "both to compute", func() bool { return computed(limited) > 0 && computed(free) > 100_000_000 })
	if f, l := computed(free), computed(limited); l*3 > f {
		t.Errorf("a container limited to 20m computed %d ns while one without limit computed %d ns", l, f)
	}
	// A resize is felt by what runs.
	must[*pb.UpdateContainerResourcesResponse](t)(n.UpdateContainerResources(n.ctx(), &pb.UpdateContainerResourcesRequest{ContainerId: limited, Linux: &pb.LinuxContainerResources{CpuQuota: 100_000, CpuPeriod: 100_000}}))
	before := computed(limited)
	waitFor(t, "the resized one to compute more", func() bool { return computed(limited) > before+50_000_000 })
}
