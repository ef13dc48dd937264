package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// runningContainer finds a container other processes can join.
func (s *Server) runningContainer(id string) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.containerLocked(id)
	if err != nil {
		return nil, err
	}
	if k.state != pb.ContainerState_CONTAINER_RUNNING {
		return nil, status.Errorf(codes.FailedPrecondition, "container %s is in state %s, not running", k.id, k.state)
	}
	return k, nil
}

// joining is one more process in a container, next to process 1.
type joining struct {
	program program.Program
	process *program.Process
}

func (s *Server) join(k *container, command []string) (*joining, error) {
	if len(command) == 0 {
		return nil, status.Error(codes.InvalidArgument, "no command specified")
	}
	prog, err := s.look(k, command)
	if err != nil {
		return nil, status.Error(codes.Unknown, "failed to exec in container: "+err.Error())
	}
	return &joining{prog, &program.Process{
		Args:      command,
		Env:       environment(k),
		Dir:       k.process.Dir,
		Container: k.world,
	}}, nil
}

// longestExecSync is how much output a probe or hook may have, as in container runtimes.
const longestExecSync = 16 << 20

// ExecSync runs a command in a container and waits for it: exec probes and hooks.
func (s *Server) ExecSync(ctx context.Context, r *pb.ExecSyncRequest) (resp *pb.ExecSyncResponse, err error) {
	c := call("ExecSync")
	k, err := s.runningContainer(r.GetContainerId())
	defer func() {
		c = c.of(k)
		c.StandIn = standIn(r.GetCmd())
		s.tell(c, err)
	}()
	if err != nil {
		return nil, err
	}
	j, err := s.join(k, r.GetCmd())
	if err != nil {
		return nil, err
	}
	var stdout, stderr bounded
	j.process.Stdout, j.process.Stderr = &stdout, &stderr

	live, cancel := context.WithCancel(k.life)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	timedOut := make(chan struct{})
	if r.GetTimeout() > 0 {
		t := time.AfterFunc(time.Duration(r.GetTimeout())*time.Second, func() { close(timedOut); cancel() })
		defer t.Stop()
	}
	exit := j.process.Run(live, j.program)
	select {
	case <-timedOut:
		return nil, status.Errorf(codes.DeadlineExceeded, "failed to exec in container: timeout %ds exceeded: context deadline exceeded", r.GetTimeout())
	default:
	}
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	code := int32(exit.Code)
	c.ExitCode = &code
	return &pb.ExecSyncResponse{Stdout: stdout.b.Bytes(), Stderr: stderr.b.Bytes(), ExitCode: code}, nil
}

// bounded keeps the first part of an output and drops the rest.
type bounded struct{ b bytes.Buffer }

func (w *bounded) Write(p []byte) (int, error) {
	if room := longestExecSync - w.b.Len(); room > 0 {
		w.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Exec prepares a streaming endpoint.
func (s *Server) Exec(_ context.Context, r *pb.ExecRequest) (resp *pb.ExecResponse, err error) {
	c := call("Exec")
	k, err := s.runningContainer(r.GetContainerId())
	defer func() {
		c = c.of(k)
		c.StandIn = standIn(r.GetCmd())
		s.tell(c, err)
	}()
	if err != nil {
		return nil, err
	}
	return s.stream.GetExec(r)
}

// exitStatus is an exit code other than 0, in the form the streaming library
// recognizes (ExitError of k8s.io/utils/exec).
type exitStatus int

func (e exitStatus) Error() string   { return fmt.Sprintf("exit status %d", int(e)) }
func (e exitStatus) String() string  { return e.Error() }
func (e exitStatus) Exited() bool    { return true }
func (e exitStatus) ExitStatus() int { return int(e) }

// execIn runs a command in a container, connected to a client. It ends with
// the command, with the container, or when the client does not take the output
// any more.
func (s *Server) execIn(ctx context.Context, containerID string, command []string, in io.Reader, out, errOut io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize) error {
	k, err := s.runningContainer(containerID)
	if err != nil {
		return err
	}
	j, err := s.join(k, command)
	if err != nil {
		return errors.New(status.Convert(err).Message())
	}
	live, cancel := context.WithCancel(k.life)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	if out != nil {
		j.process.Stdout = &pipeEnd{out, j.process}
	}
	if errOut != nil {
		j.process.Stderr = &pipeEnd{errOut, j.process}
	}
	feed := func(to io.Writer, from io.Reader) error { _, err := io.Copy(to, from); return err }
	if tty {
		t := &terminal{signal: j.process.Signal, out: j.process.Stdout}
		j.process.Stdout, j.process.Stderr, feed = t, t, t.feed
		j.process.Terminal = true
		j.process.Env = append([]string{"TERM=xterm"}, j.process.Env...)
	}
	if in != nil {
		input := newStdin(live)
		j.process.Stdin = input
		go func() { // ends with the connection, which the caller closes after this function
			feed(input, in)
			input.Close()
		}()
	}
	if exit := j.process.Run(live, j.program); exit.Code != 0 {
		return exitStatus(exit.Code)
	}
	return nil
}

// pipeEnd ends a process that writes to a client who is gone, as SIGPIPE does.
type pipeEnd struct {
	w io.Writer
	p *program.Process
}

func (e *pipeEnd) Write(b []byte) (int, error) {
	n, err := e.w.Write(b)
	if err != nil {
		e.p.Signal(program.SIGPIPE)
	}
	return n, err
}
