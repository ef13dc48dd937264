package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestContentCheck(t *testing.T) {
	check := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"content"}, args...), &out, &out)
		return out.String(), err
	}
	ours := filepath.Join("..", "..", "content", "chapters")
	if out, err := check("check", ours); err != nil || !strings.Contains(out, "nothing wrong") {
		t.Errorf("our own chapters: %v\n%s", err, out)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "chapters"), os.DirFS(ours)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "chapters", "pod-birth", "ko.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("(term:pod)"), []byte("(term:dop)"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := check("check", dir)
	if err == nil || !strings.Contains(out, file+":") || !strings.Contains(out, `the term "dop"`) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{}, {"check"}, {"chek", dir}, {"check", filepath.Join(dir, "none")}} {
		if _, err := check(args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
