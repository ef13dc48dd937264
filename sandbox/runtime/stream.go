package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// newStream prepares the server behind exec, attach and port-forward. The
// kubelet gets a URL with a one-time token from the CRI call and passes the
// connection on; without a token there is nothing to be had here.
func (s *Server) newStream() error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for exec, attach and port-forward: %w", err)
	}
	config := streaming.DefaultConfig
	config.Addr = l.Addr().String()
	config.BaseURL = &url.URL{Scheme: "http", Host: config.Addr}
	if s.stream, err = streaming.NewServer(config, streamRuntime{s}); err != nil {
		l.Close()
		return fmt.Errorf("prepare exec, attach and port-forward: %w", err)
	}
	s.streamAt = &openConns{Listener: l, open: map[net.Conn]bool{}}
	s.streamHTTP = &http.Server{Handler: s.stream, ReadHeaderTimeout: 30 * time.Second}
	return nil
}

func (s *Server) serveStream() error {
	if err := s.streamHTTP.Serve(s.streamAt); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// stopStream closes all connections, also those that are no longer HTTP.
func (s *Server) stopStream() {
	s.streamHTTP.Close()
	s.streamAt.Close()
	s.streamAt.closeAll()
}

// openConns is a listener that remembers its connections.
type openConns struct {
	net.Listener
	mu     sync.Mutex // guards all below
	open   map[net.Conn]bool
	closed bool
}

type openConn struct {
	net.Conn
	of *openConns
}

func (l *openConns) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &openConn{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.open[c] = true
	return c, nil
}

func (c *openConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (l *openConns) closeAll() {
	l.mu.Lock()
	l.closed = true
	open := l.open
	l.open = map[net.Conn]bool{}
	l.mu.Unlock()
	for c := range open {
		c.(*openConn).Conn.Close()
	}
}

// streamRuntime is what the streaming library calls.
type streamRuntime struct{ s *Server }

func (r streamRuntime) Exec(ctx context.Context, containerID string, cmd []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return r.s.execIn(ctx, containerID, cmd, in, out, err, tty, resize)
}

func (r streamRuntime) Attach(ctx context.Context, containerID string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return r.s.attachTo(ctx, containerID, in, out, err, tty, resize)
}

// PortForward connects a stream to a port of the pod, through the table of the
// pod's network: what no program of the pod listens on does not exist, whatever
// listens on the host.
func (r streamRuntime) PortForward(ctx context.Context, sandboxID string, port int32, stream io.ReadWriteCloser) error {
	b, err := r.s.readySandbox(sandboxID)
	if err != nil {
		return err
	}
	conn, err := b.net.dial(ctx, "localhost", int(port))
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside the network of pod %s: nothing in the pod listens on port %d (connection refused)", port, b.config.GetMetadata().GetName(), port)
	}
	defer conn.Close()
	defer context.AfterFunc(r.s.life, func() { conn.Close(); stream.Close() })()
	go func() { // ends with the stream, which the caller closes after this function
		io.Copy(conn, stream)
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	io.Copy(stream, conn) // an error here means that one side left: nothing to complain about
	return nil
}

func (s *Server) readySandbox(id string) (*sandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.sandboxLocked(id)
	if err != nil {
		return nil, err
	}
	if !b.ready {
		return nil, status.Errorf(codes.FailedPrecondition, "sandbox %s is not running", b.id)
	}
	return b, nil
}

// PortForward prepares a streaming endpoint.
func (s *Server) PortForward(_ context.Context, r *pb.PortForwardRequest) (resp *pb.PortForwardResponse, err error) {
	c := call("PortForward")
	b, err := s.readySandbox(r.GetPodSandboxId())
	defer func() { s.tell(c.about(b), err) }()
	if err != nil {
		return nil, err
	}
	return s.stream.GetPortForward(r)
}
