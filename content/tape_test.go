package content

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/watch/recording"
)

// Every fact that a chapter waits for has happened in a real cluster, what the
// text claims is true of that run, and every caption and reason can be written in
// every language. The recordings are made again with
//
//	go test -tags nosandbox ./e2e/book -run RealScenes -args -address URL -only ID -record
func TestRecordingsTellTheWholeStory(t *testing.T) {
	for _, c := range whole(t).Chapters {
		t.Run(c.ID, func(t *testing.T) {
			if c.Tape == nil {
				t.Fatalf("recordings/%s.kubestage is missing: e2e/book makes it", c.ID)
			}
			tape, err := recording.Read(bytes.NewReader(c.Tape), recording.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			log := tape.Log()
			if err := tape.Feed(t.Context(), log); err != nil {
				t.Fatal(err)
			}
			events, err := log.After(uint64(tape.Carried), tape.Events)
			if err != nil {
				t.Fatal(err)
			}
			var facts []Fact
			trail := c.Scene.Follow(tape.Scene)
			answer := ""
			for _, e := range events {
				for _, f := range trail.Add(e) {
					facts = append(facts, f)
					answer += f.Answer
				}
			}
			if !trail.Done() {
				t.Fatalf("%q is never true in the recording; reached: %s", trail.Waiting(), seqs(facts))
			}
			for _, v := range c.Scene.Judge(trail, events) {
				if !v.True {
					t.Errorf("the recording does not bear out: %s %s", v.Says["en"], v.Why)
				}
			}
			if c.Scene.Predict != nil && !c.Scene.Predict.Has(answer) {
				t.Errorf("the recording does not answer the prediction (%q)", answer)
			}
			values := trail.Values()
			for name := range maps.Keys(values) {
				if values[name] == "" {
					t.Errorf("nothing was captured as %s", name)
				}
			}
			for _, lang := range Languages {
				p, _ := c.Page(lang)
				for id, text := range p.Captions {
					t.Logf("%s %s: %s", lang, id, placeForm.ReplaceAllStringFunc(text, func(place string) string { return values[strings.Trim(place, "{}")] }))
				}
			}
			t.Logf("%d bytes, %d events, %d of them carried in", len(c.Tape), tape.Events, tape.Carried)
		})
	}
}
