package server

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
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
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	found, err := index.Find(ctx, lang, s.spellings(lang, query), mostHits)
	if err != nil {
		return nil, err
	}
	hits := make([]web.Hit, 0, len(found))
	for _, f := range found {
		h := web.Hit{Title: f.Title, Href: f.Where}
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

// spellings takes a query apart into words, each in all the ways the book may
// write it: without its particle, and by every name of the term it is.
func (s *Server) spellings(lang, query string) (words [][]string) {
	for _, word := range strings.FieldsFunc(query, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
		if len(words) == mostWords {
			break
		}
		bare := notes.Bare(word)
		forms := []string{word, bare}
		if term, ok := s.book().Glossary.Term(s.terms.Lookup(bare)); ok {
			spelling := term.In[lang]
			forms = append(append(forms, spelling.Name), spelling.Family...)
		}
		words = append(words, forms)
	}
	return words
}

// makeIndex reads the book into an index. Most starts are never searched, so it
// is made at the first search.
func (s *Server) makeIndex() (*store.Index, error) {
	return store.NewIndex(context.Background(), passages(s.book()))
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
				all = append(all, store.Passage{Lang: lang, Title: step.Title, Text: plainText(string(step.Body)), Where: at + "#step-" + step.ID})
			}
			for _, note := range p.Notes {
				all = append(all, store.Passage{Lang: lang, Title: note.Title, Text: plainText(string(note.Body)), Where: at + "#" + note.ID})
			}
		}
		for _, part := range b.Outline.Parts {
			for _, r := range part.Rows {
				if len(r.Chapters) == 0 {
					all = append(all, store.Passage{Lang: lang, Title: r.Title(lang), Text: r.ID + " · " + part.In[lang], Where: "/" + lang + "/book#row-" + r.ID})
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
