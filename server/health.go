package server

import (
	"io"
	"net/http"
)

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
	return nil
}

// readyz answers 200 when the cluster is up and 503 before:
// {"ok", "status", "components", "log", "first", "last"}. The components are
// those of /api/state; first and last are the bounds of the log.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) error {
	ok, status := s.Ready()
	code := http.StatusOK
	if !ok {
		code = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	first, last := s.Log.Bounds()
	writeJSON(w, code, map[string]any{
		"ok": ok, "status": status, "components": some(s.live.past.Components()),
		"log": s.Log.ID(), "first": first, "last": last,
	})
	return nil
}
