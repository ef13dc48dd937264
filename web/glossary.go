package web

import (
	"slices"
	"strings"

	"github.com/kubestage/kubestage/content"
)

// byName orders terms as a reader of the language looks them up. Hangul is in
// the order of the alphabet in Unicode already.
func byName(g *content.Glossary, lang string) []*content.Term {
	terms := slices.Clone(g.Terms)
	slices.SortStableFunc(terms, func(a, b *content.Term) int {
		return strings.Compare(strings.ToLower(a.In[lang].Name), strings.ToLower(b.In[lang].Name))
	})
	return terms
}
