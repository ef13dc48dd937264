package runtime

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// channels is a client of the streaming server: a websocket that carries
// several streams, each message beginning with the number of its stream.
type channels struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	got  map[byte]string
}

func dialChannels(t *testing.T, at string) *channels {
	t.Helper()
	u := must[*url.URL](t)(url.Parse(at))
	conn := must[net.Conn](t)(net.Dial("tcp", u.Host))
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://%s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
		u.RequestURI(), u.Host, u.Host, base64.StdEncoding.EncodeToString(make([]byte, 16)))
	r := bufio.NewReader(conn)
	resp := must[*http.Response](t)(http.ReadResponse(r, nil))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("streaming server answers %s: %s", resp.Status, body)
	}
	return &channels{t: t, conn: conn, r: r, got: map[byte]string{}}
}

// send writes one message to a stream.
func (c *channels) send(stream byte, text string) {
	c.t.Helper()
	payload := append([]byte{stream}, text...)
	frame := []byte{0x82, 0x80 | 126}
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload)))
	mask := make([]byte, 4)
	rand.Read(mask)
	frame = append(frame, mask...)
	for i, b := range payload {
		frame = append(frame, b^mask[i%4])
	}
	if _, err := c.conn.Write(frame); err != nil {
		c.t.Fatal(err)
	}
}

// next reads one message; false means that the connection has ended.
func (c *channels) next() bool {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return false
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		var b [2]byte
		io.ReadFull(c.r, b[:])
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		io.ReadFull(c.r, b[:])
		size = binary.BigEndian.Uint64(b[:])
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return false
	}
	if head[0]&0xf == 8 { // close
		return false
	}
	if len(payload) > 0 {
		c.got[payload[0]] += string(payload[1:])
	}
	return true
}

func (c *channels) until(stream byte, want string) {
	c.t.Helper()
	for !strings.Contains(c.got[stream], want) {
		if !c.next() {
			c.t.Fatalf("stream %d ended with %q, want %q in it; all: %q", stream, c.got[stream], want, c.got)
		}
	}
}

func (c *channels) all() map[byte]string {
	for c.next() {
	}
	return c.got
}

func (n *node) exec(r *pb.ExecRequest) *channels {
	n.t.Helper()
	return dialChannels(n.t, must[*pb.ExecResponse](n.t)(n.Exec(n.ctx(), r)).Url)
}

// result reads the status that ends an exec.
func result(t *testing.T, text string) (status string, code string) {
	t.Helper()
	var s struct {
		Status  string
		Details struct {
			Causes []struct{ Message string }
		}
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("status %q: %v", text, err)
	}
	if len(s.Details.Causes) > 0 {
		code = s.Details.Causes[0].Message
	}
	return s.Status, code
}

func TestExec(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx"), Envs: []*pb.KeyValue{{Key: "A", Value: []byte("1")}}})
	n.start(id)

	for _, test := range []struct {
		command        []string
		stdout, stderr string
		code           string
	}{
		{[]string{"echo", "hi"}, "hi\n", "", ""},
		{[]string{"sh", "-c", "echo $A $$; echo e >&2; exit 7"}, "1 2\n", "e\n", "7"},
		{[]string{"false"}, "", "", "1"},
	} {
		got := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: test.command, Stdout: true, Stderr: true}).all()
		status, code := result(t, got[3])
		want := "Success"
		if test.code != "" {
			want = "Failure"
		}
		if test.command[0] == "sh" && got[1] != "" {
			got[1] = "1 2\n" // its pid depends on what ran before
		}
		if got[1] != test.stdout || got[2] != test.stderr || status != want || code != test.code {
			t.Errorf("exec %q: stdout %q, stderr %q, status %s %s", test.command, got[1], got[2], status, code)
		}
	}

	t.Run("input", func(t *testing.T) {
		c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh", "-c", "read x; echo got $x; read y; echo and $y"}, Stdin: true, Stdout: true})
		c.send(0, "one\n")
		c.until(1, "got one\n")
		c.send(0, "two\n")
		if got := c.all(); got[1] != "got one\nand two\n" {
			t.Errorf("answer is %q", got[1])
		}
	})
	t.Run("a script as input", func(t *testing.T) {
		c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh"}, Stdin: true, Stdout: true, Stderr: true})
		c.send(0, "echo a\n")
		c.until(1, "a\n")
		c.send(0, "for i in 1 2; do\n")
		c.send(0, "echo $i\ndone\n")
		c.until(1, "1\n2\n")
		c.send(0, "read x; echo \"<$x>\"\nline for read\n")
		c.until(1, "<line for read>\n")
		c.send(0, "exit 5\n")
		got := c.all()
		if _, code := result(t, got[3]); code != "5" {
			t.Errorf("streams are %q, want code 5", got)
		}
	})
	t.Run("a script that ends without a line end", func(t *testing.T) {
		c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh", "-c", "printf 'echo a; echo b\\n(exit 4)' | sh; echo $?"}, Stdout: true, Stderr: true})
		if got := c.all(); got[1] != "a\nb\n4\n" {
			t.Errorf("streams are %q", got)
		}
	})
	t.Run("unknown command", func(t *testing.T) {
		got := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"vim"}, Stdout: true}).all()
		if !strings.Contains(got[3], `exec: \"vim\": executable file not found in $PATH`) {
			t.Errorf("status is %q", got[3])
		}
	})
	t.Run("the container's end", func(t *testing.T) {
		c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh", "-c", "echo on; sleep 1000"}, Stdout: true})
		c.until(1, "on\n")
		must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 10}))
		if _, code := result(t, c.all()[3]); code != "137" {
			t.Errorf("exec in a container that ended has code %s, want 137", code)
		}
	})
	t.Run("a token is good once", func(t *testing.T) {
		again := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "again"}, Image: ref("busybox"), Command: []string{"sleep", "1000"}})
		n.start(again)
		at := must[*pb.ExecResponse](t)(n.Exec(n.ctx(), &pb.ExecRequest{ContainerId: again, Cmd: []string{"true"}, Stdout: true})).Url
		dialChannels(t, at).all()
		resp := must[*http.Response](t)(http.Get(at))
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("a used token answers %s", resp.Status)
		}
	})
}

// TestTerminal types at a shell, as kubectl exec -it does.
func TestTerminal(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sleep", "1000"}})
	n.start(id)
	c := n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sh"}, Stdin: true, Stdout: true, Tty: true})
	expect := func(want string) {
		t.Helper()
		c.until(1, want)
		c.got[1] = c.got[1][strings.Index(c.got[1], want)+len(want):]
	}
	expect("/ # ")
	c.send(0, "ecjo\x7f\x7fho hi\r")
	expect("ecjo\b \b\b \bho hi\r\nhi\r\n/ # ")
	c.send(0, "for i in 1 2; do\r")
	expect("\r\n> ")
	c.send(0, "echo $i; done\x1b[A\r")
	expect("1\r\n2\r\n/ # ")
	c.send(0, "cd /tmp\r")
	expect("/tmp # ")
	c.send(0, "sleep 1000\r")
	expect("\r\n")
	time.Sleep(50 * time.Millisecond)
	c.send(0, "\x03")
	expect("^C\r\n/tmp # ")
	c.send(0, "echo $?; garbage\x15read x; echo \"<$x>\"\r")
	expect("\r\n")
	c.send(0, "typed\r")
	expect("<typed>\r\n/tmp # ")
	c.send(0, "if )\r")
	expect("syntax error")
	expect("/tmp # ")
	c.send(0, "half a line\x03")
	expect("^C\r\n/tmp # ")
	c.send(0, "(exit 3)\r")
	expect("/tmp # ")
	c.send(0, "\x04")
	if _, code := result(t, c.all()[3]); code != "3" {
		t.Errorf("the shell ended with %q, want 3: %q", code, c.got)
	}
	c = n.exec(&pb.ExecRequest{ContainerId: id, Cmd: []string{"sleep", "1000"}, Stdin: true, Stdout: true, Tty: true})
	c.next()
	time.Sleep(50 * time.Millisecond)
	c.send(0, "\x03")
	if _, code := result(t, c.all()[3]); code != "130" {
		t.Errorf("an interrupted command ended with %q, want 130", code)
	}
}

func TestExecSync(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sleep", "1000"}})
	n.start(id)
	r := must[*pb.ExecSyncResponse](t)(n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh", "-c", "echo o; echo e >&2; exit 3"}}))
	if string(r.Stdout) != "o\n" || string(r.Stderr) != "e\n" || r.ExitCode != 3 {
		t.Errorf("exec answers %q %q %d", r.Stdout, r.Stderr, r.ExitCode)
	}
	if c := n.call("ExecSync", id); c.ExitCode == nil || *c.ExitCode != 3 || c.PodName != "box" {
		t.Errorf("exec was told as %+v", c)
	}
	began := time.Now()
	_, err := n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sleep", "1000"}, Timeout: 1})
	if err == nil || !strings.Contains(err.Error(), "DeadlineExceeded") || time.Since(began) > 30*time.Second {
		t.Errorf("exec with a timeout of 1 s: %v after %s", err, time.Since(began))
	}
}

func TestAttach(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("busybox"), Stdin: true, StdinOnce: true,
		Command: []string{"sh", "-c", "while read x; do echo got $x; echo e >&2; done; echo end"}})
	n.start(id)
	c := dialChannels(t, must[*pb.AttachResponse](t)(n.Attach(n.ctx(), &pb.AttachRequest{ContainerId: id, Stdin: true, Stdout: true, Stderr: true})).Url)
	watcher := dialChannels(t, must[*pb.AttachResponse](t)(n.Attach(n.ctx(), &pb.AttachRequest{ContainerId: id, Stdout: true})).Url)
	watcher.next() // the server says that it is there
	c.send(0, "one\n")
	c.until(1, "got one\n")
	c.until(2, "e\n")
	watcher.until(1, "got one\n")
	c.conn.Close() // stdinOnce: the container's input ends with the first client
	if got := watcher.all(); !strings.HasSuffix(got[1], "end\n") {
		t.Errorf("the other client saw %q", got)
	}
	if log := readLog(t, n.exited(id).LogPath); strings.Join(byStream(log), ",") != "stderr e,stdout got one,stdout end" {
		t.Errorf("log is %q", log)
	}
}

func TestPortForward(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("web")
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx")})
	n.start(id)
	waitFor(t, "the server", func() bool { return n.s.Listens("10.244.1.2", 80) })
	host := must[net.Listener](t)(net.Listen("tcp4", "127.0.0.1:0"))
	defer host.Close()
	hostPort := host.Addr().(*net.TCPAddr).Port
	forward := func(port int) *channels {
		return dialChannels(t, must[*pb.PortForwardResponse](t)(n.PortForward(n.ctx(), &pb.PortForwardRequest{PodSandboxId: pod, Port: []int32{int32(port)}})).Url)
	}
	c := forward(80)
	c.until(0, "\x50\x00") // the stream begins with its port
	c.send(0, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	c.until(0, "pod web")

	for _, port := range []int{81, hostPort, n.s.streamAt.Addr().(*net.TCPAddr).Port} {
		if got := forward(port).all(); !strings.Contains(got[1], "connection refused") {
			t.Errorf("forwarding to port %d, where nothing in the pod listens: %q", port, got)
		}
	}
	// A pod in the node's network reaches the pods' table, not the host.
	hostPod := n.podConfig("host")
	hostPod.Linux.SecurityContext.NamespaceOptions.Network = pb.NamespaceMode_NODE
	pod = must[*pb.RunPodSandboxResponse](t)(n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: hostPod})).PodSandboxId
	if got := forward(hostPort).all(); !strings.Contains(got[1], "connection refused") {
		t.Errorf("a pod in the node's network reaches the host: %q", got)
	}
}
