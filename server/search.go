package server

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/content/notes"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/web"
)

// Bounds of a search.
const (
	longestQuery = 200
	mostWords    = 8
	mostHits     = 30
)

// searchPage answers /LANG/search?q=WORDS.
func (s *Server) searchPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return &HTTPError{Code: http.StatusNotFound, Msg: "this server has no book", Hint: "the stage is at /"}
		}
		query := strings.TrimSpace(strings.ToValidUTF8(r.URL.Query().Get("q"), ""))
		if len(query) > longestQuery {
			return &HTTPError{Code: http.StatusBadRequest, Msg: "the search is too long", Hint: "use a few words"}
		}
		hits, err := s.find(r.Context(), lang, query)
		if err != nil {
			return err
		}
		d := s.page(lang)
		d.Path, d.Title = "search?"+url.Values{"q": {query}}.Encode(), said{"Search", "찾기"}.in(lang)
		return show(w, r, d, web.Page(d, web.Search(d, query, hits)))
	}
}

func (s *Server) find(ctx context.Context, lang, query string) ([]web.Hit, error) {
	words := s.spellings(lang, query)
	var found []store.Hit
	err := s.library.read(ctx, s.book(), func(index *store.Index) (err error) {
		found, err = index.Find(ctx, lang, words, mostHits)
		return err
	})
	if err != nil {
		return nil, err
	}
	hits := make([]web.Hit, 0, len(found))
	for _, f := range found {
		h := web.Hit{Title: f.Title, Chapter: s.chapterAt(lang, f.Where), Href: f.Where, Later: f.Later}
		if h.Chapter == h.Title {
			h.Chapter = ""
		}
		for i, part := range strings.Split(f.Excerpt, store.HitBegin) {
			marked, rest, ok := strings.Cut(part, store.HitEnd)
			if i == 0 || !ok {
				marked, rest = "", part
			}
			h.Excerpt = append(h.Excerpt, web.Part{Marked: marked, Plain: rest})
		}
		hits = append(hits, h)
	}
	return hits, nil
}

// chapterAt is the title of the chapter that a place is in, and empty elsewhere.
func (s *Server) chapterAt(lang, where string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(where, "/"+lang+"/chapter/"), "#")
	if c, ok := s.book().Chapter(id); ok {
		if p, ok := c.Page(lang); ok {
			return p.Title
		}
	}
	return ""
}

// spellings takes a query apart into words, each in all the ways the book may
// write it: without its particle, and by every name of the term it is.
func (s *Server) spellings(lang, query string) (words [][]string) {
	terms := s.library.lexicon(s.book())
	for _, word := range strings.FieldsFunc(query, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
		if len(words) == mostWords {
			break
		}
		bare := notes.Bare(word)
		forms := []string{word, bare}
		if term, ok := s.book().Glossary.Term(terms.Lookup(bare)); ok {
			spelling := term.In[lang]
			forms = append(append(forms, spelling.Name), spelling.Family...)
		}
		words = append(words, forms)
	}
	return words
}

// library is what is made of a book for finding things in it. A course may
// become another book at any time, and then it is made anew.
type library struct {
	mu    sync.Mutex // guards those below, and is held while the index is used
	of    *content.Book
	index *store.Index
	terms *notes.Lexicon
	words *content.Book // that terms are of
}

// read hands out the index of a book. Most starts are never searched, so it is
// made at the first search.
func (l *library) read(ctx context.Context, book *content.Book, use func(*store.Index) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.index == nil || l.of != book {
		index, err := store.NewIndex(ctx, passages(book))
		if err != nil {
			return err
		}
		l.closeLocked()
		l.of, l.index = book, index
	}
	return use(l.index)
}

// lexicon returns what finds the terms of a book in a text.
func (l *library) lexicon(book *content.Book) *notes.Lexicon {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.words != book {
		l.words, l.terms = book, notes.NewLexicon(book.Glossary.Spellings(), book.Glossary.FalseFriends)
	}
	return l.terms
}

func (l *library) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeLocked()
}

func (l *library) closeLocked() {
	if l.index != nil {
		_ = l.index.Close() // it was only memory
		l.index, l.of = nil, nil
	}
}

func passages(b *content.Book) (all []store.Passage) {
	for _, lang := range content.Languages {
		for _, c := range b.Chapters {
			p, ok := c.Page(lang)
			if !ok {
				continue
			}
			at := "/" + lang + "/chapter/" + c.ID
			all = append(all, store.Passage{Lang: lang, Title: p.Title, Text: p.Summary + "\n" + plainText(string(p.Intro)), Where: at})
			for _, step := range p.Steps {
				all = append(all, store.Passage{Lang: lang, Title: step.Title, Text: plainText(string(step.Body)), Where: at + "#" + content.StepAnchor(step.ID)})
			}
			for _, note := range p.Notes {
				all = append(all, store.Passage{Lang: lang, Title: note.Title, Text: plainText(string(note.Body)), Where: at + "#" + note.ID})
			}
			if p.Check != nil {
				all = append(all, store.Passage{Lang: lang, Title: said{"Checkpoint: ", "확인 문제: "}.in(lang) + p.Title, Text: plainText(string(p.Check.Ask)), Where: at + "#check-title"})
			}
		}
		for _, t := range b.Glossary.Terms {
			of := t.In[lang]
			all = append(all, store.Passage{Lang: lang, Title: of.Name, Text: strings.Join(append([]string{of.Gloss}, of.Family...), " · "), Where: "/" + lang + "/glossary#term-" + t.ID})
		}
		for _, part := range b.Outline.Parts {
			for _, r := range part.Rows {
				if len(r.Chapters) == 0 {
					all = append(all, store.Passage{Lang: lang, Title: r.Title(lang), Text: r.ID + " · " + part.In[lang], Where: "/" + lang + "/" + web.RowPath(r), Later: true})
				}
			}
		}
	}
	return all
}

var (
	tag   = regexp.MustCompile(`<[^>]*>`)
	space = regexp.MustCompile(`\s+`)
)

// plainText is what a rendered text says. Blocks are apart, words are not.
func plainText(rendered string) string {
	for _, block := range []string{"</p>", "</li>", "</h3>", "</h4>", "</pre>", "</td>", "<br>"} {
		rendered = strings.ReplaceAll(rendered, block, " ")
	}
	return strings.TrimSpace(space.ReplaceAllString(html.UnescapeString(tag.ReplaceAllString(rendered, "")), " "))
}
