package content

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Languages are the languages of the book, in the order the page offers them.
var Languages = []string{"en", "ko"}

// Book is all chapters and the glossary, checked and rendered. It does not
// change once loaded.
type Book struct {
	Chapters []*Chapter // in reading order
	Glossary *Glossary
	Outline  *Outline
	Wrong    map[string]error // by the id of a chapter that has mistakes
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

// LoadFrom reads a book: glossary.yaml, outline.yaml, one folder a chapter below
// chapters/, and the recordings of their runs in recordings/ID.kubestage.
// All mistakes are reported at once, each with its file and, where that is known,
// its line. Beside them it returns the book as far as it is sound, and nil when
// nothing is.
func LoadFrom(fsys fs.FS) (*Book, error) {
	return load(fsys, func(string) bool { return false })
}

func load(fsys fs.FS, trusted func(chapter string) bool) (*Book, error) {
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
	b := &Book{Glossary: glossary, Outline: outline, Wrong: map[string]error{}}
	all := shelf{fsys, glossary, outline, sync.OnceValues(newLanguages), trusted}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if c, err := all.chapter(e.Name()); err != nil {
			b.Wrong[e.Name()] = err
		} else {
			b.Chapters = append(b.Chapters, c)
		}
	}
	sort.SliceStable(b.Chapters, func(i, j int) bool { return b.Chapters[i].Order < b.Chapters[j].Order })
	if _, ok := fsys.(beside); ok {
		outline.add(b.Chapters)
	}
	b.checkLinks()
	b.anchorSteps()
	var wrong []error
	for _, id := range slices.Sorted(maps.Keys(b.Wrong)) {
		wrong = append(wrong, b.Wrong[id])
	}
	return b, errors.Join(append(wrong, outline.cover(b.Chapters))...)
}

// checkLinks refuses links to chapters and sections that are not there.
func (b *Book) checkLinks() {
	for _, c := range b.Chapters {
		for _, file := range slices.Sorted(maps.Keys(c.links)) {
			for _, to := range c.links[file] {
				id, section, _ := strings.Cut(to, "#")
				other, ok := b.Chapter(id)
				switch {
				case !ok && b.Wrong[id] == nil:
					b.Wrong[c.ID] = errors.Join(b.Wrong[c.ID], fmt.Errorf("%s: link to the chapter %q, which the book does not have", file, id))
				case ok && section != "" && !other.HasSection(section):
					b.Wrong[c.ID] = errors.Join(b.Wrong[c.ID], fmt.Errorf("%s: link to the section %q, which the chapter %q does not have", file, section, id))
				}
			}
		}
	}
}
