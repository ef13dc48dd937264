package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestHammer calls everything at once, in any order, on the same few pods, and
// then checks that what is told adds up: every container that started ended
// exactly once, and nothing is left after the last pod is removed.
func TestHammer(t *testing.T) {
	n := startNode(t)
	for i := range 4 {
		n.pod(fmt.Sprint("p", i))
	}
	for _, name := range []string{"nginx", "busybox"} {
		must[*pb.PullImageResponse](t)(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref(name)}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	commands := [][]string{nil, {"true"}, {"sleep", "0.01"}, {"sleep", "1000"}, {"sh", "-c", "trap 'exit 3' TERM; while :; do echo x; sleep 0.005; done"}, {"nosuch"}}
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			for attempt := uint32(0); ctx.Err() == nil; attempt++ {
				boxes, err := n.ListPodSandbox(ctx, &pb.ListPodSandboxRequest{})
				if err != nil || len(boxes.Items) == 0 {
					continue
				}
				box := boxes.Items[rnd.IntN(len(boxes.Items))]
				list, err := n.ListContainers(ctx, &pb.ListContainersRequest{Filter: &pb.ContainerFilter{PodSandboxId: box.Id}})
				if err != nil {
					continue
				}
				id := "none"
				if len(list.Containers) > 0 {
					id = list.Containers[rnd.IntN(len(list.Containers))].Id
				}
				switch rnd.IntN(12) {
				case 0, 1, 2:
					c, err := n.CreateContainer(ctx, &pb.CreateContainerRequest{PodSandboxId: box.Id, Config: &pb.ContainerConfig{
						Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", w), Attempt: attempt}, Image: ref([]string{"nginx", "busybox"}[rnd.IntN(2)]),
						Command: commands[rnd.IntN(len(commands))], LogPath: filepath.Join(fmt.Sprint("c", w), fmt.Sprint(attempt, ".log")),
					}})
					if err == nil {
						n.StartContainer(ctx, &pb.StartContainerRequest{ContainerId: c.ContainerId})
					}
				case 3:
					n.StartContainer(ctx, &pb.StartContainerRequest{ContainerId: id})
				case 4, 5:
					n.StopContainer(ctx, &pb.StopContainerRequest{ContainerId: id, Timeout: int64(rnd.IntN(2))})
				case 6:
					n.RemoveContainer(ctx, &pb.RemoveContainerRequest{ContainerId: id})
				case 7:
					n.ExecSync(ctx, &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh", "-c", "echo a | cat"}, Timeout: 1})
				case 8:
					n.ContainerStatus(ctx, &pb.ContainerStatusRequest{ContainerId: id, Verbose: true})
					n.ListContainerStats(ctx, &pb.ListContainerStatsRequest{})
					n.ListPodSandboxStats(ctx, &pb.ListPodSandboxStatsRequest{})
				case 9:
					n.ReopenContainerLog(ctx, &pb.ReopenContainerLogRequest{ContainerId: id})
					n.UpdateContainerResources(ctx, &pb.UpdateContainerResourcesRequest{ContainerId: id, Linux: &pb.LinuxContainerResources{CpuShares: 2}})
				case 10:
					n.images.PullImage(ctx, &pb.PullImageRequest{Image: ref("nginx")})
					n.images.RemoveImage(ctx, &pb.RemoveImageRequest{Image: ref("nginx")})
				case 11:
					if rnd.IntN(4) == 0 {
						n.StopPodSandbox(ctx, &pb.StopPodSandboxRequest{PodSandboxId: box.Id})
						n.RemovePodSandbox(ctx, &pb.RemovePodSandboxRequest{PodSandboxId: box.Id})
						n.RunPodSandbox(ctx, &pb.RunPodSandboxRequest{Config: n.podConfig(box.Metadata.Name)})
					}
				}
			}
		})
	}
	workers.Wait()
	for _, b := range must[*pb.ListPodSandboxResponse](t)(n.ListPodSandbox(n.ctx(), &pb.ListPodSandboxRequest{})).Items {
		must[*pb.RemovePodSandboxResponse](t)(n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: b.Id}))
	}
	if left := must[*pb.ListContainersResponse](t)(n.ListContainers(n.ctx(), &pb.ListContainersRequest{})).Containers; len(left) != 0 {
		t.Errorf("%d containers are left without a sandbox: %v", len(left), left)
	}
	for _, folder := range []string{sandboxRecords, containerRecords} {
		if ids, err := n.s.records.ids(folder); err != nil || len(ids) != 0 {
			t.Errorf("%s are left on disk: %v %v", folder, ids, err)
		}
	}
	n.stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	started, ended := map[string]int{}, map[string]int{}
	for i, c := range n.calls {
		switch {
		case c.Verb == "StartContainer" && c.Error == "":
			started[c.Container]++
		case c.Verb == "ContainerExited":
			if ended[c.Container]++; started[c.Container] == 0 {
				t.Errorf("report %d: the end of %s was told before its start", i, c.Container)
			}
		}
		if c.End.Before(c.Start) {
			t.Errorf("report %d ends before it starts: %+v", i, c)
		}
	}
	for id, times := range started {
		if times != 1 || ended[id] != 1 {
			t.Errorf("container %s started %d times and ended %d times", id, times, ended[id])
		}
	}
	t.Logf("%d reports, %d containers started", len(n.calls), len(started))
}
