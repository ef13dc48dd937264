package server

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/web"
)

var errNoBook = &HTTPError{Code: http.StatusNotFound, Msg: "this server has no book", Hint: "the stage is at /"}

// contentsPage shows every row of the outline, with marks for what its reader
// has done.
func (s *Server) contentsPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return errNoBook
		}
		rec, err := s.recordOf(r)
		if err != nil {
			return err
		}
		d := s.pageFor(r, lang)
		d.Path = "book"
		d.Title = said{"Contents", "차례"}.in(lang)
		return show(w, r, d, web.Page(d, web.Contents(d, s.book(), marksOf(rec))))
	}
}

func (s *Server) glossaryPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return errNoBook
		}
		d := s.pageFor(r, lang)
		d.Path, d.Title = "glossary", said{"Glossary", "용어집"}.in(lang)
		return show(w, r, d, web.Page(d, web.Glossary(d, s.book().Glossary)))
	}
}

// rowLink is an address for links from elsewhere, such as a person's notes:
// the numbers of the outline stay, whichever chapter comes to cover them.
func (s *Server) rowLink(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return errNoBook
		}
		id := chi.URLParam(r, "id")
		row, ok := s.book().Outline.Row(id)
		if !ok {
			return &HTTPError{Code: http.StatusNotFound, Msg: "the outline has no row " + clip(id), Hint: "the contents are at /" + lang + "/book"}
		}
		w.Header().Set("Cache-Control", "no-cache") // a later book may have another chapter for it
		redirect("/"+lang+"/"+web.RowPath(row))(w, r)
		return nil
	}
}

// bookData answers with what the page's script says of terms, and with the
// place of the book that is about each part of the stage and each resource.
func (s *Server) bookData(w http.ResponseWriter, r *http.Request) error {
	if s.Book == nil {
		return errNoBook
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, web.ScriptBook(s.book()))
	return nil
}

func (s *Server) neighbours(lang string, c *content.Chapter) (before, after *web.Neighbour) {
	b, a := s.book().Neighbours(c)
	for _, of := range []struct {
		chapter *content.Chapter
		to      **web.Neighbour
	}{{b, &before}, {a, &after}} {
		if of.chapter != nil {
			p, _ := of.chapter.Page(lang)
			*of.to = &web.Neighbour{Href: "/" + lang + "/chapter/" + of.chapter.ID, Title: p.Title}
		}
	}
	return before, after
}
