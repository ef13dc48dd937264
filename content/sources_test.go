package content

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	anySource = regexp.MustCompile(`https://github\.com/kubernetes/kubernetes/(?:blob|tree)/([^/\s"]+)/([^\s"#]+)(?:#L(\d+)(?:-L(\d+))?)?`)
	version   = "v1.36.3"
)

// A link to the source of Kubernetes leads to the version that runs here, to a
// file that is in it, and to a line the file has.
func TestLinksToSourceAreTrue(t *testing.T) {
	dirs := map[string]string{}
	dir := func(module string) string {
		if _, known := dirs[module]; !known {
			out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
			if err != nil {
				t.Fatalf("go list -m %s: %v", module, err)
			}
			dirs[module] = strings.TrimSpace(string(out))
		}
		return dirs[module]
	}
	links := 0
	for _, c := range whole(t).Chapters {
		for _, lang := range Languages {
			p, _ := c.Page(lang)
			text := string(p.Intro)
			for _, s := range append(append([]Section{}, p.Steps...), p.Notes...) {
				text += string(s.Body)
			}
			for _, m := range anySource.FindAllStringSubmatch(text, -1) {
				links++
				if m[1] != version {
					t.Errorf("%s/%s.md: %s is of %s; this is %s", c.ID, lang, m[0], m[1], version)
					continue
				}
				module, file := "k8s.io/kubernetes", m[2]
				if staged, ok := strings.CutPrefix(file, "staging/src/"); ok {
					parts := strings.SplitN(staged, "/", 3)
					if len(parts) < 3 {
						continue // a whole repository
					}
					module, file = parts[0]+"/"+parts[1], parts[2]
				}
				at := dir(module)
				if at == "" {
					t.Skipf("%s is not in the module cache: go mod download", module)
				}
				source, err := os.ReadFile(filepath.Join(at, filepath.FromSlash(file)))
				if about, stat := os.Stat(filepath.Join(at, filepath.FromSlash(file))); err != nil && (stat != nil || !about.IsDir()) {
					t.Errorf("%s/%s.md: %s: there is no such file in %s", c.ID, lang, m[0], version)
					continue
				}
				for _, number := range m[3:] {
					if n, _ := strconv.Atoi(number); n > bytes.Count(source, []byte("\n")) {
						t.Errorf("%s/%s.md: %s: the file has %d lines", c.ID, lang, m[0], bytes.Count(source, []byte("\n")))
					}
				}
			}
		}
	}
	if links == 0 {
		t.Error("no chapter leads to a source any more")
	}
}
