package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/watch/recording"
	"github.com/kubestage/kubestage/web"
)

// Pages that have a recording inside themselves, and need this server no more.
//
//	GET /api/export?recording=ID, or as /api/record   one as a file to save
//	GET /embed/chapter/{id}                            one as a frame in another page (docs/embed.md)
//	GET /embed/recording/{id}
//	GET /embed/story/{id}?log=ID
func (s *recordings) aloneRoutes(r chi.Router) {
	r.Get("/api/export", s.handle(s.export))
	r.Get("/embed/{what}/{id}", s.handle(s.embed))
}

// RunOf is what a page tells of a recording it has inside.
func RunOf(h recording.Header, file []byte) web.Run {
	return web.Run{Title: h.Title, Kubernetes: h.Kubernetes, Attached: h.Source == "cluster", Start: h.Start, Events: h.Events - h.Carried, File: file}
}

func (s *recordings) export(w http.ResponseWriter, r *http.Request) error {
	h, file, err := s.wanted(r)
	if err != nil {
		return err
	}
	page, err := web.NewAlone(languageAsked(r), s.Version, RunOf(h, file))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Write(r.Context(), &b); err != nil {
		return err
	}
	sendAs(w, "text/html; charset=utf-8", strings.TrimSuffix(fileName(h), recording.Extension)+".html", b.Bytes())
	return nil
}

// wanted is the recording that a request asks for: one that is kept, or a new
// one of the log.
func (s *recordings) wanted(r *http.Request) (recording.Header, []byte, error) {
	if id := r.URL.Query().Get("recording"); id != "" {
		return s.kept(r.Context(), id)
	}
	ask, err := wishOf(r.URL.Query())
	if err != nil {
		return recording.Header{}, nil, err
	}
	return s.record(ask)
}

// embed answers with a page for another page to hold. Whose page that is, is
// not known: so this one is put into a sandbox, where it belongs to no origin
// and can use nothing of this server, and there is nothing in it but what its
// address names. Addresses of recordings and logs cannot be guessed.
func (s *recordings) embed(w http.ResponseWriter, r *http.Request) error {
	head := w.Header()
	head.Del("X-Frame-Options")
	head.Set("Content-Security-Policy", frames)
	head.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h, file, open, err := s.framed(r)
	if err != nil {
		return err
	}
	run := RunOf(h, file)
	run.Frame, run.Open = true, open
	page, err := web.NewAlone(languageAsked(r), s.Version, run)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Write(r.Context(), &b); err != nil {
		return err
	}
	head.Set("Content-Security-Policy", page.Security()+"; "+frames)
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	w.Write(b.Bytes())
	return nil
}

// frames lets any page hold ours, which for that belongs to no origin. A link
// in it may open a page of this server, which then is as safe as any other.
const frames = "frame-ancestors *; sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"

// framed is the recording a frame plays, and where the stage shows the same.
func (s *recordings) framed(r *http.Request) (h recording.Header, file []byte, open string, err error) {
	what, id := chi.URLParam(r, "what"), chi.URLParam(r, "id")
	switch what {
	case "chapter", "recording":
		open = "/?recording=" + url.QueryEscape(id)
		if what == "chapter" {
			if c, ok := s.book().Chapter(id); !ok || c.Tape == nil {
				return h, nil, "", noChapter(id)
			}
			open = "/chapter/" + url.PathEscape(id) + "?recording=" + url.QueryEscape(id)
		}
		h, file, err = s.kept(r.Context(), id)
	case "story":
		if r.URL.Query().Get("log") != s.Log.ID() {
			return h, nil, "", &HTTPError{Code: http.StatusNotFound, Msg: "this story was of another run of Kubestage",
				Hint: "a recording of it would have stayed: record stories that are to be kept"}
		}
		open = "/?story=" + url.QueryEscape(id)
		h, file, err = s.record(wish{Story: id, Lang: languageAsked(r)})
	default:
		err = &HTTPError{Code: http.StatusNotFound, Msg: "there is nothing of the kind to embed", Hint: "it is /embed/chapter/ID, /embed/recording/ID or /embed/story/ID?log=ID"}
	}
	return h, file, open, err
}

// languageAsked is that of the address, else the reader's.
func languageAsked(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); spoken(lang) {
		return lang
	}
	return language(r)
}

// sendAs answers with a file to save.
func sendAs(w http.ResponseWriter, media, name string, file []byte) {
	head := w.Header()
	head.Set("Content-Type", media)
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	head.Set("Content-Length", fmt.Sprint(len(file)))
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(5 * time.Minute))
	w.Write(file) // an error means that the client is gone
}
