package server

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/web"
)

// languageCookie remembers the language of the last page.
const languageCookie = "kubestage-lang"

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.Header().Set("Cache-Control", "no-store")
	redirect("/"+language(r)+"/")(w, r)
	return nil
}

func (s *Server) stagePage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d := s.pageFor(r, lang)
		return show(w, r, d, web.Page(d, web.Introduction(d)))
	}
}

func (s *Server) chapterPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := chi.URLParam(r, "id")
		book := s.book()
		c, ok := book.Chapter(id)
		if wrong := book.Wrong[id]; wrong != nil { // of a course; with mistakes of its own the book does not load
			return &HTTPError{Code: http.StatusUnprocessableEntity, Msg: "the chapter " + id + " has mistakes",
				Hint: wrong.Error()}
		}
		if !ok {
			return noChapter(id)
		}
		d := s.pageFor(r, lang)
		d.Path = "chapter/" + c.ID
		if learner := s.greet(w, r); learner != "" {
			d.Namespace = namespaceOf(learner, c.ID)
		}
		if p, ok := c.Page(lang); ok {
			d.Title = p.Title
		}
		d.Before, d.After = s.neighbours(lang, c)
		return show(w, r, d, web.ChapterPage(d, c, book.Glossary))
	}
}

func (s *Server) designPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d := s.page(lang)
		d.Path = "design"
		return show(w, r, d, web.Design(d))
	}
}

func noChapter(id string) error {
	return &HTTPError{Code: http.StatusNotFound, Msg: "the book has no chapter " + clip(id), Hint: "the stage is at /"}
}

// pageFor is page, without what a viewer of a class has not.
func (s *Server) pageFor(r *http.Request, lang string) web.PageData {
	d := s.page(lang)
	if watching(r) {
		d.Watching, d.Console, d.Keeps, d.Notes = true, false, false, false
	}
	return d
}

func (s *Server) page(lang string) web.PageData {
	return web.PageData{
		Lang:    lang,
		Source:  s.Source,
		Version: s.Version,
		Console: !s.ReadOnly,
		Book:    s.Book != nil,
		Keeps:   s.Book != nil && s.Store != nil,
		Notes:   s.Book != nil && (s.Notes != nil || s.Store != nil),
		Shared:  s.shared() != nil,
		Assets:  s.manifest,
	}
}

// show renders a page as a whole before the first byte is sent, so that an
// error is not half a page.
func show(w http.ResponseWriter, r *http.Request, d web.PageData, c templ.Component) error {
	return showAs(http.StatusOK, w, r, d, c)
}

func showAs(code int, w http.ResponseWriter, r *http.Request, d web.PageData, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("render /%s/%s: %w", d.Lang, d.Path, err)
	}
	http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: d.Lang, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), SameSite: http.SameSiteLaxMode})
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", d.Lang)
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(code)
	w.Write(b.Bytes())
	return nil
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to := to
		if r.URL.RawQuery != "" {
			path, place, _ := strings.Cut(to, "#")
			if to = path + "?" + r.URL.RawQuery; place != "" {
				to += "#" + place
			}
		}
		http.Redirect(w, r, to, http.StatusFound)
	}
}

// language is the reader's: of the last page, else as the browser is set up.
func language(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && spoken(c.Value) {
		return c.Value
	}
	return preferred(r.Header.Get("Accept-Language"))
}

func spoken(lang string) bool {
	for _, l := range web.Languages {
		if l == lang {
			return true
		}
	}
	return false
}

// preferred picks among our languages by an Accept-Language header.
func preferred(header string) string {
	best, bestQ := web.Languages[0], 0.0
	for _, item := range strings.Split(header, ",") {
		tag, params, _ := strings.Cut(item, ";")
		lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if spoken(lang) && q > bestQ {
			best, bestQ = lang, q
		}
	}
	return best
}
