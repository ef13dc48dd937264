package runtime

import (
	"fmt"
	"path"
)

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
