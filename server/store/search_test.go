package store

import (
	"context"
	"strings"
	"testing"
)

func TestIndexFindsWordsAndCompounds(t *testing.T) {
	ctx := context.Background()
	x, err := NewIndex(ctx, []Passage{
		{"ko", "파드의 수명", "파드는 노드에서 시작되고 끝난다. 다시 시작되는 것은 컨테이너다.", "/ko/a", false},
		{"ko", "컨트롤러", "노드컨트롤러는 노드를 지켜본다.", "/ko/b", false},
		{"ko", "저장소", "etcd에 쓴다. 키 공간은 /registry/ 아래에 있다.", "/ko/c", false},
		{"en", "The life of a pod", "A pod starts on a node and ends there. Containers restart.", "/en/a", false},
		{"ko", "파드", "나중에 쓸 글", "/ko/d", true},
		{"en", "Scheduling", "The kube-scheduler chooses a node for every pod.", "/en/b", false},
	})
	must(t, err)
	t.Cleanup(func() { _ = x.Close() })
	for _, c := range []struct{ lang, words, want string }{
		{"ko", "파드", "/ko/a /ko/d"}, // what is still to come stands behind
		{"ko", "파드를|파드", "/ko/a /ko/d"},
		{"ko", "노드", "/ko/b /ko/a"},
		{"ko", "트롤러", "/ko/b"}, // inside a word
		{"ko", "etcd", "/ko/c"},
		{"ko", "registry", "/ko/c"},
		{"ko", "노드,컨테이너", "/ko/a"},
		{"en", "pod", "/en/a /en/b"},
		{"en", "sched", "/en/b"},
		{"en", "pod,restart", "/en/a"},
		{"en", `") OR (lang:"ko`, ""},
		{"en", `"`, ""},
		{"en", "파드", ""},
		{"en", "AND", "/en/a"}, // a word like any other
	} {
		var words [][]string
		for _, w := range strings.Split(c.words, ",") {
			words = append(words, strings.Split(w, "|"))
		}
		hits, err := x.Find(ctx, c.lang, words, 10)
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
		}
		var got []string
		for _, h := range hits {
			got = append(got, h.Where)
			if h.Excerpt == "" {
				t.Errorf("%s: %s has no excerpt", c.words, h.Where)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %q: got %v, want %s", c.lang, c.words, got, c.want)
		}
	}
}
