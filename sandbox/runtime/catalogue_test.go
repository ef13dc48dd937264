package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestCatalogue holds the catalogue together: every program it names is there,
// and every image can be told apart.
func TestCatalogue(t *testing.T) {
	names := map[string]bool{}
	for i := range catalogue {
		r := &catalogue[i]
		for name := range strings.FieldsSeq(r.names) {
			if names[name] {
				t.Errorf("%s is in the catalogue twice", name)
			}
			names[name] = true
			if ref, err := parseReference(name); err != nil || ref.repository != name {
				t.Errorf("%q is no full repository name", name)
			}
		}
		set := programsOf(r)
		for name, run := range set {
			if run == nil {
				t.Errorf("%s: program %s is not built in", r.names, name)
			}
		}
		command := slices.Concat(r.entrypoint, r.cmd)
		if _, err := set.Look(command[0]); err != nil {
			t.Errorf("%s: %v", r.names, err)
		}
		if _, _, name := r.runsAs(); name == "" && strings.Trim(r.user, "0123456789:") != "" {
			t.Errorf("%s: user %s has no account", r.names, r.user)
		}
	}
}

func TestTags(t *testing.T) {
	for _, test := range []struct{ image, known, unknown string }{
		{"nginx", "latest stable mainline alpine 1 1.27 1.14.2 1.16.1 1.29.3 1.27-alpine 1.27.3-alpine3.20 stable-perl mainline-alpine-slim 1.29-trixie", "1.161 1.91 nosuch 2 latests 1.27.3.4.5 99 broken 1.27-nosuch"},
		{"busybox", "latest 1.28 1.36.1 1.36-musl stable-glibc", "2 1.99 nope"},
		{"alpine", "3 3.20 3.20.3 edge", "3.99 4 22.04"},
		{"debian", "bookworm bookworm-slim 12 12-slim stable-slim bookworm-20250101-slim", "99 forty"},
		{"ubuntu", "24.04 22.04 noble jammy", "99.04"},
		{"redis", "7 7.2 8.0-alpine 7.4.1-bookworm", "1 99"},
		{"registry.k8s.io/pause", "3.9 3.10 3.10.1", "3.99 2"},
		{"registry.k8s.io/e2e-test-images/agnhost", "2.40 2.53 2.63.0", "1.0 3.1"},
		{"registry.k8s.io/e2e-test-images/busybox", "1.29-4 1.36.1-1", "9-9"},
		{"registry.k8s.io/nginx-slim", "0.8 0.24 0.27", "7"},
		{"kubestage/crasher", "latest v1", "v2"},
		{"example.com/anything", "latest v1 1.161 whatever", ""},
	} {
		for known, list := range map[bool]string{true: test.known, false: test.unknown} {
			for tag := range strings.FieldsSeq(list) {
				r := must[reference](t)(parseReference(test.image + ":" + tag))
				if got := recipeOf(r).tags.has(tag); got != known {
					t.Errorf("%s is known: %v, want %v", r.short(), got, known)
				}
			}
		}
	}
}

// TestPulls asks for images as the kubelet does, and gets a registry's answers.
func TestPulls(t *testing.T) {
	n := startNode(t)
	pull := func(name string, auth *pb.AuthConfig) error {
		_, err := n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref(name), Auth: auth})
		return err
	}
	right, wrong := &pb.AuthConfig{Username: "learner", Password: "kubestage"}, &pb.AuthConfig{Username: "learner", Password: "guess"}
	private := "registry.kubestage.example/private/web:1.0"
	for _, test := range []struct {
		image string
		auth  *pb.AuthConfig
		code  codes.Code
		says  string
	}{
		{"nginx:1.161", nil, codes.NotFound, `failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found`},
		{"registry.invalid/app", nil, codes.Unknown, "dial tcp: lookup registry.invalid: no such host"},
		{private, nil, codes.Unknown, "failed to authorize: failed to fetch anonymous token: "},
		{private, wrong, codes.Unknown, "401 Unauthorized"},
		{private, right, codes.OK, ""},
		{private, &pb.AuthConfig{Auth: "bGVhcm5lcjprdWJlc3RhZ2U="}, codes.OK, ""},
		{private, nil, codes.Unknown, "401 Unauthorized"}, // the image is on the node; whether this pod may use it is asked again
		{"registry.kubestage.example/private/web:9", right, codes.NotFound, "not found"},
		{"NGINX", nil, codes.InvalidArgument, "invalid reference format"},
		{"nginx:1.27", nil, codes.OK, ""},
	} {
		err := pull(test.image, test.auth)
		if status.Code(err) != test.code || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("pulling %s says %v, want %s %q", test.image, err, test.code, test.says)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var layers []Layer
	for _, c := range n.calls {
		if strings.Contains(fmt.Sprint(c), "guess") || strings.Contains(fmt.Sprint(c), "bGVhcm5l") {
			t.Errorf("a password is in the report %+v", c)
		}
		if c.Verb == "PullImage" && c.Image == "nginx:1.27" {
			layers = c.Layers
			var sum uint64
			for _, l := range layers {
				sum += l.Size
			}
			if sum != c.Size || c.Size == 0 || !slices.IsSortedFunc(layers, func(a, b Layer) int { return a.End.Compare(b.End) }) || layers[0].End.Before(c.Start) {
				t.Errorf("the pull of %d bytes brought layers %v", c.Size, layers)
			}
		}
	}
	if len(layers) == 0 {
		t.Error("a pull brought no layers")
	}
}

// TestPrograms runs the images' own programs.
func TestPrograms(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	agnhost := "registry.k8s.io/e2e-test-images/agnhost:2.53"
	for i, test := range []struct {
		image   string
		command []string
		args    []string
		env     string
		code    int32
		log     []string
	}{
		{image: "kubestage/crasher", args: []string{"-after", "10ms", "--code=7", "--message", "oh no"}, code: 7, log: []string{"stdout working for 10ms", "stderr oh no"}},
		{image: "kubestage/job", args: []string{"-for=1ms"}, env: "JOB_COMPLETION_INDEX=3"},
		{image: "kubestage/memory-eater", args: []string{"-step=lots"}, code: 2},
		{image: "perl:5.34.0", command: []string{"perl", "-Mbignum=bpi", "-wle", "print bpi(30)"}, log: out("3.14159265358979323846264338328")},
		{image: "perl", command: []string{"perl", "-e", `print "hi\n"`}, log: out("hi")},
		{image: "perl", command: []string{"perl", "-e", "while(1) {}"}, code: 255},
		{image: agnhost, args: []string{"entrypoint-tester", "a", "b"}, log: out("[/agnhost entrypoint-tester a b]")},
		{image: agnhost, command: []string{"/agnhost", "entrypoint-tester"}, log: out("[/agnhost entrypoint-tester]")},
		{image: agnhost, args: []string{"connect", "localhost:1", "--timeout=1s"}, code: 1, log: []string{"stderr REFUSED"}},
		{image: agnhost, args: []string{"etc-hosts"}, log: out("127.0.0.1\tlocalhost", "10.244.1.2\tbox")},
		{image: agnhost, args: []string{"nosuch"}, code: 1},
		{image: agnhost, args: []string{"mounttest", "--new_file_0660=/tmp/f", "--file_perm=/tmp/f", "--file_owner=/tmp/f"},
			log: out(`content of file "/tmp/f": mount-tester new file`, "", `perms of file "/tmp/f": -rw-rw----`, `owner UID of "/tmp/f": 0`, `owner GID of "/tmp/f": 0`)},
		{image: "curlimages/curl", args: []string{"-sS", "localhost"}, code: 7, log: []string{"stderr curl: (7) Failed to connect to localhost port 80: Connection refused"}},
		{image: "curlimages/curl", args: []string{"-s", "http://nosuch.invalid"}, code: 6},
		{image: "polinux/stress", command: []string{"stress"}, args: []string{"--vm", "1", "--vm-bytes", "2M", "--vm-hang", "1", "--timeout", "0.05"}, log: out("stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd", "stress: info: [1] successful run completed")},
	} {
		t.Run(fmt.Sprint(test.image, test.command, test.args), func(t *testing.T) {
			c := &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref(test.image), Command: test.command, Args: test.args}
			if name, value, ok := strings.Cut(test.env, "="); ok {
				c.Envs = []*pb.KeyValue{{Key: name, Value: []byte(value)}}
			}
			st, log := n.run(pod, config, c)
			if st.ExitCode != test.code || test.log != nil && !slices.Equal(byStream(log), byStream(test.log)) {
				t.Errorf("exits with %d and says\n %q\nwant %d and\n %q", st.ExitCode, log, test.code, test.log)
			}
		})
	}
	// An image that has no shell has none here.
	id := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "pause"}, Image: ref("registry.k8s.io/pause:3.10")})
	n.start(id)
	_, err := n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh"}})
	if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
		t.Errorf("a shell in pause: %v", err)
	}
}

// TestServers asks the images' servers from inside their pods.
func TestServers(t *testing.T) {
	n := startNode(t)
	serve := func(name, image string, port int, args ...string) string {
		pod, config := n.pod(name)
		id := n.create(pod, config, &pb.ContainerConfig{Image: ref(image), Args: args})
		n.start(id)
		ip := must[*pb.PodSandboxStatusResponse](t)(n.PodSandboxStatus(n.ctx(), &pb.PodSandboxStatusRequest{PodSandboxId: pod})).Status.Network.Ip
		waitFor(t, name, func() bool { return n.s.Listens(ip, port) })
		return id
	}
	agnhost := "registry.k8s.io/e2e-test-images/agnhost:2.53"

	id := serve("net", agnhost, 8080, "netexec")
	n.mustExec(id, "curl -s localhost:8080/hostname; echo; curl -s 'localhost:8080/echo?msg=hi'; echo; curl -s -o /dev/null -w '%{http_code}\\n' 'localhost:8080/echo?code=503'", "net\nhi\n503\n")
	n.mustExec(id, "curl -s 'localhost:8080/shell?cmd=id+-u'; curl -s 'localhost:8080/shell?cmd=exit+3'; curl -s 'localhost:8080/dial?host=localhost&port=8080&request=hostname'", "{\"output\":\"0\\n\"}\n{\"error\":\"exit status 3\"}\n{\"responses\":[\"net\"]}\n")
	n.mustExec(id, "curl -s 'localhost:8080/exit?code=5'", "")
	if st := n.exited(id); st.ExitCode != 5 {
		t.Errorf("netexec was told to exit with 5 and exits with %d", st.ExitCode)
	}

	id = serve("name", agnhost, 9376, "serve-hostname")
	n.mustExec(id, "curl -s localhost:9376", "name")

	id = serve("live", agnhost, 8080, "liveness")
	n.mustExec(id, "curl -s localhost:8080/healthz", "ok")
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 1}))
	if st := n.exited(id); st.ExitCode != 137 {
		t.Errorf("liveness handles no signal, but exits with %d, want 137", st.ExitCode)
	}

	id = serve("health", agnhost, 8080, "grpc-health-checking") // which it opens last
	n.mustExec(id, "curl -s -o /dev/null -w '%{http_code}\\n' localhost:8080/make-not-serving", "200\n")

	id = serve("wait", agnhost, 80, "test-webserver")
	n.mustExec(id, "curl -s localhost/etc/hostname", "wait\n")

	id = serve("slow", "kubestage/slow-starter", 8080, "-delay=20ms", "-warm=1h")
	n.mustExec(id, "wget -qO- localhost:8080; wget -qO- localhost:8080/ready", "started\nwget: server returned error: HTTP/1.1 503 Service Unavailable\n")

	id = serve("hpa", "registry.k8s.io/hpa-example", 80)
	n.mustExec(id, "wget -qO- localhost", "OK!")

	id = serve("web", "nginx", 80)
	n.mustExec(id, "nginx -v; nginx -s reload; curl -s -o /dev/null -w '%{http_code} ' localhost localhost/nosuch", "200 404 nginx version: Kubestage's stand-in for nginx:latest\n")
	began := time.Now()
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 20}))
	if st := n.exited(id); st.ExitCode != 0 || n.call("StopContainer", id).Signal != "SIGQUIT" {
		t.Errorf("nginx was stopped with %s and exits with %d after %s", n.call("StopContainer", id).Signal, st.ExitCode, time.Since(began))
	}

	id = serve("redis", "redis:7", 6379)
	n.mustExec(id, "redis-cli ping; redis-cli set a 1; redis-cli incr a; redis-cli get a; redis-cli get none; redis-cli expire a 100; redis-cli ttl a; redis-cli exists a b; redis-cli keys '*'; redis-cli del a; redis-cli dbsize",
		"PONG\nOK\n2\n2\n\n1\n100\n1\na\n1\n0\n")
	n.mustExec(id, "redis-cli rpush l a b c; redis-cli lrange l 0 -1; redis-cli lpop l; redis-cli hset h f v; redis-cli hgetall h; redis-cli incr l || redis-cli type l; redis-cli set x y ex 1 nx; redis-cli set x z nx; redis-cli echo 'a b'",
		"3\na\nb\nc\na\n1\nf\nv\nWRONGTYPE Operation against a key holding the wrong kind of value\nlist\nOK\n\na b\n")
	n.mustExec(id, "printf 'set k v\\nget k\\n' | redis-cli; redis-cli nosuch; printf 'PING\\r\\n' | nc -w 1 localhost 6379 | head -n 1; redis-cli info | grep -c role:master",
		"OK\nv\nERR unknown command 'nosuch' (Kubestage's stand-in knows the common ones)\n+PONG\r\n1\n")
	used := func() uint64 {
		return must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: id})).Stats.Memory.UsageBytes.Value
	}
	before := used()
	n.mustExec(id, "x=$(seq 1 10000 | tr -d '\\n' 2>/dev/null || seq 1 10000); redis-cli set big \"$x\" >/dev/null; redis-cli strlen big | grep -c .", "1\n")
	if now := used(); now < before+30_000 {
		t.Errorf("redis holds %d bytes before and %d after a large value came", before, now)
	}
}
