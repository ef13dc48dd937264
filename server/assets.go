package server

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"
)

// mediaTypes are those of built files. The system's own table differs from one
// computer to the next, and browsers refuse scripts of a wrong type.
var mediaTypes = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
	".map":   "application/json",
}

// asset serves a built file. Its name has a hash of its content, so that a
// browser never asks twice. Where the build put NAME.gz beside NAME, clients
// that can are given that.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	return s.serveAsset(w, r, chi.URLParam(r, "*"))
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	redirect(s.manifest.URL("icon.svg"))(w, r)
	return nil
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request, name string) error {
	media, known := mediaTypes[path.Ext(name)]
	if !known || !fs.ValidPath(name) {
		return noAsset
	}
	h := w.Header()
	text, err := []byte(nil), fs.ErrNotExist
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		if text, err = fs.ReadFile(s.assets, name+".gz"); err == nil {
			h.Set("Content-Encoding", "gzip")
		}
	}
	if err != nil {
		text, err = fs.ReadFile(s.assets, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return noAsset
	} else if err != nil {
		return err
	}
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	w.Write(text)
	return nil
}

var noAsset = &HTTPError{Code: http.StatusNotFound, Msg: "there is no such file", Hint: "reload the page: it may be of an older Kubestage"}

func acceptsGzip(header string) bool {
	for _, item := range strings.Split(header, ",") {
		coding, params, _ := strings.Cut(item, ";")
		if strings.TrimSpace(coding) == "gzip" {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
