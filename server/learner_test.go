package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/server/store"
)

// school is a server with a database, and who uses it.
func school(t *testing.T, change ...func(*Config, *limits)) (s *served, enrol func() *pupil) {
	t.Helper()
	learners, err := store.Open(filepath.Join(t.TempDir(), "learners.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = learners.Close() })
	s = serve(t, append(change, func(c *Config, _ *limits) { c.Store = learners })...)
	return s, func() *pupil {
		jar, _ := cookiejar.New(nil)
		return &pupil{t, s, &http.Client{Jar: jar}}
	}
}

// pupil is one learner, in a browser of their own.
type pupil struct {
	t      *testing.T
	s      *served
	client *http.Client
}

// asks does a request and returns the status and the answer.
func (p *pupil) asks(method, path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(method, p.s.url(path), strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (p *pupil) does(method, path, body string, want int) string {
	p.t.Helper()
	code, text := p.asks(method, path, body)
	if code != want {
		p.t.Fatalf("%s %s: %d %s, want %d", method, path, code, text, want)
	}
	return text
}

func TestALearnerTakesProgressAlong(t *testing.T) {
	_, enrol := school(t)
	me, you := enrol(), enrol()
	me.does("PUT", "/api/progress/pod-birth/bookmarks/stored", "{}", 204)
	me.does("PUT", "/api/progress/pod-birth/bookmarks/told", "{}", 204)
	me.does("DELETE", "/api/progress/pod-birth/bookmarks/told", "{}", 204)
	me.does("PUT", "/api/progress/pod-birth/remarks/real", `{"text":"<script>alert(1)</script>\n둘째 줄"}`, 204)
	me.does("PUT", "/api/progress/pod-birth/place", `{"step":"chosen"}`, 204)

	for _, who := range []*pupil{me, you} {
		if who == you { // somebody else, on another computer
			if text := you.does("GET", "/api/progress", "", 200); strings.Contains(text, "pod-birth") {
				t.Errorf("a stranger is given %s", text)
			}
			you.does("POST", "/api/progress", me.does("GET", "/api/progress", "", 200), 204)
		}
		var p store.Progress
		if err := json.Unmarshal([]byte(who.does("GET", "/api/progress/pod-birth", "", 200)), &p); err != nil {
			t.Fatal(err)
		}
		if p.Step != "chosen" || len(p.Bookmarks) != 1 || p.Bookmarks[0].Section != "stored" || len(p.Remarks) != 1 || p.Remarks[0].Text != "<script>alert(1)</script>\n둘째 줄" {
			t.Errorf("got %+v", p)
		}
		for path, holds := range map[string]string{
			"/ko/progress": `href="/ko/chapter/pod-birth#real"`,
			"/en/progress": "&lt;script&gt;alert(1)&lt;/script&gt;",
			"/ko/book":     `<span class="mark">읽는 중</span>`,
			"/en/book":     `<span class="mark">begun</span>`,
		} {
			if text := who.does("GET", path, "", 200); !strings.Contains(text, holds) || strings.Contains(text, "<script>alert") {
				t.Errorf("%s does not hold %s", path, holds)
			}
		}
	}
}

func TestWhatIsNoProgressIsRefused(t *testing.T) {
	_, enrol := school(t)
	me := enrol()
	me.does("PUT", "/api/progress/pod-birth/remarks/stored", `{"text":"mine"}`, 204)
	before := me.does("GET", "/api/progress/pod-birth", "", 200)
	for _, c := range []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"POST", "/api/progress", `{"kind":"kubestage-progress","version":1,"chapters":{"pod-bi`, 400, "damaged at byte"},
		{"POST", "/api/progress", `{"items":[]}`, 400, "not a file of progress"},
		{"POST", "/api/progress", `{"kind":"kubestage-progress","version":7}`, 400, "update Kubestage"},
		{"POST", "/api/progress", `{"kind":"kubestage-progress","version":1,"chapters":{"pod-birth":{"passed":"yesterday"}}}`, 400, "Nothing was taken"},
		{"POST", "/api/progress", strings.Repeat(" ", store.LargestRecord+1), 413, "too large"},
		{"PUT", "/api/progress/pod-birth/bookmarks/nowhere", "{}", 404, `no section \"nowhere\"`},
		{"PUT", "/api/progress/no-chapter/bookmarks/stored", "{}", 404, "no chapter"},
		{"PUT", "/api/progress/pod-birth/remarks/stored", `{"text":"` + strings.Repeat("x", store.LongestRemark+1) + `"}`, 400, "may have 20000 letters"},
		{"PUT", "/api/progress/pod-birth/remarks/stored", `{"text":"\u0007"}`, 400, "plain text"},
		{"PUT", "/api/progress/pod-birth/remarks/stored", `{"words":"x"}`, 400, "unknown field"},
	} {
		if text := me.does(c.method, c.path, c.body, c.code); !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %s; want %q", c.method, c.path, text, c.says)
		}
	}
	if after := me.does("GET", "/api/progress/pod-birth", "", 200); after != before {
		t.Errorf("something was changed:\n%s\n%s", before, after)
	}
	// A recording is played without a database.
	none := serve(t)
	if code, text := fetch(t, none.url("/api/progress")); code != 404 || !strings.Contains(text, "nothing is kept") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := fetch(t, none.url("/en/book")); code != 200 || strings.Contains(text, `href="/en/progress"`) {
		t.Errorf("%d: the page leads to progress that is not kept", code)
	}
}

func TestTheBookIsFoundFromElsewhere(t *testing.T) {
	s := serve(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, to := range map[string]string{
		"/ko/row/5.2":  "/ko/chapter/pod-birth",
		"/en/row/11.3": "/en/book#row-11.3",
		// A link in a note may name the view, too; browsers keep #section over this.
		"/ko/row/5.2?view=sequence":  "/ko/chapter/pod-birth?view=sequence",
		"/en/row/11.3?view=sequence": "/en/book?view=sequence#row-11.3",
	} {
		answer, err := client.Get(s.url(path))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusFound || answer.Header.Get("Location") != to {
			t.Errorf("%s: %d to %s, want %s", path, answer.StatusCode, answer.Header.Get("Location"), to)
		}
	}
	if code, _ := fetch(t, s.url("/en/row/99")); code != 404 {
		t.Errorf("a row that is not: %d", code)
	}
	for path, holds := range map[string]string{
		"/api/book":    `"pods":{"number":"5.2","title":{"en":"Using pods","ko":"파드 사용하기"},"path":"chapter/pod-birth"}`,
		"/ko/glossary": `<span class="glossary-other" lang="en">API server</span>`,
		"/en/glossary": "also: ",
	} {
		if code, text := fetch(t, s.url(path)); code != 200 || !strings.Contains(text, holds) {
			t.Errorf("%s: %d, and does not hold %s", path, code, holds)
		}
	}
}
