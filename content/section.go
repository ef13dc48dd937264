package content

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
