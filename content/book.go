package content

import (
	"errors"
	"fmt"
	"io/fs"
	"sort"
)

// Languages are the languages of the book, in the order the page offers them.
var Languages = []string{"en", "ko"}

// Book is all chapters and the glossary, checked and rendered. It does not
// change once loaded.
type Book struct {
	Chapters []*Chapter // in reading order
	Glossary *Glossary
	Outline  *Outline
}

// Chapter returns the chapter with this id.
func (b *Book) Chapter(id string) (*Chapter, bool) {
	for _, c := range b.Chapters {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}

// LoadFrom reads a book: glossary.yaml, outline.yaml and one folder a chapter
// below chapters/.
// All mistakes are reported at once, each with its file.
func LoadFrom(fsys fs.FS) (*Book, error) {
	glossary, err := loadGlossary(fsys, "glossary.yaml")
	if err != nil {
		return nil, err
	}
	outline, err := loadOutline(fsys, "outline.yaml")
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, "chapters")
	if err != nil {
		return nil, fmt.Errorf("read the book's chapters: %w", err)
	}
	facts, err := newFactLanguage()
	if err != nil {
		return nil, err
	}
	b := &Book{Glossary: glossary, Outline: outline}
	var wrong []error
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		c, err := loadChapter(fsys, e.Name(), glossary, facts)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		b.Chapters = append(b.Chapters, c)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	sort.SliceStable(b.Chapters, func(i, j int) bool { return b.Chapters[i].Order < b.Chapters[j].Order })
	return b, outline.cover(b.Chapters)
}
