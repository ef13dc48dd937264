package content

import (
	"html/template"
	"regexp"
)

// Place is a section as links name it.
type Place struct {
	ID     string
	Title  string
	Anchor string
}

// Places returns the page's sections, from the first step to the last note.
func (p *Page) Places() []Place {
	var all []Place
	for _, s := range p.Steps {
		all = append(all, Place{s.ID, s.Title, StepAnchor(s.ID)})
	}
	for _, s := range p.Notes {
		all = append(all, Place{s.ID, s.Title, s.ID})
	}
	return all
}

// Place returns the section with this id.
func (p *Page) Place(id string) (Place, bool) {
	for _, at := range p.Places() {
		if at.ID == id {
			return at, true
		}
	}
	return Place{}, false
}

// StepAnchor is the anchor of a step's section. Steps have anchors of their own
// kind because the ids of the page's parts are plain words too.
func StepAnchor(id string) string { return "step-" + id }

// Neighbours returns the chapters before and after one in reading order; nil at
// the ends of the book.
func (b *Book) Neighbours(c *Chapter) (before, after *Chapter) {
	for i := range b.Chapters {
		if b.Chapters[i] != c {
			continue
		}
		if i > 0 {
			before = b.Chapters[i-1]
		}
		if i+1 < len(b.Chapters) {
			after = b.Chapters[i+1]
		}
	}
	return before, after
}

var sectionLink = regexp.MustCompile(`(href="/[a-z]+/chapter/)([a-z0-9-]+)#([a-z0-9-]+)"`)

// anchorSteps makes links between chapters lead to the anchors of steps. A text
// names a section; only when all chapters are there is it known whether that is a step.
func (b *Book) anchorSteps() {
	anchored := func(text *template.HTML) {
		*text = template.HTML(sectionLink.ReplaceAllStringFunc(string(*text), func(link string) string {
			m := sectionLink.FindStringSubmatch(link)
			if c, ok := b.Chapter(m[2]); ok && c.Scene.HasStep(m[3]) {
				return m[1] + m[2] + "#" + StepAnchor(m[3]) + `"`
			}
			return link
		}))
	}
	for _, c := range b.Chapters {
		for _, p := range c.pages {
			anchored(&p.Intro)
			for i := range p.Steps {
				anchored(&p.Steps[i].Body)
			}
			for i := range p.Notes {
				anchored(&p.Notes[i].Body)
			}
			if p.Check != nil {
				anchored(&p.Check.Ask)
				anchored(&p.Check.Passed)
			}
		}
	}
}
