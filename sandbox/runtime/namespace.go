package runtime

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// sharesProcesses reports whether the containers of a pod see each other's processes.
func (b *sandbox) sharesProcesses() bool {
	return b.config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetPid() == pb.NamespaceMode_POD
}

// namespaces is what a pod's containers are to share. Without options of Linux,
// CRI means POD, whose number is 0.
func namespaces(config *pb.PodSandboxConfig) *Namespaces {
	o := config.GetLinux().GetSecurityContext().GetNamespaceOptions()
	return &Namespaces{Network: o.GetNetwork().String(), PID: o.GetPid().String(), IPC: o.GetIpc().String()}
}

// hold runs the process that holds a shared namespace: pause, with process id 1.
// Where the containers have namespaces of their own nobody could see it.
func (s *Server) hold(b *sandbox) {
	if !b.sharesProcesses() {
		return
	}
	b.pids = &program.PIDs{}
	life, end := context.WithCancel(s.life)
	b.unhold = end
	p := &program.Process{
		Args: []string{"/pause"}, Init: true,
		Container: &program.Container{
			Hostname: b.hostname(s.config.Node), Network: b.net, PIDs: b.pids, User: program.User{UID: 65535, GID: 65535},
			Memory: program.NewMemory(0, s.held, func() {}),
		},
	}
	p.Begin()
	s.wait.Go(func() {
		p.Run(life, program.Pause)
		if life.Err() == nil { // somebody in the pod ended it: a namespace does not outlive its process 1
			s.stopSandbox(context.Background(), b)
		}
	})
}

// namespaceLocked is where a container's processes get their ids, whether the
// container's own is the first there, and what they cannot outlive. A container that targets another one, as those for debugging
// do, joins its processes.
func (s *Server) namespaceLocked(k *container) (pids *program.PIDs, first bool, life context.Context, err error) {
	options := k.config.GetLinux().GetSecurityContext().GetNamespaceOptions()
	switch {
	case options.GetPid() == pb.NamespaceMode_TARGET:
		target, err := s.containerLocked(options.GetTargetId())
		if err != nil {
			return nil, false, nil, err
		}
		if target.state != pb.ContainerState_CONTAINER_RUNNING || target.sandbox != k.sandbox {
			return nil, false, nil, status.Errorf(codes.FailedPrecondition, "container %s, whose processes are to be joined, is not running in this pod", target.id)
		}
		return target.world.PIDs, false, target.life, nil
	case k.sandbox.pids != nil:
		return k.sandbox.pids, false, s.life, nil
	}
	return &program.PIDs{}, true, s.life, nil
}
