package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
)

// theater is a server whose kubectl is a function and whose cluster is a log
// that the test writes.
type theater struct {
	*Server
	t       *testing.T
	url     string
	client  *http.Client
	chapter *content.Chapter
	ns      string // the learner's, in pod-birth
	ready   bool
	kubectl func(ctx context.Context, line, input string, out func(stream, data string)) int
}

func newTheater(t *testing.T) *theater {
	t.Helper()
	book, err := content.Load()
	if err != nil {
		t.Fatal(err)
	}
	learners, err := store.Open(filepath.Join(t.TempDir(), "learners.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = learners.Close() })
	th := &theater{t: t, ready: true}
	th.Server, err = New(Config{Log: watch.NewLog(0), Source: "sandbox", Book: book, Store: learners, Logf: t.Logf,
		Ready: func() (bool, string) { return th.ready, "as the test says" }})
	if err != nil {
		t.Fatal(err)
	}
	th.chapter, _ = book.Chapter("pod-birth")
	th.kubectl = func(context.Context, string, string, func(string, string)) int { return 0 }
	r := chi.NewRouter()
	th.scenes = newScenes(th.Server, func(ctx context.Context, line, input, _, ns string, emit func(stream, data string) error) (int, error) {
		if strings.Contains(input, "kind: Namespace") {
			made := watch.Event{Kind: watch.Etcd, Verb: "put", Detail: json.RawMessage(`{"value":{}}`)}
			for _, o := range []watch.Object{{Resource: "namespaces", Name: th.ns, UID: "ns"}, {Resource: "serviceaccounts", Namespace: th.ns, Name: "default", UID: "sa"}} {
				made.Object = &o
				th.Log.Append(made)
			}
			return 0, nil
		}
		if ns != th.ns {
			t.Errorf("%s runs in the namespace %q, want %q", line, ns, th.ns)
		}
		return th.kubectl(ctx, line, input, func(stream, data string) { _ = emit(stream, data) }), nil
	})
	th.scenes.routes(r)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	th.url = srv.URL
	jar, _ := cookiejar.New(nil)
	th.client = &http.Client{Jar: jar}
	th.ns = th.namespace()
	return th
}

// namespace is what the learner who asks has in pod-birth.
func (th *theater) namespace() string {
	th.t.Helper()
	_, text := th.text("GET", "/api/scenes", "")
	var all []struct{ ID, Namespace string }
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		th.t.Fatal(err)
	}
	for _, scene := range all {
		if scene.ID == th.chapter.ID {
			return scene.Namespace
		}
	}
	th.t.Fatalf("%s does not tell of %s", text, th.chapter.ID)
	return ""
}

// tell appends events of the learner's namespace.
func (th *theater) tell(events ...watch.Event) {
	for _, e := range events {
		about := *e.Object
		about.Namespace = th.ns
		e.Object = &about
		th.Log.Append(e)
	}
}

func (th *theater) do(ctx context.Context, method, path, body string) *http.Response {
	th.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, th.url+path, strings.NewReader(body))
	if err != nil {
		th.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := th.client.Do(req)
	if err != nil {
		th.t.Fatal(err)
	}
	return answer
}

// text does a request and returns the status and the whole answer.
func (th *theater) text(method, path, body string) (int, string) {
	th.t.Helper()
	answer := th.do(context.Background(), method, path, body)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		th.t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(text))
}

// types runs the scene and returns the types of the answer's lines, and the last
// line.
func (th *theater) run(lang string) (types []string, last map[string]any) {
	th.t.Helper()
	status, text := th.text("POST", "/api/scenes/pod-birth/run", fmt.Sprintf(`{"lang":%q}`, lang))
	if status != http.StatusOK {
		th.t.Fatalf("%d %s", status, text)
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		last = map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			th.t.Fatal(err)
		}
		kind := fmt.Sprint(last["type"])
		if kind == "fact" {
			kind = fmt.Sprint(last["step"])
		}
		switch kind {
		case "exit": // comes before or after the last fact
		case "assert": // this log is too short for some of them; e2e/book has real ones
		default:
			types = append(types, kind)
		}
	}
	return types, last
}

// event is an event of a pod, with detail as JSON text.
func event(kind watch.Kind, verb, from, to, sub, name, uid, revision string, code int, detail string) watch.Event {
	e := watch.Event{Kind: kind, Verb: verb, From: from, To: to, Code: code, Revision: revision,
		Start: time.Unix(100, 0), End: time.Unix(100, 0), Evidence: watch.Observed("test", ""),
		Object: &watch.Object{Version: "v1", Resource: "pods", Subresource: sub, Namespace: "default", Name: name, UID: uid}}
	if detail != "" {
		e.Detail = json.RawMessage(detail)
	}
	return e
}

// birth is the shortest log that tells the whole story of the pod hello.
func birth(uid string) []watch.Event {
	const node = "node-2"
	value := func(phase string) string {
		return fmt.Sprintf(`{"key":"/registry/pods/default/hello","version":3,"bytes":9,"value":{"spec":{"nodeName":%q},"status":{"phase":%q,"conditions":[{"type":"Ready","status":"True"}]}}}`, node, phase)
	}
	cri := func(verb string) watch.Event {
		return event(watch.CRI, verb, "system:node:"+node, watch.RuntimeActor(node), "", "hello", uid, "", 0, `{"ip":"10.244.1.2","image":"nginx:1.29","containerName":"web"}`)
	}
	return []watch.Event{
		event(watch.Request, "create", "kubernetes-admin", watch.APIServer, "", "hello", uid, "11", 201, ""),
		event(watch.Etcd, "put", watch.APIServer, watch.EtcdServer, "", "hello", uid, "11", 0, `{"key":"/registry/pods/default/hello","version":1,"bytes":9,"value":{"spec":{}}}`),
		event(watch.Watch, "ADDED", watch.APIServer, "system:kube-scheduler", "", "hello", uid, "11", 0, ""),
		event(watch.Schedule, "schedule", "system:kube-scheduler", "", "", "hello", uid, "", 0, `{"result":"scheduled","node":"node-2","evaluated":3,"feasible":3,"nodes":[{"name":"node-1","total":5},{"name":"node-2","total":7},{"name":"node-3","total":5}]}`),
		event(watch.Request, "create", "system:kube-scheduler", watch.APIServer, "binding", "hello", uid, "", 201, ""),
		event(watch.Etcd, "put", watch.APIServer, watch.EtcdServer, "", "hello", uid, "12", 0, value("Pending")),
		event(watch.Watch, "ADDED", watch.APIServer, "system:node:"+node, "", "hello", uid, "12", 0, ""),
		cri("RunPodSandbox"), cri("PullImage"), cri("CreateContainer"), cri("StartContainer"),
		event(watch.Request, "patch", "system:node:"+node, watch.APIServer, "status", "hello", uid, "14", 200, `{"request":{"status":{"phase":"Running"}}}`),
		event(watch.Etcd, "put", watch.APIServer, watch.EtcdServer, "", "hello", uid, "14", 0, value("Running")),
	}
}

func removed(name, uid string) watch.Event {
	return event(watch.Etcd, "delete", watch.APIServer, watch.EtcdServer, "", name, uid, "20", 0, "")
}

var wholeStory = "request stored told chosen bound assigned noticed sandbox pulled started reported running"

func TestRunTellsTheStoryAsItHappens(t *testing.T) {
	th := newTheater(t)
	if status, text := th.text("PUT", "/api/progress/pod-birth/prediction", `{"chosen":"tie"}`); status != http.StatusNoContent {
		t.Fatalf("predict: %d %s", status, text)
	}
	th.kubectl = func(_ context.Context, line, input string, out func(stream, data string)) int {
		if !strings.Contains(input, "name: hello") {
			t.Errorf("%s was given no manifest", line)
		}
		out("stdout", "pod/hello created\n")
		th.tell(birth("u1")...)
		return 0
	}
	types, last := th.run("en")
	got := strings.Join(types, " ")
	if want := "reset start command output " + wholeStory + " done"; got != want {
		t.Errorf("got  %s\nwant %s (last: %v)", got, want, last)
	}

	status, text := th.text("GET", "/api/progress/pod-birth", "")
	var p store.Progress
	if err := json.Unmarshal([]byte(text), &p); status != 200 || err != nil {
		t.Fatalf("progress: %d %s %v", status, text, err)
	}
	if len(p.Reached) != 12 || p.Prediction == nil || *p.Prediction != (store.Prediction{Chosen: "tie", Answer: "best"}) {
		t.Errorf("progress: got %s", text)
	}
	if status, text := th.text("GET", "/api/scenes/pod-birth/facts", ""); status != 200 || strings.Count(text, `"step"`) != 12 {
		t.Errorf("facts: %d %s", status, text)
	}
}

func TestRunWaitsUntilTheLastOneIsGone(t *testing.T) {
	th := newTheater(t)
	th.tell(birth("old")...)
	var saidGone time.Time
	th.kubectl = func(_ context.Context, line, _ string, out func(stream, data string)) int {
		if strings.HasPrefix(line, "kubectl delete") {
			out("stdout", "pod \"hello\" deleted\n")
			go func() {
				time.Sleep(50 * time.Millisecond)
				saidGone = time.Now()
				th.tell(removed("hello", "old"))
			}()
			return 0
		}
		if saidGone.IsZero() {
			t.Error("the pod was made before the log showed that the old one is gone")
		}
		th.tell(birth("new")...)
		return 0
	}
	types, _ := th.run("en")
	if got, want := strings.Join(types, " "), "reset start command "+wholeStory+" done"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// The newest run is the one that is shown after a reload.
	_, text := th.text("GET", "/api/scenes/pod-birth/facts", "")
	var facts []content.Fact
	if err := json.Unmarshal([]byte(text), &facts); err != nil {
		t.Fatal(err)
	}
	if len(facts) != 12 || facts[1].Values["uid"] != "new" {
		t.Errorf("got %s", text)
	}
	if _, text = th.text("GET", "/api/scenes/pod-birth/facts?after=0", ""); !strings.Contains(text, `"uid":"old"`) {
		t.Errorf("after=0: got %s", text)
	}
}

func TestRunSaysWhatWentWrong(t *testing.T) {
	t.Run("kubectl fails", func(t *testing.T) {
		th := newTheater(t)
		th.kubectl = func(_ context.Context, line, _ string, out func(stream, data string)) int {
			if strings.HasPrefix(line, "kubectl delete") {
				return 0
			}
			out("stderr", "Error from server (Forbidden): no\n")
			return 1
		}
		if types, last := th.run("en"); last["error"] != "kubectl failed." || !strings.Contains(fmt.Sprint(last["hint"]), "Forbidden") {
			t.Errorf("got %v, %v", types, last)
		}
	})
	t.Run("the reset fails", func(t *testing.T) {
		th := newTheater(t)
		th.tell(birth("old")...)
		th.kubectl = func(_ context.Context, _, _ string, out func(stream, data string)) int {
			out("stderr", "Error from server (Timeout)\n")
			return 1
		}
		if types, last := th.run("ko"); strings.Join(types, " ") != "reset error" || !strings.Contains(fmt.Sprint(last["error"]), "지우지 못했습니다") {
			t.Errorf("got %v, %v", types, last)
		}
	})
	t.Run("a fact does not come", func(t *testing.T) {
		th := newTheater(t)
		th.chapter.Scene.Within = 300 * time.Millisecond
		th.kubectl = func(_ context.Context, line, _ string, _ func(stream, data string)) int {
			if strings.HasPrefix(line, "kubectl create") {
				th.tell(birth("u1")[:5]...)
			}
			return 0
		}
		types, last := th.run("ko")
		if last["step"] != "assigned" || !strings.Contains(fmt.Sprint(last["error"]), "두 번째 리비전") {
			t.Errorf("got %v, %v", types, last)
		}
	})
}

func TestRunIsRefused(t *testing.T) {
	th := newTheater(t)
	th.ready = false
	if status, text := th.text("POST", "/api/scenes/pod-birth/run", `{"lang":"ko"}`); status != http.StatusServiceUnavailable || !strings.Contains(text, "시작하는 중") {
		t.Errorf("before the cluster is ready: %d %s", status, text)
	}
	th.ready = true
	if status, _ := th.text("POST", "/api/scenes/none/run", `{}`); status != http.StatusNotFound {
		t.Errorf("an unknown scene: %d", status)
	}
	if status, _ := th.text("POST", "/api/scenes/pod-birth/run", `{"lang":`); status != http.StatusBadRequest {
		t.Errorf("half a body: %d", status)
	}
	th.ReadOnly = true
	if status, text := th.text("POST", "/api/scenes/pod-birth/run", `{}`); status != http.StatusForbidden || !strings.Contains(text, "--kubeconfig") {
		t.Errorf("an attached cluster: %d %s", status, text)
	}
}

func TestStoppingEndsTheCommandAndFreesTheScene(t *testing.T) {
	th := newTheater(t)
	started, ended := make(chan bool, 1), make(chan bool, 1)
	th.kubectl = func(ctx context.Context, line, _ string, _ func(stream, data string)) int {
		if strings.HasPrefix(line, "kubectl delete") {
			return 0
		}
		started <- true
		<-ctx.Done()
		ended <- true
		return 137
	}
	ctx, leave := context.WithCancel(context.Background())
	answer := th.do(ctx, "POST", "/api/scenes/pod-birth/run", `{}`)
	<-started
	if status, text := th.text("POST", "/api/scenes/pod-birth/run", `{}`); status != http.StatusConflict {
		t.Errorf("a second run at the same time: %d %s", status, text)
	}
	leave()
	_ = answer.Body.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the command goes on after its reader has left")
	}
	th.kubectl = func(_ context.Context, line, _ string, _ func(stream, data string)) int {
		if strings.HasPrefix(line, "kubectl create") {
			th.tell(birth("u2")...)
		}
		return 0
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		status, text := th.text("POST", "/api/scenes/pod-birth/run", `{}`)
		if status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the scene cannot be run again: %d %s", status, text)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	th := newTheater(t)
	look := func() (passed bool, missing string) {
		t.Helper()
		status, text := th.text("POST", "/api/scenes/pod-birth/checkpoint", "")
		var a struct {
			Passed  bool
			Missing string
		}
		if err := json.Unmarshal([]byte(text), &a); err != nil || status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return a.Passed, a.Missing
	}
	first := func(kind watch.Kind, verb, from, revision string, code int, detail string) watch.Event {
		return event(kind, verb, from, "", "", "first", "u", revision, code, detail)
	}
	running := `{"value":{"spec":{"nodeName":"node-1"},"status":{"phase":"Running"}}}`
	for _, c := range []struct {
		what    string
		event   watch.Event
		missing string
	}{
		{"nothing", event(watch.Request, "get", "kubernetes-admin", "", "", "first", "", "", 200, ""), "created"},
		{"somebody else created it", first(watch.Request, "create", "system:serviceaccount:kube-system:replicaset-controller", "30", 201, ""), "created"},
		{"refused", first(watch.Request, "create", "kubernetes-admin", "", 403, ""), "created"},
		{"created", first(watch.Request, "create", "kubernetes-admin", "31", 201, ""), "kept"},
		{"stored", first(watch.Etcd, "put", watch.APIServer, "31", 0, `{"value":{"spec":{},"status":{"phase":"Pending"}}}`), "ran"},
		{"runs", first(watch.Etcd, "put", watch.APIServer, "32", 0, running), "asked"},
		{"the kubelet deletes before the learner", first(watch.Request, "delete", "system:node:node-1", "", 200, ""), "asked"},
		{"asked", first(watch.Request, "delete", "kubernetes-admin", "", 200, ""), "finished"},
		{"another node's kubelet", first(watch.Request, "delete", "system:node:node-2", "", 200, ""), "finished"},
		{"confirmed", first(watch.Request, "delete", "system:node:node-1", "", 200, ""), "gone"},
	} {
		th.tell(c.event)
		if passed, missing := look(); passed || missing != c.missing {
			t.Errorf("%s: passed %v, missing %q, want %q", c.what, passed, missing, c.missing)
		}
	}
	th.tell(removed("first", "u"))
	if passed, missing := look(); !passed || missing != "" {
		t.Errorf("at the end: passed %v, missing %q", passed, missing)
	}
	th.tell(first(watch.Request, "create", "kubernetes-admin", "41", 201, ""))
	if passed, _ := look(); !passed {
		t.Error("a later attempt took the pass away")
	}
	if _, text := th.text("GET", "/api/progress/pod-birth", ""); !strings.Contains(text, `"passed"`) {
		t.Errorf("the pass was not kept: %s", text)
	}
}

func TestLearnersHaveCookiesOfTheirOwn(t *testing.T) {
	th := newTheater(t)
	th.client.Jar, _ = cookiejar.New(nil)
	answer := th.do(context.Background(), "PUT", "/api/progress/pod-birth/place", `{"step":"chosen"}`)
	_ = answer.Body.Close()
	cookies := answer.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || !store.ValidLearner(cookies[0].Value) {
		t.Fatalf("got %v", cookies)
	}
	if _, text := th.text("GET", "/api/progress/pod-birth", ""); !strings.Contains(text, `"step":"chosen"`) {
		t.Errorf("the same learner: %s", text)
	}
	th.client = http.DefaultClient
	if _, text := th.text("GET", "/api/progress/pod-birth", ""); strings.Contains(text, "chosen") {
		t.Errorf("somebody else: %s", text)
	}
	for _, bad := range []string{`{"step":"nowhere"}`, `{"chosen":"nothing"}`} {
		path := "/api/progress/pod-birth/place"
		if strings.Contains(bad, "chosen") {
			path = "/api/progress/pod-birth/prediction"
		}
		if status, text := th.text("PUT", path, bad); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
}

func TestFactsOfEventsThatAreGone(t *testing.T) {
	th := newTheater(t)
	th.Server.Log = watch.NewLog(12_000)
	for range 20 {
		th.tell(birth("u")...)
	}
	if status, text := th.text("GET", "/api/scenes/pod-birth/facts?after=1", ""); status != http.StatusGone || !strings.Contains(text, `"first"`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, text := th.text("GET", "/api/scenes/pod-birth/facts", ""); status != http.StatusOK || text != "[]" {
		t.Errorf("got %d %s", status, text)
	}
	if status, _ := th.text("GET", "/api/scenes/pod-birth/facts?after=-1", ""); status != http.StatusBadRequest {
		t.Errorf("got %d", status)
	}
}
