package content

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// The recordings are logs of real runs. To make them again, start Kubestage and
//
//	go test -tags nosandbox ./content -run 'TestRecord$' -record http://127.0.0.1:7766
var record = flag.String("record", "", "address of a running Kubestage; runs every scene there and writes testdata")

func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("only with -record ADDRESS")
	}
	for _, c := range load(t).Chapters {
		answer, err := http.Post(*record+"/api/scenes/"+c.ID+"/run", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || !bytes.Contains(text, []byte(`"type":"done"`)) {
			t.Fatalf("%s: %s %v", c.ID, text, err)
		}
		var start struct{ Seq uint64 }
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte(`"type":"start"`)) {
				if err := json.Unmarshal(line, &start); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Second) // what follows from the last fact: a recording may end a little later than its story
		answer, err = http.Get(*record + "/api/events?limit=1000&after=" + strconv.FormatUint(start.Seq, 10))
		if err != nil {
			t.Fatal(err)
		}
		events, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("events: %s %v", answer.Status, err)
		}
		if err := os.WriteFile(recordingOf(c.ID), events, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func recordingOf(id string) string { return filepath.Join("testdata", id+".jsonl") }

// tape is a recorded log.
type tape []watch.Event

func play(t *testing.T, id string) tape {
	t.Helper()
	text, err := os.ReadFile(recordingOf(id))
	if err != nil {
		t.Fatalf("%v: every scene needs a recording; see the top of this file", err)
	}
	var out tape
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e watch.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		t.Fatalf("%s is empty", recordingOf(id))
	}
	return out
}

// Every fact that a chapter waits for has happened in a real cluster, and every
// caption and reason can be written in every language.
func TestRecordingsTellTheWholeStory(t *testing.T) {
	for _, c := range load(t).Chapters {
		var facts []Fact
		trail := c.Scene.Follow()
		values := map[string]string{}
		answer := ""
		for _, e := range play(t, c.ID) {
			for _, f := range trail.Add(e) {
				facts = append(facts, f)
				maps.Copy(values, f.Values)
				answer += f.Answer
			}
		}
		if !trail.Done() {
			t.Fatalf("%s: %q is never true in the recording; reached: %s", c.ID, trail.Waiting(), seqs(facts))
		}
		if c.Scene.Predict != nil && !c.Scene.Predict.Has(answer) {
			t.Errorf("%s: the recording does not answer the prediction (%q)", c.ID, answer)
		}
		for name, value := range values {
			if value == "" {
				t.Errorf("%s: nothing was captured as %s", c.ID, name)
			}
		}
		for _, lang := range Languages {
			p, _ := c.Page(lang)
			for id, text := range p.Captions {
				filled := placeForm.ReplaceAllStringFunc(text, func(place string) string { return values[strings.Trim(place, "{}")] })
				t.Logf("%s %s: %s", lang, id, filled)
			}
		}
	}
}

// Assertions a1 to a8 of the birth of a pod: what the chapter claims, held
// against a real log. `before` is the order in the log.
func TestPodBirthIsTrue(t *testing.T) {
	log := play(t, "pod-birth")
	const scheduler, learner = "system:kube-scheduler", "kubernetes-admin"
	hello := func(e watch.Event, sub string) bool {
		return e.Object != nil && e.Object.Resource == "pods" && e.Object.Subresource == sub && e.Object.Namespace == "default" && e.Object.Name == "hello"
	}
	first := func(what string, is func(watch.Event) bool) watch.Event {
		t.Helper()
		i := slices.IndexFunc(log, is)
		if i < 0 {
			t.Fatalf("the recording has no %s", what)
		}
		return log[i]
	}
	before := func(t *testing.T, events ...watch.Event) {
		t.Helper()
		for i := 1; i < len(events); i++ {
			if events[i-1].Seq >= events[i].Seq {
				t.Errorf("event %d (%s %s) is not before %d (%s %s)", events[i-1].Seq, events[i-1].Kind, events[i-1].Verb, events[i].Seq, events[i].Kind, events[i].Verb)
			}
		}
	}
	because := func(t *testing.T, e, cause watch.Event, how string) {
		t.Helper()
		if !slices.Contains(e.Causes, watch.Cause{Seq: cause.Seq, How: how}) {
			t.Errorf("event %d (%s %s) does not name event %d as its cause by %s: %v", e.Seq, e.Kind, e.Verb, cause.Seq, how, e.Causes)
		}
	}
	type state struct {
		Version int
		Value   struct {
			Spec   struct{ NodeName string }
			Status struct {
				Phase      string
				Conditions []struct{ Type, Status string }
			}
		}
	}
	read := func(e watch.Event) (s state) {
		t.Helper()
		if err := json.Unmarshal(e.Detail, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}

	post := first("create by the learner", func(e watch.Event) bool {
		return e.Kind == watch.Request && e.Verb == "create" && e.From == learner && hello(e, "")
	})
	uid := post.Object.UID
	ours := func(e watch.Event) bool { return e.Object != nil && e.Object.UID == uid && e.Object.Resource == "pods" }
	var puts []watch.Event
	for _, e := range log {
		if e.Kind == watch.Etcd && e.Verb == "put" && ours(e) {
			puts = append(puts, e)
		}
	}
	if len(puts) < 3 {
		t.Fatalf("only %d puts", len(puts))
	}
	decision := first("scheduling cycle", func(e watch.Event) bool { return e.Kind == watch.Schedule && ours(e) })
	binding := first("binding", func(e watch.Event) bool {
		return e.Kind == watch.Request && e.Verb == "create" && hello(e, "binding")
	})
	put2 := puts[1]
	node := read(put2).Value.Spec.NodeName
	kubelet := "system:node:" + node
	delivered := func(verb, to, revision string) watch.Event {
		t.Helper()
		return first(fmt.Sprintf("%s of revision %s to %s", verb, revision, to), func(e watch.Event) bool {
			return e.Kind == watch.Watch && e.Verb == verb && e.To == to && e.Revision == revision && ours(e)
		})
	}
	call := func(verb string) watch.Event {
		t.Helper()
		return first(verb, func(e watch.Event) bool { return e.Kind == watch.CRI && e.Verb == verb && ours(e) })
	}
	sandbox, container, started := call("RunPodSandbox"), call("CreateContainer"), call("StartContainer")

	t.Run("a1 the learner's request, then etcd, then the scheduler is told", func(t *testing.T) {
		told := delivered("ADDED", scheduler, post.Revision)
		before(t, post, puts[0], told)
		because(t, puts[0], post, watch.ByRevision)
		because(t, told, puts[0], watch.ByRevision)
		if post.Code != 201 || puts[0].Revision != post.Revision || read(puts[0]).Version != 1 {
			t.Errorf("code %d, revision %s and %s, version %d", post.Code, post.Revision, puts[0].Revision, read(puts[0]).Version)
		}
		if s := read(puts[0]).Value; s.Spec.NodeName != "" || s.Status.Phase != "Pending" {
			t.Errorf("the new row has node %q and phase %q", s.Spec.NodeName, s.Status.Phase)
		}
		if told.Evidence.How != "observed" || told.Evidence.Source != "link" {
			t.Errorf("a notification of the sandbox was not seen on its way: %+v", told.Evidence)
		}
	})
	t.Run("a2 decision, binding, second revision", func(t *testing.T) {
		before(t, decision, binding, put2)
		because(t, binding, decision, watch.ByBinding)
		r1, _ := strconv.Atoi(post.Revision)
		r2, _ := strconv.Atoi(put2.Revision)
		if binding.From != scheduler || binding.Code != 201 || r2 <= r1 {
			t.Errorf("binding by %s answered %d; r1 %d, r2 %d", binding.From, binding.Code, r1, r2)
		}
		var d struct{ Node string }
		if err := json.Unmarshal(decision.Detail, &d); err != nil || d.Node != node {
			t.Errorf("chosen %q, stored %q (%v)", d.Node, node, err)
		}
		if !slices.ContainsFunc(read(put2).Value.Status.Conditions, func(c struct{ Type, Status string }) bool {
			return c.Type == "PodScheduled" && c.Status == "True"
		}) {
			t.Error("PodScheduled is not True in the second revision")
		}
	})
	t.Run("a3 one kubelet is told, and no other", func(t *testing.T) {
		before(t, put2, delivered("ADDED", kubelet, put2.Revision))
		before(t, put2, delivered("MODIFIED", scheduler, put2.Revision))
		for _, e := range log {
			if e.Kind == watch.Watch && ours(e) && strings.HasPrefix(e.To, "system:node:") && e.To != kubelet {
				t.Errorf("%s was told %s", e.To, e.Verb)
			}
		}
	})
	t.Run("a4 sandbox, container, start, on that node only", func(t *testing.T) {
		before(t, put2, sandbox, container, started)
		for _, e := range log {
			if e.Kind == watch.CRI && ours(e) && e.From != kubelet && e.To != watch.RuntimeActor(node) && e.From != watch.RuntimeActor(node) {
				t.Errorf("%s from %s to %s", e.Verb, e.From, e.To)
			}
		}
	})
	t.Run("a5 Running is reported by that kubelet after the start", func(t *testing.T) {
		report := first("report of Running", func(e watch.Event) bool {
			return e.Kind == watch.Request && e.Verb == "patch" && hello(e, "status") && strings.Contains(string(e.Detail), `"phase":"Running"`)
		})
		before(t, started, report)
		if report.From != kubelet || report.Code != 200 {
			t.Errorf("by %s, answered %d", report.From, report.Code)
		}
	})
	t.Run("a6 the last answer's resourceVersion is the last revision", func(t *testing.T) {
		var newest watch.Event
		for _, e := range log {
			if e.Kind == watch.Request && e.Code < 300 && ours(e) && e.Revision != "" && (e.Verb == "create" || e.Verb == "patch" || e.Verb == "update") {
				newest = e
			}
		}
		if last := puts[len(puts)-1]; newest.Revision != last.Revision || read(last).Value.Status.Phase != "Running" {
			t.Errorf("answered %s, stored %s (%s)", newest.Revision, last.Revision, read(last).Value.Status.Phase)
		}
	})
	t.Run("a7 the key's version is the number of accepted writes", func(t *testing.T) {
		for i, e := range puts {
			if read(e).Version != i+1 {
				t.Errorf("put %d made version %d", i+1, read(e).Version)
			}
		}
		if writes := writers(log, uid); len(writes) != len(puts) {
			t.Errorf("%d accepted writes by %v, %d puts", len(writes), writes, len(puts))
		}
	})
	t.Run("a8 three writers", func(t *testing.T) {
		got := slices.Compact(slices.Sorted(slices.Values(writers(log, uid))))
		if want := []string{learner, scheduler, kubelet}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("nobody gives an order: every request goes to the API server", func(t *testing.T) {
		for _, e := range log {
			if e.Kind == watch.Request && e.To != watch.APIServer {
				t.Errorf("%s %s from %s to %s", e.Kind, e.Verb, e.From, e.To)
			}
			if e.Kind == watch.Etcd && e.From != watch.APIServer {
				t.Errorf("%s wrote to etcd", e.From)
			}
		}
	})
}

// writers are the users of the requests that are causes of the pod's puts, one
// a put.
func writers(log tape, uid string) (users []string) {
	for _, e := range log {
		if e.Kind != watch.Etcd || e.Verb != "put" || e.Object == nil || e.Object.UID != uid || e.Object.Resource != "pods" {
			continue
		}
		for _, c := range e.Causes {
			if i := slices.IndexFunc(log, func(r watch.Event) bool { return r.Seq == c.Seq && r.Kind == watch.Request && r.Code < 300 }); i >= 0 {
				users = append(users, log[i].From)
				break
			}
		}
	}
	return users
}
