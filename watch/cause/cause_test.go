package cause

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/kubestage/kubestage/watch"
)

// day is the log of a real cluster; see watch/testdata.
func day(t testing.TB) []watch.Event {
	t.Helper()
	f, err := os.Open("../testdata/day.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var events []watch.Event
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e watch.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

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
		e.Causes = exact(&e)
		e.Causes = append(f.Causes(&e), e.Causes...)
		f.Remember(&e)
		all[e.Seq] = e.Causes
	}
	return all
}

// No event comes before its cause, and what a component wrote has one.
func TestEveryWriteHasACause(t *testing.T) {
	events := day(t)
	causes := found(events)
	writes, rules := 0, map[string]int{}
	for i := range events {
		e := &events[i]
		for _, c := range causes[e.Seq] {
			if c.Seq >= e.Seq || c.Seq == 0 {
				t.Errorf("event %d is caused by %v", e.Seq, c)
			}
		}
		rule := Rule(e)
		rules[rule]++
		if e.Kind != watch.Request || e.Object == nil || slices.Contains(reads, e.Verb) || e.Object.Subresource == "token" || rule == "" || rule == "address of a Service" {
			continue
		}
		writes++
		if len(causes[e.Seq]) == 0 {
			t.Errorf("no cause, by rule %q: event %d, %s %s %s", rule, e.Seq, e.From, e.Verb, e.Object.Key())
		}
	}
	t.Logf("%d events, %d writes by components; events by rule: %v", len(events), writes, rules)
	if writes < 400 {
		t.Errorf("only %d writes", writes)
	}
}
