package web

import "github.com/kubestage/kubestage/content"

// chapterData is what the chapter's script needs beside the text on the page:
// captions to fill from the log. It is read from a JSON script element, so that
// the page needs no second request.
type chapterData struct {
	ID        string        `json:"id"`
	Steps     []chapterStep `json:"steps"`
	DecidedAt string        `json:"decidedAt"` // the step whose event answers the prediction
}

type chapterStep struct {
	ID      string `json:"id"`
	Caption string `json:"caption"`
	Lights  string `json:"lights"`
}

func scriptData(c *content.Chapter, p *content.Page, g *content.Glossary) chapterData {
	d := chapterData{ID: c.ID}
	for _, s := range c.Scene.Steps {
		step := chapterStep{ID: s.ID, Caption: p.Captions[s.ID]}
		if t, ok := g.Term(s.Focus); ok {
			step.Lights = t.Lights
		}
		d.Steps = append(d.Steps, step)
	}
	if p.Predict != nil {
		d.DecidedAt = c.Scene.Predict.At
	}
	return d
}
