package content

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A writer is told every mistake at once, each with the line to look at.
func TestCheckNamesFileAndLine(t *testing.T) {
	if problems, chapters, err := Check("."); err != nil || len(problems) > 0 || chapters == 0 {
		t.Fatalf("our own content: %d chapters, %v, %v", chapters, problems, err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "chapters", "pod-birth"), os.DirFS("chapters/pod-birth")); err != nil {
		t.Fatal(err)
	}
	const at = "chapters/pod-birth/"
	spoilt := []struct{ file, old, new, want string }{
		{at + "en.md", "(term:etcd)", "(term:etdc)", `the term "etdc"`},
		{at + "en.md", "{octets}", "{size}", "{size}, which no fact captures"},
		{at + "en.md", "kicker:", "ticker:", `there is no field "ticker"`},
		{at + "ko.md", "{#older}", "{#newer}", "sections behind the steps differ"}, // which has no one line
		{at + "ko.md", "여러분은 `spec`을 썼고", "여러분은 썼고", `lacks ["spec"]`},
		{at + "ko.md", "여러분은 `spec`을 썼고", "<b>여러분은</b> `spec`을 썼고", "raw HTML"},
		{at + "ko.md", "[바인딩](term:binding)", "[바인딩](javascript:alert(1))", "javascript"},
		{at + "scene.yaml", "within: 60s", "within: soon", `"soon" is not a time`},
		{at + "scene.yaml", `covers: ["5.2"]`, `covers: ["5.2", "99"]`, `"99", which the outline does not have`},
		{at + "scene.yaml", "focus: binding", "focus: bindings", `"bindings", which the glossary does not have`},
		{at + "scene.yaml", `event.to == "system:kube-scheduler"`, `event.to == "system:kube-schedular"`, `"system:kube-schedular" is not an actor`},
		{at + "scene.yaml", "order: ", "ordre: ", `there is no field "ordre"`},
		{at + "scene.yaml", "  - says:\n      en: The new row has no node, and its phase is Pending.\n      ko: 새 줄에는 노드가 없고, 단계는 Pending입니다.\n", "  - says: The new row has no node.\n", "is not said by language"},
		{at + "scene.yaml", "steps:", "steps: [", "did not find"},
	}
	for _, c := range spoilt {
		t.Run(c.want, func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			begin := strings.Index(string(text), c.old)
			if begin < 0 {
				t.Fatalf("%s does not hold %q any more", c.file, c.old)
			}
			defer os.WriteFile(path, text, 0o600)
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			problems, _, err := Check(dir)
			if err != nil {
				t.Fatal(err)
			}
			line := 1 + strings.Count(string(text[:begin]), "\n")
			for _, p := range problems {
				if strings.Contains(p.Says, c.want) && strings.HasPrefix(p.File, filepath.Join(dir, "chapters", "pod-birth")) {
					t.Logf("%d: %s", line, p)
					if p.Line > 1 && p.File == path && (p.Line < line-5 || p.Line > line+3) {
						t.Errorf("the mistake is on line %d: %s", line, p)
					}
					return
				}
			}
			t.Errorf("got %v, want %q in %s", problems, c.want, path)
		})
	}
	if _, _, err := Check(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was checked")
	}
}
