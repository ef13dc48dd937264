package server

import (
	"bytes"
	"net/http"
	"net/url"
)

// httpAnswer is an answer kept in memory.
type httpAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *httpAnswer) Header() http.Header { return a.header }

func (a *httpAnswer) WriteHeader(code int) {
	if a.code == 0 {
		a.code = code
	}
}

func (a *httpAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// oneJar keeps all cookies for one host.
type oneJar struct{ cookies []*http.Cookie }

func (j *oneJar) SetCookies(_ *url.URL, cs []*http.Cookie) { j.cookies = append(j.cookies, cs...) }
func (j *oneJar) Cookies(*url.URL) []*http.Cookie          { return j.cookies }
