package runtime

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// attachment is one client that sees a container's output as it is written. A
// client that reads too slowly is let go: a program never waits for onlookers.
type attachment struct {
	chunks chan chunk
	once   sync.Once
	slow   bool // set before chunks is closed
}

type chunk struct {
	stream int
	data   []byte
}

const attachmentBacklog = 256

// attach adds an onlooker; nil means that the container has ended.
func (o *output) attach() *attachment {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	a := &attachment{chunks: make(chan chunk, attachmentBacklog)}
	o.attached[a] = true
	return a
}

func (o *output) detach(a *attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.attached, a)
}

// offer is called with output.mu held.
func (a *attachment) offer(stream int, p []byte) {
	if a.slow {
		return
	}
	select {
	case a.chunks <- chunk{stream, append([]byte(nil), p...)}:
	default:
		a.slow = true
		a.end()
	}
}

// end is called with output.mu held.
func (a *attachment) end() { a.once.Do(func() { close(a.chunks) }) }

// attachTo connects a client to process 1 of a container.
func (s *Server) attachTo(ctx context.Context, containerID string, in io.Reader, out, errOut io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize) error {
	containerID, lookOnly := strings.CutSuffix(containerID, withoutInput)
	k, err := s.runningContainer(containerID)
	if err != nil {
		return err
	}
	a := k.output.attach()
	if a == nil {
		return status.Errorf(codes.FailedPrecondition, "container %s has exited", k.id)
	}
	defer k.output.detach(a)
	feed := func(to io.Writer, from io.Reader) error { _, err := io.Copy(to, from); return err }
	show := []io.Writer{out, errOut}
	if tty {
		t := &terminal{signal: k.process.Signal, out: out}
		show[0], show[1], feed = t, t, t.feed
	}
	var typed chan error
	if in != nil && !lookOnly && k.stdin != nil {
		typed = make(chan error, 1)
		go func() { // ends with the connection or the container
			err := feed(k.stdin, in)
			if k.config.GetStdinOnce() {
				k.stdin.Close()
			}
			typed <- err
		}()
	}
	for {
		select {
		case c, ok := <-a.chunks:
			if !ok {
				if a.slow {
					return fmt.Errorf("the client reads more slowly than the container writes: attach again, or use logs")
				}
				return nil
			}
			if w := show[c.stream]; w != io.Writer(nil) {
				if _, err := w.Write(c.data); err != nil {
					return nil // the client is gone
				}
			}
		case err := <-typed:
			if err != nil {
				return nil
			}
			typed = nil // the client has no more to say but may go on looking
		case <-ctx.Done():
			return nil
		}
	}
}

// Attach prepares a streaming endpoint.
func (s *Server) Attach(_ context.Context, r *pb.AttachRequest) (resp *pb.AttachResponse, err error) {
	c := call("Attach")
	k, err := s.runningContainer(r.GetContainerId())
	defer func() { s.tell(c.of(k), err) }()
	if err != nil {
		return nil, err
	}
	if !r.GetStdin() {
		// The streaming library hands over an input that is at its end, which
		// must not end the input of the program; the id says that it was not asked for.
		r = &pb.AttachRequest{ContainerId: k.id + withoutInput, Tty: r.GetTty(), Stdout: r.GetStdout(), Stderr: r.GetStderr()}
	}
	return s.stream.GetAttach(r)
}

const withoutInput = " without input"
