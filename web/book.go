package web

import (
	"strings"
	"time"

	"github.com/kubestage/kubestage/content"
)

// Mark is how far a reader came in a chapter.
type Mark string

// The marks, from the least. No mark is the zero value.
const (
	MarkBegun  Mark = "begun"
	MarkPassed Mark = "passed"
)

// Marks are a reader's, by the chapter's id.
type Marks map[string]Mark

// Of is the mark of a row: the chapter it leads to has it.
func (m Marks) Of(r *content.Row) Mark {
	if len(r.Chapters) == 0 {
		return ""
	}
	return m[r.Chapters[0].ID]
}

// Passed counts the rows of a part whose checkpoint was passed.
func (m Marks) Passed(p *content.Part) (n int) {
	for _, r := range p.Rows {
		if m.Of(r) == MarkPassed {
			n++
		}
	}
	return n
}

// RowPath is the path, after the language, that shows a row: the chapter that
// covers it, or its line in the contents.
func RowPath(r *content.Row) string {
	if len(r.Chapters) > 0 {
		return "chapter/" + r.Chapters[0].ID
	}
	return "book#row-" + r.ID
}

// chapterTitle is what the chapter that covers a row calls itself.
func chapterTitle(d PageData, r *content.Row) string {
	p, _ := r.Chapters[0].Page(d.Lang) // the loader made sure it is there
	return p.Title
}

// Neighbour is the chapter before or after one.
type Neighbour struct{ Href, Title string }

// ProgressData is what the page of a learner's progress tells.
type ProgressData struct {
	Book     *content.Book
	Marks    Marks
	Chapters []ChapterProgress // in the book's order; those of other books last
}

// ChapterProgress is what a learner has done in one chapter.
type ChapterProgress struct {
	Chapter          *content.Chapter // nil when this book does not have it
	Title            string
	Passed           *time.Time
	Predicted, Right bool // whether the log has answered a prediction, and how
	Place            content.Place
	Sections         []SectionProgress
}

// SectionProgress is a section with a bookmark or a remark.
type SectionProgress struct {
	content.Place
	Marked bool
	Remark string
}

// path is that of the chapter after the language, at a section or at its top.
func (c ChapterProgress) path(at content.Place) string {
	if at.Anchor == "" {
		return "chapter/" + c.Chapter.ID
	}
	return "chapter/" + c.Chapter.ID + "#" + at.Anchor
}

// scriptBook is what the script of every page knows of the book: what each
// term means and lights, and where each part of the stage is explained.
type scriptBook struct {
	Terms map[string]scriptTerm `json:"terms"`
	About map[string]scriptRow  `json:"about"` // by part of the stage, or by resource
}

type scriptTerm struct {
	Lights string                      `json:"lights"`
	In     map[string]content.Spelling `json:"in"`
}

type scriptRow struct {
	Number string            `json:"number"`
	Title  map[string]string `json:"title"`
	Path   string            `json:"path"` // after the language
}

// ScriptBook is the answer of /api/book.
func ScriptBook(b *content.Book) any {
	s := scriptBook{map[string]scriptTerm{}, map[string]scriptRow{}}
	for _, t := range b.Glossary.Terms {
		s.Terms[t.ID] = scriptTerm{t.Lights, t.In}
	}
	for _, p := range b.Outline.Parts {
		for _, r := range p.Rows {
			for _, thing := range r.About {
				s.About[thing] = scriptRow{number(r), map[string]string{"en": r.EN, "ko": r.KO}, RowPath(r)}
			}
		}
	}
	return s
}

// number is the outline's number that stands before a title, and nothing for an
// entry that has only a name.
func number(r *content.Row) string {
	n, _, _ := strings.Cut(r.ID, "-")
	if strings.Trim(n, "0123456789.") != "" {
		return ""
	}
	return n
}
