package migrations

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// The tests that run them are in server/store, with the real database.
func TestFilesAreNumberedAndGoBothWays(t *testing.T) {
	names, err := fs.Glob(Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if want := fmt.Sprintf("%05d_", i+1); !strings.HasPrefix(name, want) {
			t.Errorf("%s: want a name that begins with %s; numbers have no holes", name, want)
		}
		text, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		up, down := strings.Index(string(text), "-- +goose Up"), strings.Index(string(text), "-- +goose Down")
		if up < 0 || down < up {
			t.Errorf("%s needs -- +goose Up and then -- +goose Down", name)
		}
	}
}
