package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/watch"
)

// A command of a chapter's page runs in the learner's namespace, and one with a
// token has no other credentials.
func TestKubeconfigOfACommand(t *testing.T) {
	real := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(real, []byte("current-context: k\ncontexts: [{name: k, context: {cluster: c, user: admin}}]\nusers: [{name: admin, user: {client-key-data: c2VjcmV0}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, ns string
		has      []string
		hasNot   []string
	}{
		{"kubectl get pods", "", nil, nil},
		{"kubectl get pods", "pod-birth-abcd", []string{"namespace: pod-birth-abcd", "user: admin", "cluster: c"}, []string{"c2VjcmV0"}},
		{"kubectl get pods --token=x", "pod-birth-abcd", []string{"namespace: pod-birth-abcd", "cluster: c"}, []string{"admin"}},
		{"kubectl get pods --token=x", "", []string{"cluster: c"}, []string{"admin", "namespace"}},
	} {
		u, no := understand(c.line, "", false)
		if no != nil {
			t.Fatal(no.why.en)
		}
		home := t.TempDir()
		path, err := (&command{understood: u, config: real, namespace: c.ns}).kubeconfig(home)
		if err != nil {
			t.Fatal(err)
		}
		ours, rest, both := strings.Cut(path, string(os.PathListSeparator))
		if both != (c.has != nil) || both && rest != real {
			t.Errorf("%s in %q: KUBECONFIG=%s", c.line, c.ns, path)
			continue
		}
		if !both {
			continue
		}
		text, err := os.ReadFile(ours)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range c.has {
			if !strings.Contains(string(text), word) {
				t.Errorf("%s in %q: no %q in\n%s", c.line, c.ns, word, text)
			}
		}
		for _, word := range c.hasNot {
			if strings.Contains(string(text), word) {
				t.Errorf("%s in %q: %q in\n%s", c.line, c.ns, word, text)
			}
		}
	}
}

// object is an event that stores one in the learner's namespace.
func (th *theater) object(resource, name string, metadata string) watch.Event {
	return watch.Event{Kind: watch.Etcd, Verb: "put", Object: &watch.Object{Resource: resource, Namespace: th.ns, Name: name, UID: resource + "/" + name},
		Detail: json.RawMessage(fmt.Sprintf(`{"value":{"metadata":%s}}`, metadata))}
}

func (th *theater) gone(resource, name string) {
	e := th.object(resource, name, `{}`)
	e.Verb = "delete"
	th.Log.Append(e)
}

// Owners go first; what they own is asked for only when nobody makes it anew; what
// every namespace has stays.
func TestSweepDeletesOwnersFirst(t *testing.T) {
	th := newTheater(t)
	owned := func(owner string) string { return fmt.Sprintf(`{"ownerReferences":[{"uid":%q}]}`, owner) }
	th.Log.Append(
		th.object("deployments", "web", `{}`), th.object("replicasets", "web-1", owned("deployments/web")), th.object("pods", "web-1-a", owned("replicasets/web-1")),
		th.object("configmaps", "kube-root-ca.crt", `{}`), th.object("serviceaccounts", "default", `{}`), th.object("events", "x", `{}`), th.object("pods", "hello", `{}`))
	var lines []string
	th.kubectl = func(_ context.Context, line, _ string, _ func(string, string)) int {
		lines = append(lines, strings.TrimSuffix(line, " --grace-period=1 --wait=false --ignore-not-found"))
		switch len(lines) {
		case 1:
			th.gone("pods", "hello")
			th.gone("deployments", "web")
			th.gone("replicasets", "web-1")
		case 2:
			th.gone("pods", "web-1-a")
		}
		return 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := th.scenes.sweep(ctx, th.ns, "en"); err != nil {
		t.Fatal(err)
	}
	want := []string{"kubectl delete deployments/web pods/hello", "kubectl delete pods/web-1-a"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// Two learners run the same scene side by side; one learner does not, in two tabs.
// A scene that touches what everybody uses runs alone.
func TestWhoMayRunBesideWhom(t *testing.T) {
	th := newTheater(t)
	s := th.scenes
	lonely := &content.Chapter{ID: "unplug", Scene: &content.Scene{Setup: []content.Action{{Run: "kubectl drain node-1"}}}}
	if no := s.begin("pod-birth-aaaa", th.chapter, "en"); no != nil {
		t.Fatal(no.why.en)
	}
	if no := s.begin("pod-birth-bbbb", th.chapter, "en"); no != nil {
		t.Error("another learner:", no.why.en)
	}
	if no := s.begin("pod-birth-aaaa", th.chapter, "en"); no == nil || !strings.Contains(no.why.en, "another tab") {
		t.Errorf("the same learner: %v", no)
	}
	if no := s.begin("unplug-aaaa", lonely, "ko"); no == nil || !strings.Contains(no.why.ko, "파드의 탄생") {
		t.Errorf("a scene that wants to be alone: %v", no)
	}
	s.end("pod-birth-aaaa")
	s.end("pod-birth-bbbb")
	if no := s.begin("unplug-aaaa", lonely, "en"); no != nil {
		t.Error("alone:", no.why.en)
	}
	if no := s.begin("pod-birth-aaaa", th.chapter, "en"); no == nil || !strings.Contains(no.why.en, "everybody") {
		t.Errorf("beside one that is alone: %v", no)
	}
}

// What a run of the scene does is nobody's attempt at the checkpoint.
func TestARunIsNoAttempt(t *testing.T) {
	th := newTheater(t)
	running := `{"value":{"spec":{"nodeName":"node-1"},"status":{"phase":"Running"}}}`
	all := []watch.Event{
		event(watch.Request, "create", "kubernetes-admin", "", "", "first", "u", "31", 201, ""),
		event(watch.Etcd, "put", watch.APIServer, "", "", "first", "u", "31", 0, running),
		event(watch.Etcd, "put", watch.APIServer, "", "", "first", "u", "32", 0, running),
		event(watch.Request, "delete", "kubernetes-admin", "", "", "first", "u", "", 200, ""),
		event(watch.Request, "delete", "system:node:node-1", "", "", "first", "u", "", 200, ""),
		removed("first", "u"),
	}
	th.kubectl = func(context.Context, string, string, func(string, string)) int {
		th.tell(all...)
		th.tell(birth("u1")...)
		return 0
	}
	if _, last := th.run("en"); last["type"] != "done" {
		t.Fatal(last)
	}
	if _, text := th.text("POST", "/api/scenes/pod-birth/checkpoint", ""); strings.Contains(text, `"passed":true`) {
		t.Errorf("the scene passes its own checkpoint: %s", text)
	}
	th.tell(all...)
	if _, text := th.text("POST", "/api/scenes/pod-birth/checkpoint", ""); !strings.Contains(text, `"passed":true`) {
		t.Errorf("the learner does not: %s", text)
	}
}

// Somebody else's namespace is somebody else's.
func TestLearnersHaveNamespacesOfTheirOwn(t *testing.T) {
	th := newTheater(t)
	mine := th.namespace()
	if mine != th.namespace() {
		t.Error("it changes")
	}
	th.client = &http.Client{}
	th.client.Jar, _ = cookiejar.New(nil)
	if other := th.namespace(); other == mine || !strings.HasPrefix(other, "pod-birth-") {
		t.Errorf("another learner has %s, one has %s", other, mine)
	}
}
