package runtime

import (
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestOutOfMemory asks for more memory than a container may have, in the ways
// people know, and for less.
func TestOutOfMemory(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	limited := func(name, image string, limit int64, command []string, args ...string) *pb.ContainerConfig {
		return &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: name}, Image: ref(image), Command: command, Args: args,
			Linux: &pb.LinuxContainerConfig{Resources: &pb.LinuxContainerResources{MemoryLimitInBytes: limit}},
		}
	}
	for _, c := range []*pb.ContainerConfig{
		limited("eater", "kubestage/memory-eater", 5<<20, nil, "-every=1ms"),
		limited("stress", "polinux/stress", 10<<20, []string{"stress"}, "--vm", "1", "--vm-bytes", "25M", "--vm-hang", "1"),
		limited("tail", "busybox", 8<<20, []string{"sh", "-c", "echo began; tail /dev/zero; echo not reached"}),
		limited("shm", "busybox", 4<<20, []string{"sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=20; echo not reached"}),
		limited("lines", "busybox", 4<<20, []string{"sh", "-c", "yes | tac; echo not reached"}),
		limited("forks", "busybox", 1<<20, []string{"sh", "-c", "for i in $(seq 100); do sleep 100 & done; wait; echo not reached"}),
		limited("unlimited", "kubestage/memory-eater", 0, nil, "-step=128Mi", "-every=1ms"), // as much as the node has
	} {
		st, log := n.run(pod, config, c)
		if st.ExitCode != 137 || st.Reason != "OOMKilled" || strings.Contains(strings.Join(log, "\n"), "not reached") {
			t.Errorf("%s exits with %d, %s: %.200q", c.Metadata.Name, st.ExitCode, st.Reason, log)
		}
		if exit := n.call("ContainerExited", st.Id); exit.Reason != "OOMKilled" || exit.Signal != "SIGKILL" {
			t.Errorf("the report of %s is %+v", c.Metadata.Name, exit)
		}
	}

	// A process that joins from outside takes the container with it, too.
	id := n.create(pod, config, limited("joined", "polinux/stress", 6<<20, []string{"sleep", "1000"}))
	n.start(id)
	n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"stress", "--vm", "1", "--vm-bytes", "20M"}})
	if st := n.exited(id); st.Reason != "OOMKilled" {
		t.Errorf("after an exec that took too much, the container ends with %s", st.Reason)
	}

	// Enough is enough; what is held shows, and is given back.
	id = n.create(pod, config, limited("enough", "polinux/stress", 32<<20, []string{"sleep", "1000"}))
	n.start(id)
	used := func() uint64 {
		return must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: id})).Stats.Memory.WorkingSetBytes.Value
	}
	waitFor(t, "the program to begin", func() bool { return used() > 0 })
	idle := used()
	n.mustExec(id, "timeout 0.2 stress --vm 1 --vm-bytes 20M --vm-hang 60 >/dev/null; dd if=/dev/zero of=/dev/shm/f bs=1M count=3 2>/dev/null", "")
	if now := used(); now < idle+3<<20 || now > idle+4<<20 {
		t.Errorf("with 3 MiB in /dev/shm it uses %d bytes, before it were %d", now, idle)
	}
	n.mustExec(id, "rm /dev/shm/f", "")
	if now := used(); now != idle {
		t.Errorf("after all was given back it uses %d bytes, before it were %d", now, idle)
	}
	// More is allowed after a resize, and less again.
	must[*pb.UpdateContainerResourcesResponse](t)(n.UpdateContainerResources(n.ctx(), &pb.UpdateContainerResourcesRequest{ContainerId: id, Linux: &pb.LinuxContainerResources{MemoryLimitInBytes: 2 << 20}}))
	n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh", "-c", "dd if=/dev/zero of=/dev/shm/f bs=1M count=3"}})
	if st := n.exited(id); st.Reason != "OOMKilled" {
		t.Errorf("with its limit lowered, the container ends with %q", st.Reason)
	}
	if held := n.s.held.Used(); held != 0 {
		t.Errorf("all containers ended, and %d bytes are held", held)
	}
}
