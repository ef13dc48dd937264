package content

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The example of the authors' guide is a chapter that loads.
func TestTheGuidesExampleIsSound(t *testing.T) {
	guide, err := os.ReadFile("../docs/writing.md")
	if err != nil {
		t.Fatal(err)
	}
	scene := regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n").FindSubmatch(guide)
	page := regexp.MustCompile("(?s)\n````markdown\n(.*?)\n````\n").FindSubmatch(guide)
	if scene == nil || page == nil {
		t.Fatal("docs/writing.md has no example any more")
	}
	dir := filepath.Join(t.TempDir(), "chapters", "first-config")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"scene.yaml": scene[1], "en.md": page[1], "ko.md": page[1]} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	problems, chapters, err := Check(filepath.Dir(dir))
	if err != nil || chapters != 1 {
		t.Fatalf("%d chapters, %v", chapters, err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}
