package runtime

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestTar packs and unpacks as kubectl cp does, and archives that want out.
func TestTar(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	conf := n.volume("box", "conf", nil)
	if err := os.Mkdir(filepath.Join(conf, "..1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(conf, "..1", "key"), []byte("value\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"..data": "..1", "key": "..data/key"} {
		if err := os.Symlink(to, filepath.Join(conf, link)); err != nil {
			t.Skip(err)
		}
	}
	data := n.volume("box", "data", nil)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "../../../../escape", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}, {Name: "/etc/absolute", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "link/through", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}, {Name: "hard", Typeflag: tar.TypeLink, Linkname: "../../conf/key"},
		{Name: "pipe", Typeflag: tar.TypeFifo}, {Name: "device", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte("x"))
		}
	}
	w.Close()
	if err := os.WriteFile(filepath.Join(data, "evil.tar"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	mounts := []*pb.Mount{{ContainerPath: "/etc/config", HostPath: conf, Readonly: true}, {ContainerPath: "/data", HostPath: data}}
	for i, test := range []struct{ script, out string }{
		{"tar cf - /etc/config | tar xmf - -C /tmp; find /tmp -type f; cat /tmp/etc/config/key", "/tmp/etc/config/key|value"},
		{"mkdir -p /tmp/a/b; echo 1 >/tmp/a/b/c; tar -czf /tmp/a.tgz -C /tmp a; mkdir /srv/x; tar -xzvf /tmp/a.tgz -C /srv/x; cat /srv/x/a/b/c; tar tzf /tmp/a.tgz a/b/c", "a/|a/b/|a/b/c|1|a/b/c"},
		{"cd /data; mkdir in; tar xf evil.tar -C in 2>/tmp/said; find in; grep -ci links /tmp/said; ls /escape /etc/absolute /etc/through 2>/dev/null", "in|in/escape|in/etc|in/etc/absolute|in/link|in/link/through|4"},
		{"head -c 100 /data/evil.tar >/tmp/short; tar xf /tmp/short -C /tmp || echo refused; echo junk | tar x || echo refused; tar x -C /nosuch || echo refused", "refused|refused|refused"},
	} {
		_, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("busybox"), Command: []string{"sh", "-c", test.script}, Mounts: mounts})
		log = slices.DeleteFunc(log, func(l string) bool { return strings.HasPrefix(l, "stderr ") })
		if !slices.Equal(log, out(strings.Split(test.out, "|")...)) {
			t.Errorf("%s\nsays %q, want %q", test.script, log, test.out)
		}
	}
	for _, path := range []string{filepath.Join(n.dir, "escape"), filepath.Join(n.dir, "pods/escape"), "/escape", "/etc/absolute", "/etc/through"} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s was made on the host", path)
		}
	}
}

// TestClients connects from one pod to another.
func TestClients(t *testing.T) {
	n := startNode(t)
	web, webConfig := n.pod("web") // 10.244.1.2
	id := n.create(web, webConfig, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "nginx"}, Image: ref("nginx")})
	n.start(id)
	waitFor(t, "the server", func() bool { return n.s.Listens("10.244.1.2", 80) })
	n.mustExec(id, "wget -qO- localhost | head -n 1; wget -q -O /tmp/p http://web/ && wc -l </tmp/p; nc -z 127.0.0.1 80 && echo open",
		"Hello from pod web in namespace default on node-1.\n4\nopen\n")
	n.mustExec(id, "cd /usr/share/nginx/html; echo '<p>mine' >index.html; echo -n '{}' >a.json; wget -qO- localhost; wget -qO- localhost/a.json; wget -qO- localhost/../../../../etc/hostname; curl -s -o /tmp/x -w '%{http_code}\\n' localhost/%2e%2e/%2e%2e/etc/hostname",
		"<p>mine\n{}404\nwget: server returned error: HTTP/1.1 404 Not Found\n")
	box, boxConfig := n.pod("box")
	id = n.create(box, boxConfig, &pb.ContainerConfig{Image: ref("busybox"), Command: []string{"sleep", "1000"}})
	n.start(id)
	n.mustExec(id, "wget -qO- 10.244.1.2 | grep -c mine; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 10.244.1.2 80 | head -n 1; wget -qO- box:80", "1\nHTTP/1.0 200 OK\r\nwget: can't connect to remote host (box): Connection refused\n")
	n.mustExec(id, "wget -q localhost", "wget: can't connect to remote host (localhost): Connection refused\n")
	n.mustExec(id, "wget -q 10.244.9.9", "wget: can't connect to remote host (10.244.9.9): No route to host\n")
	n.mustExec(id, "wget -q web", "wget: bad address 'web'\n")
	n.mustExec(id, "nslookup kubernetes.default", ";; connection timed out; no servers could be reached\n\n")
	n.mustExec(id, "wget -q file:///etc/passwd", "wget: not an http or ftp url: file:///etc/passwd\n")
}
