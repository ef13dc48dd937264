package runtime

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestEscapes tries to get out of a container, or into another one, and counts
// the ways that were refused. TestNothingOfTheHost and TestBombs try more of
// the shell itself.
func TestEscapes(t *testing.T) {
	n := startNode(t)
	secret := "secret-" + newID()[:12]
	host := t.TempDir()
	outside := filepath.Join(host, "file")
	must0(t, os.WriteFile(outside, []byte(secret), 0o644))
	l := must[net.Listener](t)(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	touched := make(chan bool, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
			touched <- true
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port

	victim, victimConfig := n.pod("victim")
	theirs := n.volume("victim", "data", map[string]string{"file": secret})
	other := n.create(victim, victimConfig, &pb.ContainerConfig{
		Image: ref("busybox"), Command: []string{"sh", "-c", "echo " + secret + " >/tmp/file; sleep 1000"}, Mounts: []*pb.Mount{{ContainerPath: "/data", HostPath: theirs}},
	})
	n.start(other)

	pod, config := n.pod("box")
	mine := n.volume("box", "data", map[string]string{"own": "mine"})
	// What another program of the person might have put there, or a restored backup.
	must0(t, os.Symlink(outside, filepath.Join(mine, "absolute")))
	must0(t, os.Symlink("../../../../../../../../.."+outside, filepath.Join(mine, "relative")))
	must0(t, os.Symlink(host, filepath.Join(mine, "folder")))
	must0(t, os.Symlink(theirs, filepath.Join(mine, "neighbour")))
	id := n.create(pod, config, &pb.ContainerConfig{Image: ref("nginx"), Command: []string{"sleep", "1000"}, Mounts: []*pb.Mount{{ContainerPath: "/data", HostPath: mine}}})
	n.start(id)

	tries := map[string]int{}
	script := func(kind string, lines ...string) {
		for _, line := range lines {
			tries[kind]++
			line = strings.NewReplacer("FILE", outside, "DIR", host, "THEIRS", theirs, "PORT", fmt.Sprint(port), "PID", fmt.Sprint(os.Getpid())).Replace(line)
			r, err := n.ExecSync(n.ctx(), &pb.ExecSyncRequest{ContainerId: id, Cmd: []string{"bash", "-c", line}, Timeout: 10})
			if err != nil {
				t.Errorf("%s: %q: %v", kind, line, err)
			}
			if out := string(r.GetStdout()) + string(r.GetStderr()); strings.Contains(out, secret) {
				t.Errorf("%s: %q lets out %q", kind, line, out)
			}
		}
	}
	ways := []string{"cat %s", "head -c 99 %s", "cp %s /tmp/x && cat /tmp/x", "tar cf - %s | tar xOf -", "sed p %s", "grep . %s", "dd if=%s", "base64 %s | base64 -d", "xargs -n1 -I@ cat @ <<<%s", "find %s -type f | xargs cat", "sort %s", "tac %s", "cut -c1-99 %s", "curl -s file://%s", "wget -qO- file://%s", "sha256sum %s; tail -n 5 %[1]s", "stat %s && cat %[1]s", "sh %s", ". %s", "mv %s /tmp/y; cat /tmp/y"}
	for i, way := range ways { // each way finds what a container may see
		at := filepath.Join(mine, "control")
		must0(t, os.WriteFile(at, []byte(secret), 0o644))
		if out := n.says(id, fmt.Sprintf(way, "/data/control")); strings.Contains(out, secret) == strings.Contains(way, "file://") {
			t.Errorf("way %d, %q, finds %q in a file of the container's own", i, way, out)
		}
		n.says(id, "rm -f /data/control /tmp/x /tmp/y")
	}
	for _, way := range ways {
		script("../", fmt.Sprintf(way, "../../../../../../../../..FILE"), fmt.Sprintf(way, "/data/../../../../../..FILE"), fmt.Sprintf(way, "/data/../../victim/volumes/kubernetes.io~x/data/file"))
		script("absolute paths", fmt.Sprintf(way, "FILE"), fmt.Sprintf(way, "THEIRS/file"), fmt.Sprintf(way, "//FILE"))
		script("symbolic links", fmt.Sprintf(way, "/data/absolute"), fmt.Sprintf(way, "/data/relative"), fmt.Sprintf(way, "/data/folder/file"), fmt.Sprintf(way, "/data/neighbour/file"),
			"ln -sf FILE /tmp/l; "+fmt.Sprintf(way, "/tmp/l"), "ln -sf / /tmp/r; "+fmt.Sprintf(way, "/tmp/rFILE"), "ln -sf FILE /data/l; "+fmt.Sprintf(way, "/data/l"), "ln -s ../../../../../../../..FILE /data/m; "+fmt.Sprintf(way, "/data/m"))
		script("/proc", fmt.Sprintf(way, "/proc/PID/root/FILE"), fmt.Sprintf(way, "/proc/1/root/FILE"), fmt.Sprintf(way, "/proc/self/cwd/../../FILE"), fmt.Sprintf(way, "/proc/self/environ"), fmt.Sprintf(way, "/proc/PID/environ"), fmt.Sprintf(way, "/dev/fd/3"))
	}
	script("another pod's processes", "kill -9 PID", "ps | grep victim", "cat /proc/*/cmdline", "kill -9 $(seq 2 200) 2>/dev/null; true")
	script("writing out", "echo x >FILE", "echo x >/data/absolute", "echo x >/data/folder/new", "rm /data/folder/file", "rm -rf /data/folder/", "mv /data/own /data/folder/own", "mkdir /data/folder/d", "chmod 777 /data/absolute", "chown 1 /data/absolute",
		"sed -i s/s/x/ /data/absolute", "tee /data/neighbour/file <<<x", "dd if=/dev/zero of=/data/absolute count=1", "truncate -s 0 /data/absolute", "touch /data/folder/t", "curl -s -o /data/folder/c localhost", "cp /data/own /data/neighbour/own", "tar cf /data/folder/t.tar /etc", "ln -s /etc/passwd /data/folder/l")
	script("the host's network", "nc -w 1 127.0.0.1 PORT </dev/null", "wget -qO- -T 1 http://127.0.0.1:PORT", "curl -s -m 1 localhost:PORT", "curl -s -m 1 http://[::1]:PORT", "curl -s -m 1 --resolve a:PORT:127.0.0.1 a:PORT", "echo >/dev/tcp/127.0.0.1/PORT", "curl -s -m 1 http://0.0.0.0:PORT", "curl -s -m 1 http://10.0.0.11:PORT", "curl -s -m 1 http://10.244.1.1:PORT", "nc -w 1 localhost PORT </dev/null")
	tries["the host's network"]++
	f := dialChannels(t, must[*pb.PortForwardResponse](t)(n.PortForward(n.ctx(), &pb.PortForwardRequest{PodSandboxId: pod, Port: []int32{int32(port)}})).Url)
	f.conn.Close()

	// What the kubelet would have to ask for.
	refused := func(kind string, change func(p *pb.PodSandboxConfig, c *pb.ContainerConfig)) {
		tries[kind]++
		p := n.podConfig("evil")
		c := &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "evil"}, Image: ref("busybox"), Command: []string{"sh", "-c", "cat /m /m/file; echo x >/m/new"}, LogPath: "evil/0.log"}
		change(p, c)
		sandbox, err := n.RunPodSandbox(n.ctx(), &pb.RunPodSandboxRequest{Config: p})
		if err != nil {
			return
		}
		defer n.RemovePodSandbox(n.ctx(), &pb.RemovePodSandboxRequest{PodSandboxId: sandbox.PodSandboxId})
		if made, err := n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: sandbox.PodSandboxId, Config: c, SandboxConfig: p}); err == nil {
			t.Errorf("%s: container %s was made with %v", kind, made.ContainerId, c)
		}
	}
	n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref("busybox")})
	for _, path := range []string{"/", "/etc", "/proc", host, outside, theirs, filepath.Join(n.dir, "root"), filepath.Join(n.dir, "pods"), filepath.Join(n.dir, "pods/uid-evil/../uid-victim"), filepath.Join(n.dir, "pods/uid-evil/../../.."), ".", "..", "pods", ""} {
		refused("absolute hostPath", func(_ *pb.PodSandboxConfig, c *pb.ContainerConfig) {
			c.Mounts = []*pb.Mount{{ContainerPath: "/m", HostPath: path}}
		})
	}
	must0(t, os.MkdirAll(filepath.Join(n.dir, "pods/uid-evil"), 0o755))
	must0(t, os.Symlink("/", filepath.Join(n.dir, "pods/uid-evil/way")))
	for _, path := range []string{"way", "way/etc", "way" + host, "way/nosuch"} {
		refused("symbolic links", func(_ *pb.PodSandboxConfig, c *pb.ContainerConfig) {
			c.Mounts = []*pb.Mount{{ContainerPath: "/m", HostPath: filepath.Join(n.dir, "pods/uid-evil", path)}}
		})
	}
	for _, uid := range []string{"../uid-victim", "..", "uid-victim/volumes", "/"} {
		refused("another pod's files", func(p *pb.PodSandboxConfig, c *pb.ContainerConfig) {
			p.Metadata.Uid = uid
			c.Mounts = []*pb.Mount{{ContainerPath: "/m", HostPath: theirs}}
		})
	}
	for _, path := range []string{"../../x.log", "/etc/x.log", "a/../../x.log"} {
		refused("../", func(_ *pb.PodSandboxConfig, c *pb.ContainerConfig) { c.LogPath = path })
	}

	if got := n.says(other, "cat /tmp/file; ls /data"); got != secret+"\nfile\n" {
		t.Errorf("the other pod now has %q", got)
	}
	if data, _ := os.ReadFile(outside); string(data) != secret {
		t.Errorf("the host's file now says %q", data)
	}
	if data, _ := os.ReadFile(filepath.Join(theirs, "file")); string(data) != secret {
		t.Errorf("the other pod's volume now says %q", data)
	}
	if entries, _ := os.ReadDir(host); len(entries) != 1 {
		t.Errorf("the host's folder has %v", entries)
	}
	select {
	case <-touched:
		t.Error("a port of the host was reached")
	case <-time.After(10 * time.Millisecond):
	}
	all := 0
	for kind, count := range tries {
		t.Logf("%-24s %3d ways tried", kind, count)
		all += count
	}
	t.Logf("%-24s %3d, all refused", "together", all)
}

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestHugeOutput writes as much and as fast as programs can.
func TestHugeOutput(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	for i, script := range []string{"yes", "cat /dev/zero", "while :; do echo aaaaaaaaaaaaaaaa; done", "yes | tr -d '\\n'", "yes >&2"} {
		id := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("busybox"), Command: []string{"sh", "-c", script}})
		began := time.Now()
		n.start(id)
		at := n.status(id).LogPath
		size := func() int64 {
			info, err := os.Stat(at)
			if err != nil {
				return 0
			}
			return info.Size()
		}
		waitFor(t, "output", func() bool { return size() > 100_000 })
		must0(t, os.Rename(at, at+".1")) // as the kubelet rotates
		must[*pb.ReopenContainerLogResponse](t)(n.ReopenContainerLog(n.ctx(), &pb.ReopenContainerLogRequest{ContainerId: id}))
		waitFor(t, "output in the new file", func() bool { return size() > 10_000 })
		must[*pb.StopContainerResponse](t)(n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id}))
		old, err := os.Stat(at + ".1")
		must0(t, err)
		// Each line costs its header too, so short lines take several times their size.
		if most := int64((time.Since(began).Seconds() + 1) * perSecond * 26); size()+old.Size() > most {
			t.Errorf("%q wrote %d bytes in %s, more than %d", script, size()+old.Size(), time.Since(began), most)
		}
		readLog(t, at) // what was cut by the rotation is still lines
	}
}
