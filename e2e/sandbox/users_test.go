//go:build linux

package sandbox

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// An ordinary user needs nothing more than the binary.
func TestRealUnprivileged(t *testing.T) {
	o := asNobody(t)
	o.Dir = place(t, nobody)
	d := ready(t, o)
	kube := learner(t, d)
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(3), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)
	if nodes := kubectl(t, o, "get", "nodes", "-o", "wide"); strings.Count(nodes, " Ready ") != 3 || !strings.Contains(nodes, "v1.36.3") {
		t.Errorf("kubectl get nodes -o wide:\n%s", nodes)
	}
	pod := webPods(t, d)[0]
	if out := kubectl(t, o, "exec", pod, "--", "echo", "hello"); strings.TrimSpace(out) != "hello" {
		t.Errorf("kubectl exec said %q", out)
	}
	kubectl(t, o, "logs", pod)
	for _, p := range d.Family() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("Uid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", nobody); !strings.Contains(string(status), want) {
			t.Errorf("%s does not run as %d", p.Role(), nobody)
		}
	}
	if took := stop(t, d); took > 5*time.Second {
		t.Errorf("Ctrl-C took %s, want less than 5 s", took)
	}
}

// Another user of this computer finds no file, no port and no page that would
// let him into the cluster.
func TestRealOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can act as another user")
	}
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, 0)})
	kube := learner(t, d)
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(1), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)

	var files []string
	if err := filepath.WalkDir(d.Dir, func(path string, e fs.DirEntry, err error) error {
		files = append(files, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	as(t, nobody, func() {
		for _, path := range files {
			if f, err := os.Open(path); err == nil {
				f.Close()
				t.Errorf("another user can open %s", path)
			} else if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.ENXIO) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", path, err)
			}
			if strings.HasSuffix(path, ".sock") {
				if c, err := net.Dial("unix", path); err == nil {
					c.Close()
					t.Errorf("another user can connect to %s", path)
				}
			}
		}
	})

	// Also not one by one: the directories could be opened by mistake one day.
	for _, path := range files {
		info, err := os.Lstat(path)
		if err != nil {
			continue // a pod's, gone meanwhile
		}
		secret := strings.HasSuffix(path, ".key") || strings.HasSuffix(path, "kubeconfig") || strings.HasSuffix(path, ".db") || filepath.Base(path) == "db"
		if secret && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %s", path, info.Mode())
		}
	}

	for _, l := range listeners(t, d) {
		who := fmt.Sprintf("%s at port %d", l.role, l.port)
		for _, path := range doors[strings.Split(l.role, ":")[0]] {
			var answer string
			as(t, nobody, func() { answer = ask(l.port, path) })
			t.Logf("another user asks %s for %s: %s", who, path, answer)
			// A pod's program listens, too; that it greets everybody is what it is for.
			if strings.HasPrefix(answer, "2") && !strings.Contains(answer, "Hello from pod") {
				t.Errorf("another user got %s of %s", path, who)
			}
		}
	}

	// The same questions are answered for our own user where that is meant.
	for path, want := range map[string]string{"/": "302", "/api/events?after=0&limit=1": "200"} {
		var port int
		if _, err := fmt.Sscanf(d.URL, "http://127.0.0.1:%d", &port); err != nil {
			t.Fatal(err)
		}
		if answer := ask(port, path); !strings.HasPrefix(answer, want) {
			t.Errorf("our own user asks for %s: %s, want %s", path, answer, want)
		}
	}
}

// doors are paths behind which power lies, by the component that listens.
var doors = map[string][]string{
	"dashboard":               {"/", "/en/", "/api/events?after=0", "/api/stream", "POST /api/kubectl", "POST /api/scenes/pod-birth/run"},
	"etcd":                    {"/health", "/version", "/metrics", "POST /v3/kv/range"},
	"kube-apiserver":          {"/api/v1/namespaces/kube-system/secrets", "/api", "/version", "/metrics", "POST /api/v1/namespaces/default/pods"},
	"kube-controller-manager": {"/metrics", "/configz", "/debug/pprof/"},
	"kube-scheduler":          {"/metrics", "/configz", "/debug/pprof/"},
	"kubelet":                 {"/pods", "/metrics", "/runningpods/", "/exec/default/web/nginx?command=id", "POST /run/default/web/nginx", "/configz", "/logs/"},
}

// ask makes one request from the calling thread, as whoever that is, with TLS
// if that is spoken there, and returns the status or what went wrong.
func ask(port int, path string) string {
	method, path, ok := strings.Cut(path, " ")
	if !ok {
		method, path = http.MethodGet, method
	}
	body := ""
	if method == http.MethodPost {
		body = `{"command":"kubectl get pods"}`
	}
	last := ""
	for _, secure := range []bool{false, true} {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err.Error()
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, path, port, len(body), body)
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			last = err.Error()
			c.Close()
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		c.Close()
		last = response.Status + " " + strings.TrimSpace(string(text))
		if response.StatusCode != http.StatusBadRequest || secure { // 400 is what a TLS server says to plain text
			return last
		}
	}
	return last
}

// as runs f in a thread that the kernel takes for another user's: for the
// files it opens and the sockets it makes. The thread ends with it.
func as(t *testing.T, uid int, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		for _, call := range []struct{ number, argument uintptr }{
			{syscall.SYS_SETGROUPS, 0}, {syscall.SYS_SETFSGID, uintptr(uid)}, {syscall.SYS_SETFSUID, uintptr(uid)},
		} {
			if _, _, errno := syscall.RawSyscall(call.number, call.argument, 0, 0); errno != 0 {
				done <- errno
				return
			}
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal("become another user:", err)
	}
}
