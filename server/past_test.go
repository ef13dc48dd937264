package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/watch"
)

// stored is what the log says when a person has created or deleted a ConfigMap.
func stored(log *watch.Log, uid, verb, value string) {
	o := watch.Object{Version: "v1", Resource: "configmaps", Namespace: "default", Name: "c-" + uid, UID: uid}
	asked := log.Append(watch.Event{Kind: watch.Request, From: "kubernetes-admin", To: watch.APIServer, Verb: "create", Object: &o, Evidence: watch.Observed("audit", uid)})
	log.Append(watch.Event{
		Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: verb, Object: &o, Revision: fmt.Sprint(asked),
		Causes: []watch.Cause{{Seq: asked, How: watch.ByRevision}}, Evidence: watch.Observed("etcd", "k@1"),
		Detail: json.RawMessage(`{"key":"/registry/configmaps/default/c","value":` + value + `}`),
	})
}

func askFor(t *testing.T, s *served, path string, into any) int {
	t.Helper()
	r, err := http.Get(s.url(path))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v", path, r.Header)
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r.StatusCode
}

func TestStateAt(t *testing.T) {
	s := serve(t)
	stored(s.Log, "u1", "put", `{"data":{"a":"b"}}`)
	stored(s.Log, "u2", "put", `{}`)
	stored(s.Log, "u1", "delete", `{}`)
	for at, want := range map[string]string{"?at=0": "", "?at=1": "", "?at=2": "u1", "?at=4": "u1 u2", "?at=5": "u1 u2", "?at=6": "u2", "": "u2"} {
		var got struct {
			Seq, Since uint64
			Objects    []struct {
				Object   watch.Object
				Value    json.RawMessage
				Revision string
				By       string
			}
			Components, Links []any
		}
		if code := askFor(t, s, "/api/state"+at, &got); code != http.StatusOK {
			t.Fatalf("%s: status %d", at, code)
		}
		var uids []string
		for _, o := range got.Objects {
			uids = append(uids, o.Object.UID)
			if o.By != "kubernetes-admin" || o.Revision == "" || o.Object.UID == "u1" && string(o.Value) != `{"data":{"a":"b"}}` {
				t.Errorf("%s: %+v", at, o)
			}
		}
		if strings.Join(uids, " ") != want || got.Since != 1 || got.Components == nil || got.Links == nil {
			t.Errorf("%s: got %+v, want %s", at, got, want)
		}
	}
}

func TestStateRefuses(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) { c.Log = watch.NewLog(64 << 10) })
	write(s.Log, 2000)
	first, _ := s.Log.Bounds()
	for path, want := range map[string]int{
		"/api/state?at=x": 400, "/api/state?at=-1": 400, "/api/state?at=1": 410, "/api/state?at=2001": 410, "/api/state?log=other": 410,
		"/api/objects/nobody/history": 404, "/api/objects/u/history?limit=0": 400, "/api/objects/u/history?before=x": 400, "/api/objects/u/history?limit=99999": 400,
	} {
		var got struct {
			Error, Hint string
			First       uint64
		}
		if code := askFor(t, s, path, &got); code != want || got.Error == "" || got.Hint == "" || code == 410 && path == "/api/state?at=1" && got.First < first {
			t.Errorf("%s: %d %+v, want %d", path, code, got, want)
		}
	}
}

func TestObjectHistory(t *testing.T) {
	s := serve(t)
	stored(s.Log, "u1", "put", `{}`)
	stored(s.Log, "u2", "put", `{}`)
	stored(s.Log, "u1", "delete", `{}`)
	var got struct {
		Object  watch.Object
		Events  []watch.Event
		More    bool
		Writers []struct {
			Name        string
			Writes      int
			First, Last uint64
		}
	}
	if code := askFor(t, s, "/api/objects/u1/history?limit=3", &got); code != http.StatusOK {
		t.Fatal(code)
	}
	if got.Object.UID != "u1" || len(got.Events) != 3 || got.Events[0].Seq != 2 || got.Events[2].Seq != 6 || !got.More {
		t.Errorf("got %+v", got)
	}
	if len(got.Writers) != 1 || got.Writers[0].Name != "kubernetes-admin" || got.Writers[0].Writes != 2 || got.Writers[0].First != 2 || got.Writers[0].Last != 6 {
		t.Errorf("writers %+v", got.Writers)
	}
	if askFor(t, s, "/api/objects/u1/history?before=2", &got); len(got.Events) != 1 || got.Events[0].Seq != 1 || got.More {
		t.Errorf("before 2: %+v", got.Events)
	}
}
