package kubestage

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

var upstreamPlace = regexp.MustCompile(`(?s)"([^"\n]+)": \[\s*"([^"\n]+)",\s*(\d+),\s*"([^"\n]+)",?\s*\]`)

// TestUpstreamPlaces looks up every line of Kubernetes' source that the page
// links to, in the modules this program is built with.
func TestUpstreamPlaces(t *testing.T) {
	const file = "web/src/model/upstream.ts"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{}
	folderOf := func(module string) string {
		if dir, ok := folders[module]; ok {
			return dir
		}
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", module).Output()
		if err != nil {
			t.Fatalf("go list -m %s: %v", module, err)
		}
		version, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if module == "k8s.io/kubernetes" && !bytes.Contains(source, []byte(strconv.Quote(version))) {
			t.Errorf("%s does not link to %s %s", file, module, version)
		}
		if dir == "" {
			t.Skipf("%s is not on this computer: `go mod download` brings it", module)
		}
		folders[module] = dir
		return dir
	}
	places := upstreamPlace.FindAllSubmatch(source, -1)
	if len(places) < 60 {
		t.Fatalf("only %d places were found in %s", len(places), file)
	}
	for _, p := range places {
		what, path, function := string(p[1]), string(p[2]), string(p[4])
		name := filepath.Join(folderOf("k8s.io/kubernetes"), path)
		if staged, ok := strings.CutPrefix(path, "staging/src/"); ok {
			parts := strings.SplitN(staged, "/", 3)
			name = filepath.Join(folderOf(parts[0]+"/"+parts[1]), parts[2])
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		lines := strings.Split(string(text), "\n")
		number, _ := strconv.Atoi(string(p[3]))
		if number < 1 || number > len(lines) || !strings.HasPrefix(lines[number-1], "func ") || !strings.Contains(lines[number-1], function+"(") {
			at := "nowhere in it"
			for i, line := range lines {
				if strings.HasPrefix(line, "func ") && strings.Contains(line, function+"(") {
					at = "line " + strconv.Itoa(i+1)
				}
			}
			t.Errorf("%s: %s:%d is not func %s, which is %s", what, path, number, function, at)
		}
	}
}
