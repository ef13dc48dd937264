package runtime

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// node is a runtime under test and a client on its socket: the door a kubelet uses.
type node struct {
	pb.RuntimeServiceClient
	images pb.ImageServiceClient

	t    *testing.T
	dir  string
	s    *Server
	stop func() // ends the runtime and waits for it

	mu    sync.Mutex // guards calls
	calls []Call
}

const podRange = "10.244.1.0/24"

func startNode(t *testing.T) *node {
	dir, err := os.MkdirTemp("", "rt") // short: socket paths are limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return startNodeIn(t, dir)
}

func startNodeIn(t *testing.T, dir string) *node {
	t.Helper()
	n := &node{t: t, dir: dir}
	socket := filepath.Join(dir, "s")
	s, err := New(Config{
		Node: "node-1", Address: "10.0.0.11", Socket: socket, RootDir: filepath.Join(dir, "root"), PodsDir: filepath.Join(dir, "pods"),
		PodCIDR: func() string { return podRange },
		Record: func(c Call) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.calls = append(n.calls, c)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.s = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	n.RuntimeServiceClient, n.images = pb.NewRuntimeServiceClient(conn), pb.NewImageServiceClient(conn)
	n.stop = sync.OnceFunc(func() {
		conn.Close()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not return within 10 s after its context ended")
		}
	})
	t.Cleanup(n.stop)
	return n
}

// ctx bounds a call, so that a hanging test says where.
func (n *node) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	n.t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (n *node) podConfig(name string) *pb.PodSandboxConfig {
	return &pb.PodSandboxConfig{
		Metadata:     &pb.PodSandboxMetadata{Name: name, Namespace: "default", Uid: "uid-" + name},
		Hostname:     name,
		LogDirectory: filepath.Join(n.dir, "logs", name),
		Labels:       map[string]string{"io.kubernetes.pod.uid": "uid-" + name, "app": name},
		Linux:        &pb.LinuxPodSandboxConfig{SecurityContext: &pb.LinuxSandboxSecurityContext{NamespaceOptions: &pb.NamespaceOption{Pid: pb.NamespaceMode_CONTAINER}}},
	}
}

// pod runs a sandbox.
func (n *node) pod(name string) (id string, config *pb.PodSandboxConfig) {
	n.t.Helper()
	config = n.podConfig(name)
	return must[*pb.RunPodSandboxResponse](n.t)(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: config})).PodSandboxId, config
}

// create pulls an image and creates a container.
func (n *node) create(pod string, podConfig *pb.PodSandboxConfig, config *pb.ContainerConfig) string {
	n.t.Helper()
	if config.Metadata == nil {
		config.Metadata = &pb.ContainerMetadata{Name: "main"}
	}
	config.LogPath = config.Metadata.Name + "/0.log"
	pulled := must[*pb.PullImageResponse](n.t)(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: config.Image, SandboxConfig: podConfig}))
	config.Image = &pb.ImageSpec{Image: pulled.ImageRef, UserSpecifiedImage: config.Image.Image}
	return must[*pb.CreateContainerResponse](n.t)(n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{
		PodSandboxId: pod, Config: config, SandboxConfig: podConfig,
	})).ContainerId
}

func (n *node) start(id string) {
	n.t.Helper()
	must[*pb.StartContainerResponse](n.t)(n.StartContainer(n.ctx(), &pb.StartContainerRequest{ContainerId: id}))
}

func (n *node) status(id string) *pb.ContainerStatus {
	n.t.Helper()
	return must[*pb.ContainerStatusResponse](n.t)(n.ContainerStatus(n.ctx(), &pb.ContainerStatusRequest{ContainerId: id})).Status
}

// exited waits for a container's end, as the kubelet does: by asking.
func (n *node) exited(id string) *pb.ContainerStatus {
	n.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		st := n.status(id)
		if st.State == pb.ContainerState_CONTAINER_EXITED {
			return st
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("container %s did not exit; last status: %v", id, st)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// run runs a container to its end and returns its status and its log as "stream text" lines.
func (n *node) run(pod string, podConfig *pb.PodSandboxConfig, config *pb.ContainerConfig) (*pb.ContainerStatus, []string) {
	n.t.Helper()
	id := n.create(pod, podConfig, config)
	n.start(id)
	st := n.exited(id)
	return st, readLog(n.t, st.LogPath)
}

// readLog checks the format of a log file and returns its lines without the
// times; parts are joined to lines, an unfinished one ends in "\\c".
func readLog(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	open := map[string]string{}
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		if len(fields) != 4 {
			t.Fatalf("log line %q has %d fields, want 4", line, len(fields))
		}
		if _, err := time.Parse(time.RFC3339Nano, fields[0]); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		switch fields[2] {
		case "P":
			open[fields[1]] += fields[3]
		case "F":
			lines = append(lines, fields[1]+" "+open[fields[1]]+fields[3])
			delete(open, fields[1])
		default:
			t.Fatalf("log line %q has tag %q", line, fields[2])
		}
	}
	for stream, text := range open {
		lines = append(lines, stream+" "+text+`\c`)
	}
	return lines
}

func (n *node) verbs() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var verbs []string
	for _, c := range n.calls {
		verbs = append(verbs, c.Verb)
	}
	return verbs
}

// call waits for a report of the verb about the container or sandbox.
func (n *node) call(verb, id string) Call {
	n.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		n.mu.Lock()
		i := slices.IndexFunc(n.calls, func(c Call) bool { return c.Verb == verb && (c.Container == id || c.Sandbox == id) })
		if i >= 0 {
			defer n.mu.Unlock()
			return n.calls[i]
		}
		n.mu.Unlock()
		if time.Now().After(deadline) {
			n.t.Fatalf("no %s of %s was reported; reports: %v", verb, id, n.verbs())
		}
		time.Sleep(time.Millisecond)
	}
}

func ref(name string) *pb.ImageSpec { return &pb.ImageSpec{Image: name} }
