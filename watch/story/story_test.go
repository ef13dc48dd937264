package story

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/cause"
	"github.com/kubestage/kubestage/watch/recorded"
)

func read(events []watch.Event) *Stories {
	s := New()
	for i := range events {
		s.Add(&events[i])
	}
	return s
}

// The stories of the day, as a person would read them. The file is shared with
// other readers of the log; UPDATE=1 writes it anew.
func TestStoriesOfTheDay(t *testing.T) {
	events := recorded.Log(t, "day")
	s := read(events)
	var b strings.Builder
	for _, st := range s.After(0, 1000) {
		c := st.Counts
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d events, %d requests, %d writes, %d notifications, %d decisions, %d calls, %d objects, %d actors\n",
			st.ID, st.Title.English, st.Title.Korean, c.Events, c.Requests, c.Writes, c.Notifications, c.Decisions, c.Calls, c.Objects, len(st.Actors))
	}
	path := filepath.Join("..", "testdata", "day.stories.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("the stories are not those of %s:\n%s", path, got)
	}
}

// Every event of the foreground is in exactly one story, and its story says so.
func TestEveryEventHasItsStory(t *testing.T) {
	events := recorded.Log(t, "day")
	s := read(events)
	in := map[uint64]uint64{}
	for _, st := range s.After(0, 1<<20) {
		_, seqs, because, ok := s.Story(st.Root)
		if !ok || len(seqs) != st.Counts.Events || seqs[0] != st.Root || seqs[len(seqs)-1] != st.Last || st.Title.English == "" || st.Title.Korean == "" {
			t.Errorf("story %s: %d events %v, counts %+v", st.ID, len(seqs), ok, st.Counts)
		}
		for _, seq := range seqs {
			if in[seq] != 0 {
				t.Errorf("event %d is in stories %d and %d", seq, in[seq], st.Root)
			}
			in[seq] = st.Root
		}
		for _, l := range because {
			if in[l.Seq] != st.Root || l.Cause >= l.Seq || l.How == "" {
				t.Errorf("story %s: %+v", st.ID, l)
			}
		}
	}
	leases := 0
	for i := range events {
		e := &events[i]
		if s.Of(e.Seq) != in[e.Seq] {
			t.Errorf("event %d is in story %d and said to be in %d", e.Seq, in[e.Seq], s.Of(e.Seq))
		}
		if e.Object != nil && e.Object.Resource == "leases" {
			leases++
			if in[e.Seq] != 0 {
				t.Errorf("a heartbeat, event %d, is in story %d", e.Seq, in[e.Seq])
			}
		}
	}
	if len(in) < 500 || leases == 0 {
		t.Errorf("%d events in stories, %d heartbeats", len(in), leases)
	}
}

// What is gone from the log is forgotten, and the rest is told as before.
func TestDrop(t *testing.T) {
	events := recorded.Log(t, "day")
	s, all := New(), read(events)
	for i := range events {
		s.Add(&events[i])
		if i%100 == 0 && i > 1000 {
			s.Drop(events[i].Seq - 1000)
		}
	}
	first := s.first
	if first < 1000 || len(s.of) > 1200 {
		t.Fatalf("remembers %d events from %d on", len(s.of), first)
	}
	orphans := 0
	for _, st := range s.After(0, 1<<20) {
		was, before, _, ok := all.Story(st.Root)
		_, now, because, _ := s.Story(st.Root)
		before = slices.DeleteFunc(before, func(seq uint64) bool { return seq < first })
		if !ok { // its cause had gone before it came
			orphans++
			continue
		}
		if st.Root >= first && (was.Counts != st.Counts || !slices.Equal(before, now)) {
			t.Errorf("story %s: %+v, %d events; was %+v, %d events", st.ID, st.Counts, len(now), was.Counts, len(before))
		}
		if st.Last < first || len(now) > 0 && now[0] < first || len(because) > 0 && because[0].Seq < first {
			t.Errorf("story %s is kept without its events", st.ID)
		}
	}
	if orphans > 5 {
		t.Errorf("%d stories begin where their causes were forgotten", orphans)
	}
}

// A story goes on for as long as it is open, and settles between.
func TestSettle(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pod := &watch.Object{Version: "v1", Resource: "pods", Namespace: "default", Name: "p", UID: "u"}
	event := func(seq uint64, at time.Duration, kind watch.Kind, from, verb string, causes ...watch.Cause) *watch.Event {
		return &watch.Event{Seq: seq, Kind: kind, From: from, Verb: verb, Start: t0.Add(at), End: t0.Add(at), Object: pod, Causes: causes}
	}
	s := New()
	s.Add(event(1, 0, watch.Request, "kubernetes-admin", "create"))
	s.Add(event(2, time.Second, watch.CRI, "system:node:n", "StartContainer", watch.Cause{Seq: 1, How: watch.ByUID}))
	settled := func(want bool) {
		t.Helper()
		if st := s.After(0, 1)[0]; st.Settled != want {
			t.Errorf("settled: %v at %v, last %d", st.Settled, s.clock.Sub(t0), st.Last)
		}
	}
	settled(false)
	s.Add(event(3, 7*time.Second, watch.Request, "kubernetes-admin", "get"))
	settled(true)
	s.Add(event(4, 5*time.Minute, watch.CRI, "runtime:n", "ContainerExited", watch.Cause{Seq: 2, How: watch.BySandbox}))
	settled(false)
	s.Add(event(5, 25*time.Minute, watch.CRI, "runtime:n", "ContainerExited", watch.Cause{Seq: 4, How: watch.BySandbox}))
	settled(true)
	if s.Of(4) != 1 || s.Of(5) != 5 {
		t.Errorf("events are in stories %d and %d, want 1 and 5", s.Of(4), s.Of(5))
	}
	s.Add(event(6, 50*time.Minute, watch.Request, "system:serviceaccount:kube-system:node-controller", "patch", watch.Cause{Seq: 2, How: watch.ByAbsence}))
	if s.Of(6) != 1 {
		t.Errorf("what follows from silence is in story %d, want 1", s.Of(6))
	}
}

// keyed is the day as its witnesses told it: without numbers and causes, with
// the keys by which they are joined.
func keyed(events []watch.Event) []watch.Observation {
	told := make([]watch.Observation, len(events))
	for i, e := range events {
		o := watch.Observation{Gives: []watch.Give{{Key: fmt.Sprint("was ", e.Seq)}}}
		for _, c := range e.Causes {
			switch {
			case c.How == watch.ByRevision && e.Kind != watch.Schedule, c.How == watch.ByAuditID, c.How == watch.ByObject, c.How == watch.ByUID, c.How == watch.ByProcess && e.Kind == watch.Component:
				o.Needs = append(o.Needs, watch.Need{Key: fmt.Sprint("was ", c.Seq), How: c.How, Wait: c.How == watch.ByRevision || c.How == watch.ByObject})
			case c.How == watch.ByRevision || c.How == watch.ByBinding:
				o.Needs = append(o.Needs, watch.Need{Key: fmt.Sprint("was ", c.Seq), Wait: true})
			}
		}
		switch e.Kind {
		case watch.Etcd:
			o.Lane = "etcd"
		case watch.CRI:
			var d struct{ Node string }
			_ = json.Unmarshal(e.Detail, &d)
			o.Lane, o.Knows = "cri:"+d.Node, "system:node:"+d.Node
		case watch.Schedule, watch.Probe:
			o.Knows = e.From
		case watch.Request:
			var d struct{ UserAgent string }
			_ = json.Unmarshal(e.Detail, &d)
			o.Knows = cause.Ears(e.From, d.UserAgent)
		}
		e.Seq, e.Causes = 0, nil
		o.Event = e
		told[i] = o
	}
	return told
}

// fingerprint is all stories without numbers.
func fingerprint(events []watch.Event) []string {
	s := read(events)
	var all []string
	for _, st := range s.After(0, 1<<20) {
		_, seqs, because, _ := s.Story(st.Root)
		var lines []string
		name := func(seq uint64) string {
			e := events[seq-1]
			return fmt.Sprintf("%s %s %s %s", e.Kind, e.Evidence.ID, e.To, e.Verb)
		}
		for _, seq := range seqs {
			lines = append(lines, name(seq))
		}
		for _, l := range because {
			lines = append(lines, name(l.Seq)+" <"+l.How+" "+name(l.Cause))
		}
		slices.Sort(lines)
		all = append(all, st.Title.English+"\n"+strings.Join(lines, "\n"))
	}
	slices.Sort(all)
	return all
}

// Whatever order the witnesses' reports arrive in, within what the joiner
// holds, the stories are the same.
func TestAnyArrivalTellsTheSameStories(t *testing.T) {
	told := keyed(recorded.Log(t, "day"))
	var want []string
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			log := watch.NewLog(0)
			j := watch.NewJoiner(log)
			j.Why = cause.New()
			j.Patience = time.Minute
			done := make(chan struct{})
			ctx := t.Context()
			go func() { j.Run(ctx); close(done) }()
			// Each report is late by up to three quarters of what the joiner holds.
			type arrival struct {
				watch.Observation
				at time.Time
			}
			var arrivals []arrival
			for _, o := range told {
				arrivals = append(arrivals, arrival{o, o.End.Add(time.Duration(rng.Int64N(int64(watch.DefaultHold * 3 / 4))))})
			}
			slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
			at := arrivals[0].at
			for _, a := range arrivals {
				time.Sleep(a.at.Sub(at))
				at = a.at
				j.Offer(ctx, a.Observation)
			}
			time.Sleep(2 * time.Minute)
			events, err := log.After(0, 0)
			if err != nil || len(events) != len(told) {
				t.Fatalf("%d of %d events, %v", len(events), len(told), err)
			}
			got := fingerprint(events)
			if want == nil {
				want = got
			}
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("seed %d: story %d differs:\n%s", seed, i, difference(got, want, i))
				}
			}
		})
	}
}

func difference(got, want []string, i int) string {
	if i >= len(got) || i >= len(want) {
		return fmt.Sprintf("%d stories, want %d", len(got), len(want))
	}
	g, w := strings.Split(got[i], "\n"), strings.Split(want[i], "\n")
	var b strings.Builder
	for _, line := range g {
		if !slices.Contains(w, line) {
			fmt.Fprintln(&b, "+", line)
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			fmt.Fprintln(&b, "-", line)
		}
	}
	return g[0] + "\n" + b.String()
}
