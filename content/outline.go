package content

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Outline is everything the book is about, written or not. Nothing a reader's
// notes may point to is missing from it, so a link finds its row even before
// the row has a text.
type Outline struct {
	Parts []*Part `json:"parts"`

	byID map[string]*Row
}

// Part is a group of rows under one heading.
type Part struct {
	ID   string            `json:"id"`
	In   map[string]string `json:"in"` // its heading, by language
	Rows []*Row            `json:"rows"`
}

// Covered returns how many of its rows a chapter covers.
func (p *Part) Covered() (n int) {
	for _, r := range p.Rows {
		if len(r.Chapters) > 0 {
			n++
		}
	}
	return n
}

// Row is one heading of the outline.
type Row struct {
	ID   string `json:"id"`   // as in "4.2.1-etcd"; it never changes
	Wave int    `json:"wave"` // 1 to 3: when it is written
	EN   string `json:"en"`
	KO   string `json:"ko"`

	// About names the parts of the stage and the resources this row explains, so
	// that who looks at one finds its text.
	About []string `json:"about"`

	Chapters []*Chapter `json:"-"` // that cover it, in reading order; none when it is still to come
}

// Title returns the row's heading in a language.
func (r *Row) Title(lang string) string {
	if lang == "ko" {
		return r.KO
	}
	return r.EN
}

// Depth is how far below its chapter the row stands: 0 for "4", 2 for "4.2.1"
// and 3 for "4.2.1-etcd".
func (r *Row) Depth() int {
	n := 0
	for _, c := range r.ID {
		if c == '.' || c == '-' {
			n++
		}
	}
	return min(n, 3)
}

// Row returns the row with this id.
func (o *Outline) Row(id string) (*Row, bool) {
	r, ok := o.byID[id]
	return r, ok
}

const lastWave = 3

func loadOutline(fsys fs.FS, name string) (*Outline, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read the outline: %w", err)
	}
	o := &Outline{byID: map[string]*Row{}}
	if err := yaml.UnmarshalStrict(text, o); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var wrong []error
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(name+": "+format, args...))
	}
	about := map[string]string{} // thing → row
	for _, p := range o.Parts {
		for _, lang := range Languages {
			if p.In[lang] == "" {
				say("part %q needs a heading in %q", p.ID, lang)
			}
		}
		for _, r := range p.Rows {
			if r.ID == "" || r.EN == "" || r.KO == "" {
				say("a row of part %q lacks its id or a title: %+v", p.ID, *r)
			}
			if r.Wave < 1 || r.Wave > lastWave {
				say("row %q is in wave %d; there are 1 to %d", r.ID, r.Wave, lastWave)
			}
			if o.byID[r.ID] != nil {
				say("row %q is there twice", r.ID)
			}
			o.byID[r.ID] = r
			for _, thing := range r.About {
				if other := about[thing]; other != "" {
					say("both %q and %q are about %q: which one is to be opened?", other, r.ID, thing)
				}
				about[thing] = r.ID
			}
		}
	}
	return o, errors.Join(wrong...)
}

// cover notes which rows the chapters are about.
func (o *Outline) cover(chapters []*Chapter) error {
	var wrong []error
	for _, c := range chapters {
		if len(c.Covers) == 0 {
			wrong = append(wrong, fmt.Errorf("chapter %s covers no row of the outline: the table of contents could not show it", c.ID))
		}
		for _, id := range c.Covers {
			r, ok := o.Row(id)
			if !ok {
				wrong = append(wrong, fmt.Errorf("chapter %s covers %q, which the outline does not have", c.ID, id))
				continue
			}
			if slices.Contains(r.Chapters, c) {
				wrong = append(wrong, fmt.Errorf("chapter %s covers %q twice", c.ID, id))
				continue
			}
			r.Chapters = append(r.Chapters, c)
		}
	}
	return errors.Join(wrong...)
}

// add makes a part of its own of those chapters of a course that are about none of
// the rows, so that they are found where the others are.
func (o *Outline) add(chapters []*Chapter) {
	part := &Part{ID: "course", In: map[string]string{"en": "Chapters of this course", "ko": "이 과정의 장"}}
	for _, c := range chapters {
		en, _ := c.Page("en")
		ko, _ := c.Page("ko")
		if len(c.Covers) > 0 || en == nil || ko == nil {
			continue
		}
		c.Covers = []string{c.ID}
		r := &Row{ID: c.ID, Wave: 1, EN: en.Title, KO: ko.Title}
		part.Rows, o.byID[r.ID] = append(part.Rows, r), r
	}
	if len(part.Rows) > 0 {
		o.Parts = append([]*Part{part}, o.Parts...)
	}
}

// ByNumber returns the id of the row a number or an id like "4.2.1-etcd" names,
// or "".
func (o *Outline) ByNumber(id string) string {
	if _, ok := o.byID[id]; ok {
		return id
	}
	return ""
}

// ByName returns the id of the first row with this title in any language, or "".
func (o *Outline) ByName(name string) string {
	for _, p := range o.Parts {
		for _, r := range p.Rows {
			if strings.EqualFold(r.EN, name) || strings.EqualFold(r.KO, name) {
				return r.ID
			}
		}
	}
	return ""
}
