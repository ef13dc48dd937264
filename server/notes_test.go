package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/content/notes"
)

// serveNotes serves the notes that show every habit, and one beside them.
func serveNotes(t *testing.T) (*served, string) {
	t.Helper()
	dir := "../content/notes/testdata"
	folder, err := notes.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return serve(t, func(c *Config, _ *limits) { c.Notes = folder }), dir
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestNotesLeadToTheBook(t *testing.T) {
	s, _ := serveNotes(t)
	for _, c := range []struct{ path, holds string }{
		{"/ko/notes", `href="/ko/notes/outline.md"`},
		{"/ko/notes/outline.md", `href="/ko/chapter/etcd"`},
		{"/ko/notes/outline.md", `href="/ko/book#row-6.1"`},
		{"/en/notes/outline.md", `id="note-6.3.4"`},
		{"/ko/notes/vault.md", `<button type="button" class="term wiki" data-term="pod">pod</button>`},
		{"/ko/notes/vault.md", `<code>[[손대지 않는다]]</code>`},
		{"/ko/notes/vault.md", `<span class="note-kind">질문</span>`},
		{"/ko/notes/book.md", `<code>kubectl get namespaces</code>`},
		{"/ko/notes/book.md", "23번 줄: 이 YAML은 보이는 대로 읽히지 않습니다"},
		{"/en/notes/bullets.txt", "line 9: a long dash, which no program reads as an option: –etcd-servers"},
		{"/en/notes/post.md", "<dd>쿠버네티스 - 용어 정리</dd>"},
	} {
		code, body := fetch(t, s.url(c.path))
		if code != 200 || !strings.Contains(body, c.holds) {
			t.Errorf("%s: %d, and does not hold %s", c.path, code, c.holds)
		}
	}
	if code, body := fetch(t, s.url("/ko/")); code != 200 || !strings.Contains(body, `href="/ko/notes"`) {
		t.Errorf("the stage page (%d) does not lead to the notes", code)
	}
}

func TestHostileNotesAreText(t *testing.T) {
	s, _ := serveNotes(t)
	code, body := fetch(t, s.url("/en/notes/hostile.md"))
	if code != 200 {
		t.Fatal(code)
	}
	for _, never := range []string{"<script>alert", "javascript:alert(1)\"", "<img src=x", "passwd.png\"", "secret.png\"", "data:image", "src=\"//", "root:", "\x00"} {
		if strings.Contains(body, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if code, _ := fetch(t, s.url("/api/pictures/img/fake.png")); code != 400 {
		t.Errorf("a page under the name of a picture: %d", code)
	}
	for _, said := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", "only the beginning of this very long line is shown", "cannot be read", `href="https://example.com/"`} {
		if !strings.Contains(body, said) {
			t.Errorf("the page does not hold %q", said)
		}
	}
}

func TestNotesAreGivenBackAsTheyAre(t *testing.T) {
	s, dir := serveNotes(t)
	for _, name := range []string{"crlf.md", "nfd.md", "hostile.md", "outline.md"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		code, body := fetch(t, s.url("/api/notes/"+name))
		if code != 200 || !bytes.Equal([]byte(body), want) {
			t.Errorf("%s: %d, %d bytes of %d", name, code, len(body), len(want))
		}
	}
	for path, want := range map[string]int{
		"/api/notes/%2e%2e/%2e%2e/book.go":    400,
		"/api/notes/../notes_test.go":         400,
		"/api/notes/none.md":                  404,
		"/api/notes/book.md.blocks":           400,
		"/ko/notes/%2e%2e%2fnotes_test.go":    400,
		"/en/notes/..%2f..%2f..%2fetc/passwd": 400,
	} {
		if code, body := fetch(t, s.url(path)); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
	none := serve(t)
	if code, body := fetch(t, none.url("/api/notes/book.md")); code != 404 || !strings.Contains(body, "--notes DIR") {
		t.Errorf("without a folder: %d %s", code, body)
	}
}

func TestALearnersOwnNotes(t *testing.T) {
	s, enrol := school(t)
	me, you := enrol(), enrol()
	file := []byte("\xef\xbb\xbf# 파드\r\n[[상자#둘째]] <script>alert(1)</script>\r\n\x00\xff")
	give := func(p *pupil, path string, file []byte, want int) string {
		t.Helper()
		body, _ := json.Marshal(map[string][]byte{"file": file})
		return p.does("PUT", "/api/notes/"+path, string(body), want)
	}
	decomposed := "~/" + url.PathEscape("모음/파드 & 노드,1.md") // 파 as ㅍ and ㅏ, as macOS names files
	give(me, decomposed, file, 204)
	give(me, "~/box/"+url.PathEscape("상자.md"), []byte("# 상자\n## 첫째\n### 둘째\n글"), 204)
	give(me, "~/empty.txt", nil, 204)
	path := "~/" + url.PathEscape("모음") + "/" + url.PathEscape("파드 & 노드,1.md")
	if got := me.does("GET", "/api/notes/"+path, "", 200); got != string(file) {
		t.Errorf("given back as %q", got)
	}
	page := me.does("GET", "/ko/notes/"+path, "", 200)
	for _, holds := range []string{`href="/ko/notes/~/box/%EC%83%81%EC%9E%90.md#note-`, "&lt;script&gt;", `data-drop="~/모음/파드 &amp; 노드,1.md"`} {
		if !strings.Contains(page, holds) {
			t.Errorf("the page does not hold %s", holds)
		}
	}
	at := regexp.MustCompile(`href="(/ko/notes/~/box/[^"#]+)#([^"]+)"`).FindStringSubmatch(page)
	if anchor, _ := url.PathUnescape(at[2]); !strings.Contains(me.does("GET", at[1], "", 200), `id="`+anchor+`"`) {
		t.Errorf("the link to the heading leads to %s, which is not there", anchor)
	}
	if list := me.does("GET", "/en/notes", "", 200); !strings.Contains(list, ">모음/파드 &amp; 노드,1.md</a>") || !strings.Contains(list, ">empty.txt</a>") {
		t.Error("the list lacks a note")
	}
	if list := you.does("GET", "/en/notes", "", 200); strings.Contains(list, "empty.txt") {
		t.Error("somebody else sees the note")
	}
	you.does("GET", "/api/notes/"+path, "", 404)
	you.does("DELETE", "/api/notes/"+path, "{}", 404)

	for path, want := range map[string]int{
		"~/../secret.md": 400, "~/%2e%2e/secret.md": 400, "~/..%2fsecret.md": 400, "~/a.html": 400, "~/a%00.md": 400, "~/a%5cb.md": 400,
		"book.md": 400, "~/" + strings.Repeat("x", 600) + ".md": 400, "~//etc/x.md": 400, "~/": 400,
	} {
		give(me, path, []byte("x"), want)
	}
	give(me, "~/large.md", make([]byte, notes.LargestNote+1), 413)
	give(me, "~/flood.md", make([]byte, 3<<20), 413)
	me.does("DELETE", "/api/notes/~/empty.txt", "{}", 204)
	me.does("DELETE", "/api/notes/book.md", "{}", 400)
	me.does("DELETE", "/api/notes/~", "{}", 204)
	me.does("DELETE", "/api/notes/~", "{}", 404)
	if code, _ := fetch(t, s.url("/en/notes")); code != 200 {
		t.Errorf("the page without any note: %d", code)
	}
}
