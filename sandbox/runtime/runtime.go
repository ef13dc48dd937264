// Package runtime is the container runtime of a Kubestage node: a server of
// the Container Runtime Interface (CRI v1) to which a real kubelet connects
// over a unix socket. Its pods and containers are what the kubelet asked for
// in every respect a kubelet can see: states, attempts, exit codes, times, log
// files, addresses, stats. What stands in is inside them: a container is a
// built-in program (package program) running as a goroutine of the kubelet's
// process, and every report of the runtime says which.
//
//   - A sandbox is the place of one pod: its address, its hostname, its ports.
//   - A container is one attempt to run one container of a pod.
//   - An image is what a reference stands for: a name, a digest, a size and
//     the program behind it (the catalogue).
//   - The node's network gives each pod an address out of the node's range. No
//     packet can be sent to such an address without privileges, so the
//     network is a table, address and port of a pod → who listens, and a
//     connection is a pair of sockets, one handed to each end (package overlay).
//   - Records are the runtime's memory on disk. Programs end with the process
//     they run in; after a restart the records are what is left, and the
//     containers in them have exited, which is what a kubelet expects of a node
//     that went down.
//   - A Call is the report of one change, for the log.
//
// The package speaks CRI and knows nothing of Kubernetes: what a Service is, its
// Router knows.
package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"

	"github.com/kubestage/kubestage/sandbox/overlay"
	"github.com/kubestage/kubestage/sandbox/runtime/program"
	"github.com/kubestage/kubestage/sandbox/runtime/rootfs"
)

// Name and Version are what the node reports as its container runtime.
const (
	Name    = "kubestage-programs"
	Version = "0.1.0"
)

// Config is what a node's runtime needs to know.
type Config struct {
	Node    string        // name of the node
	Address string        // address of the node, for pods in its network; may be empty
	Socket  string        // path of the unix socket to serve
	RootDir string        // for records; made when missing, readable for its owner only
	PodsDir string        // where the kubelet keeps the folders of pods; only what is in a pod's own can be mounted in its containers
	HostDir string        // the node's root directory: what hostPath volumes show; nothing else of this machine can be mounted
	PodCIDR func() string // the node's pod range until the kubelet tells it; may be nil
	Record  func(Call)    // told of every change, in the order of changes of one container; may be nil

	NetworkSocket string           // path of the unix socket at which other nodes ask for connections; empty where there are none
	Router        Router           // knows the way to other nodes and Services; nil where there are none
	Connected     func(Connection) // told of every connection that a pod or the node tried; may be nil
}

// Server is the runtime of one node.
type Server struct {
	pb.UnimplementedRuntimeServiceServer
	pb.UnimplementedImageServiceServer

	config     Config
	records    records
	network    *network
	images     *images
	sets       map[*recipe]program.Set // the programs in each image
	memory     *rootfs.Quota           // for what all containers write
	held       *program.Memory         // by the programs of all containers
	stream     streaming.Server
	streamAt   *openConns
	streamHTTP *http.Server

	life context.Context // ends when the runtime stops; every program runs under it
	die  context.CancelFunc
	wait sync.WaitGroup // programs and what watches them

	mu         sync.Mutex // guards all below and the fields of sandboxes and containers
	stopping   bool
	sandboxes  map[string]*sandbox
	containers map[string]*container
	gone       []*container // ended with an earlier process and not told yet
}

// New reads what an earlier process left in RootDir and takes the socket and
// the streaming port, so that a kubelet can connect as soon as Run is called.
func New(config Config) (*Server, error) {
	if config.Record == nil {
		config.Record = func(Call) {}
	}
	s := &Server{
		config:     config,
		records:    records{config.RootDir},
		sets:       map[*recipe]program.Set{&generic: programsOf(&generic)},
		held:       program.NewMemory(nodeMemory, nil, nil),
		memory:     rootfs.NewQuota(nodeBytes, nil),
		sandboxes:  map[string]*sandbox{},
		containers: map[string]*container{},
	}
	for i := range catalogue {
		s.sets[&catalogue[i]] = programsOf(&catalogue[i])
	}
	s.life, s.die = context.WithCancel(context.Background())
	if err := s.records.prepare(); err != nil {
		return nil, err
	}
	var err error
	if s.network, err = newNetwork(s.records, config.Address, config.PodCIDR); err != nil {
		return nil, err
	}
	s.network.router, s.network.tell = config.Router, config.Connected
	if s.images, err = newImages(s.records); err != nil {
		return nil, err
	}
	if err := s.restore(); err != nil {
		return nil, err
	}
	if err := s.newStream(); err != nil {
		return nil, err
	}
	return s, nil
}

// Run serves until ctx ends, then stops all containers as a node does that
// goes down: nobody waits for grace periods.
func (s *Server) Run(ctx context.Context) error {
	defer s.die()
	listener, err := listenUnix(s.config.Socket)
	if err != nil {
		s.streamAt.Close()
		return err
	}
	var peers net.Listener
	if s.config.NetworkSocket != "" {
		if peers, err = listenUnix(s.config.NetworkSocket); err != nil {
			listener.Close()
			s.streamAt.Close()
			return err
		}
		defer os.Remove(s.config.NetworkSocket)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(16<<20), grpc.MaxSendMsgSize(16<<20))
	pb.RegisterRuntimeServiceServer(server, s)
	pb.RegisterImageServiceServer(server, s)

	failed := make(chan error, 3)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- server.Serve(listener) })
	serving.Go(func() { failed <- s.serveStream() })
	if peers != nil {
		serving.Go(func() { // ends with s.life
			if err := overlay.Serve(s.life, peers, s.network); err != nil {
				failed <- err
			}
		})
	}
	for _, call := range s.lost() {
		s.config.Record(call)
	}

	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
		if err == nil {
			err = errors.New("the server stopped by itself")
		}
		err = fmt.Errorf("serve the kubelet on %s: %w", s.config.Socket, err)
	}
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	server.Stop() // first, so that the kubelet does not begin to repair what ends now
	s.die()
	s.stopStream()
	serving.Wait()
	s.wait.Wait()
	s.network.close()
	os.Remove(s.config.Socket)
	return err
}

// listenUnix takes the socket, replacing the one a killed process left behind.
func listenUnix(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the runtime's socket: %w", err)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another runtime serves %s already; stop it first", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the runtime's socket (paths longer than about 100 characters do not work): %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("make the runtime's socket private: %w", err)
	}
	return listener, nil
}

// newID returns an id of the form people know: 64 hexadecimal digits.
func newID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func now() int64 { return time.Now().UnixNano() }
