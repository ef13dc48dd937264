package runtime

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// StopContainer asks the program to end, and kills it when the time is over.
func (s *Server) StopContainer(ctx context.Context, r *pb.StopContainerRequest) (*pb.StopContainerResponse, error) {
	c := call("StopContainer")
	k, err := s.container(r.GetContainerId())
	if status.Code(err) == codes.NotFound {
		return &pb.StopContainerResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	running := k.state == pb.ContainerState_CONTAINER_RUNNING
	k.stopping = k.stopping || running
	s.mu.Unlock()
	if !running {
		return &pb.StopContainerResponse{}, nil // it may have ended by itself; nothing to tell
	}
	signal := k.stopSignal()
	if r.GetTimeout() <= 0 {
		signal = program.SIGKILL
	}
	c.Signal = signal.String()
	k.process.Signal(signal)
	if r.GetTimeout() > 0 {
		err = k.waitEnd(ctx, time.Duration(r.GetTimeout())*time.Second)
		if errors.Is(err, errStillRuns) {
			c.Signal += ", " + program.SIGKILL.String()
			err = s.kill(ctx, k)
		}
	} else {
		err = s.kill(ctx, k)
	}
	s.tell(c.of(k), err)
	if err != nil {
		return nil, err
	}
	return &pb.StopContainerResponse{}, nil
}

var errStillRuns = errors.New("still running")

func (k *container) waitEnd(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-k.ended:
		return nil
	case <-t.C:
		return errStillRuns
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// killPatience is how long a killed program may take to notice. A program that
// takes longer is our bug; the call fails rather than pretending.
const killPatience = 10 * time.Second

func (s *Server) kill(ctx context.Context, k *container) error {
	k.process.Signal(program.SIGKILL)
	err := k.waitEnd(ctx, killPatience)
	if errors.Is(err, errStillRuns) {
		return status.Errorf(codes.DeadlineExceeded, "the program of container %s did not end within %s after SIGKILL", k.id, killPatience)
	}
	return err
}

func (k *container) stopSignal() program.Signal {
	if sig, ok := program.ParseSignal(k.config.GetStopSignal().String()); ok && k.config.GetStopSignal() != pb.Signal_RUNTIME_DEFAULT {
		return sig
	}
	if sig, ok := program.ParseSignal(k.image.recipe.stop); ok {
		return sig
	}
	return program.SIGTERM
}
