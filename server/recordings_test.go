package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recording"
)

const isJSON = "Content-Type: application/json"

// keeping is a server with a database and 30 events.
func keeping(t *testing.T) *served {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "kubestage.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := serve(t, func(c *Config, _ *limits) { c.Store, c.Version, c.Kubernetes = db, "0.1.0", "v1.36.3" })
	write(s.Log, 30)
	return s
}

func TestRecordingsAreKeptAndPlayed(t *testing.T) {
	s := keeping(t)
	res, body := do(t, request(t, "POST", s.url("/api/recordings"), `{"title":"파드의 탄생 / first","from":11,"to":20}`, isJSON))
	var made struct {
		ID                              string
		Size, Events, Carried           int
		First, Last                     uint64
		Title, Kubernetes, Ends, Format string
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || res.StatusCode != 201 || res.Header.Get("Location") != "/api/recordings/"+made.ID {
		t.Fatalf("%s %s", res.Status, body)
	}
	// The ten objects that were there before are carried in.
	if made.Title != "파드의 탄생 / first" || made.Events != 20 || made.Carried != 10 || made.First != 11 || made.Last != 20 || made.Ends != "asked" || made.Kubernetes != "v1.36.3" {
		t.Errorf("made %s", body)
	}
	if _, list := do(t, request(t, "GET", s.url("/api/recordings"), "")); !strings.Contains(list, made.ID) || strings.Contains(list, "origin") {
		t.Errorf("listed as %s", list)
	}

	res, file := do(t, request(t, "GET", s.url("/api/recordings/"+made.ID), ""))
	if res.StatusCode != 200 || len(file) != made.Size || !strings.Contains(res.Header.Get("Content-Disposition"), `filename="first-2`) {
		t.Fatalf("%s, %d bytes, %s", res.Status, len(file), res.Header)
	}
	tape, err := recording.Read(strings.NewReader(file), recording.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	want := string(bytes.Join(tape.Lines(), []byte("\n"))) + "\n"
	res, played := do(t, request(t, "GET", s.url("/api/events?recording="+made.ID), ""))
	if played != want || res.Header.Get("Kubestage-Log") != tape.ID {
		t.Errorf("played as %s", played)
	}
	if _, part := do(t, request(t, "GET", s.url("/api/events?after=18&limit=1&recording="+made.ID), "")); part != string(tape.Lines()[18])+"\n" {
		t.Errorf("event 19 is %s", part)
	}
	if _, without := do(t, request(t, "GET", s.url("/api/record?from=11&to=20"), "")); without == "" {
		t.Error("nothing was made without keeping it")
	} else if again, err := recording.Read(strings.NewReader(without), recording.DefaultLimits); err != nil || !bytes.Equal(bytes.Join(again.Lines(), nil), bytes.Join(tape.Lines(), nil)) {
		t.Errorf("made again, it has other events: %v", err)
	}

	if res, _ := do(t, request(t, "DELETE", s.url("/api/recordings/"+made.ID), "", isJSON)); res.StatusCode != 204 {
		t.Errorf("deleted: %s", res.Status)
	}
	for _, path := range []string{"/api/recordings/", "/api/events?recording=", "/api/state?recording=", "/api/stories?recording=", "/api/stories/1?recording=", "/api/objects/u/history?recording="} {
		if res, _ := do(t, request(t, "GET", s.url(path+made.ID), "")); res.StatusCode != 404 {
			t.Errorf("after it was deleted: %s", res.Status)
		}
	}
}

// A story is recorded with all of it and nothing of what else went on.
func TestStoriesAreRecorded(t *testing.T) {
	s := keeping(t)
	at := time.Now()
	object := &watch.Object{Group: "apps", Version: "v1", Resource: "deployments", Namespace: "default", Name: "web", UID: "u"}
	s.Log.Append(watch.Event{Kind: watch.Request, From: "kubernetes-admin", To: watch.APIServer, Verb: "create", Code: 201, Start: at, End: at, Object: object, Revision: "99", Evidence: watch.Observed("audit", "a")})
	write(s.Log, 5)
	s.Log.Append(watch.Event{Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: "put", Start: at, End: at, Object: object, Revision: "99",
		Causes: []watch.Cause{{Seq: 31, How: watch.ByRevision}}, Evidence: watch.Observed("etcd", "/registry/deployments/default/web@99")})
	res, body := do(t, request(t, "POST", s.url("/api/recordings"), `{"story":"31","lang":"ko"}`, isJSON))
	var made struct {
		ID, Story, Title, Ends string
		Events, Carried        int
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || res.StatusCode != 201 {
		t.Fatalf("%s %s", res.Status, body)
	}
	if made.Story != "31" || made.Ends != "unsettled" || made.Events != 32 || made.Carried != 30 || !strings.Contains(made.Title, "web") || !strings.ContainsFunc(made.Title, func(r rune) bool { return r >= '가' && r <= '힣' }) {
		t.Errorf("made %s", body)
	}
	_, played := do(t, request(t, "GET", s.url("/api/events?after=31&recording="+made.ID), ""))
	if !strings.HasPrefix(played, `{"seq":32,"kind":"etcd"`) || !strings.Contains(played, `"causes":[{"seq":31,"how":"revision"}]`) {
		t.Errorf("the last event is %s", played)
	}
}

// What can be asked of the log can be asked of a recording, which does not go on.
func TestARecordingAnswersAsItsLogDid(t *testing.T) {
	s := keeping(t)
	for _, uid := range []string{"u1", "u2"} {
		stored(s.Log, uid, "put", `{"data":{"a":"b"}}`)
	}
	_, body := do(t, request(t, "POST", s.url("/api/recordings"), `{"from":1}`, isJSON))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(body)
	}
	paths := []string{"/api/events?after=3", "/api/state?at=20", "/api/state?at=32", "/api/state?", "/api/stories?", "/api/stories?after=31", "/api/stories/33?", "/api/objects/u2/history?limit=1"}
	live := map[string]string{}
	for _, path := range paths {
		res, body := do(t, request(t, "GET", s.url(path), ""))
		if live[path] = body; res.StatusCode != 200 || !strings.Contains(body, "u2") && path != "/api/state?at=20" && path != "/api/state?at=32" {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	stored(s.Log, "u2", "delete", `{}`)
	tape := ""
	for _, path := range paths {
		res, body := do(t, request(t, "GET", s.url(path+"&recording="+made.ID), ""))
		if body != live[path] {
			t.Errorf("%s of the recording: %s\nof the log: %s", path, body, live[path])
		}
		if id := res.Header.Get("Kubestage-Log"); id == s.Log.ID() || tape != "" && id != tape {
			t.Errorf("%s is of the log %s", path, id)
		} else {
			tape = id
		}
	}
	if _, now := do(t, request(t, "GET", s.url("/api/state"), "")); now == live["/api/state?"] {
		t.Error("the log did not go on")
	}
}

func TestStreamPlaysAKeptRecording(t *testing.T) {
	s := keeping(t)
	_, body := do(t, request(t, "POST", s.url("/api/recordings"), `{"from":30}`, isJSON))
	var made struct{ ID, Ends string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.Ends != "newest" {
		t.Fatal(body)
	}
	c, _, err := websocket.Dial(t.Context(), strings.Replace(s.url("/api/stream?recording="+made.ID), "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	var hello struct {
		Source, Log string
		Last        uint64
	}
	_, frame, err := c.Read(t.Context())
	if err != nil || json.Unmarshal(frame, &hello) != nil || hello.Source != "recording" || hello.Last != 30 || hello.Log == s.Log.ID() {
		t.Fatalf("hello is %s, %v", frame, err)
	}
	var events struct{ Events []watch.Event }
	_, frame, err = c.Read(t.Context())
	if err != nil || json.Unmarshal(frame, &events) != nil || len(events.Events) != 30 || events.Events[0].Verb != "range" || events.Events[29].Verb != "put" {
		t.Fatalf("events are %.300s, %v", frame, err)
	}
}

func TestRecordingsThatAreNotMadeSayWhy(t *testing.T) {
	s := keeping(t)
	leak := watch.Event{Kind: watch.Etcd, From: "a", Verb: "put", Object: &watch.Object{Resource: "secrets", Name: "db"}, Detail: json.RawMessage(`{"value":{"kind":"Secret","data":{"password":"c3dvcmRmaXNo"}}}`)}
	s.Log.Append(leak)
	for _, c := range []struct {
		body, says string
		code       int
	}{
		{`{"from":0,"to":3}`, "no events", 400},
		{`{"from":5,"to":3}`, "no events", 400},
		{`{"from":32}`, "no events", 400},
		{`{"from":32,"lang":"ko"}`, "이벤트가 없습니다", 400},
		{`{"story":"99"}`, "no story that is kept", 404},
		{`{"story":"x","lang":"ko"}`, "이야기 가운데", 404},
		{`{"story":"1","from":1}`, "either of a story", 400},
		{`{"from":"1"}`, "not what is expected", 400},
		{`{"begin":1}`, "not what is expected", 400},
		{`{"title":"a\nb","from":1}`, "the title", 400},
		{fmt.Sprintf(`{"title":%q,"from":1}`, strings.Repeat("x", 201)), "the title", 400},
		{`{"from":20}`, "event 31", 422},
		{`{"from":20,"lang":"ko"}`, "기록하지 않았습니다", 422},
	} {
		res, body := do(t, request(t, "POST", s.url("/api/recordings"), c.body, isJSON))
		if res.StatusCode != c.code || !strings.Contains(body, c.says) || strings.Contains(body, "c3dvcmRmaXNo") {
			t.Errorf("%.60s: %s %s", c.body, res.Status, body)
		}
	}
	if _, body := do(t, request(t, "GET", s.url("/api/record?from=1e3"), "")); !strings.Contains(body, "not a sequence number") {
		t.Error(body)
	}
	if _, list := do(t, request(t, "GET", s.url("/api/recordings"), "")); strings.TrimSpace(list) != `{"recordings":[]}` {
		t.Errorf("kept all the same: %s", list)
	}
	s.Store.Limits.Count = 0
	if res, body := do(t, request(t, "POST", s.url("/api/recordings"), `{"from":1,"to":3}`, isJSON)); res.StatusCode != 507 || !strings.Contains(body, "delete one first") {
		t.Errorf("full: %s %s", res.Status, body)
	}
	without := serve(t)
	write(without.Log, 3)
	if res, _ := do(t, request(t, "POST", without.url("/api/recordings"), `{"from":1}`, isJSON)); res.StatusCode != 501 {
		t.Errorf("without a database: %s", res.Status)
	}
}

// A learner may look at several recordings, and while one is deleted.
func TestRecordingsAtOnce(t *testing.T) {
	s := keeping(t)
	var ids []string
	for from := range 6 {
		_, body := do(t, request(t, "POST", s.url("/api/recordings"), fmt.Sprintf(`{"from":%d}`, from+1), isJSON))
		var made struct{ ID string }
		if err := json.Unmarshal([]byte(body), &made); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	done := make(chan error, 36)
	for i := range cap(done) {
		go func() {
			res, err := http.Get(s.url("/api/events?recording=" + ids[i%6]))
			if err == nil {
				var text []byte
				if text, err = io.ReadAll(res.Body); bytes.Count(text, newline) != 30 {
					err = fmt.Errorf("%s: %s, %v", res.Status, text, err)
				}
				_ = res.Body.Close()
			}
			done <- err
		}()
	}
	for range cap(done) {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("no answer")
		}
	}
}

func TestARecordingIsNotCommanded(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) { c.ReadOnly, c.Source = true, "recording" })
	res, body := do(t, request(t, "POST", s.url("/api/kubectl"), `{"command":"kubectl get nodes"}`, isJSON))
	if res.StatusCode != 403 || !strings.Contains(body, "this is a recording") {
		t.Errorf("console: %s %s", res.Status, body)
	}
	res, body = do(t, request(t, "POST", s.url("/api/scenes/pod-birth/run"), `{"lang":"ko"}`, isJSON))
	if res.StatusCode != 403 || !strings.Contains(body, "이것은 기록입니다.") {
		t.Errorf("scene: %s %s", res.Status, body)
	}
}
