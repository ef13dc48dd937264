package watch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is what four witnesses report of three pods at once, and of a request
// that deletes two of them.
func crowd(t0 time.Time) []Observation {
	var all []Observation
	for pod := range 3 {
		for _, o := range story(t0.Add(time.Duration(pod*17) * time.Millisecond)) {
			o.From = fmt.Sprint("pod", pod)
			o.Lane = suffixed(o.Lane, pod)
			for i := range o.Needs {
				o.Needs[i].Key = suffixed(o.Needs[i].Key, pod)
			}
			for i := range o.Gives {
				o.Gives[i].Key = suffixed(o.Gives[i].Key, pod)
			}
			all = append(all, o)
		}
	}
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	sweep := Observation{Event: event("deletecollection"), Gives: []Give{{Key: "sweep"}}}
	sweep.Start, sweep.End = at(60), at(90)
	all = append(all, sweep)
	for i := range 2 {
		gone := Observation{Event: event(fmt.Sprint("gone", i)), Needs: []Need{{Key: "sweep", How: ByObject, Wait: true}}}
		gone.Start, gone.End = at(70+i), at(70+i)
		all = append(all, gone)
	}
	return all
}

func suffixed(key string, n int) string {
	if key == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d", key, n)
}

// arrive hands the observations to a joiner in an order and with pauses that
// the bytes decide, and returns what the log then tells, and because of what.
// What has nothing to do with each other may be told in any order.
func arrive(t *testing.T, order []byte) (told string) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(0)
		j := NewJoiner(log)
		j.Hold = 200 * time.Millisecond // all arrive within it
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.Run(ctx); close(done) }()
		waiting := crowd(time.Now())
		for i := 0; len(waiting) > 0; i++ {
			var b byte
			if i < len(order) {
				b = order[i]
			}
			n := int(b) % len(waiting)
			j.Offer(ctx, waiting[n])
			waiting = append(waiting[:n], waiting[n+1:]...)
			time.Sleep(time.Duration(b%8) * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		stop()
		<-done
		events, _ := log.After(0, 0)
		var lines []string
		for _, e := range events {
			line := e.From + " " + e.Verb
			for _, c := range e.Causes {
				if c.Seq >= e.Seq {
					t.Errorf("%s is told before its cause", line)
					continue
				}
				because := events[c.Seq-1]
				line += fmt.Sprintf(" < %s %s by %s", because.From, because.Verb, c.How)
			}
			lines = append(lines, line)
		}
		slices.Sort(lines)
		told = strings.Join(lines, "\n")
	})
	return told
}

// In whatever order reports arrive while the joiner holds them, the log tells
// the same events with the same causes, none before its cause.
func FuzzJoiner(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1})
	f.Add([]byte{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7})
	f.Add([]byte("any order at all will do"))
	f.Fuzz(func(t *testing.T, order []byte) {
		if want, got := arrive(t, nil), arrive(t, order); got != want {
			t.Errorf("in the order of time:\n%s\nin the order %v:\n%s", want, order, got)
		}
	})
}
