package server

import (
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/kubestage/kubestage/watch"
)

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
	return nil
}

// readyz answers 200 when the cluster is up and 503 before:
// {"ok", "status", "components": [{"name", "state"}], "log", "first", "last"}. A
// state is the verb of the component's newest event; first and last are the
// bounds of the log.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) error {
	ok, status := s.Ready()
	code := http.StatusOK
	if !ok {
		code = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	first, last := s.Log.Bounds()
	writeJSON(w, code, map[string]any{
		"ok": ok, "status": status, "components": s.parts.read(s.Log),
		"log": s.Log.ID(), "first": first, "last": last,
	})
	return nil
}

type part struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// parts are the components' states, folded from the log as far as it was read.
type parts struct {
	mu    sync.Mutex // guards those below
	seq   uint64
	order []string // as first seen
	state map[string]string
}

func (p *parts) read(log *watch.Log) []part {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first, _ := log.Bounds(); p.seq+1 < first {
		p.seq = first - 1
	}
	for {
		events, err := log.After(p.seq, 4096)
		if err != nil || len(events) == 0 {
			break
		}
		for _, e := range events {
			p.seq = e.Seq
			if e.Kind != watch.Component || e.To == "" {
				continue
			}
			if !slices.Contains(p.order, e.To) {
				p.order = append(p.order, e.To)
			}
			p.state[e.To] = e.Verb
		}
	}
	list := make([]part, 0, len(p.order)) // an empty list, not null
	for _, name := range p.order {
		list = append(list, part{name, p.state[name]})
	}
	return list
}
