package server

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/kubestage/kubestage/watch"
)

type toldStory struct {
	ID      string
	Root    uint64
	Title   struct{ En, Ko string }
	Actors  []string
	Objects []watch.Object
	Counts  struct{ Events, Requests, Writes int }
	Settled bool
	Last    uint64
	Events  []uint64
	Because [][3]any
}

func TestStories(t *testing.T) {
	s := serve(t)
	for _, uid := range []string{"u1", "u2", "u3"} {
		stored(s.Log, uid, "put", `{}`)
	}
	var got struct {
		Stories     []toldStory
		First, Last uint64
	}
	for query, want := range map[string][]uint64{
		"": {1, 3, 5}, "?limit=2": {3, 5}, "?after=0&limit=2": {1, 3}, "?after=1": {3, 5}, "?after=2": {3, 5}, "?after=5": {},
	} {
		if code := askFor(t, s, "/api/stories"+query, &got); code != http.StatusOK {
			t.Fatalf("%s: status %d", query, code)
		}
		if len(got.Stories) != len(want) || got.First != 1 || got.Last != 5 {
			t.Fatalf("%s: %+v, want %v", query, got, want)
		}
		for i, root := range want {
			if st := got.Stories[i]; st.Root != root || st.Counts.Events != 2 || st.Counts.Writes != 1 || len(st.Objects) != 1 || st.Title.En == "" || st.Title.Ko == "" {
				t.Errorf("%s: %+v", query, st)
			}
		}
	}
	var one toldStory
	if code := askFor(t, s, "/api/stories/3", &one); code != http.StatusOK {
		t.Fatal(code)
	}
	because, _ := json.Marshal(one.Because)
	if one.ID != "3" || one.Title.En != "kubernetes-admin created ConfigMap c-u2" || len(one.Events) != 2 || one.Events[1] != 4 || string(because) != `[[4,3,"revision"]]` {
		t.Errorf("%+v", one)
	}
	for path, want := range map[string]int{"/api/stories?after=x": 400, "/api/stories?limit=0": 400, "/api/stories?after=99": 410, "/api/stories?log=x": 410, "/api/stories/x": 400, "/api/stories/4": 404} {
		var refusal struct{ Error, Hint string }
		if code := askFor(t, s, path, &refusal); code != want || refusal.Error == "" || refusal.Hint == "" {
			t.Errorf("%s: %d %+v, want %d", path, code, refusal, want)
		}
	}
}

// Stories leave with the log's events, and a reader who was too slow begins
// anew.
func TestStoriesAreBounded(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) { c.Log = watch.NewLog(256 << 10) })
	for range 3 {
		for range 1000 {
			stored(s.Log, "u", "put", `{}`)
		}
		var got struct {
			Stories []toldStory
			First   uint64
		}
		first, _ := s.Log.Bounds()
		askFor(t, s, "/api/stories?after=0&limit=1", &got)
		if len(got.Stories) != 1 || got.Stories[0].Last < first {
			t.Errorf("the log begins with %d, the first story is %+v", first, got.Stories)
		}
	}
}
