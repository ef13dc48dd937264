// Package recorded reads the logs of real clusters that watch/testdata keeps,
// for tests that must hold for what really happens.
package recorded

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/kubestage/kubestage/watch"
)

// Log returns the events of a log: "day" or "night". It is for the tests of
// the folders beside this one, in which they run.
func Log(t testing.TB, name string) []watch.Event {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", name+".jsonl.gz"))
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
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(events) < 2000 {
		t.Fatalf("the log %q has only %d events", name, len(events))
	}
	return events
}
