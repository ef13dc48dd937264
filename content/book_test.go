package content

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func whole(t *testing.T) *Book {
	t.Helper()
	b, err := LoadFrom(files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLanguagesAreEqual(t *testing.T) {
	for _, c := range whole(t).Chapters {
		for _, d := range c.differences() {
			t.Error(d)
		}
	}
}

func TestTermsAreButtonsAndHTMLIsSafe(t *testing.T) {
	g := whole(t).Glossary
	md := &markdown{glossary: g, lang: "ko"}
	out, err := md.inline(`[API 서버](term:apiserver)가 **쿠버네티스(k8s)**\ 를 <b>연다</b>`)
	if err == nil {
		t.Fatalf("raw HTML was accepted: %s", out)
	}
	out, err = md.inline(`[API 서버](term:apiserver)가 **쿠버네티스(k8s)**\ 를 1 < 2 연다`)
	want := `<button type="button" class="term" data-term="apiserver">API 서버</button>가 <strong>쿠버네티스(k8s)</strong>를 1 &lt; 2 연다`
	if err != nil || string(out) != want {
		t.Fatalf("got  %s (%v)\nwant %s", out, err, want)
	}
}

// bookOf copies the real book, with one chapter, so that a test can spoil one file
// of it.
func bookOf(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(name, "chapters/") && !strings.HasPrefix(name, "chapters/pod-birth/") {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		out[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLoaderRefuses(t *testing.T) {
	const dir = "chapters/pod-birth/"
	for _, c := range []struct {
		name, file, old, new, want string
	}{
		{"a missing language", dir + "ko.md", "", "", "every chapter is in every language"},
		{"a missing step", dir + "ko.md", "## 이미지 {#pulled}", "### 이미지", `"started" where scene.yaml has step "pulled"`},
		{"steps in another order", dir + "en.md", "{#stored}", "{#told}", `"told" where scene.yaml has step "stored"`},
		{"a heading without id", dir + "en.md", "## The image {#pulled}", "## The image", "needs an id"},
		{"other sections after the steps", dir + "ko.md", "{#older}", "{#newer}", "sections behind the steps differ"},
		{"a dead term", dir + "en.md", "(term:etcd)", "(term:etdc)", `the term "etdc"`},
		{"a link that runs code", dir + "en.md", "(term:etcd)", "(javascript:alert(1))", "only term:"},
		{"raw HTML", dir + "ko.md", "여러분은 `spec`을 썼고", "<img src=x onerror=alert(1)>", "raw HTML"},
		{"emphasis that does not close", dir + "ko.md", "**필터(filter)**:", "**필터(filter)**는", "did not close"},
		{"a caption nobody can fill", dir + "ko.md", "{octets}", "{size}", "{size}, which no fact captures"},
		{"a caption of no step", dir + "en.md", "captions:\n", "captions:\n  nothing: here\n", `"nothing" is not a step`},
		{"an option without words", dir + "ko.md", "    tie: 최고점인", "    draw: 여러", "predict.options.tie is missing"},
		{"a checkpoint without words", dir + "ko.md", "    gone: \"kubelet", "    done: \"kubelet", "checkpoint.missing.gone is missing"},
		{"an unknown head field", dir + "en.md", "kicker:", "ticker:", "ticker"},
		{"a manifest that does not decode", dir + "scene.yaml", "      kind: Pod", "      kind Pod", "does not decode"},
		{"a manifest without a name", dir + "scene.yaml", "        name: hello\n", "        labels: {}\n", "metadata.name"},
		{"a manifest of another namespace", dir + "scene.yaml", "        name: hello\n", "        name: hello\n        namespace: default\n", "leave it out"},
		{"a manifest nobody reads", dir + "scene.yaml", "run: kubectl create -f -\n", "run: kubectl create\n", "stdin is what -f - reads"},
		{"a command that is none", dir + "scene.yaml", "- run: kubectl delete pod first", "- run: rm -r first", "begins with kubectl"},
		{"an order to nobody", dir + "scene.yaml", "- run: kubectl delete pod first", "- order: stop kube-schedular", "not a component"},
		{"an assertion about no step", dir + "scene.yaml", "is: at.started < at.reported", "is: at.startet < at.reported", `"startet" is not a step`},
		{"an assertion that does not compile", dir + "scene.yaml", "is: at.started < at.reported", "is: at.started << at.reported", "does not compile"},
		{"an assertion about an unknown actor", dir + "scene.yaml", `"system:kube-scheduler", "system:node:"`, `"system:kube-schedular", "system:node:"`, `"system:kube-schedular" is not an actor`},
		{"a claim in one language", dir + "scene.yaml", "      ko: 새 줄에는", "      fr: 새 줄에는", `lacks what it says in "ko"`},
		{"a checkpoint nobody has solved", dir + "scene.yaml", "solution:", "wrong:", "solution is missing"},
		{"a link to a chapter that is not there", dir + "en.md", "(term:etcd)", "(chapter:pod-death)", `the chapter "pod-death"`},
		{"a link to a section that is not there", dir + "en.md", "(term:etcd)", "(chapter:pod-birth#death)", `the section "death"`},
		{"a link to a row that is not there", dir + "ko.md", "(term:etcd)", "(row:99)", `the row "99"`},
		{"a hint in one language", dir + "ko.md", "    - \"`kubectl run`", "    - \"힌트\"\n    - \"`kubectl run`", "checkpoint.hints: en has 2, ko has 3"},
		{"a fact that does not compile", dir + "scene.yaml", `event.code == 201 &&`, `event.code = 201 &&`, "does not compile"},
		{"a misspelled field", dir + "scene.yaml", `event.object.uid == uid && event.revision == r1`, `event.object.uuid == uid`, "undefined field 'uuid'"},
		{"a name nothing captured", dir + "scene.yaml", `event.revision == r1 &&`, `event.revision == r9 &&`, "undeclared reference to 'r9'"},
		{"an unknown actor", dir + "scene.yaml", `event.to == "system:kube-scheduler"`, `event.to == "system:kube-schedular"`, `"system:kube-schedular" is not an actor`},
		{"an unknown kind", dir + "scene.yaml", `event.kind == "cri"`, `event.kind == "crl"`, `"crl" is not a kind`},
		{"an unknown focus", dir + "scene.yaml", "focus: binding", "focus: bindings", `"bindings", which the glossary does not have`},
		{"a focus without a place", dir + "scene.yaml", "focus: binding", "focus: manifest", "no place on the stage"},
		{"a step after nothing", dir + "scene.yaml", "after: stored", "after: stoned", "not a step before it"},
		{"a time that is none", dir + "scene.yaml", "within: 60s", "within: soon", "bounds how long"},
		{"an endless run", dir + "scene.yaml", "within: 60s", "within: 60h", "bounds how long"},
		{"a prediction nobody decides", dir + "scene.yaml", "at: chosen", "at: guessed", "not a step"},
		{"an unknown scene field", dir + "scene.yaml", "order: 510", "ordre: 510", "ordre"},
		{"a term that lights nothing", "glossary.yaml", "lights: etcd", "lights: etdc", "not a component"},
		{"a term in one language", "glossary.yaml", "      ko:\n        name: kubectl", "      fr:\n        name: kubectl", `in "ko"`},
		{"a spelling of two terms", "glossary.yaml", "name: 리비전", "name: 파드", "belongs to both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			book := bookOf(t)
			if c.old == "" {
				delete(book, c.file)
			} else {
				text := string(book[c.file].Data)
				if !strings.Contains(text, c.old) {
					t.Fatalf("%s does not contain %q any more: give this test another line to spoil", c.file, c.old)
				}
				book[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.new, 1))}
			}
			_, err := LoadFrom(book)
			if err == nil {
				t.Fatal("it loads")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), strings.TrimSuffix(c.file, "/ko.md")) {
				t.Errorf("got %v\nwant it to name %s and to contain %q", err, c.file, c.want)
			}
		})
	}
}
