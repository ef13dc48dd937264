package server

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content/notes"
	"github.com/kubestage/kubestage/web"
)

// noteRoutes serve a person's own notes, when a folder of them was given.
func (s *Server) noteRoutes(r chi.Router) {
	r.Get("/api/notes/*", s.handle(s.noteFile))
	for _, lang := range web.Languages {
		r.Get("/"+lang+"/notes", s.handle(s.noteList(lang)))
		r.Get("/"+lang+"/notes/*", s.handle(s.notePage(lang)))
	}
}

var errNoNotes = &HTTPError{Code: http.StatusNotFound, Msg: "no folder of notes is open", Hint: "start Kubestage with --notes DIR"}

// noteFile answers with the file as it is.
func (s *Server) noteFile(w http.ResponseWriter, r *http.Request) error {
	data, err := s.readNote(chi.URLParam(r, "*"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(data)
	return nil
}

func (s *Server) readNote(name string) ([]byte, error) {
	if s.Notes == nil || s.Book == nil {
		return nil, errNoNotes
	}
	data, err := s.Notes.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &HTTPError{Code: http.StatusNotFound, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	case err != nil:
		return nil, &HTTPError{Code: http.StatusBadRequest, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	}
	return data, nil
}

func (s *Server) noteList(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Notes == nil {
			return errNoNotes
		}
		all, err := s.Notes.List()
		if err != nil {
			return err
		}
		d := s.page(lang)
		d.Path, d.Title = "notes", said{"My notes", "내 노트"}.in(lang)
		return show(w, r, d, web.Page(d, web.NoteList(d, all)))
	}
}

func (s *Server) notePage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		name := chi.URLParam(r, "*")
		data, err := s.readNote(name)
		if err != nil {
			return err
		}
		all, err := s.Notes.List()
		if err != nil {
			return err
		}
		d := s.page(lang)
		page := web.NotePage{Note: notes.Parse(name, data, s.book().Outline), Book: s.book(), Terms: s.terms, Find: finder(all)}
		d.Path, d.Title = web.NotePath(name), page.Note.Title
		return show(w, r, d, web.Page(d, web.Note(d, page)))
	}
}

// finder finds the note a wiki link means, as editors of such notes do: by its
// path, or by its name alone wherever it is.
func finder(all []notes.Entry) func(string) (string, bool) {
	return func(to string) (string, bool) {
		for _, whole := range []bool{true, false} {
			for _, e := range all {
				name := strings.TrimSuffix(e.Name, path.Ext(e.Name))
				if !whole {
					name = path.Base(name)
				}
				if e.Why == "" && (strings.EqualFold(name, to) || strings.EqualFold(e.Name, to)) {
					return e.Name, true
				}
			}
		}
		return "", false
	}
}
