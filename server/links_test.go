package server

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/content/notes"
)

// outside are the places a page may lead to: where Kubernetes itself is written
// and explained. Nothing is ever fetched from there.
var outside = []string{"https://kubernetes.io/", "https://github.com/kubernetes/", "https://github.com/etcd-io/", "https://github.com/containerd/",
	"https://github.com/coredns/", "https://github.com/google/", "https://github.com/yaml/", "https://etcd.io/", "https://raft.github.io/", "https://gateway-api.sigs.k8s.io/"}

var (
	linkForm   = regexp.MustCompile(`\s(?:href|src|action)="([^"]*)"`)
	anchorForm = regexp.MustCompile(`\sid="([^"]*)"`)
)

// Every page that can be reached is there, and so is every place in it that
// something leads to.
func TestNoLinkIsDead(t *testing.T) {
	folder, err := notes.Open("../content/notes/testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	_, enrol := school(t, func(c *Config, _ *limits) { c.Notes = folder })
	me := enrol()
	me.does("PUT", "/api/progress/pod-birth/remarks/real", `{"text":"mine"}`, 204)
	me.does("PUT", "/api/notes/~/mine.md", `{"file":"IyDtjIzrk5wKW1vrgpjrj4QjdGhlcmVdXQ=="}`, 204)

	type link struct{ from, to string }
	pages := map[string][]string{} // path → anchors
	var wanted []link              // places in pages
	queue := []link{{"the address bar", "/en/"}, {"the address bar", "/ko/"}, {"the address bar", "/ko/search?q=" + url.QueryEscape("파드")}, {"the address bar", "/en/search?q=pod"}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		path, anchor, _ := strings.Cut(at.to, "#")
		if anchor != "" {
			wanted = append(wanted, at)
		}
		if _, seen := pages[path]; seen {
			continue
		}
		code, text := me.asks("GET", path, "")
		pages[path] = []string{}
		if code != 200 {
			t.Errorf("%s leads to %s, which is answered with %d", at.from, path, code)
			continue
		}
		if !strings.Contains(text, "<!DOCTYPE html>") && !strings.Contains(text, "<!doctype html>") {
			continue // a file
		}
		for _, m := range anchorForm.FindAllStringSubmatch(text, -1) {
			id := html.UnescapeString(m[1])
			if slices.Contains(pages[path], id) {
				t.Errorf("%s has the id %q twice", path, id)
			}
			pages[path] = append(pages[path], id)
		}
		own := strings.Contains(path, "/notes/") // its writer may lead anywhere by http
		for _, m := range linkForm.FindAllStringSubmatch(text, -1) {
			to := html.UnescapeString(m[1])
			u, err := url.Parse(to)
			if err != nil {
				t.Errorf("%s leads to %q: %v", path, to, err)
				continue
			}
			if u.Scheme != "" || u.Host != "" {
				allowed := slices.ContainsFunc(outside, func(place string) bool { return strings.HasPrefix(to, place) })
				if !allowed && !(own && (u.Scheme == "https" || u.Scheme == "http")) {
					t.Errorf("%s leads to %s, which is none of the places in outside", path, to)
				}
				continue
			}
			here, _ := url.Parse(path)
			queue = append(queue, link{path, here.ResolveReference(u).String()})
		}
	}
	for _, at := range wanted {
		path, anchor, _ := strings.Cut(at.to, "#")
		name, err := url.PathUnescape(anchor)
		if err != nil || !slices.Contains(pages[path], name) {
			t.Errorf("%s leads to %s, and there is no such place in that page", at.from, at.to)
		}
	}
	if len(pages) < 20 {
		t.Errorf("only %d pages were found: %v", len(pages), pages)
	}
	t.Logf("%d pages and files, %d links to places in them", len(pages), len(wanted))
}
