package web

import (
	"slices"
	"strings"

	"github.com/kubestage/kubestage/content"
)

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

// numbers are those of the outline's rows that a chapter covers. Rows of other
// notes have none.
func numbers(c *content.Chapter) (all []string) {
	for _, id := range c.Covers {
		number, _, _ := strings.Cut(id, "-")
		if number[0] >= '0' && number[0] <= '9' && !slices.Contains(all, number) {
			all = append(all, number)
		}
	}
	return all
}

// factOf says what a fact of a checkpoint is looked for in.
func factOf(f content.CheckFact) string {
	if f.Holds != "" {
		return "cluster"
	}
	return "log"
}

// orderWords is an order in words, as the stage's controls have it.
func orderWords(d PageData, o content.Order) string {
	words := map[string][2]string{
		"stop":   {"Stop %s", "%s 멈추기"},
		"kill":   {"Kill %s", "%s 강제 종료"},
		"freeze": {"Freeze %s", "%s 얼리기"},
		"thaw":   {"Thaw %s", "%s 녹이기"},
		"start":  {"Start %s", "%s 시작"},
		"cut":    {"Cut the link of %s", "%s 링크 끊기"},
		"delay":  {"Delay the link of %s", "%s 링크 늦추기"},
		"heal":   {"Heal the link of %s", "%s 링크 복구"},
	}[o.Verb]
	text := strings.Replace(d.say(words[0], words[1]), "%s", o.Of, 1)
	if o.Delay > 0 {
		text += " (" + o.Delay.String() + ")"
	}
	return text
}
