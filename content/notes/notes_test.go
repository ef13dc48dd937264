package notes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type rows map[string]string // by number and by name

func (r rows) ByNumber(n string) string { return r[n] }
func (r rows) ByName(n string) string   { return r[n] }

var outline = rows{
	"4": "4", "4.2": "4.2", "4.2.1": "4.2.1", "4.2.1-etcd": "4.2.1-etcd", "4.2.1-kube-apiserver": "4.2.1-kube-apiserver",
	"6.1": "6.1", "6.2": "6.2", "6.3.4": "6.3.4", "마스터서버(Kubernetes Master)": "T2-master",
}

var terms = NewLexicon(map[string][]string{
	"pod": {"파드", "포드", "pod"}, "namespace": {"네임스페이스", "namespace"}, "replicaset": {"레플리카세트", "레플리카셋", "ReplicaSet"},
	"service": {"서비스", "service"}, "volume": {"볼륨", "volume"}, "node": {"노드", "node"}, "etcd": {"etcd"},
	"label": {"레이블", "라벨"}, "annotation": {"어노테이션", "어노테이션"},
}, []string{"리눅스 네임 스페이스", "네트워크 네임스페이스", "마이크로 서비스"})

func read(t *testing.T, name string) *Note {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	n := Parse(name, data, outline)
	if !bytes.Equal(n.Export(), data) {
		t.Errorf("%s: the export is not the file", name)
	}
	return n
}

// blocks describes what a note was cut into, a line a block.
func blocks(n *Note) (out []string) {
	for _, b := range n.Blocks {
		if b.Kind == Blank {
			continue
		}
		s := fmt.Sprintf("%d-%d %s", b.First, b.Last, b.Kind)
		if b.Kind == Heading {
			s += fmt.Sprintf(" h%d #%s %q", b.Level, b.ID, b.Title)
			if b.Row != "" {
				s += " → " + b.Row
			}
		}
		for _, c := range b.Commands {
			s += fmt.Sprintf(" [%s: %s]", c.Does, c.Run)
		}
		for _, r := range b.Remarks {
			s += fmt.Sprintf(" !%d %s %s", r.Line, r.Kind, r.Says)
			if r.Rather != "" {
				s += " ⇒ " + r.Rather
			}
		}
		if b.Offer != nil {
			s += fmt.Sprintf(" offer %d lines", len(b.Offer.Lines))
		}
		out = append(out, s)
	}
	return out
}

// Each note is a habit of writing; what it becomes (NAME.blocks) was read
// against the file, line by line.
func TestHabits(t *testing.T) {
	for _, name := range []string{"outline.md", "bullets.txt", "post.md", "vault.md", "book.md", "cases.md", "crlf.md", "nfd.md", "hostile.md", "consoles.md"} {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", name+".blocks"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(blocks(read(t, name)), "\n") + "\n"; got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestFrontMatterAndTitle(t *testing.T) {
	n := read(t, "post.md")
	want := []Field{{"layout", "post"}, {"title", "쿠버네티스 - 용어 정리"}, {"date", "2023-11-22"}, {"tags", "kubernetes, study"}}
	if n.Title != "쿠버네티스 - 용어 정리" || !slices.Equal(n.Blocks[0].Fields, want) {
		t.Errorf("title %q, fields %v", n.Title, n.Blocks[0].Fields)
	}
	if got := read(t, "nfd.md").Title; got != "파드" {
		t.Errorf("the title of a decomposed file is %q", got)
	}
}

func TestCommandsOfAnotherMachine(t *testing.T) {
	var all []Command
	for _, b := range read(t, "bullets.txt").Blocks {
		all = append(all, b.Commands...)
	}
	put := all[0]
	if put.Run != "etcdctl put key1 value1" || put.Caption != "값을 넣는다" || !slices.Equal(put.Printed, []string{"OK"}) || put.Line != 15 {
		t.Errorf("%+v", put)
	}
	if got := all[1]; len(got.Printed) != 3 || !strings.HasPrefix(got.Printed[1], "etcd-minikube") {
		t.Errorf("%+v", got)
	}
}

// Who made a pod stands in its name, where the name is one that a controller gives.
func TestMakersByName(t *testing.T) {
	var got []string
	for _, b := range read(t, "consoles.md").Blocks {
		for _, c := range b.Commands {
			for _, m := range c.Makers() {
				s := m.Key
				for _, by := range m.Makers {
					s += " < " + strings.Join(by.Kinds, "|") + " " + by.Name
				}
				got = append(got, s)
			}
		}
	}
	want := []string{
		"pods/kube-system/coredns-74ff55c5b-6xcjg < replicaset coredns-74ff55c5b < deployment coredns",
		"pods/kube-system/etcd-minikube < kubelet minikube",
		"pods/kube-system/kube-proxy-9t4xq < daemonset|job|replicaset kube-proxy",
		"pods/kube-system/web-0 < statefulset web",
		"apps/replicasets/default/web-74ff55c5b < deployment web",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestHeadingUnderOthers(t *testing.T) {
	n := Parse("a.md", []byte("# 파드\n## 컨트롤러\n# 노드\n## 컨트롤러\n"), nil)
	for name, want := range map[string]string{"컨트롤러": "컨트롤러", "파드#컨트롤러": "컨트롤러", "노드#컨트롤러": "노드/컨트롤러", "없음#컨트롤러": "컨트롤러", "없음": ""} {
		if got := n.Heading(name); got != want {
			t.Errorf("%s leads to %q, want %q", name, got, want)
		}
	}
}

// Of the folder only pictures are given out, only those inside it, and only what is
// one.
func TestPicturesOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "notes")
	png := []byte("\x89PNG\r\n\x1a\n…")
	for name, data := range map[string][]byte{
		"outside.png": png, "notes/a.png": png, "notes/deep/b.PNG": png, "notes/deep/그림.png": png, "notes/.hidden/c.png": png,
		"notes/fake.png": []byte("<html>"), "notes/d.svg": []byte("<svg xmlns='x'/>"), "notes/e.svg": []byte("<html>"), "notes/key.pem": []byte("secret"),
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "outside.png"), filepath.Join(inside, "link.png")); err != nil {
		t.Skip("no symbolic links here")
	}
	f, err := Open(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pictures := f.Gallery("deep/note.md")
	for to, want := range map[string]string{
		"a.png": "a.png", "/a.png": "a.png", "../a.png": "a.png", "b.png": "deep/b.PNG", "img/post/%EA%B7%B8%EB%A6%BC.png": "deep/그림.png", "d.svg?raw=1": "d.svg",
		"../../outside.png": "", "link.png": "", ".hidden/c.png": "", "c.png": "", "key.pem": "", "none.png": "", "https://a.example/none.png": "", "": "",
	} {
		if got, ok := pictures.Find(to); ok != (want != "") || ok && got != want {
			t.Errorf("%q is found at %q, want %q", to, got, want)
		}
	}
	for name, want := range map[string]string{"a.png": "image/png", "deep/b.PNG": "image/png", "d.svg": "image/svg+xml"} {
		if _, media, err := f.Picture(name); err != nil || media != want {
			t.Errorf("%s: %s, %v", name, media, err)
		}
	}
	for _, name := range []string{"fake.png", "e.svg", "key.pem", "link.png", "../outside.png", ".hidden/c.png", "none.png", "deep", ""} {
		if _, _, err := f.Picture(name); err == nil {
			t.Errorf("%q was given out", name)
		} else if strings.Contains(err.Error(), dir) {
			t.Errorf("%q: the error names a place on this machine: %v", name, err)
		}
	}
}

func TestPieces(t *testing.T) {
	for text, want := range map[string]string{
		"포드는 노드에서 돈다. etcd는 저장소":                                         "term/pod 는 |term/node 에서 돈다. |term/etcd 는 저장소",
		"리눅스 네임 스페이스와 네트워크 네임스페이스는 다르다":                                  "plain 리눅스 네임 스페이스와 네트워크 네임스페이스는 다르다",
		"마이크로 서비스도 서비스가 아니다":                                             "plain 마이크로 서비스도 |term/service 가 아니다",
		"노드명, 파드파드, endpoint":                                            "plain 노드명, 파드파드, endpoint",
		"[[pod]]는 [[namespace]] 안":                                       "wiki/pod pod|plain 는 |wiki/namespace namespace|plain  안",
		"[[pod#수명 주기|파드]]":                                               "wiki/pod#수명 주기 파드",
		"![[diagram.png]]":                                               "embed/diagram.png diagram.png",
		"`[[손대지 않는다]]` #k8s/pod":                                         "code [[손대지 않는다]]|plain  |tag/k8s/pod #k8s/pod",
		"`그림 4-1` `파드` `파드 둘`":                                           "figure 그림 4-1|plain  |code/pod 파드|plain  |code 파드 둘",
		"**굵게** [여기](https://a.example/) [저기](javascript:alert(1))":      "strong 굵게|plain  |link/https://a.example/ 여기|plain  |plain 저기|plain )",
		"[글](./sub/post.md#주요%20기능) [위](../a.txt) [밖](file:///etc/x.md)": "wiki/sub/post#주요 기능 글|plain  |wiki/a 위|plain  |plain 밖",
		"#3 of 1#2": "plain #3 of 1#2",
	} {
		var got []string
		for _, p := range Pieces(text, terms) {
			s := string(p.Kind)
			if p.To != "" {
				s += "/" + p.To
			}
			if p.At != "" {
				s += "#" + p.At
			}
			if p.Kind != Term {
				s += " " + p.Text
			}
			got = append(got, s)
		}
		joined := strings.Join(got, "|")
		joined = strings.NewReplacer("term/pod|plain ", "term/pod ", "term/node|plain ", "term/node ", "term/etcd|plain ", "term/etcd ", "term/service|plain ", "term/service ").Replace(joined)
		if joined != want {
			t.Errorf("%s\n got %s\nwant %s", text, joined, want)
		}
	}
}

func TestItems(t *testing.T) {
	b := Block{Lines: []string{"• a", "  • b", "    - c", "\t\t- d", "      goes on", "• e", "1. f"}}
	want := []Item{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d\ngoes on"}, {0, "e"}, {0, "1. f"}}
	if got := b.Items(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBare(t *testing.T) {
	for word, want := range map[string]string{"파드를": "파드", "노드에서": "노드", "etcd는": "etcd", "파드": "파드", "로그": "로그", "은": "은", "pod": "pod", "컨트롤러와의": "컨트롤러"} {
		if got := Bare(word); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

func TestFolderStaysInside(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.md"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.md", []byte("# A\n"))
	write("sub/b.markdown", []byte("b"))
	write(".obsidian/app.md", []byte("{}"))
	write("huge.md", bytes.Repeat([]byte("x"), LargestNote+1))
	write("picture.png", []byte("png"))
	for link, to := range map[string]string{"out.md": filepath.Join(outside, "secret.md"), "up.md": "../" + filepath.Base(outside) + "/secret.md", "in.md": "a.md"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		if e.Why != "" {
			e.Name += " (not)"
		}
		got = append(got, e.Name)
	}
	if want := []string{"a.md", "huge.md (not)", "in.md", "out.md (not)", "sub/b.markdown", "up.md (not)"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range []string{"a.md", "in.md", "sub/b.markdown"} {
		if _, err := f.Read(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"../" + filepath.Base(outside) + "/secret.md", "/etc/passwd", "out.md", "up.md", "huge.md", "picture.png", "sub/../../x.md", "none.md", "", "a.md\x00"} {
		if data, err := f.Read(name); err == nil {
			t.Errorf("%q was read: %d bytes", name, len(data))
		} else if strings.Contains(err.Error(), outside) || strings.Contains(err.Error(), dir) {
			t.Errorf("%q: the error names a place on this machine: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "a.md")); err == nil {
		t.Error("a file was opened as a folder")
	}
}

// Whatever a file holds, every line of it is in exactly one block.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte("a\r\rb\n```\n---\n---\n> >\n\t\t- x ```y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := Parse("note.md", data, outline)
		if !bytes.Equal(n.Export(), data) {
			t.Fatal("the export is not the file")
		}
		next := 1
		ids := map[string]bool{}
		for _, b := range n.Blocks {
			if b.First != next || b.Last < b.First {
				t.Fatalf("block %d-%d where line %d is next", b.First, b.Last, next)
			}
			next = b.Last + 1
			if b.ID == "" || ids[b.ID] {
				t.Fatalf("anchor %q is empty or there twice", b.ID)
			}
			ids[b.ID] = true
			for _, r := range b.Remarks {
				if r.Line < b.First || r.Line > b.Last+1 {
					t.Fatalf("a remark on line %d in block %d-%d", r.Line, b.First, b.Last)
				}
			}
			for _, l := range b.Lines {
				for _, p := range Pieces(l, terms) {
					if p.Kind == Link && !strings.HasPrefix(p.To, "http://") && !strings.HasPrefix(p.To, "https://") {
						t.Fatalf("a link to %q", p.To)
					}
				}
			}
		}
	})
}
