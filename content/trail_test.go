package content

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

func chainOf(t *testing.T, steps ...stepFile) *Trail {
	t.Helper()
	lang, err := newLanguages()
	if err != nil {
		t.Fatal(err)
	}
	c, err := lang.chain(steps)
	if err != nil {
		t.Fatal(err)
	}
	return newTrail(c, "")
}

func event(seq uint64, kind watch.Kind, verb, name, detail string) watch.Event {
	e := watch.Event{Seq: seq, Kind: kind, Verb: verb, End: time.Unix(int64(seq), 0), Object: &watch.Object{Resource: "pods", Name: name, UID: "uid-" + name}}
	if detail != "" {
		e.Detail = json.RawMessage(detail)
	}
	return e
}

func follow(tr *Trail, events ...watch.Event) (out []Fact) {
	for _, e := range events {
		out = append(out, tr.Add(e)...)
	}
	return out
}

func seqs(facts []Fact) string {
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(f.Step + "@" + caption(f.Seq) + " ")
	}
	return strings.TrimSpace(b.String())
}

var (
	begin  = stepFile{ID: "begin", Fact: `event.kind == "request" && event.verb == "create"`, Capture: []captureFile{{"uid", "event.object.uid"}, {"name", "event.object.name"}}}
	left   = stepFile{ID: "left", After: "begin", Fact: `event.kind == "cri" && event.object.uid == uid`, Capture: []captureFile{{"node", "string(detail.node)"}}}
	right  = stepFile{ID: "right", After: "begin", Fact: `event.kind == "watch" && event.object.uid == uid`}
	finish = stepFile{ID: "finish", After: "left", Fact: `event.kind == "etcd" && detail.value.spec.nodeName == node`}
)

func TestFactsUseWhatEarlierOnesCaptured(t *testing.T) {
	tr := chainOf(t, begin, left, finish)
	got := follow(tr,
		event(1, watch.CRI, "RunPodSandbox", "a", `{"node":"n9"}`), // before the story: not part of it
		event(2, watch.Request, "create", "a", ""),
		event(3, watch.CRI, "RunPodSandbox", "b", `{"node":"n1"}`), // another pod
		event(4, watch.CRI, "RunPodSandbox", "a", `{"node":"n2"}`),
		event(5, watch.Etcd, "put", "a", `{"value":{"spec":{"nodeName":"n1"}}}`),
		event(6, watch.Etcd, "put", "a", `{"value":{"spec":{}}}`), // the field is not there
		event(7, watch.Etcd, "put", "a", ""),                      // no detail at all
		event(8, watch.Etcd, "put", "a", `{"value":{"spec":{"nodeName":"n2"}}}`),
		event(9, watch.Etcd, "put", "a", `{"value":{"spec":{"nodeName":"n2"}}}`),
	)
	if want := "begin@2 left@4 finish@8"; seqs(got) != want {
		t.Fatalf("got %q, want %q", seqs(got), want)
	}
	if got[1].Values["node"] != "n2" || !got[1].At.Equal(time.Unix(4, 0)) || !tr.Done() || tr.Waiting() != "" {
		t.Fatalf("got %+v, waiting for %q", got[1], tr.Waiting())
	}
}

func TestBranchesMayComeInEitherOrder(t *testing.T) {
	tr := chainOf(t, begin, left, right, finish)
	got := follow(tr,
		event(1, watch.Request, "create", "a", ""),
		event(2, watch.Watch, "ADDED", "a", ""),
		event(3, watch.CRI, "RunPodSandbox", "a", `{"node":"n2"}`),
	)
	if want := "begin@1 right@2 left@3"; seqs(got) != want {
		t.Fatalf("got %q, want %q", seqs(got), want)
	}
	if tr.Waiting() != "finish" {
		t.Fatalf("waits for %q", tr.Waiting())
	}
}

func TestAFactIsLookedForBehindTheOneItFollows(t *testing.T) {
	slow := stepFile{ID: "slow", After: "right", Fact: `event.kind == "etcd"`}
	tr := chainOf(t, begin, right, slow, stepFile{ID: "last", After: "begin", Fact: `event.kind == "etcd"`})
	got := follow(tr,
		event(1, watch.Request, "create", "a", ""),
		event(2, watch.Etcd, "put", "a", ""), // true of last, too early for slow
		event(3, watch.Watch, "ADDED", "a", ""),
		event(4, watch.Etcd, "put", "a", ""),
	)
	if want := "begin@1 last@2 right@3 slow@4"; seqs(got) != want {
		t.Fatalf("got %q, want %q", seqs(got), want)
	}
}

func TestOneEventCanBeSeveralFacts(t *testing.T) {
	same := stepFile{ID: "same", After: "begin", Fact: `event.kind == "cri"`}
	got := follow(chainOf(t, begin, left, same),
		event(1, watch.Request, "create", "a", ""),
		event(2, watch.CRI, "RunPodSandbox", "a", `{"node":"n2"}`),
	)
	if want := "begin@1 left@2 same@2"; seqs(got) != want {
		t.Fatalf("got %q, want %q", seqs(got), want)
	}
}

func TestThePredictionIsDecidedByTheLog(t *testing.T) {
	scene := sceneOf(t)
	for _, c := range []struct{ name, detail, want string }{
		{"all equal", `{"result":"scheduled","node":"node-2","evaluated":3,"feasible":3,"nodes":[{"name":"node-1","total":584},{"name":"node-2","total":584},{"name":"node-3","total":584}]}`, "tie"},
		{"two share the top", `{"result":"scheduled","node":"node-2","evaluated":3,"feasible":3,"nodes":[{"name":"node-1","total":580},{"name":"node-2","total":584},{"name":"node-3","total":584}]}`, "tie"},
		{"two share the bottom", `{"result":"scheduled","node":"node-1","evaluated":3,"feasible":3,"nodes":[{"name":"node-1","total":590},{"name":"node-2","total":584},{"name":"node-3","total":584}]}`, "best"},
		{"one left, no scores", `{"result":"scheduled","node":"node-1","evaluated":3,"feasible":1,"nodes":[{"name":"node-1"},{"name":"node-2","rejected":{"plugin":"NodeResourcesFit","reason":"Insufficient cpu"}},{"name":"node-3","rejected":{"plugin":"NodeResourcesFit","reason":"Insufficient cpu"}}]}`, "only"},
	} {
		tr := scene.Follow("default")
		request := event(1, watch.Request, "create", "hello", "")
		request.From, request.Code, request.Revision, request.Object.Namespace = "kubernetes-admin", 201, "100", "default"
		put := event(2, watch.Etcd, "put", "hello", `{"key":"/registry/pods/default/hello","bytes":800}`)
		put.Revision = "100"
		facts := follow(tr, request, put, event(3, watch.Schedule, "schedule", "hello", c.detail))
		if len(facts) != 3 || facts[2].Answer != c.want {
			t.Errorf("%s: got %+v, want the answer %q", c.name, facts, c.want)
		}
	}
}

func sceneOf(t *testing.T) *Scene {
	t.Helper()
	c, ok := whole(t).Chapter("pod-birth")
	if !ok {
		t.Fatal("the chapter pod-birth is missing")
	}
	return c.Scene
}

func BenchmarkAdd(b *testing.B) {
	book, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	c, _ := book.Chapter("pod-birth")
	e := event(1, watch.Etcd, "put", "other", `{"key":"/registry/pods/default/other","value":{"spec":{"nodeName":"n"}}}`)
	for b.Loop() {
		c.Scene.Follow("default").Add(e)
	}
}
