package content

import (
	"regexp"
	"slices"
	"strings"
)

// TextLine is a kubectl line that stands in a chapter's text, with what the
// scene says of it.
type TextLine struct {
	Line  string `json:"line"`
	Fails bool   `json:"fails,omitempty"`
	Skip  string `json:"skip,omitempty"`
}

// blankForm is a word a reader fills in: kubectl logs POD, or <pod>, or ….
var blankForm = regexp.MustCompile(`…|<[a-z]|(^|[\s/=:])[A-Z][A-Z0-9_]+($|[\s/=:])`)

// TextLines returns the kubectl lines of the chapter's texts, each once, in the
// order of the first language. A line with a blank in it is none.
func (c *Chapter) TextLines() (lines []TextLine) {
	for _, lang := range Languages {
		p := c.pages[lang]
		if p == nil {
			continue
		}
		for _, text := range p.commands {
			if blankForm.MatchString(text) || slices.ContainsFunc(lines, func(l TextLine) bool { return l.Line == text }) {
				continue
			}
			line := TextLine{Line: text}
			if i := slices.IndexFunc(c.Scene.Lines, func(l Line) bool { return l.Line == text }); i >= 0 {
				line = TextLine(c.Scene.Lines[i])
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// isCommand: a whole one, "kubectl get pods", and not only a name, "kubectl logs".
func isCommand(text string) bool {
	words := strings.Fields(text)
	return len(words) > 2 && words[0] == "kubectl"
}
