package server

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
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
		{"/ko/notes/outline.md", `href="/ko/book#row-4.2.1-etcd"`},
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
	for _, never := range []string{"<script>alert", "javascript:alert(1)\"", "<img", "root:", "\x00"} {
		if strings.Contains(body, never) {
			t.Errorf("the page holds %q", never)
		}
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
