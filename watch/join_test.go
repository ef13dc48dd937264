package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// story is what four witnesses report of one pod: the audit log, etcd, the
// scheduler and the runtime, with the times at which each thing ended.
func story(t0 time.Time) []Observation {
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	make := func(kind Kind, verb string, start, end int) Observation {
		return Observation{Event: Event{Kind: kind, Verb: verb, Start: at(start), End: at(end), From: "x", Evidence: Observed("test", verb)}}
	}
	create := make(Request, "create", 0, 4)
	create.Gives = []Give{{Key: "rv:10"}}
	put := make(Etcd, "put10", 2, 2)
	put.Lane, put.Needs, put.Gives = "etcd", []Need{{"rv:10", ByRevision, true}}, []Give{{Key: "put:10"}}
	cycle := make(Schedule, "schedule", 3, 5)
	cycle.Needs, cycle.Gives = []Need{{"put:10", ByRevision, true}}, []Give{{Key: "sched:u"}}
	bind := make(Request, "bind", 5, 8)
	bind.Needs, bind.Gives = []Need{{"sched:u", ByBinding, true}}, []Give{{Key: "rv:11"}}
	put2 := make(Etcd, "put11", 7, 7)
	put2.Lane, put2.Needs, put2.Gives = "etcd", []Need{{"rv:11", ByRevision, true}}, []Give{{Key: "put:11"}, {Key: "bound:u"}}
	sandbox := make(CRI, "RunPodSandbox", 9, 10)
	sandbox.Needs = []Need{{"bound:u", ByUID, true}}
	return []Observation{create, put, cycle, bind, put2, sandbox}
}

// Whatever order the reports arrive in, the log tells the same story.
func TestJoinerOrdersAnyArrival(t *testing.T) {
	const want = "create put10<1 schedule<2 bind<3 put11<4 RunPodSandbox<5"
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			log := NewLog(0)
			j := NewJoiner(log)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { j.Run(ctx); close(done) }()
			os := story(time.Now())
			rng := rand.New(rand.NewPCG(seed, 1))
			rng.Shuffle(len(os), func(a, b int) { os[a], os[b] = os[b], os[a] })
			for _, o := range os {
				j.Offer(ctx, o)
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
			}
			time.Sleep(time.Second)
			if got := told(log); got != want {
				t.Errorf("seed %d: got %s\nwant %s", seed, got, want)
			}
			stop()
			<-done
		})
	}
}

func told(log *Log) string {
	es, _ := log.After(0, 0)
	words := make([]string, len(es))
	for i, e := range es {
		words[i] = e.Verb
		for _, c := range e.Causes {
			words[i] += fmt.Sprintf("<%d", c.Seq)
		}
	}
	return strings.Join(words, " ")
}

// A revision nobody asked for is told after a while, and those behind it in
// etcd's order wait for it.
func TestJoinerLosesPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(0)
		j := NewJoiner(log)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.Run(ctx); close(done) }()
		orphan := Observation{Event: event("put9"), Lane: "etcd", Needs: []Need{{"rv:9", ByRevision, true}}}
		next := Observation{Event: event("put10"), Lane: "etcd"}
		j.Offer(ctx, orphan)
		j.Offer(ctx, next)
		time.Sleep(DefaultHold + DefaultPatience/2)
		if got := told(log); got != "" {
			t.Errorf("told too early: %s", got)
		}
		time.Sleep(DefaultPatience)
		if got := told(log); got != "put9 put10" {
			t.Errorf("got %q, want put9 put10", got)
		}
		stop()
		<-done
	})
}

// A cause that is here, but waits itself, is worth more patience.
func TestJoinerWaitsForWhatIsHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(0)
		j := NewJoiner(log)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.Run(ctx); close(done) }()
		j.Offer(ctx, Observation{Event: event("frame9"), Needs: []Need{{"put:9", ByRevision, true}}})
		time.Sleep(DefaultPatience / 2)
		j.Offer(ctx, Observation{Event: event("put9"), Needs: []Need{{"rv:9", ByRevision, true}}, Gives: []Give{{Key: "put:9"}}})
		time.Sleep(2 * DefaultPatience)
		if got, want := told(log), "put9 frame9<1"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		stop()
		<-done
	})
}

// What is still held when the source ends is not lost.
func TestJoinerEmptiesItselfAtTheEnd(t *testing.T) {
	log := NewLog(0)
	j := NewJoiner(log)
	ctx, stop := context.WithCancel(t.Context())
	j.Offer(ctx, Observation{Event: event("a"), Needs: []Need{{"never", ByUID, true}}})
	j.Offer(ctx, Observation{Event: event("b")})
	stop()
	j.Run(ctx)
	if got := told(log); got != "a b" && got != "b a" {
		t.Fatalf("got %q", got)
	}
}

// What one process writes another reads, and half of it is nothing.
func TestObservationsPassAsLines(t *testing.T) {
	for _, detail := range []string{"", `{"a":"tab\t, line\n, {}"}`} {
		o := Observation{
			Event: Event{Kind: Etcd, Verb: "put", Start: time.Unix(1, 0).UTC(), End: time.Unix(2, 0).UTC(), Object: &Object{Resource: "pods"}, Evidence: Observed("etcd", "k@1")},
			Needs: []Need{{Key: "rv:1", How: ByRevision, Wait: true}}, Gives: []Give{{Key: "put:1"}}, Lane: "etcd", Knows: "who",
		}
		if detail != "" {
			o.Detail = json.RawMessage(detail)
		}
		line := bytes.TrimSuffix(o.Line(), []byte("\n"))
		if got, ok := ReadObservation(line); !ok || !reflect.DeepEqual(got, o) {
			t.Errorf("%q is read as %+v, want %+v", line, got, o)
		}
		for n := range line {
			if got, ok := ReadObservation(line[:n]); ok {
				t.Errorf("%q is read as %+v", line[:n], got)
			}
		}
	}
}
