package runtime

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func encode(m proto.Message) ([]byte, error) { return proto.Marshal(m) }

// restore reads what an earlier process left. Its programs ended with it: a
// sandbox that was ready is not, and a container that was running has exited
// with the code container runtimes give to what they lost sight of.
func (s *Server) restore() error {
	ids, err := s.records.ids(sandboxRecords)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var rec sandboxRecord
		if _, err := s.records.read(sandboxRecords+"/"+id, &rec); err != nil {
			return err
		}
		config := &pb.PodSandboxConfig{}
		if err := proto.Unmarshal(rec.Config, config); err != nil {
			return fmt.Errorf("read the runtime's record of sandbox %s: %w", id, err)
		}
		b := &sandbox{id: id, config: config, handler: rec.Handler, created: rec.Created, address: rec.Address}
		s.sandboxes[id] = b
		if rec.Ready {
			if err := s.recordSandbox(b, false); err != nil {
				return err
			}
		}
	}
	ids, err = s.records.ids(containerRecords)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.restoreContainer(id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) restoreContainer(id string) error {
	var rec containerRecord
	if _, err := s.records.read(containerRecords+"/"+id, &rec); err != nil {
		return err
	}
	b := s.sandboxes[rec.Sandbox]
	ref, err := parseReference(rec.Image)
	if b == nil || err != nil {
		return s.records.remove(containerRecords + "/" + id) // nobody can ask for it any more
	}
	config := &pb.ContainerConfig{}
	if err := proto.Unmarshal(rec.Config, config); err != nil {
		return fmt.Errorf("read the runtime's record of container %s: %w", id, err)
	}
	k := &container{
		id: id, sandbox: b, config: config, image: newImage(ref), created: rec.Created,
		state:   pb.ContainerState(pb.ContainerState_value[rec.State]),
		started: rec.Started, finished: rec.Finished, exitCode: rec.ExitCode, reason: rec.Reason, message: rec.Message,
	}
	if rec.Resources != nil {
		k.resources = &pb.LinuxContainerResources{}
		if err := proto.Unmarshal(rec.Resources, k.resources); err != nil {
			return fmt.Errorf("read the runtime's record of container %s: %w", id, err)
		}
	}
	if k.as, err = k.user(); err != nil {
		return err
	}
	s.settle(k)
	s.containers[id] = k
	if k.state == pb.ContainerState_CONTAINER_RUNNING {
		k.state, k.finished = pb.ContainerState_CONTAINER_EXITED, now()
		k.exitCode, k.reason = unknownCode, unknown
		s.gone = append(s.gone, k)
		return s.recordContainer(k)
	}
	return nil
}

// lost reports the containers that ended with an earlier process.
func (s *Server) lost() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	slices.SortFunc(s.gone, func(a, b *container) int { return strings.Compare(a.id, b.id) })
	for _, k := range s.gone {
		c := k.exitCallLocked()
		c.Error = "the kubelet's process ended, and this container's program with it"
		calls = append(calls, c)
	}
	s.gone = nil
	return calls
}
