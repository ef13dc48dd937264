package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/web"
)

// learnerRoutes keep what a learner has done and written, and give it back.
//
//	GET    /api/progress                          all of it, as a file to keep
//	POST   /api/progress                          takes such a file in; loses nothing of either
//	PUT    /api/progress/{id}/bookmarks/{section}
//	DELETE /api/progress/{id}/bookmarks/{section}
//	PUT    /api/progress/{id}/remarks/{section}   {"text": "…"}; no text forgets the remark
//
// What belongs to a chapter's scene is in scenes.go.
func (s *Server) learnerRoutes(r chi.Router) {
	r.Get("/api/progress", s.handle(s.exportRecord))
	r.Post("/api/progress", s.handle(s.importRecord))
	r.Put("/api/progress/{id}/bookmarks/{section}", s.handle(s.setBookmark(true)))
	r.Delete("/api/progress/{id}/bookmarks/{section}", s.handle(s.setBookmark(false)))
	r.Put("/api/progress/{id}/remarks/{section}", s.handle(s.setRemark))
	for _, lang := range web.Languages {
		r.Get("/"+lang+"/progress", s.handle(s.progressPage(lang)))
	}
}

// learnerCookie is all that tells one learner from another.
const learnerCookie = "kubestage-learner"

// knownLearner returns who asks, or "" for somebody new.
func knownLearner(r *http.Request) string {
	if c, err := r.Cookie(learnerCookie); err == nil && store.ValidLearner(c.Value) {
		return c.Value
	}
	return ""
}

// learner returns who asks; somebody new gets a cookie with the answer. Pages
// use knownLearner: a browser that follows a link from another site sends no
// cookie of ours, which does not make its reader somebody new.
func (s *Server) learner(w http.ResponseWriter, r *http.Request) string {
	if id := knownLearner(r); id != "" {
		return id
	}
	id := store.NewLearner()
	http.SetCookie(w, &http.Cookie{
		Name: learnerCookie, Value: id, Path: "/", MaxAge: int((400 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return id
}

// greet gives somebody new a cookie with the page, so that the page's first
// requests, which go out together, are all of one learner. What another site
// leads here may be somebody known whose cookie the browser held back. It returns
// who asks, or "" when that cannot be known.
func (s *Server) greet(w http.ResponseWriter, r *http.Request) string {
	if from := r.Header.Get("Sec-Fetch-Site"); s.Store != nil && (from == "none" || from == "same-origin") {
		return s.learner(w, r)
	}
	return knownLearner(r)
}

// recordOf returns what is kept of whoever asks; it is empty where nothing is.
func (s *Server) recordOf(r *http.Request) (*store.Record, error) {
	if s.Store == nil {
		return &store.Record{}, nil
	}
	return s.Store.Record(r.Context(), knownLearner(r))
}

func (s *Server) nothingKept(lang string) error {
	return &HTTPError{Code: http.StatusNotFound,
		Msg:  said{"nothing is kept while a recording is played", "기록을 재생하는 동안에는 아무것도 저장하지 않습니다"}.in(lang),
		Hint: said{"start `dashboard` to keep your progress", "진도를 저장하려면 `dashboard`를 시작하세요"}.in(lang)}
}

func (s *Server) exportRecord(w http.ResponseWriter, r *http.Request) error {
	if s.Store == nil {
		return s.nothingKept(language(r))
	}
	rec, err := s.recordOf(r)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	e := json.NewEncoder(&file)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(rec); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="kubestage-progress-`+rec.Exported.Format(time.DateOnly)+`.json"`)
	h.Set("Cache-Control", "no-store")
	w.Write(file.Bytes())
	return nil
}

func (s *Server) importRecord(w http.ResponseWriter, r *http.Request) error {
	lang := language(r)
	if s.Store == nil {
		return s.nothingKept(lang)
	}
	rec, err := store.ReadRecord(http.MaxBytesReader(w, r.Body, store.LargestRecord))
	if err == nil {
		err = s.Store.Merge(r.Context(), s.learner(w, r), rec)
	}
	if err := refusedRecord(lang, err); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// refusedRecord puts into words why a learner's file or remark was not taken.
func refusedRecord(lang string, err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &HTTPError{Code: http.StatusRequestEntityTooLarge,
			Msg:  said{"the file is too large", "파일이 너무 큽니다"}.in(lang),
			Hint: said{"a file of progress has 32 MiB at most", "진도 파일은 최대 32MiB입니다"}.in(lang)}
	case errors.Is(err, store.ErrNotARecord):
		return badRequest(err.Error(), said{"choose a file that Kubestage exported, unchanged. Nothing was taken from this one", "Kubestage에서 내보낸 파일을 고치지 말고 고르세요. 이 파일에서는 아무것도 가져오지 않았습니다"}.in(lang))
	case errors.Is(err, store.ErrTooMuch):
		return &HTTPError{Code: http.StatusInsufficientStorage, Msg: err.Error(),
			Hint: said{"delete something first. Nothing was changed", "먼저 무엇인가를 지우세요. 바뀐 것은 없습니다"}.in(lang)}
	}
	return err
}

// section returns the chapter and section a request is about.
func (s *Server) section(r *http.Request) (chapter, section string, err error) {
	id, section := chi.URLParam(r, "id"), chi.URLParam(r, "section")
	if s.Store == nil {
		return "", "", s.nothingKept(language(r))
	}
	if s.Book != nil {
		if c, ok := s.book().Chapter(id); ok {
			p, _ := c.Page(content.Languages[0])
			if _, ok := p.Place(section); ok {
				return id, section, nil
			}
			return "", "", &HTTPError{Code: http.StatusNotFound, Msg: "the chapter has no section " + clip(section), Hint: "reload the page: the book may have changed"}
		}
	}
	return "", "", noChapter(id)
}

func (s *Server) setBookmark(on bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		chapter, section, err := s.section(r)
		if err != nil {
			return err
		}
		if err := s.Store.Mark(r.Context(), s.learner(w, r), chapter, section, on); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func (s *Server) setRemark(w http.ResponseWriter, r *http.Request) error {
	chapter, section, err := s.section(r)
	if err != nil {
		return err
	}
	var ask struct {
		Text string `json:"text"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if err := store.CheckRemark(ask.Text); err != nil {
		return badRequest(err.Error(), "write less, or plain text")
	}
	if err := refusedRecord(language(r), s.Store.Remark(r.Context(), s.learner(w, r), chapter, section, ask.Text)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) progressPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return errNoBook
		}
		if s.Store == nil {
			return s.nothingKept(lang)
		}
		rec, err := s.recordOf(r)
		if err != nil {
			return err
		}
		d := s.page(lang)
		d.Path, d.Title = "progress", said{"My progress", "내 진도"}.in(lang)
		return show(w, r, d, web.Page(d, web.Progress(d, s.progressOf(lang, rec))))
	}
}

// progressOf tells a record in the book's order and words; what is of another
// book comes last, under the names it has.
func (s *Server) progressOf(lang string, rec *store.Record) web.ProgressData {
	data := web.ProgressData{Book: s.book(), Marks: marksOf(rec)}
	left := maps.Clone(rec.Chapters)
	for _, c := range s.book().Chapters {
		if kept := left[c.ID]; kept != nil {
			delete(left, c.ID)
			p, _ := c.Page(lang)
			data.Chapters = append(data.Chapters, chapterProgress(c, p, kept))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		data.Chapters = append(data.Chapters, chapterProgress(nil, &content.Page{Title: id}, left[id]))
	}
	return data
}

func chapterProgress(c *content.Chapter, p *content.Page, kept *store.ChapterRecord) web.ChapterProgress {
	out := web.ChapterProgress{Chapter: c, Title: p.Title, Passed: kept.Passed}
	if q := kept.Prediction; q != nil && q.Answer != "" {
		out.Predicted, out.Right = true, q.Answer == q.Chosen
	}
	if kept.Place != nil {
		out.Place, _ = p.Place(kept.Place.Step)
	}
	marked, remarks := map[string]bool{}, map[string]string{}
	for _, b := range kept.Bookmarks {
		marked[b.Section] = true
	}
	for _, r := range kept.Remarks {
		remarks[r.Section] = r.Text
	}
	places := p.Places()
	for _, id := range slices.Sorted(maps.Keys(marked)) {
		if _, ok := p.Place(id); !ok {
			places = append(places, content.Place{ID: id, Title: id})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(remarks)) {
		if _, ok := p.Place(id); !ok && !marked[id] {
			places = append(places, content.Place{ID: id, Title: id})
		}
	}
	for _, at := range places {
		if marked[at.ID] || remarks[at.ID] != "" {
			out.Sections = append(out.Sections, web.SectionProgress{Place: at, Marked: marked[at.ID], Remark: remarks[at.ID]})
		}
	}
	return out
}

// marksOf says of each chapter whether it was begun or passed.
func marksOf(rec *store.Record) web.Marks {
	marks := web.Marks{}
	for id, c := range rec.Chapters {
		if c.Passed != nil {
			marks[id] = web.MarkPassed
		} else if c.Place != nil || c.Prediction != nil {
			marks[id] = web.MarkBegun
		}
	}
	return marks
}
