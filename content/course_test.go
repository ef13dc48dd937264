package content

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A course's chapter stands beside those of the book, is read anew when a file
// changes, and its mistakes take nothing else away.
func TestCourseIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"scene.yaml", "en.md", "ko.md"} {
		text, err := files.ReadFile("chapters/pod-birth/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write("mine/"+name, strings.NewReplacer("term:etcd", "term:ledger", `covers: ["5.2"]`, "covers: []").Replace(string(text)))
	}
	c, err := OpenCourse(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Book().Wrong["mine"]; err == nil || !strings.Contains(err.Error(), `chapters/mine/en.md:`) || !strings.Contains(err.Error(), `the term "ledger"`) {
		t.Errorf("a term nobody has explained: %v", err)
	}
	if _, ok := c.Book().Chapter("pod-birth"); !ok {
		t.Error("a mistake in the course takes the book's chapters away")
	}
	write("glossary.yaml", "terms:\n  - id: ledger\n    lights: etcd\n    in: {en: {name: ledger, gloss: What is written stays.}, ko: {name: 장부, gloss: 쓴 것은 남습니다.}}\n")
	deadline := time.Now().Add(10 * time.Second)
	for c.Book().Wrong["mine"] != nil {
		if time.Now().After(deadline) {
			t.Fatalf("it is not read again: %v", c.Book().Wrong["mine"])
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, ok := c.Book().Chapter("mine"); !ok || c.Problem() != nil {
		t.Errorf("the chapter is not there: %v", c.Problem())
	}
	if row, ok := c.Book().Outline.Row("mine"); !ok || len(row.Chapters) != 1 {
		t.Error("a chapter about none of the rows is not in the table of contents")
	}
	if _, err := OpenCourse(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a course that is not there opens")
	}
}
