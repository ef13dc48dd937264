package cluster

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

func TestListThenWatch(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	for _, name := range []string{"a", "b", "c"} { // two pages
		d.put(shelf, named("mine", name), true)
	}
	s := d.follow()
	s.tells("cluster connected", "pods ADDED mine/a 101 listed", "pods ADDED mine/b 102 listed", "pods ADDED mine/c 103 listed")
	d.watched(shelf, 1)
	d.put(shelf, named("mine", "d"), false)
	d.put(shelf, named("mine", "d").with("status", object{"phase": "Running"}), false)
	d.remove(shelf, named("mine", "a"), false)
	s.tells("cluster connected", "pods ADDED mine/a 101 listed", "pods ADDED mine/b 102 listed", "pods ADDED mine/c 103 listed",
		"pods ADDED mine/d 104", "pods MODIFIED mine/d 105", "pods DELETED mine/a 106")

	events := s.events()
	e := events[len(events)-2]
	if e.From != watch.APIServer || e.To != watch.Kubestage || e.Evidence.ID != "pods/mine/d@105" || e.Object.UID != "uid-of-d" {
		t.Errorf("MODIFIED is told as %+v of %+v", e, e.Object)
	}
	if !strings.Contains(string(e.Detail), `"phase":"Running"`) {
		t.Errorf("MODIFIED does not hold the object: %s", e.Detail)
	}
	want := []string{"limit=2", "continue=2&limit=2", "allowWatchBookmarks=true&resourceVersion=103"}
	for i, query := range d.asked("/api/v1/pods") {
		if query, _, _ = strings.Cut(query, "&timeoutSeconds"); query != want[i] {
			t.Errorf("request %d asks for %q, want %q", i, query, want[i])
		}
	}
}

func TestBookmarkIsWhereTheNextWatchStarts(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	s := d.follow()
	d.watched(shelf, 1)
	d.set(func() {
		shelf.send(frame{"BOOKMARK", object{"metadata": map[string]any{"resourceVersion": "150"}}})
		shelf.revision = 150
	})
	d.endWatches(shelf)
	d.watched(shelf, 1)
	d.put(shelf, named("mine", "a"), false)
	s.tells("cluster connected", "pods ADDED mine/a 151")
	asked := d.asked("/api/v1/pods")
	if last := asked[len(asked)-1]; !strings.Contains(last, "resourceVersion=150") {
		t.Errorf("the second watch asks for %q, want the bookmark's revision 150", last)
	}
}

// expiredFrame is how an open watch says that its revision is too old.
var expiredFrame = frame{"ERROR", object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version"}}

// A revision can be too old in two ways: the answer is 410, or the watch
// opens and its first frame is an error.
func TestGapIsToldAndItsDifference(t *testing.T) {
	for name, expire := range map[string]func(*door, *shelf){
		"status": func(d *door, s *shelf) {
			d.set(func() {
				s.refuse = func(r *http.Request) int {
					if r.URL.Query().Get("resourceVersion") == "103" {
						return http.StatusGone
					}
					return 0
				}
			})
			d.endWatches(s)
		},
		"frame": func(d *door, s *shelf) {
			d.endWatches(s, expiredFrame)
		},
	} {
		t.Run(name, func(t *testing.T) {
			shelf := pods()
			d := openDoor(t, shelf)
			kept, changed, lost := named("mine", "kept"), named("mine", "changed"), named("mine", "lost")
			d.put(shelf, kept, true)
			d.put(shelf, changed, true)
			d.put(shelf, lost, true)
			s := d.follow()
			d.watched(shelf, 1)
			before := []string{"cluster connected", "pods ADDED mine/kept 101 listed", "pods ADDED mine/changed 102 listed", "pods ADDED mine/lost 103 listed"}
			s.tells(before...)

			d.remove(shelf, lost, true)
			d.put(shelf, changed.with("status", object{"phase": "Failed"}), true)
			d.put(shelf, named("mine", "new"), true)
			expire(d, shelf)
			s.tells(append(before, "pods gap",
				"pods DELETED mine/lost listed inferred",
				"pods MODIFIED mine/changed 105 listed",
				"pods ADDED mine/new 106 listed")...)
			for _, e := range s.events() {
				if e.Verb == "gap" && !strings.Contains(string(e.Detail), "from revision 103 to 106") {
					t.Errorf("the gap does not say what it spans: %s", e.Detail)
				}
				if e.Verb == "DELETED" && !strings.Contains(string(e.Detail), `"name":"lost"`) {
					t.Errorf("what vanished is told without its last value: %s", e.Detail)
				}
			}
			d.watched(shelf, 1)
			d.put(shelf, named("mine", "after"), false)
			s.has("pods ADDED mine/after 107")
		})
	}
}

func TestSameNameNewObject(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	old := named("mine", "web")
	d.put(shelf, old, true)
	s := d.follow()
	d.watched(shelf, 1)
	again := named("mine", "web")
	again.meta()["uid"] = "another"
	d.remove(shelf, old, true)
	d.put(shelf, again, true)
	d.endWatches(shelf, expiredFrame)
	s.tells("cluster connected", "pods ADDED mine/web 101 listed", "pods gap", "pods DELETED mine/web listed inferred", "pods ADDED mine/web 103 listed")
}

func TestDeniedKindIsNamedOnceAndTriedAgain(t *testing.T) {
	open, closed := pods(), &shelf{version: "v1", resource: "nodes", kind: "Node"}
	d := openDoor(t, open, closed)
	d.put(closed, named("", "node-1"), true)
	d.set(func() { closed.refuse = func(*http.Request) int { return http.StatusForbidden } })
	s := d.follow()
	s.has("nodes denied")
	d.waitAsked("/api/v1/nodes", 4)
	d.watched(open, 1)
	d.put(open, named("mine", "a"), false)
	s.tells("cluster connected", "nodes denied", "pods ADDED mine/a 101")
	d.set(func() { closed.refuse = nil })
	s.tells("cluster connected", "nodes denied", "nodes ADDED node-1 101 listed", "nodes connected", "pods ADDED mine/a 101")
}

// A person who may list but not watch sees differences from time to time.
func TestWatchDenied(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	d.set(func() {
		shelf.refuse = func(r *http.Request) int {
			if r.URL.Query().Get("watch") != "" {
				return http.StatusForbidden
			}
			return 0
		}
	})
	s := d.follow()
	s.has("pods denied")
	d.put(shelf, named("mine", "a"), true)
	s.has("pods ADDED mine/a 101 listed")
	s.has("pods gap")
}

func TestOwnNamespaceOnly(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	d.put(shelf, named("mine", "a"), true)
	d.set(func() {
		shelf.refuse = func(r *http.Request) int {
			if !strings.Contains(r.URL.Path, "/namespaces/mine/") {
				return http.StatusForbidden
			}
			return 0
		}
	})
	s := d.follow()
	s.tells("cluster connected", "pods denied", "pods ADDED mine/a 101 listed")
	d.watched(shelf, 1)
	d.put(shelf, named("mine", "b"), false)
	s.has("pods ADDED mine/b 102")
}

func TestLostConnectionIsToldOnceAndResumed(t *testing.T) {
	a, b := pods(), &shelf{version: "v1", resource: "nodes", kind: "Node"}
	d := openDoor(t, a, b)
	s := d.follow()
	d.watched(a, 1)
	d.watched(b, 1)
	address := d.server.Listener.Addr().String()
	d.server.CloseClientConnections()
	d.server.Listener.Close()
	s.has("cluster disconnected")
	d.set(func() { a.watchers, b.watchers = nil, nil })

	d.put(a, named("mine", "meanwhile"), true)
	d.reopen(address)
	d.watched(a, 1)
	d.set(func() { a.send(frame{"ADDED", a.objects[0]}) }) // a real one sends what came after the revision that is asked for
	s.tells("cluster connected", "cluster disconnected", "cluster connected", "pods ADDED mine/meanwhile 101")
	asked := d.asked("/api/v1/pods")
	if last := asked[len(asked)-1]; !strings.Contains(last, "resourceVersion=100&") {
		t.Errorf("after the break the watch asks for %q, want the revision before it, 100", last)
	}
}

func TestSecretsAreAskedForAsMetadata(t *testing.T) {
	shelf := &shelf{version: "v1", resource: "secrets", kind: "Secret", namespaced: true}
	d := openDoor(t, shelf)
	secret := named("mine", "db").with("data", object{"password": "c3dvcmRmaXNo"})
	secret.meta()["annotations"] = map[string]any{"kubectl.kubernetes.io/last-applied-configuration": `{"data":{"password":"c3dvcmRmaXNo"}}`, "team": "blue"}
	secret.meta()["managedFields"] = []any{map[string]any{"manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1",
		"fieldsV1": map[string]any{"f:data": map[string]any{".": map[string]any{}, "f:password": map[string]any{}}}}}
	d.put(shelf, secret, true)
	s := d.follow()
	d.watched(shelf, 1)
	d.put(shelf, secret.with("data", object{"password": "bmV3"}), false)
	s.tells("cluster connected", "secrets ADDED mine/db 101 listed", "secrets MODIFIED mine/db 102")
	for _, leak := range []string{"c3dvcmRmaXNo", "bmV3"} {
		if contains(s.events(), leak) {
			t.Errorf("the log holds the value %s of a Secret", leak)
		}
	}
	for _, r := range d.requests {
		if strings.HasSuffix(r.path, "/secrets") && !strings.Contains(r.accept, "as=PartialObjectMetadata") {
			t.Errorf("Secrets were asked for as %q: their values left the cluster", r.accept)
		}
	}
	var told struct {
		Value struct {
			Kind, APIVersion string
			Metadata         struct{ Annotations map[string]string }
			Data             map[string]any
		}
	}
	if err := json.Unmarshal(s.events()[1].Detail, &told); err != nil {
		t.Fatal(err)
	}
	v := told.Value
	if _, named := v.Data["password"]; !named || v.Kind != "Secret" || v.APIVersion != "v1" || v.Metadata.Annotations["team"] != "blue" {
		t.Errorf("the Secret is told as %s", s.events()[1].Detail)
	}
}

func TestManagedFieldsBecomeWriters(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	s := d.follow()
	d.watched(shelf, 1)
	field := func(manager, subresource, at, path string) any {
		return map[string]any{"manager": manager, "operation": "Update", "subresource": subresource, "time": at,
			"fieldsType": "FieldsV1", "fieldsV1": map[string]any{path: map[string]any{}}}
	}
	pod := named("mine", "a")
	pod.meta()["managedFields"] = []any{field("kube-controller-manager", "", "2026-01-01T00:00:00Z", "f:spec")}
	d.put(shelf, pod, false)
	pod = pod.clone()
	pod.meta()["managedFields"] = []any{
		field("kube-controller-manager", "", "2026-01-01T00:00:00Z", "f:spec"),
		field("kubelet", "status", "2026-01-01T00:00:00Z", "f:status"),
	}
	d.put(shelf, pod, false)
	pod = pod.clone()
	pod.meta()["deletionTimestamp"] = "2026-01-01T00:00:05Z"
	d.put(shelf, pod, false)
	s.tells("cluster connected", "pods ADDED mine/a 101", "pods MODIFIED mine/a 102", "pods MODIFIED mine/a 103")

	want := []string{"kube-controller-manager", "kubelet", ""}
	for i, e := range s.events()[1:] {
		var told detail
		if err := json.Unmarshal(e.Detail, &told); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range told.Writers {
			got = append(got, w.Manager)
		}
		if strings.Join(got, ",") != want[i] {
			t.Errorf("%s@%s is written by %v, want %q", e.Verb, e.Revision, got, want[i])
		}
		if strings.Contains(string(e.Detail), "managedFields") {
			t.Errorf("the value still holds managedFields: %s", e.Detail)
		}
	}
}

func TestOwnersAreCauses(t *testing.T) {
	sets := &shelf{group: "apps", version: "v1", resource: "replicasets", kind: "ReplicaSet", namespaced: true}
	shelf := pods()
	d := openDoor(t, sets, shelf)
	s := d.follow()
	d.watched(sets, 1)
	d.watched(shelf, 1)
	pod := named("mine", "web-1")
	pod.meta()["ownerReferences"] = []any{map[string]any{"kind": "ReplicaSet", "name": "web", "uid": "uid-of-web"}}
	d.put(shelf, pod, false) // the Pod's watch is faster
	d.put(sets, named("mine", "web"), false)
	s.tells("cluster connected", "pods ADDED mine/web-1 101", "replicasets ADDED mine/web 101")
	events := s.events()
	set, child := events[1], events[2]
	if child.Object.Resource != "pods" || !slices.Contains(child.Causes, watch.Cause{Seq: set.Seq, How: watch.ByOwner}) {
		t.Errorf("got %v, want the ReplicaSet first and the Pod caused by it; causes %v", s.lines(), child.Causes)
	}
}

func TestNewKindIsFollowed(t *testing.T) {
	crds := &shelf{group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions", kind: "CustomResourceDefinition"}
	d := openDoor(t, crds)
	s := d.follow()
	d.watched(crds, 1)
	plays := &shelf{group: "theatre.example", version: "v1", resource: "plays", kind: "Play", namespaced: true, revision: 200}
	d.set(func() { d.shelves[plays.path()] = plays })
	d.put(plays, named("mine", "hamlet"), true)
	d.put(crds, named("", "plays.theatre.example"), false)
	s.has("plays ADDED mine/hamlet 201 listed")

	// A new version is the same objects: nothing happened to them.
	d.watched(plays, 1)
	d.set(func() {
		delete(d.shelves, plays.path())
		plays.version = "v2"
		d.shelves[plays.path()] = plays
	})
	d.put(crds, named("", "plays.theatre.example").with("spec", 2), false)
	d.waitAsked("/apis/theatre.example/v2", 1)
	d.endWatches(plays)
	d.watched(plays, 1)
	d.put(plays, named("mine", "macbeth"), false)
	s.has("plays ADDED mine/macbeth 202")

	d.set(func() { delete(d.shelves, plays.path()) })
	d.endWatches(plays)
	s.has("plays DELETED mine/hamlet listed inferred")
	s.has("plays DELETED mine/macbeth listed inferred")
	s.has("plays disconnected")
}

func TestGroupThatDoesNotAnswerIsNamed(t *testing.T) {
	open := pods()
	d := openDoor(t, open, &shelf{group: "metrics.example", version: "v1", resource: "things", kind: "Thing"})
	d.set(func() { d.broken["metrics.example"] = true })
	s := d.follow()
	d.watched(open, 1)
	d.put(open, named("mine", "a"), false)
	s.tells("cluster connected", "metrics.example denied", "pods ADDED mine/a 101")
}

func TestOnlyGetIsSent(t *testing.T) {
	shelf := pods()
	d := openDoor(t, shelf)
	s := d.follow()
	d.watched(shelf, 1)
	d.endWatches(shelf, expiredFrame)
	s.has("pods gap")
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.requests {
		if r.method != http.MethodGet {
			t.Errorf("%s %s was sent to a cluster we only read", r.method, r.path)
		}
	}
}

func TestGuardRefusesToWrite(t *testing.T) {
	d := openDoor(t)
	s, err := New(Options{Kubeconfig: kubeconfig(t, d.server.URL)})
	if err != nil {
		t.Fatal(err)
	}
	d.set(func() { d.requests = nil })
	client := s.discovery.RESTClient()
	for name, err := range map[string]error{
		"POST":   client.Post().AbsPath("/api/v1/namespaces").Do(t.Context()).Error(),
		"PUT":    client.Put().AbsPath("/api/v1/namespaces/a").Do(t.Context()).Error(),
		"PATCH":  client.Patch("application/merge-patch+json").AbsPath("/api/v1/namespaces/a").Do(t.Context()).Error(),
		"DELETE": client.Delete().AbsPath("/api/v1/namespaces/a").Do(t.Context()).Error(),
		"exec":   client.Get().AbsPath("/api/v1/namespaces/a/pods/b/exec").SetHeader("Upgrade", "websocket").Do(t.Context()).Error(),
	} {
		if err == nil || !strings.Contains(err.Error(), "only reads") {
			t.Errorf("%s: got error %v, want a refusal", name, err)
		}
	}
	if len(d.requests) > 0 {
		t.Errorf("these were sent all the same: %v", d.requests)
	}
}

// watched waits until a kind has n watches.
func (d *door) watched(s *shelf, n int) {
	d.t.Helper()
	d.until("watches of "+s.resource, func() (int, bool) { return len(s.watchers), len(s.watchers) >= n })
}

func (d *door) waitAsked(path string, n int) {
	d.t.Helper()
	d.until("requests for "+path, func() (count int, enough bool) {
		for _, r := range d.requests {
			if r.path == path {
				count++
			}
		}
		return count, count >= n
	})
}

func (d *door) until(what string, check func() (int, bool)) {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		value, ok := check()
		d.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: still %d", what, value)
		}
	}
}
