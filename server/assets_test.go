package server

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAssets(t *testing.T) {
	s := serve(t)
	for name := range s.manifest {
		res, body := do(t, request(t, "GET", s.url(s.manifest.URL(name)), "", "Accept-Encoding: identity"))
		if res.StatusCode != 200 || len(body) == 0 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %d bytes, %v", name, res.Status, len(body), res.Header)
		}
	}
	res, _ := do(t, request(t, "GET", s.url(s.manifest.URL("main.js")), ""))
	if got := res.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("browsers refuse a script of type %q", got)
	}
	// Every built file has a type that we serve, but for what is not a page's.
	fs.WalkDir(s.assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "manifest.json" || strings.HasSuffix(name, ".gz") {
			return err
		}
		if res, _ := do(t, request(t, "GET", s.url("/assets/"+name), "")); res.StatusCode != 200 {
			t.Errorf("%s: %s", name, res.Status)
		}
		return nil
	})
}

func TestPrecompressedAssets(t *testing.T) {
	s := serve(t)
	var b strings.Builder
	z := gzip.NewWriter(&b)
	io.WriteString(z, "let a;")
	z.Close()
	s.assets = fstest.MapFS{"a.js": {Data: []byte("let a;")}, "a.js.gz": {Data: []byte(b.String())}, "b.js": {Data: []byte("let b;")}}
	for _, c := range []struct {
		name, accept, encoding string
	}{
		{"a.js", "gzip, deflate, br", "gzip"}, {"a.js", "br;q=1.0, gzip;q=0.5", "gzip"},
		{"a.js", "gzip;q=0", ""}, {"a.js", "br", ""}, {"b.js", "gzip", ""},
	} {
		res, body := do(t, request(t, "GET", s.url("/assets/"+c.name), "", "Accept-Encoding: "+c.accept))
		if res.Header.Get("Content-Encoding") != c.encoding || !slices.Contains(res.Header.Values("Vary"), "Accept-Encoding") {
			t.Errorf("%s for %q: encoding %q", c.name, c.accept, res.Header.Get("Content-Encoding"))
		}
		if c.encoding == "" && body != "let "+c.name[:1]+";" {
			t.Errorf("%s for %q: %q", c.name, c.accept, body)
		}
	}
	if res, _ := do(t, request(t, http.MethodGet, s.url("/assets/a.js.gz"), "")); res.StatusCode != 404 {
		t.Errorf("a.js.gz by itself: %s", res.Status)
	}
}
