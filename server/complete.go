package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// choice is one way in which a command line could go on.
type choice struct {
	Text string `json:"text"`
	Says string `json:"says,omitempty"`
}

// complete answers with the ways in which {"command"}, typed up to the cursor,
// could go on: {"typed", "choices"}, where typed is what of the last word is
// there. kubectl itself is asked, and it asks the cluster, as in a shell.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Command string `json:"command"`
		Lang    string `json:"lang"`
		Chapter string `json:"chapter"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	ns, err := s.scenes.inChapter(w, r, body.Chapter, body.Lang)
	if err != nil {
		return err
	}
	answer := struct {
		Typed   string   `json:"typed"`
		Choices []choice `json:"choices"`
	}{Choices: []choice{}}
	if begun, ok := beginning(body.Command); ok {
		// What is asked with is decided here, and runs in any cluster.
		c, err := s.command(order{line: "kubectl version", lang: body.Lang, namespace: ns})
		if err != nil {
			return err
		}
		defer c.release()
		answer.Typed = begun.typed
		if answer.Choices, err = c.choices(r.Context(), begun); err != nil {
			return err
		}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// begun is a command line that is being typed.
type begun struct {
	args  []string // for kubectl's completion; the last is the word that is being typed
	typed string   // what there is of it; of a flag's value when it is one
	known func(text string) bool
}

// beginning understands what is typed so far by the rules of what is run: what they
// refuse is not completed either.
func beginning(line string) (b begun, ok bool) {
	words, no := splitWords(line)
	if no != nil || len(words) == 0 || words[0] != "kubectl" && words[0] != "k" {
		return b, false
	}
	last := ""
	if words = words[1:]; !strings.HasSuffix(line, " ") {
		if len(words) == 0 {
			return b, false
		}
		words, last = words[:len(words)-1], words[len(words)-1]
	}
	b.typed = last
	any := func(string) bool { return true }
	whole := func(words []string) (parser, bool) {
		p := parser{words: words, input: "kind: Pod", terminal: true}
		no := p.parse()
		return p, no == nil && !p.dash
	}
	// A flag's value, as the next word or after an equals sign.
	if n := len(words); n > 0 && isFlag(words[n-1]) {
		if p, ok := whole(words[:n-1]); ok {
			if name, ok := p.awaits(words[n-1]); ok {
				return begun{append(p.argv(), "--"+name+"="+last), last, any}, true
			}
		}
	}
	p, ok := whole(words)
	if !ok {
		return b, false
	}
	if flag, value, has := strings.Cut(last, "="); has && isFlag(flag) {
		name, ok := p.awaits(flag)
		return begun{append(p.argv(), "--"+name+"="+value), value, any}, ok
	}
	b.args = append(p.argv(), last)
	switch {
	case isFlag(last) || last == "-" || last == "--":
		b.known = func(text string) bool { _, ok := p.find(text); return ok }
	case p.verb.traits&group != 0:
		b.known = func(text string) bool {
			_, no := findVerb(strings.TrimSpace(p.verb.name + " " + text))
			return no == nil
		}
	default:
		b.known = any
	}
	return b, true
}

// find is the flag that a word names, of those that the command has here.
func (p *parser) find(word string) (flag, bool) {
	name, long := strings.CutPrefix(word, "--")
	for _, f := range p.allowed() {
		if long && f.name == name || !long && len(word) == 2 && f.short != 0 && f.short == word[1] {
			return f, true
		}
	}
	return flag{}, false
}

// awaits is the name of the flag that a word is, when the next word is its value,
// and one that the cluster may know.
func (p *parser) awaits(word string) (name string, ok bool) {
	f, ok := p.find(word)
	return f.name, ok && f.value && f.implied == "" && f.check != "stdin" && f.check != "raw"
}

// choices asks kubectl, which asks the cluster.
func (c *command) choices(ctx context.Context, b begun) ([]choice, error) {
	cmd, clean, err := c.child(append([]string{"__complete"}, b.args...))
	if err != nil {
		return nil, err
	}
	defer clean()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ownGroup(cmd)
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start kubectl: %w", err)
	}
	defer context.AfterFunc(ctx, func() { killGroup(cmd) })()
	if err := cmd.Wait(); err != nil {
		return []choice{}, nil // a cluster that does not answer has nothing to offer
	}
	choices := []choice{}
	for line := range strings.Lines(out.String()) {
		// The last line is for a shell, and so are lines of help.
		// github.com/spf13/cobra v1.10.2 completions.go:53
		text, says, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if text == "" || text[0] == ':' || strings.HasPrefix(text, "_activeHelp_") || !strings.HasPrefix(text, b.typed) || !b.known(text) {
			continue
		}
		if choices = append(choices, choice{text, says}); len(choices) == mostChoices {
			break
		}
	}
	return choices, nil
}

const mostChoices = 300
