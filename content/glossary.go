package content

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"sigs.k8s.io/yaml"
)

// Glossary is the one place that decides how a thing is called in each language
// and which boxes of the stage it stands for.
type Glossary struct {
	// Components are the words the stage can light; see Term in web/src/app.ts.
	Components []string `json:"components"`
	Terms      []*Term  `json:"terms"`
	// FalseFriends hold a term's spelling and mean something else.
	FalseFriends []string `json:"falseFriends"`

	byID map[string]*Term
}

// Term is one entry of the glossary.
type Term struct {
	ID     string              `json:"id"`
	Lights string              `json:"lights"` // the part of the stage it stands for; empty for a word that has no place there
	In     map[string]Spelling `json:"in"`     // by language
}

// Spelling is what one language calls a term.
type Spelling struct {
	Name   string   `json:"name"`             // the form the book writes
	Family []string `json:"family,omitempty"` // other spellings people search for or use in notes
	Gloss  string   `json:"gloss"`            // one sentence, plain text
}

// Term returns the term with this id.
func (g *Glossary) Term(id string) (*Term, bool) {
	t, ok := g.byID[id]
	return t, ok
}

// Spellings returns every spelling of every term, by the term's id.
func (g *Glossary) Spellings() map[string][]string {
	all := map[string][]string{}
	for _, t := range g.Terms {
		for _, lang := range Languages {
			all[t.ID] = append(append(all[t.ID], t.In[lang].Name), t.In[lang].Family...)
		}
	}
	return all
}

// courseGlossary is where the terms of a course are, beside the book's.
const courseGlossary = "course/glossary.yaml"

func loadGlossary(fsys fs.FS, name string) (*Glossary, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read the glossary: %w", err)
	}
	g := &Glossary{byID: map[string]*Term{}}
	if err := yaml.UnmarshalStrict(text, g); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if text, err := fs.ReadFile(fsys, courseGlossary); err == nil {
		var more Glossary
		if err := yaml.UnmarshalStrict(text, &more); err != nil {
			return nil, fmt.Errorf("the course's glossary.yaml: %w", err)
		}
		g.FalseFriends = append(g.FalseFriends, more.FalseFriends...)
		for _, t := range more.Terms { // one of the same id stands in the other's place
			g.Terms = append(slices.DeleteFunc(g.Terms, func(old *Term) bool { return old.ID == t.ID }), t)
		}
	}
	var wrong []error
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(name+": "+format, args...))
	}
	spelled := map[string]string{} // language/spelling → term id
	for _, t := range g.Terms {
		if t.ID == "" {
			say("a term has no id")
			continue
		}
		if g.byID[t.ID] != nil {
			say("term %q is there twice", t.ID)
		}
		g.byID[t.ID] = t
		if t.Lights != "" && !slices.Contains(g.Components, t.Lights) {
			say("term %q lights %q, which is not a component of the stage", t.ID, t.Lights)
		}
		for _, lang := range Languages {
			s, ok := t.In[lang]
			if !ok || s.Name == "" || s.Gloss == "" {
				say("term %q needs a name and a gloss in %q", t.ID, lang)
				continue
			}
			for _, form := range append([]string{s.Name}, s.Family...) {
				if other := spelled[lang+"/"+form]; other != "" && other != t.ID {
					say("%q (%s) belongs to both %q and %q", form, lang, other, t.ID)
				}
				spelled[lang+"/"+form] = t.ID
			}
		}
		for lang := range t.In {
			if !slices.Contains(Languages, lang) {
				say("term %q is spelled in %q, which is not a language of the book", t.ID, lang)
			}
		}
	}
	return g, errors.Join(wrong...)
}
