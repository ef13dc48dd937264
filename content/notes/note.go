package notes

import (
	"bytes"
	"fmt"
	"strings"
)

// Note is one file, read.
type Note struct {
	Name   string // path inside the folder, with slashes
	Title  string
	Blocks []Block
}

// Outline finds the row of the book a heading is about: by its number, or else
// by its name. It returns "" when there is none.
type Outline interface {
	ByNumber(number string) string
	ByName(name string) string
}

// Parse cuts a file into blocks. It never fails: what it does not understand is
// text.
func Parse(name string, data []byte, outline Outline) *Note {
	s := &scanner{lines: splitLines(data), outline: outline}
	s.survey()
	s.scan()
	n := &Note{Name: name, Blocks: s.blocks}
	name = name[strings.LastIndexByte(name, '/')+1:]
	n.Title = strings.TrimSuffix(name, ".md")
	n.name()
	return n
}

// Export returns the file as it was.
func (n *Note) Export() []byte {
	var b bytes.Buffer
	for _, block := range n.Blocks {
		for _, raw := range block.raw {
			b.Write(raw)
		}
	}
	return b.Bytes()
}

// Heading returns the anchor of the first heading with this title or number, or
// "". Who links to a heading may name those above it too: "Pods#Life#End".
func (n *Note) Heading(name string) string {
	path := strings.Split(name, "#")
	var above [7]*Block // the headings the line stands under, by level
	last := ""          // a heading of the name, under others than the link says
	for i := range n.Blocks {
		b := &n.Blocks[i]
		if b.Kind != Heading {
			continue
		}
		above[b.Level] = b
		clear(above[b.Level+1:])
		left := len(path) - 1
		if !b.called(path[left]) {
			continue
		}
		for level := b.Level - 1; level > 0 && left > 0; level-- {
			if above[level] != nil && above[level].called(path[left-1]) {
				left--
			}
		}
		if left == 0 {
			return b.ID
		}
		if last == "" {
			last = b.ID
		}
	}
	return last
}

// called reports whether a link may mean a heading by this name.
func (b *Block) called(name string) bool {
	name = strings.TrimSpace(name)
	return strings.EqualFold(b.Title, name) || b.Number == name || slug(b.Title) == slug(name) ||
		strings.EqualFold(strings.TrimSpace(b.Number+" "+b.Title), name)
}

// name gives every block its own anchor, and the note its title.
func (n *Note) name() {
	taken := map[string]int{} // anchors, and how often each was wanted
	unique := func(ids ...string) string {
		for _, id := range ids {
			if id != "" && taken[id] == 0 {
				taken[id] = 1
				return id
			}
		}
		for {
			taken[ids[0]]++
			if id := fmt.Sprintf("%s~%d", ids[0], taken[ids[0]]); taken[id] == 0 {
				taken[id] = 1
				return id
			}
		}
	}
	var path [7]string // anchors of the headings above, by level
	under, count := "top", 0
	titled := false
	for i := range n.Blocks {
		b := &n.Blocks[i]
		switch b.Kind {
		case Heading:
			second := ""
			for level := b.Level - 1; level > 0 && second == ""; level-- {
				if path[level] != "" {
					second = path[level] + "/" + slug(b.Title)
				}
			}
			b.ID = unique(b.ID, second)
			path[b.Level] = b.ID
			clear(path[b.Level+1:])
			under, count = b.ID, 0
			if !titled {
				n.Title, titled = b.Title, true
			}
		case Front:
			b.ID = unique("front")
			for _, f := range b.Fields {
				if strings.EqualFold(f.Key, "title") && f.Value != "" {
					n.Title, titled = f.Value, true
				}
			}
		default:
			count++
			b.ID = unique(fmt.Sprintf("%s:%d", under, count))
		}
	}
}

// slug makes an anchor of a title: letters of any language and digits stay.
func slug(title string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(title) {
		if isWord(r) {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		} else {
			dash = true
		}
	}
	if b.Len() == 0 {
		return "section"
	}
	return b.String()
}
