// Package kubestage has no code of its own: its folders are the rooms of the
// house, and this test keeps the doors between them one-way.
package kubestage

import (
	"encoding/json"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kubestage/kubestage"

// room is a folder and what code in it, and below it, may import. The room of
// a file is the one with the longest path that fits.
type room struct {
	path    string
	rooms   []string // of ours; each is exactly one folder, not those below it
	outside []string // modules or packages of others; "*" is any
	because string
}

var rooms = []room{
	{".", nil, nil, "the root holds tests of the repository only"},
	{"watch", nil, nil,
		"every other room uses these words, so they must cost nothing: standard library only"},
	{"watch/cluster", []string{"watch"}, []string{"k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go"},
		"an attached cluster is a source like any other: it turns what client-go says into watch's words and knows nobody else"},
	{"watch/recording", []string{"watch", "watch/state"}, nil,
		"a recording is read where no cluster exists"},
	{"sandbox", []string{"watch", "watch/cause", "sandbox/overlay"}, []string{"golang.org/x/sys", "google.golang.org/protobuf/encoding/protowire"},
		"the supervisor runs programs; what it runs is data, so that the supervisor builds in seconds and for every system"},
	{"sandbox/overlay", nil, nil,
		"the supervisor and the nodes both speak it: standard library only"},
	{"sandbox/runtime", []string{"watch", "sandbox/overlay"}, []string{"k8s.io/cri-api", "k8s.io/cri-streaming", "google.golang.org/grpc", "google.golang.org/protobuf", "golang.org/x/sys", "golang.org/x/net/dns/dnsmessage", "mvdan.cc/sh/v3"},
		"the runtime is on the other side of the kubelet's socket: it speaks CRI and knows no Kubernetes"},
	{"sandbox/kube", []string{"watch", "sandbox", "sandbox/overlay", "sandbox/runtime"}, []string{"*"},
		"the only room with Kubernetes' own components in it"},
	{"content", []string{"watch", "watch/recording"}, []string{"github.com/yuin/goldmark", "github.com/google/cel-go", "sigs.k8s.io/yaml"},
		"chapters name events; they must be readable and checkable without a server or a cluster"},
	{"content/notes", nil, []string{"golang.org/x/text", "sigs.k8s.io/yaml"},
		"a person's notes are read without knowing the book: what a heading or a word is about, it is told"},
	{"migrations", nil, []string{"github.com/pressly/goose/v3"},
		"SQL files and the code that applies them"},
	{"web", []string{"watch", "content", "content/notes"}, []string{"github.com/a-h/templ"},
		"pages are made from words and chapters; who serves them is not their business"},
	{"server/store", []string{"watch", "content", "migrations"}, []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3"},
		"the store is the only room that speaks SQL"},
	{"server", []string{"watch", "content/notes", "watch/recording", "watch/state", "watch/story", "content", "web", "migrations", "server/store"}, []string{"github.com/go-chi/chi/v5", "github.com/coder/websocket", "github.com/creack/pty", "github.com/a-h/templ", "github.com/google/cel-go", "sigs.k8s.io/yaml", "rsc.io/qr"},
		"the server serves any log: it must not know where events come from, and it never holds a cluster's credentials in its own process"},
	{"cmd/dashboard", []string{"*"}, []string{"*"},
		"the one place that sees all rooms and connects them"},
	{"e2e", nil, []string{"*"},
		"these tests and measurements use the built binary through the doors people use"},
}

// heavy packages take minutes to compile and exist for some systems only.
// Whoever imports one must be left out by -tags nosandbox.
var heavy = []struct{ prefix, only, because string }{
	{"k8s.io/kubernetes", "sandbox/kube", "-tags nosandbox must give a light binary that attaches and replays"},
	{"go.etcd.io/etcd/server", "sandbox/kube", "-tags nosandbox must give a light binary that attaches and replays"},
}

func TestImports(t *testing.T) {
	for file := range goFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
		if err != nil {
			t.Error(err) // the compiler says it better, but not for other systems' files
			continue
		}
		from := roomOf(path.Dir(file))
		if from == nil {
			t.Errorf("%s is in no room: add its folder to rooms in imports_test.go and to the layout in README.md, or move it", file)
			continue
		}
		for _, spec := range syntax.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if !allowed(from, path.Dir(file), imported) {
				t.Errorf("%s imports %s, but %s may not: %s", file, imported, from.path, from.because)
			}
			for _, h := range heavy {
				if !within(imported, h.prefix) {
					continue
				}
				if from.path != h.only {
					t.Errorf("%s imports %s, which only %s may: %s", file, imported, h.only, h.because)
				}
				if !strings.HasSuffix(file, "_test.go") && compiledInLight(source) {
					t.Errorf("%s imports %s, so it must start with //go:build !nosandbox: %s", file, imported, h.because)
				}
			}
		}
	}
}

// goFiles yields the path of every Go file of ours, for all systems and tags.
func goFiles(t *testing.T) func(yield func(string) bool) {
	return files(t, ".", ".go")
}

func files(t *testing.T, root string, extensions ...string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "bin", "dist"}, d.Name())) {
					return fs.SkipDir
				}
				return nil
			}
			if slices.Contains(extensions, path.Ext(name)) && !yield(path.Join(root, name)) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func roomOf(dir string) *room {
	var found *room
	for i, r := range rooms {
		if (r.path == dir || r.path != "." && within(dir, r.path)) && (found == nil || len(r.path) > len(found.path)) {
			found = &rooms[i]
		}
	}
	return found
}

func allowed(from *room, dir, imported string) bool {
	if ours := imported == module || within(imported, module+"/"); ours {
		to := strings.TrimPrefix(imported, module+"/")
		if to == dir || within(to, from.path) && roomOf(to) == from || slices.Contains(from.rooms, "*") {
			return true
		}
		return slices.Contains(from.rooms, to)
	}
	if standard := !strings.Contains(strings.Split(imported, "/")[0], "."); standard {
		return true
	}
	return slices.ContainsFunc(from.outside, func(prefix string) bool { return prefix == "*" || within(imported, prefix) })
}

// within reports whether a path is prefix or below it.
func within(p, prefix string) bool {
	return p == prefix || strings.HasPrefix(p, strings.TrimSuffix(prefix, "/")+"/")
}

// compiledInLight reports whether a file is part of a build with -tags
// nosandbox on at least one system.
func compiledInLight(source []byte) bool {
	for line := range strings.Lines(string(source)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "package ") {
			return true
		}
		if constraint.IsGoBuild(line) {
			expr, err := constraint.Parse(line)
			return err != nil || expr.Eval(func(tag string) bool { return tag == "nosandbox" }) ||
				expr.Eval(func(string) bool { return true })
		}
	}
	return true
}

// TestOneModule holds what makes `go install .../cmd/dashboard@latest` work.
func TestOneModule(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal("go mod edit -json:", err)
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path, Version string }
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Module.Path != module {
		t.Errorf("the module is called %s, want %s", mod.Module.Path, module)
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s: go install refuses modules with replace directives, so require the version that is wanted instead", r.Old.Path)
	}
	var kubernetes string
	for _, r := range mod.Require {
		if r.Path == "k8s.io/kubernetes" {
			kubernetes = r.Version
		}
	}
	staging := strings.Replace(kubernetes, "v1.", "v0.", 1)
	for _, r := range mod.Require {
		if strings.HasPrefix(r.Path, "k8s.io/") && strings.HasPrefix(r.Version, "v0.3") && r.Version != staging {
			t.Errorf("go.mod has %s %s beside kubernetes %s: parts of one release are bumped together, to %s", r.Path, r.Version, kubernetes, staging)
		}
	}
	for file := range files(t, ".", ".mod") {
		if path.Base(file) == "go.mod" && file != "go.mod" {
			t.Errorf("%s is a second module: everything is one module, so that one version names everything", file)
		}
	}
}

// layers of web/src, lowest first; a file imports its own layer or lower ones.
var layers = []struct{ path, because string }{
	{"wire", "what comes from the server is checked here and nowhere else"},
	{"model", "the model is a pure fold of events: no socket, no clock, no drawing"},
	{"player", "the player alone owns time"},
	{"stage", "the stage is a pure function of model and playhead"},
	{"panel", "panels look at the stage; the stage knows no panel"},
	{"view", "a view stands in place of the picture, at the same playhead; the picture and the panels know no view"},
	{"page", "a page is put together from what is below; chapters and the console are given what they need of it"},
	{"console", "the console is beside the stage, never under it"},
	{"chapter", "chapters drive the stage; nothing below may know that chapters exist"},
}

var importFrom = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^'";]*?(?:from\s*)?["'](\.[^"']+)["']`)

func TestWebLayers(t *testing.T) {
	level := func(file string) int {
		folder := strings.Split(strings.TrimPrefix(file, "web/src/"), "/")[0]
		return slices.IndexFunc(layers, func(l struct{ path, because string }) bool { return l.path == folder })
	}
	if _, err := os.Stat("web/src"); err != nil {
		t.Skip("no web/src")
	}
	for file := range files(t, "web/src", ".ts") {
		from := level(file)
		if from < 0 {
			continue // the entry, shared types and texts belong to no layer
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range importFrom.FindAllSubmatch(source, -1) {
			to := path.Join(path.Dir(file), string(found[1]))
			if higher := level(to); higher > from {
				t.Errorf("%s imports %s, which is in a higher layer (%s): %s", file, to, layers[higher].path, layers[from].because)
			}
		}
	}
}

// TestRoomsRefuse shows that the rules can fail.
func TestRoomsRefuse(t *testing.T) {
	for _, c := range []struct {
		dir, imported string
		want          bool
	}{
		{"watch", "time", true},
		{"watch", "k8s.io/client-go/rest", false},
		{"watch", module + "/server", false},
		{"watch/cluster", "k8s.io/client-go/rest", true},
		{"watch/cluster", "k8s.io/client-gopher", false},
		{"server", module + "/server/store", true},
		{"server", module + "/sandbox", false},
		{"server/store", module + "/server", false},
		{"sandbox/runtime", "k8s.io/kubernetes/pkg/kubelet", false},
		{"cmd/dashboard", module + "/sandbox/kube", true},
	} {
		if got := allowed(roomOf(c.dir), c.dir, c.imported); got != c.want {
			t.Errorf("%s imports %s: allowed is %v, want %v", c.dir, c.imported, got, c.want)
		}
	}
	if compiledInLight([]byte("//go:build !nosandbox && linux\n\npackage kube\n")) {
		t.Error("a file behind !nosandbox counts as compiled with nosandbox")
	}
	if !compiledInLight([]byte("// words\npackage kube\n")) {
		t.Error("a file without build line counts as left out of a build with nosandbox")
	}
}
