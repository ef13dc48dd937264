package server

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content/notes"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/web"
)

// noteRoutes serve a person's own notes: those of the folder that was given
// with --notes, and those a learner gave through the page, which are kept in
// the database for that learner alone. The names of the latter begin with ~/.
//
//	GET    /api/notes/{name}     the file as it is
//	GET    /api/pictures/{name}  a picture of the folder
//	PUT    /api/notes/~/{name}   {"file": BASE64} keeps a learner's own
//	DELETE /api/notes/~/{name}   deletes it; /api/notes/~ deletes all of a learner's
func (s *Server) noteRoutes(r chi.Router) {
	r.Get("/api/notes/*", s.handle(s.noteFile))
	r.Get("/api/pictures/*", s.handle(s.notePicture))
	r.Put("/api/notes/*", s.handle(s.giveNote))
	r.Delete("/api/notes/*", s.handle(s.dropNotes))
	for _, lang := range web.Languages {
		r.Get("/"+lang+"/notes", s.handle(s.noteList(lang)))
		r.Get("/"+lang+"/notes/*", s.handle(s.notePage(lang)))
	}
}

var errNoNotes = &HTTPError{Code: http.StatusNotFound, Msg: "no notes are open", Hint: "start Kubestage with --notes DIR"}

// shelf is the notes one person can see.
type shelf struct {
	*Server
	r       *http.Request
	learner string
}

func (s *Server) notesOf(r *http.Request) (shelf, error) {
	if s.Book == nil || s.Notes == nil && s.Store == nil {
		return shelf{}, errNoNotes
	}
	return shelf{s, r, knownLearner(r)}, nil
}

// list returns the folder's notes, then the learner's own.
func (s shelf) list() (all []notes.Entry, err error) {
	if s.Notes != nil {
		if all, err = s.Notes.List(); err != nil {
			return nil, err
		}
	}
	if s.Store == nil {
		return all, nil
	}
	own, err := s.Store.Notes(s.r.Context(), s.learner)
	for _, g := range own {
		all = append(all, notes.Entry{Name: web.Given + g.Name})
	}
	return all, err
}

func (s shelf) read(name string) ([]byte, error) {
	var data []byte
	var err error
	if own, ok := strings.CutPrefix(name, web.Given); ok && s.Store != nil {
		own, _ = notes.CleanName(own)
		if data, err = s.Store.Note(s.r.Context(), s.learner, own); errors.Is(err, store.ErrNoNote) {
			return nil, &HTTPError{Code: http.StatusNotFound, Msg: "you have no note " + clip(own), Hint: "the list of notes is at /en/notes"}
		}
		return data, err
	}
	if s.Notes == nil {
		return nil, errNoNotes
	}
	data, err = s.Notes.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &HTTPError{Code: http.StatusNotFound, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	case err != nil:
		return nil, &HTTPError{Code: http.StatusBadRequest, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	}
	return data, nil
}

// pictures returns what finds the pictures of a note: those of the folder, for a
// note that lies in it.
func (s shelf) pictures(note string) func(to string) (string, bool) {
	if s.Notes == nil || strings.HasPrefix(note, web.Given) {
		return func(string) (string, bool) { return "", false }
	}
	return s.Notes.Gallery(note).Find
}

// noteName is the name a request has in its path. The router leaves escapes as
// they are where a browser wrote more of them than it had to.
func noteName(r *http.Request) string {
	name := chi.URLParam(r, "*")
	if r.URL.RawPath != "" {
		if plain, err := url.PathUnescape(name); err == nil {
			return plain
		}
	}
	return name
}

// noteFile answers with the file as it is.
func (s *Server) noteFile(w http.ResponseWriter, r *http.Request) error {
	all, err := s.notesOf(r)
	if err != nil {
		return err
	}
	data, err := all.read(noteName(r))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(data)
	return nil
}

// pictureSecurity holds what is drawn in an SVG file to the file: opened by itself, it
// would otherwise be a page of ours.
const pictureSecurity = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

func (s *Server) notePicture(w http.ResponseWriter, r *http.Request) error {
	if s.Book == nil || s.Notes == nil {
		return errNoNotes
	}
	data, media, err := s.Notes.Picture(noteName(r))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &HTTPError{Code: http.StatusNotFound, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	case err != nil:
		return &HTTPError{Code: http.StatusBadRequest, Msg: err.Error(), Hint: "the list of notes is at /en/notes"}
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Security-Policy", pictureSecurity)
	w.Header().Set("Cache-Control", "no-store")
	w.Write(data)
	return nil
}

func (s *Server) giveNote(w http.ResponseWriter, r *http.Request) error {
	lang := language(r)
	own, ok := strings.CutPrefix(noteName(r), web.Given)
	if s.Store == nil || s.Book == nil {
		return s.nothingKept(lang)
	}
	own, fits := notes.CleanName(own)
	if !ok || !fits {
		return badRequest(said{"this is not the name of a note", "노트의 이름이 아닙니다"}.in(lang),
			said{"a note is a .md, .markdown or .txt file", "노트는 .md, .markdown, .txt 파일입니다"}.in(lang))
	}
	var ask struct {
		File []byte `json:"file"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if len(ask.File) > notes.LargestNote {
		return &HTTPError{Code: http.StatusRequestEntityTooLarge, Msg: said{"the note is larger than 1 MiB", "노트가 1MiB보다 큽니다"}.in(lang),
			Hint: said{"divide it", "나누어 주세요"}.in(lang)}
	}
	if err := refusedRecord(lang, s.Store.GiveNote(r.Context(), s.learner(w, r), own, ask.File)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) dropNotes(w http.ResponseWriter, r *http.Request) error {
	name := noteName(r)
	if s.Store == nil || s.Book == nil {
		return s.nothingKept(language(r))
	}
	own, ok := strings.CutPrefix(name, web.Given)
	if !ok && name != strings.TrimSuffix(web.Given, "/") || ok && own == "" {
		return badRequest("notes of a folder are only read", "delete the file itself; only notes that were given through the page can be deleted here")
	}
	if ok {
		own, _ = notes.CleanName(own)
	} else {
		own = ""
	}
	n, err := s.Store.DropNotes(r.Context(), s.learner(w, r), own)
	if err != nil {
		return err
	}
	if n == 0 {
		return &HTTPError{Code: http.StatusNotFound, Msg: "there is no such note of yours", Hint: "reload the page"}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) noteList(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		shelf, err := s.notesOf(r)
		if err != nil {
			return err
		}
		all, err := shelf.list()
		if err != nil {
			return err
		}
		s.greet(w, r)
		d := s.page(lang)
		d.Path, d.Title = "notes", said{"My notes", "내 노트"}.in(lang)
		return show(w, r, d, web.Page(d, web.NoteList(d, all, s.Notes != nil)))
	}
}

func (s *Server) notePage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		shelf, err := s.notesOf(r)
		if err != nil {
			return err
		}
		name := noteName(r)
		data, err := shelf.read(name)
		if err != nil {
			return err
		}
		all, err := shelf.list()
		if err != nil {
			return err
		}
		d := s.page(lang)
		note := notes.Parse(name, data, s.book().Outline)
		links := &linker{shelf: shelf, all: all, read: map[string]*notes.Note{name: note}}
		page := web.NotePage{Note: note, Book: s.book(), Terms: s.library.lexicon(s.book()), Find: links.find, Picture: shelf.pictures(name)}
		d.Path, d.Title = web.NotePath(name), note.Title
		return show(w, r, d, web.Page(d, web.Note(d, page)))
	}
}

// linker finds what the wiki links of one note mean.
type linker struct {
	shelf shelf
	all   []notes.Entry
	read  map[string]*notes.Note // what was read already for their headings
}

// mostRead bounds how many other notes are read to find a heading in them.
const mostRead = 50

// find finds the note a wiki link means, as editors of such notes do: by its
// path, or by its name alone wherever it is; and the anchor of the heading in
// it, where the link names one.
func (l *linker) find(from *notes.Note, to, heading string) (name, anchor string, ok bool) {
	if to == "" {
		name, ok = from.Name, true
	} else if name, ok = noteNamed(l.all, to); !ok {
		return "", "", false
	}
	if heading == "" {
		return name, "", true
	}
	note := l.read[name]
	if note == nil && len(l.read) < mostRead {
		if data, err := l.shelf.read(name); err == nil {
			note = notes.Parse(name, data, l.shelf.book().Outline)
			l.read[name] = note
		}
	}
	if note != nil {
		anchor = note.Heading(heading)
	}
	return name, anchor, true
}

func noteNamed(all []notes.Entry, to string) (string, bool) {
	for _, whole := range []bool{true, false} {
		for _, e := range all {
			full := strings.TrimPrefix(e.Name, web.Given)
			name := strings.TrimSuffix(full, path.Ext(full))
			if !whole {
				name = path.Base(name)
			}
			if e.Why == "" && (strings.EqualFold(name, to) || strings.EqualFold(full, to)) {
				return e.Name, true
			}
		}
	}
	return "", false
}
