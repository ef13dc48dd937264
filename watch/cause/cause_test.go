package cause

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recorded"
)

// logs are those of real clusters; see watch/testdata.
var logs = []string{"day", "night"}

// exact are the causes that are known by keys, not by rules.
func exact(e *watch.Event) []watch.Cause {
	var causes []watch.Cause
	for _, c := range e.Causes {
		if c.How == watch.ByRevision || c.How == watch.ByAuditID || c.How == watch.ByObject || c.How == watch.ByUID || e.Kind == watch.Component {
			causes = append(causes, c)
		}
	}
	return causes
}

// found are all causes of a log, by number, from the events and the exact
// causes alone.
func found(events []watch.Event) map[uint64][]watch.Cause {
	f := New()
	all := map[uint64][]watch.Cause{}
	for _, e := range events {
		keyed := exact(&e)
		e.Causes = f.Causes(&e)
		for _, c := range keyed {
			if !has(e.Causes, c.Seq) {
				e.Causes = append(e.Causes, c)
			}
		}
		f.Remember(&e)
		all[e.Seq] = e.Causes
	}
	return all
}

// No event comes before its cause, and what a component wrote has one.
func TestEveryWriteHasACause(t *testing.T) {
	for _, name := range logs {
		t.Run(name, func(t *testing.T) {
			events := recorded.Log(t, name)
			causes := found(events)
			writes := 0
			for i := range events {
				e := &events[i]
				for _, c := range causes[e.Seq] {
					if c.Seq >= e.Seq || c.Seq == 0 {
						t.Errorf("event %d is caused by %v", e.Seq, c)
					}
				}
				rule := Rule(e)
				if e.Kind != watch.Request || e.Object == nil || slices.Contains(reads, e.Verb) || e.Code >= 300 || e.Object.Subresource == "token" || rule == "" || silentRules[rule] != "" {
					continue
				}
				writes++
				if len(causes[e.Seq]) == 0 {
					t.Errorf("no cause, by rule %q: event %d, %s %s %s", rule, e.Seq, e.From, e.Verb, e.Object.Key())
				}
			}
			t.Logf("%d events, %d writes by components", len(events), writes)
			if writes < 400 {
				t.Errorf("only %d writes", writes)
			}
		})
	}
}

// silentRules give no cause in any recorded log, and are there nevertheless.
var silentRules = map[string]string{
	"address of a Service": "it keeps an event from the rules below: the apiserver makes it within the request for the Service, which is told later",
}

// Every rule has found a cause of something that really happened.
func TestEveryRuleFires(t *testing.T) {
	type use struct {
		count   int
		example string
	}
	uses := map[string]*use{}
	for _, r := range rules {
		if uses[r.name] != nil {
			t.Errorf("two rules are called %q", r.name)
		}
		uses[r.name] = &use{}
	}
	for _, name := range logs {
		events := recorded.Log(t, name)
		bySeq := map[uint64]*watch.Event{}
		f := New()
		for i := range events {
			e := &events[i]
			bySeq[e.Seq] = e
			keyed := exact(e)
			e.Causes = f.Causes(e)
			if u := uses[Rule(e)]; len(e.Causes) > 0 {
				if u.count++; u.count == 1 {
					u.example = fmt.Sprintf("%s: %s\n\t< %s: %s", name, line(e), e.Causes[0].How, line(bySeq[e.Causes[0].Seq]))
				}
			}
			e.Causes = append(e.Causes, keyed...)
			f.Remember(e)
		}
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			u, reason := uses[r.name], silentRules[r.name]
			switch {
			case u.count == 0 && reason == "":
				t.Error("explains nothing in any recorded log")
			case u.count > 0 && reason != "":
				t.Errorf("explains something now, and is said not to because %s", reason)
			default:
				t.Logf("%d uses; %s%s", u.count, reason, u.example)
			}
		})
	}
}

// The causes of real logs. Those who wrote the rules have reviewed this table,
// what starts a cluster and clears a namespace by kind and the rest line by
// line: is this what the actor had been told, or done, or seen, and what it did
// this for? UPDATE=1 writes the table anew; then review each line that is new.
func TestCausesAreThoseThatWereReviewed(t *testing.T) {
	for _, name := range logs {
		t.Run(name, func(t *testing.T) { reviewed(t, name) })
	}
}

func reviewed(t *testing.T, name string) {
	events := recorded.Log(t, name)
	bySeq := map[uint64]*watch.Event{}
	for i := range events {
		bySeq[events[i].Seq] = &events[i]
	}
	causes := found(events)
	var b strings.Builder
	lines := 0
	for i := range events {
		e := &events[i]
		if Rule(e) == "" || len(causes[e.Seq]) == 0 {
			continue
		}
		lines++
		fmt.Fprintf(&b, "%s\n", line(e))
		for _, c := range causes[e.Seq] {
			fmt.Fprintf(&b, "\t< %-10s %s\n", c.How, line(bySeq[c.Seq]))
		}
	}
	path := "../testdata/" + name + ".causes.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	got, want := strings.Split(b.String(), "\n"), strings.Split(string(table), "\n")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			wrong++
			if wrong < 20 {
				t.Errorf("line %d of %s:\n got %s\nwant %s", i+1, path, at(got, i), at(want, i))
			}
		}
	}
	t.Logf("%d events with causes by rules, %d lines not as reviewed", lines, wrong)
	if lines < 300 {
		t.Errorf("only %d events", lines)
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// line is an event as a person reads it.
func line(e *watch.Event) string {
	words := []string{fmt.Sprint(e.Seq), string(e.Kind), strings.NewReplacer(serviceAccount, "", "system:", "").Replace(e.From), e.Verb}
	if e.Kind == watch.Watch {
		words = append(words, "to "+strings.TrimPrefix(e.To, "system:"))
	}
	if e.Kind == watch.Component {
		words = append(words, e.To)
	}
	if o := e.Object; o != nil {
		words = append(words, o.Key())
		if o.Subresource != "" {
			words = append(words, "/"+o.Subresource)
		}
	}
	if e.Revision != "" {
		words = append(words, "@"+e.Revision)
	}
	if e.Code >= 300 {
		words = append(words, fmt.Sprint(e.Code))
	}
	a := read(e)
	if a == nil {
		return strings.Join(words, " ")
	}
	if text := a.sent.Message + a.sent.Note; text != "" {
		words = append(words, fmt.Sprintf("%s: %.60s", a.sent.Reason, text))
	}
	for _, s := range a.statuses() {
		words = append(words, s.Name+" "+strings.Join(slices.Sorted(maps.Keys(s.State)), "/"))
	}
	for _, c := range a.sent.Status.Conditions {
		if c.Status != "" {
			words = append(words, c.Type+"="+c.Status)
		}
	}
	if a.sent.Status.tally != (tally{}) {
		words = append(words, fmt.Sprintf("%+v", a.sent.Status.tally))
	}
	if a.d.ContainerName != "" {
		words = append(words, "container "+a.d.ContainerName)
	}
	return strings.Join(words, " ")
}
