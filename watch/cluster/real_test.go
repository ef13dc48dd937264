//go:build unix

package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// sandbox is a dashboard with a real cluster, started as people start it.
type sandbox struct {
	t           *testing.T
	binary, dir string
	address     string
	process     *os.Process
}

func startSandbox(t *testing.T) *sandbox {
	binary := os.Getenv("KUBESTAGE_BINARY")
	if binary == "" {
		t.Skip("KUBESTAGE_BINARY names no dashboard; make test-sandbox sets it")
	}
	s := &sandbox{t: t, binary: binary, dir: t.TempDir()}
	command := exec.Command(binary, "--data-dir", s.dir, "--addr", "127.0.0.1:0")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command.Process
	t.Cleanup(func() {
		s.process.Signal(os.Interrupt)
		force := time.AfterFunc(15*time.Second, func() {
			t.Error("the dashboard did not stop within 15 s of an interrupt")
			s.process.Kill()
		})
		command.Wait()
		force.Stop()
		if t.Failed() {
			t.Logf("the dashboard wrote:\n%s", stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no first line on stdout: %v\n%s", err, stderr.String())
	}
	s.address = strings.TrimSpace(strings.TrimPrefix(line, "Kubestage is at "))
	var said string
	s.until("the sandbox to be ready", 2*time.Minute, func() bool {
		response, err := http.Get(s.address + "/readyz")
		if err != nil {
			said = err.Error()
			return false
		}
		defer response.Body.Close()
		said = response.Status
		return response.StatusCode == http.StatusOK
	}, &said)
	return s
}

func (s *sandbox) until(what string, patience time.Duration, fact func() bool, last *string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !fact(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s for %s; last: %s", patience, what, *last)
		}
	}
}

func (s *sandbox) kubectl(stdin string, args ...string) {
	s.t.Helper()
	command := exec.Command(s.binary, append([]string{"kubectl", "--data-dir", s.dir}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (s *sandbox) kubeconfig() string {
	out, err := exec.Command(s.binary, "kubeconfig", "--data-dir", s.dir).Output()
	if err != nil {
		s.t.Fatal("dashboard kubeconfig: ", err)
	}
	return strings.TrimSpace(string(out))
}

// events is the sandbox's own log: what the apiserver says of our visit.
func (s *sandbox) events() (events []watch.Event) {
	for after := uint64(0); ; {
		response, err := http.Get(fmt.Sprintf("%s/api/events?after=%d&limit=10000", s.address, after))
		if err != nil {
			s.t.Fatal(err)
		}
		before := len(events)
		for lines := json.NewDecoder(response.Body); lines.More(); {
			var e watch.Event
			if err := lines.Decode(&e); err != nil {
				s.t.Fatalf("/api/events: %s: %v", response.Status, err)
			}
			events = append(events, e)
			after = e.Seq
		}
		response.Body.Close()
		if len(events) == before {
			return events
		}
	}
}

// visit follows the sandbox's cluster from outside.
func (s *sandbox) visit(kubeconfig string) visit {
	source, err := New(Options{Kubeconfig: kubeconfig})
	if err != nil {
		s.t.Fatal(err)
	}
	source.pace.longest = 2 * time.Second
	v := visit{s, watch.NewLog(0)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- source.Run(ctx, v.log) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Error("Run:", err)
		}
	})
	return v
}

type visit struct {
	*sandbox
	log *watch.Log
}

// sees waits for an event and returns it.
func (v visit) sees(what string, fits func(watch.Event) bool) watch.Event {
	v.t.Helper()
	var found watch.Event
	var seq uint64
	last := "no event"
	defer func() {
		if v.t.Failed() {
			v.t.Log(v.tail())
		}
	}()
	v.until(what, time.Minute, func() bool {
		events, err := v.log.After(seq, 0)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, e := range events {
			seq = e.Seq
			last = fmt.Sprintf("%d %s %s", e.Seq, e.Kind, e.Verb)
			if e.Object != nil {
				last += " " + e.Object.Key()
			}
			if fits(e) {
				found = e
				return true
			}
		}
		return false
	}, &last)
	return found
}

// tail is what the log last told, except heartbeats.
func (v visit) tail() string {
	events, err := v.log.After(0, 0)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, e := range events {
		line := fmt.Sprintf("%d %s %s %s", e.Seq, e.Kind, e.Verb, e.Revision)
		if e.Object != nil {
			line += " " + e.Object.Key()
		}
		if e.Kind == watch.Source {
			line += " " + string(e.Detail)
		}
		if !strings.Contains(line, "leases") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}

func is(verb, key string, texts ...string) func(watch.Event) bool {
	return func(e watch.Event) bool {
		if e.Verb != verb || e.Object == nil || !strings.HasPrefix(e.Object.Key(), key) {
			return false
		}
		return !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(e.Detail, []byte(text)) })
	}
}

func TestRealCluster(t *testing.T) {
	s := startSandbox(t)
	v := s.visit(s.kubeconfig())

	v.sees("a node", is("ADDED", "nodes/node-1", `"listed":true`))
	s.kubectl("", "create", "deployment", "web", "--image=nginx", "--replicas=2")
	deployment := v.sees("the deployment", is("ADDED", "apps/deployments/default/web"))
	set := v.sees("its ReplicaSet", is("ADDED", "apps/replicasets/default/web-", `"manager":"kube-controller-manager"`))
	if !slices.Contains(set.Causes, watch.Cause{Seq: v.lastOf(deployment.Object.UID, set.Seq), How: watch.ByOwner}) {
		t.Errorf("the ReplicaSet's causes are %v, want the last event of its Deployment before it", set.Causes)
	}
	pod := v.sees("a pod of it", is("ADDED", "pods/default/web-"))
	v.sees("the kubelet's word that it runs", is("MODIFIED", pod.Object.Key(), `"phase":"Running"`, `"manager":"kubelet"`))
	s.kubectl("", "delete", "deployment", "web")
	gone := v.sees("that it is gone", is("DELETED", pod.Object.Key()))
	if gone.Evidence.How != "observed" || gone.Revision == "" {
		t.Errorf("a deletion we watched is told as %+v at revision %q", gone.Evidence, gone.Revision)
	}

	s.kubectl("", "create", "secret", "generic", "db", "--from-literal=password=swordfish")
	secret := v.sees("the Secret", is("ADDED", "secrets/default/db", `"password":null`))
	if events, _ := v.log.After(0, 0); contains(events, "c3dvcmRmaXNo") {
		t.Errorf("the value of a Secret is in the log: %s", secret.Detail)
	}

	s.kubectl(playCRD, "create", "-f", "-")
	s.kubectl("", "wait", "--for=condition=Established", "crd/plays.theatre.example")
	s.kubectl(`{"apiVersion":"theatre.example/v1","kind":"Play","metadata":{"name":"hamlet","namespace":"default"}}`, "create", "-f", "-")
	v.sees("an object of a kind that is new", is("ADDED", "theatre.example/plays/default/hamlet"))
	s.kubectl("", "delete", "crd", "plays.theatre.example")
	v.sees("that it went with its kind", is("DELETED", "theatre.example/plays/default/hamlet"))

	v.survivesRestart()
	s.visitedByNobody()

	for _, e := range s.events() {
		var d struct{ UserAgent string }
		json.Unmarshal(e.Detail, &d)
		if e.Kind == watch.Request && d.UserAgent == "kubestage" && e.From == "kubernetes-admin" && !slices.Contains([]string{"get", "list", "watch"}, e.Verb) {
			t.Errorf("we sent %s %v to a cluster we only read", e.Verb, e.Object)
		}
	}
}

// lastOf returns the newest event about a uid before another.
func (v visit) lastOf(uid string, before uint64) (seq uint64) {
	events, err := v.log.After(0, int(before)-1)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, e := range events {
		if e.Object != nil && e.Object.UID == uid {
			seq = e.Seq
		}
	}
	return seq
}

// survivesRestart kills the apiserver. What happens while it is away is told
// after, once.
func (v visit) survivesRestart() {
	pid := 0
	for _, e := range v.events() {
		var d struct{ Pid int }
		if e.Kind == watch.Component && e.To == watch.APIServer && json.Unmarshal(e.Detail, &d) == nil && d.Pid != 0 {
			pid = d.Pid
		}
	}
	if pid == 0 {
		v.t.Fatal("the log names no process of kube-apiserver")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		v.t.Fatal(err)
	}
	v.sees("the loss of the connection", func(e watch.Event) bool { return e.Verb == "disconnected" && e.Object == nil })
	_, lost := v.log.Bounds()
	v.sees("the connection again", func(e watch.Event) bool { return e.Seq > lost && e.Verb == "connected" && e.Object == nil })
	v.kubectl("", "create", "configmap", "after", "--from-literal=a=b")
	v.sees("what is new after", is("ADDED", "configmaps/default/after"))

	told := map[string]bool{}
	events, err := v.log.After(0, 0)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == watch.Watch && e.Revision != "" {
			key := e.Object.Key() + "@" + e.Revision
			if told[key] {
				v.t.Errorf("%s is told twice", key)
			}
			told[key] = true
		}
	}
}

// visitedByNobody visits as a user with no rights: everything is denied, and
// nothing fails.
func (s *sandbox) visitedByNobody() {
	text, err := os.ReadFile(s.kubeconfig())
	if err != nil {
		s.t.Fatal(err)
	}
	file := write(s.t, string(text))
	out, err := exec.Command(s.binary, "kubectl", "--data-dir", s.dir, "--kubeconfig", file, "config", "view", "--raw", "--flatten", "-o", "json").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(out, &config); err != nil {
		s.t.Fatal(err)
	}
	for _, u := range config["users"].([]any) {
		u.(map[string]any)["user"].(map[string]any)["as"] = "nobody"
	}
	changed, err := json.Marshal(config)
	if err != nil {
		s.t.Fatal(err)
	}
	v := s.visit(write(s.t, string(changed)))
	denied := v.sees("that pods are denied", is("denied", "pods"))
	if !strings.Contains(string(denied.Detail), `cannot list resource \"pods\"`) {
		s.t.Errorf("the denial does not say why: %s", denied.Detail)
	}
	v.sees("that Secrets are denied", is("denied", "secrets"))
}

const playCRD = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"plays.theatre.example"},
"spec":{"group":"theatre.example","scope":"Namespaced","names":{"plural":"plays","singular":"play","kind":"Play"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`
