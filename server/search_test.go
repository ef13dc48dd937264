package server

import (
	"net/url"
	"strings"
	"testing"
)

// A search finds what a reader means, however Korean ends or spells the word.
func TestSearch(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ lang, query, holds string }{
		{"en", "binding", `href="/en/chapter/pod-birth#step-bound"`},
		{"en", "sched", `<mark>scheduler</mark>`},
		{"ko", "스케줄러가", `href="/ko/chapter/pod-birth#step-chosen"`},
		{"ko", "포드", `href="/ko/chapter/pod-birth`}, // another spelling of 파드
		{"ko", "etcd에 기록", `href="/ko/chapter/pod-birth#step-stored"`},
		{"ko", "컨피그맵", `href="/ko/book#row-10"`},
		{"en", "ReplicationController", `href="/en/book#row-6.1"`},
		{"en", "spelling etcd", "Nothing was found"},
		{"ko", "엣시디", `href="/ko/glossary#term-etcd"`},
		{"ko", "혼자 해", `href="/ko/chapter/pod-birth#check-title"`},
		{"ko", "없는말없는말", "찾은 것이 없습니다"},
		{"en", `"><script>alert(1)</script>`, "Nothing was found"},
		{"en", "", `name="q" value=""`},
	} {
		code, body := fetch(t, s.url("/"+c.lang+"/search?q="+url.QueryEscape(c.query)))
		if code != 200 || !strings.Contains(body, c.holds) {
			t.Errorf("%s %q: %d, and does not hold %s", c.lang, c.query, code, c.holds)
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%q came back as markup", c.query)
		}
	}
	if code, _ := fetch(t, s.url("/en/search?q="+strings.Repeat("x", 300))); code != 400 {
		t.Errorf("a long query: %d", code)
	}
}
