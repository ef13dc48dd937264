package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// out is a log of lines on stdout.
func out(lines ...string) []string {
	log := make([]string, len(lines))
	for i, l := range lines {
		log[i] = "stdout " + l
	}
	return log
}

// TestFileCommands uses a container's own files.
func TestFileCommands(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	for i, test := range []struct {
		script string
		code   int32
		log    []string
	}{
		{"echo one >/tmp/a; echo two >>/tmp/a; cat /tmp/a; wc -l /tmp/a; wc -c </tmp/a", 0, out("one", "two", "2 /tmp/a", "8")},
		{"cat /etc/hostname; cat /etc/hosts", 0, out("box", "127.0.0.1\tlocalhost", "10.244.1.2\tbox")},
		{"cat /etc/resolv.conf", 0, out("search default.svc.cluster.local", "nameserver 10.96.0.10", "options ndots:5")},
		{". /etc/os-release; echo $NAME", 0, out("Kubestage stand-in")},
		{"ls /", 0, out("bin", "dev", "etc", "home", "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")},
		{"cd /tmp; mkdir -p a/b/c; touch a/b/f; ls -R a; rmdir a; rm a/b/f; rm -r a; ls", 0, append(out("a:", "b", "", "a/b:", "c", "f", "", "a/b/c:"), "stderr rmdir: 'a': Directory not empty")},
		{"cd /tmp; mkdir d; echo x >f; cp f g; cp f d; mv g d/h; cp -r d e; ls d e; cat e/h; mv e /var/e; find /var/e", 0,
			out("d:", "f", "h", "", "e:", "f", "h", "x", "/var/e", "/var/e/f", "/var/e/h")},
		{"cp /etc /tmp/x; cp /nosuch /tmp; mv /nosuch /tmp", 1, []string{"stderr cp: can't copy '/etc': Omitting directory", "stderr cp: can't copy '/nosuch': No such file or directory", "stderr mv: can't rename '/nosuch': No such file or directory"}},
		{"mkdir /tmp/m; cp -r /tmp/m /tmp/m/n; ls /tmp/m", 0, []string{"stderr cp: can't copy '/tmp/m': Recursion detected"}},
		{"rm -rf /; rm -rf /nosuch; rm /etc; ls -d /etc", 0, []string{"stdout /etc", "stderr rm: it is dangerous to operate recursively on '/'", "stderr rm: can't remove '/etc': Is a directory"}},
		{"printf '3 c\\n1 a\\n10 b\\n1 a\\n' >/tmp/l; sort -n /tmp/l | uniq -c | head -1; sort -rn /tmp/l | head -n1; sort -u /tmp/l | wc -l; sort -k2 /tmp/l | tail -n 1; tail -n +4 /tmp/l; head -c 3 /tmp/l", 0,
			out("      2 1 a", "10 b", "3", "3 c", "1 a", `3 c\c`)},
		{"printf 'abc\\nxyz\\nABC\\n' >/tmp/l; grep b /tmp/l; grep -i -c B /tmp/l; grep -v b /tmp/l; grep -q z /tmp/l && echo z; grep -n 'x\\|A' /tmp/l; grep -E '^(a|x)' /tmp/l | tail -1; grep -r xyz /tmp; grep nothing /tmp/l", 1,
			out("abc", "2", "xyz", "ABC", "z", "2:xyz", "3:ABC", "xyz", "/tmp/l:xyz")},
		{"echo hi | tee /tmp/a /tmp/b | cat; cat /tmp/a /tmp/b; cat /tmp", 1, append(out("hi", "hi", "hi"), "stderr cat: /tmp: Is a directory")},
		{"id; whoami; pwd; uname", 0, out("uid=0(root) gid=0(root) groups=0(root)", "root", "/", "Linux")},
		{"ps | head -n 2; ps | grep -c '[p]s$'", 0, out("PID   USER     TIME  COMMAND", "    1 root      0:00 sh -c ps | head -n 2; ps | grep -c '[p]s$'", "1")},
		{"sleep 100 & sleep 0.1; for p in 2 3 4; do kill $p; done 2>/dev/null; wait; echo ended", 0, out("ended")},
		{"printf '#!/bin/sh\\necho run $1 $0\\n' >/tmp/s; /tmp/s; chmod +x /tmp/s; /tmp/s a; cd /tmp; ./s b; sh s c", 0,
			[]string{"stdout run a /tmp/s", "stdout run b /tmp/s", "stdout run c s", "stderr sh: /tmp/s: Permission denied"}},
		{"printf '#!/usr/bin/python3\\n' >/tmp/s; chmod 755 /tmp/s; /tmp/s", 127, []string{"stderr sh: /tmp/s: not found"}},
		{"echo 'x=5; echo in' >/tmp/lib; . /tmp/lib; echo $x; read y </tmp/lib; echo \"$y\"", 0, out("in", "5", "x=5; echo in")},
		{"echo a >/tmp/x; [ -f /tmp/x ] && [ -s /tmp/x ] && [ -w /tmp/x ] && [ ! -x /tmp/x ] && [ -d /tmp ] && /bin/test -f /tmp/x && echo yes; /bin/[ -f /nosuch ]", 1, out("yes")},
		{"cd /tmp; touch b a c; echo *; for f in *; do rm $f; done; echo *", 0, out("a b c", "*")},
		{"seq 5 >/tmp/n; tail -n -2 /tmp/n; tail -c -2 /tmp/n; head -n -1 /tmp/n; sort -k '' /tmp/n; sort -k , /tmp/n; sort -k2,2 -t '' /tmp/n | head -n 1; find /tmp -name; tail -n x /tmp/n", 1,
			append(out("4", "5", "5", "1", "/tmp", "/tmp/n"), "stderr sort: invalid number ''", "stderr sort: invalid number ','", "stderr tail: invalid number 'x'")},
		{"basename /a/b.txt .txt; dirname /a/b; readlink /etc/hostname || echo none", 0, out("b", "/a", "none")},
		{"echo >/proc/x; echo x >/etc/new && cat /etc/new; mkdir /tmp; mkdir /no/such", 1, []string{"stdout x", "stderr mkdir: can't create directory '/tmp': File exists", "stderr mkdir: can't create directory '/no/such': No such file or directory"}},
	} {
		config.DnsConfig = &pb.DNSConfig{Servers: []string{"10.96.0.10"}, Searches: []string{"default.svc.cluster.local"}, Options: []string{"ndots:5"}}
		n.s.mu.Lock()
		n.s.sandboxes[pod].config.DnsConfig = config.DnsConfig
		n.s.mu.Unlock()
		st, log := n.run(pod, config, &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("busybox"), Command: []string{"sh", "-c", test.script},
		})
		if st.ExitCode != test.code || !slices.Equal(byStream(log), byStream(test.log)) {
			t.Errorf("%s\nexits %d, want %d, and says\n %q\nwant\n %q", test.script, st.ExitCode, test.code, log, test.log)
		}
	}
}

// TestFilesAreTheContainersOwn sees that nothing stays and nothing is shared.
func TestFilesAreTheContainersOwn(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	id := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "a"}, Image: ref("busybox"), Command: []string{"sleep", "1000"}, WorkingDir: "/srv/app/x"})
	n.start(id)
	n.mustExec(id, "echo mine >f; pwd; cat /srv/app/x/f", "/srv/app/x\nmine\n")
	n.mustExec(id, "cat f", "mine\n")
	if used := n.s.memory.Used(); used == 0 {
		t.Error("nothing is accounted for")
	}
	if st := must[*pb.ContainerStatsResponse](t)(n.ContainerStats(n.ctx(), &pb.ContainerStatsRequest{ContainerId: id})).Stats; st.WritableLayer.UsedBytes.Value == 0 {
		t.Error("stats do not tell of the writable layer")
	}
	if _, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "b"}, Image: ref("busybox"), Command: []string{"sh", "-c", "ls /srv; head -c 99999999 /dev/null; cat /srv/app/x/f"}}); !slices.Equal(log, []string{"stderr cat: /srv/app/x/f: No such file or directory"}) {
		t.Errorf("another container says %q", log)
	}
	st, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "full"}, Image: ref("busybox"),
		Command: []string{"sh", "-c", "seq 1 100000 >/tmp/a; while cat /tmp/a /tmp/a /tmp/a /tmp/a >/tmp/b && cat /tmp/b /tmp/b /tmp/b /tmp/b >/tmp/a; do :; done"}})
	if !strings.Contains(strings.Join(log, "\n"), "No space left on device") {
		t.Errorf("a container that fills its disk exits %d and says %q", st.ExitCode, log)
	}
	must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id}))
	if used := n.s.memory.Used(); used != 0 {
		t.Errorf("%d bytes are in use after the end", used)
	}
	if _, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "ro"}, Image: ref("busybox"), Command: []string{"sh", "-c", "echo x >/tmp/a; [ -w /tmp ] || echo no"},
		Linux: &pb.LinuxContainerConfig{SecurityContext: &pb.LinuxContainerSecurityContext{ReadonlyRootfs: true, RunAsUser: &pb.Int64Value{Value: 1000}}}}); !slices.Equal(byStream(log), []string{"stderr sh: can't create /tmp/a: Read-only file system", "stdout no"}) {
		t.Errorf("a read-only root says %q", log)
	}
}

// mustExec runs a script in a container as an exec probe does.
func (n *node) mustExec(id, script, want string) {
	n.t.Helper()
	r := must[*pb.ExecSyncResponse](n.t)(n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"sh", "-c", script}, Timeout: 10}))
	if got := string(r.Stdout) + string(r.Stderr); got != want {
		n.t.Errorf("%s says %q, want %q (exit %d)", script, got, want, r.ExitCode)
	}
}

// volume makes a folder of a pod as the kubelet does.
func (n *node) volume(pod, name string, files map[string]string) string {
	n.t.Helper()
	dir := filepath.Join(n.dir, "pods", "uid-"+pod, "volumes", "kubernetes.io~x", name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		n.t.Fatal(err)
	}
	for f, text := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(text), 0o644); err != nil {
			n.t.Fatal(err)
		}
	}
	return dir
}

func TestVolumes(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	conf := n.volume("box", "conf", map[string]string{"key": "value", "run.sh": "#!/bin/sh\necho ran $*; cat $(dirname $0)/key; echo; exit 4\n"})
	if err := os.Chmod(filepath.Join(conf, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	data := n.volume("box", "data", nil)
	message := filepath.Join(n.volume("box", "message", map[string]string{"m": ""}), "m")
	mounts := []*pb.Mount{
		{ContainerPath: "/etc/config", HostPath: conf, Readonly: true}, {ContainerPath: "/data", HostPath: data}, {ContainerPath: "/dev/termination-log", HostPath: message},
	}
	a := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "a"}, Image: ref("busybox"), Command: []string{"sleep", "1000"}, Mounts: mounts})
	b := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "b"}, Image: ref("nginx"), Mounts: mounts[1:2]})
	n.start(a)
	n.start(b)
	n.mustExec(a, "cat /etc/config/key; ls /etc/config; ls /data", "valuekey\nrun.sh\n")
	n.mustExec(a, "echo x >/etc/config/key; echo $?", "1\nsh: can't create /etc/config/key: Read-only file system\n")
	n.mustExec(a, "cp /etc/config/key /data/k && mkdir /data/d && echo hi >/data/d/f", "")
	n.mustExec(b, "cat /data/k /data/d/f; rm -r /data/d; mv /data/k /tmp; cat /tmp/k; ls /data", "valuehi\nvalue")
	n.mustExec(a, "ls /data; ls /etc/config/nothing", "ls: /etc/config/nothing: No such file or directory\n")
	if st := n.status(a); len(st.Mounts) != 3 {
		t.Errorf("status has mounts %v", st.Mounts)
	}
	st, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "script"}, Image: ref("busybox"), Mounts: mounts, Command: []string{"/etc/config/run.sh", "now"}})
	if st.ExitCode != 4 || !slices.Equal(log, out("ran now", "value")) {
		t.Errorf("a mounted script exits %d and says %q", st.ExitCode, log)
	}
	n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "bye"}, Image: ref("busybox"), Mounts: mounts, Command: []string{"sh", "-c", "echo because >/dev/termination-log; exit 1"}})
	if text, _ := os.ReadFile(message); string(text) != "because\n" {
		t.Errorf("termination message is %q", text)
	}

	other := n.volume("other", "private", map[string]string{"p": "private"})
	for _, host := range []string{"/etc", "/", "/proc", n.dir, filepath.Join(n.dir, "root"), other, conf + "/../../../../uid-other", filepath.Join(n.dir, "pods")} {
		image := must[*pb.PullImageResponse](t)(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref("busybox")})).ImageRef
		if _, err := n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod, SandboxConfig: config, Config: &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: "x"}, Image: ref(image), Mounts: []*pb.Mount{{ContainerPath: "/x", HostPath: host}},
		}}); err == nil || !strings.Contains(err.Error(), "nothing else of the host") {
			t.Errorf("mount of %s: %v", host, err)
		}
	}
}
