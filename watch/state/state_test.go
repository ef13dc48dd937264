package state

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recorded"
)

func same(t *testing.T, got, want *State) {
	t.Helper()
	if got.Seq != want.Seq || !reflect.DeepEqual(got.Objects(), want.Objects()) || !reflect.DeepEqual(got.Components(), want.Components()) || !reflect.DeepEqual(got.Links(), want.Links()) {
		t.Fatalf("the state at %d has %d objects; the fold at %d has %d, or others", got.Seq, len(got.Objects()), want.Seq, len(want.Objects()))
	}
}

// The state found by snapshots is the fold of all events, wherever one looks,
// also when the log has let go of the first of them.
func TestTimelineIsTheFold(t *testing.T) {
	const rounds = 4
	one := recorded.Log(t, "day")
	var all []watch.Event
	log := watch.NewLog(2 << 20)
	timeline := NewTimeline(log)
	for range rounds {
		for _, e := range one { // the same day again
			e.Seq = log.Append(e)
			all = append(all, e)
			if len(all)%100 == 0 {
				timeline.CatchUp()
			}
		}
	}
	first, last := log.Bounds()
	if first == 1 {
		t.Fatal("the log has kept everything, so this tests too little")
	}
	seqs := []uint64{first - 1, first, first + 1, last - 1, last}
	for range 15 {
		seqs = append(seqs, first+rand.Uint64N(last-first))
	}
	slices.Sort(seqs)
	plain := New()
	for _, seq := range seqs {
		for plain.Seq < seq {
			plain.Apply(&all[plain.Seq])
		}
		s, err := timeline.At(seq)
		if err != nil {
			t.Fatalf("at %d of %d..%d: %v", seq, first, last, err)
		}
		same(t, s, plain)
	}
	for _, seq := range []uint64{0, first - 2, last + 1} {
		var gap *watch.Gap
		if _, err := timeline.At(seq); !errors.As(err, &gap) || gap.First != first {
			t.Errorf("at %d of %d..%d: %v", seq, first, last, err)
		}
	}
	if n := len(timeline.snapshots); n > int(last-first)/snapshotEvery+2 {
		t.Errorf("%d snapshots for %d events", n, last-first)
	}
}

// A reader who comes too late says so instead of guessing.
func TestTimelineTooLate(t *testing.T) {
	log := watch.NewLog(256 << 10)
	timeline := NewTimeline(log)
	log.Append(recorded.Log(t, "day")...)
	first, last := log.Bounds()
	if first == 1 {
		t.Fatal("the log has kept everything")
	}
	if s, err := timeline.At(last); err != nil || s.Seq != last || timeline.Since() != first {
		t.Errorf("%v, %v; since %d, the log begins with %d", s, err, timeline.Since(), first)
	}
}

func TestWhoWroteIt(t *testing.T) {
	log := watch.NewLog(0)
	log.Append(recorded.Log(t, "day")...)
	timeline := NewTimeline(log)
	_, last := log.Bounds()
	deployment := ""
	for seq := last; deployment == ""; seq -= 50 {
		s, err := timeline.At(seq)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range s.Objects() {
			if o.Object.Key() == "apps/deployments/default/web" {
				deployment = o.Object.UID
				if o.By != "system:serviceaccount:kube-system:deployment-controller" || len(o.Value) == 0 || s.Object(deployment) != o {
					t.Errorf("at %d the deployment was written by %q", seq, o.By)
				}
			}
		}
	}
	h, err := timeline.History(deployment)
	if err != nil {
		t.Fatal(err)
	}
	var who []string
	for _, w := range h.Writers {
		who = append(who, w.Name)
		if w.First > w.Last || w.Writes < 1 {
			t.Errorf("%+v", w)
		}
	}
	if want := []string{"kubernetes-admin", "system:serviceaccount:kube-system:deployment-controller"}; !slices.Equal(who, want) {
		t.Errorf("written by %q, want %q", who, want)
	}
	seqs, more := h.Before(0, 10_000)
	if len(seqs) < 20 || more {
		t.Fatalf("%d events about the deployment", len(seqs))
	}
	for _, seq := range seqs {
		es, err := log.After(seq-1, 1)
		if err != nil || es[0].Object == nil || es[0].Object.Name != "web" {
			t.Errorf("event %d is not about it: %v %v", seq, es, err)
		}
	}
	half, more := h.Before(seqs[9], 4)
	if !more || !slices.Equal(half, seqs[5:9]) {
		t.Errorf("the 4 before the 10th are %v of %v", half, seqs)
	}
	if _, err := timeline.History("nobody"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestComponentsAndLinks(t *testing.T) {
	log := watch.NewLog(0)
	tell := func(kind watch.Kind, to, verb, detail string) {
		log.Append(watch.Event{Kind: kind, From: watch.Kubestage, To: to, Verb: verb, Start: time.Now(), Detail: json.RawMessage(detail)})
	}
	tell(watch.Component, "kube-scheduler", "starting", `{"pid":7}`)
	tell(watch.Component, "kube-scheduler", "ready", `{"pid":7,"restarts":1}`)
	tell(watch.Component, "kube-scheduler", "frozen", `{"by":"learner"}`)
	tell("link", "system:node:node-2", "delayed", `{"link":"kubelet:node-2","delay":0.2}`)
	tell("link", "system:node:node-2", "cut", `{"link":"kubelet:node-2"}`)
	tell(watch.Component, "kube-scheduler", "thawed", `{"by":"learner"}`)
	tell("link", "system:node:node-2", "healed", `{"link":"kubelet:node-2"}`)
	timeline := NewTimeline(log)
	for seq, want := range []struct{ component, link string }{
		{}, {"starting", ""}, {"ready", ""}, {"frozen", ""}, {"frozen", "delayed"}, {"frozen", "cut"}, {"ready", "cut"}, {"ready", "whole"},
	} {
		s, err := timeline.At(uint64(seq))
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ component, link string }
		for _, c := range s.Components() {
			got.component = c.State
			if c.PID != 7 || c.Name != "kube-scheduler" {
				t.Errorf("at %d: %+v", seq, c)
			}
		}
		for _, l := range s.Links() {
			got.link = l.State
			if (l.Delay != 0) != (l.State == "delayed") || l.Name != "kubelet:node-2" {
				t.Errorf("at %d: %+v", seq, l)
			}
		}
		if got != want {
			t.Errorf("at %d: %+v, want %+v", seq, got, want)
		}
	}
}
