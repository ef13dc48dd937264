package content

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders the text of one language. What it does not render it
// refuses: raw HTML, links to nowhere, and emphasis that Markdown leaves as
// stars, which happens when a closing ** stands between a bracket and a Korean
// particle (write `**쿠버네티스(k8s)**\ 는`).
type markdown struct {
	glossary *Glossary
	outline  *Outline
	lang     string
	links    []string // found so far, to chapters and their sections: "etcd#stored"
	commands []string // found so far: kubectl lines
}

var engine = goldmark.New(
	goldmark.WithExtensions(
		extension.Table,
		// An escaped space ends emphasis before a Korean particle and is not shown.
		extension.NewCJK(extension.WithEscapedSpace(), extension.WithEastAsianLineBreaks()),
	),
	goldmark.WithParserOptions(parser.WithAttribute()), // ## Heading {#id}
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(linkRenderer{}, 1))),
)

// sections splits a text at its second-level headings and renders each part.
func (m *markdown) sections(source []byte) (intro template.HTML, out []Section, err error) {
	doc := engine.Parser().Parse(text.NewReader(source))
	wrong := []error{m.check(doc, source)}
	type part struct {
		id, title string
		nodes     []ast.Node
	}
	parts := []part{{}}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level > 2 {
			parts[len(parts)-1].nodes = append(parts[len(parts)-1].nodes, n)
			continue
		}
		title := plain(h, source)
		if h.Level == 1 {
			wrong = append(wrong, near{title, fmt.Errorf("heading %q: the title stands in the head, sections have ##", title)})
			continue
		}
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		if !idForm.Match(name) {
			wrong = append(wrong, near{title, fmt.Errorf("heading %q needs an id: ## %s {#some-id}", title, title)})
		}
		for _, p := range parts {
			if p.id == string(name) {
				wrong = append(wrong, fmt.Errorf("heading %q: the id %q is taken", title, name))
			}
		}
		parts = append(parts, part{id: string(name), title: title})
	}
	for i, p := range parts {
		var b bytes.Buffer
		for _, n := range p.nodes {
			if err := engine.Renderer().Render(&b, source, n); err != nil {
				wrong = append(wrong, err)
			}
		}
		if i == 0 {
			intro = template.HTML(b.String())
			continue
		}
		out = append(out, Section{p.id, p.title, template.HTML(b.String())})
	}
	return intro, out, errors.Join(wrong...)
}

// inline renders one paragraph without its <p>.
func (m *markdown) inline(s string) (template.HTML, error) {
	source := []byte(strings.TrimSpace(s))
	doc := engine.Parser().Parse(text.NewReader(source))
	if p := doc.FirstChild(); p == nil || p.Kind() != ast.KindParagraph || p.NextSibling() != nil {
		return "", fmt.Errorf("%q is more than one paragraph", s)
	}
	if err := m.check(doc, source); err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := engine.Renderer().Render(&b, source, doc); err != nil {
		return "", err
	}
	out := strings.TrimSpace(b.String())
	return template.HTML(strings.TrimSuffix(strings.TrimPrefix(out, "<p>"), "</p>")), nil
}

// check walks a document, refuses what must not be there, and turns links to
// terms into terms.
func (m *markdown) check(doc ast.Node, source []byte) error {
	var wrong []error
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.RawHTML:
			wrong = append(wrong, rawHTML(string(n.Segments.Value(source))))
		case *ast.HTMLBlock:
			wrong = append(wrong, rawHTML(string(n.Lines().Value(source))))
		case *ast.Image:
			wrong = append(wrong, fmt.Errorf("image %q: the book has no images; the stage is the picture", n.Destination))
		case *ast.Text:
			if s := string(n.Segment.Value(source)); strings.Contains(s, "**") {
				wrong = append(wrong, near{s, fmt.Errorf("emphasis did not close in %q (before a Korean particle write **…**\\ 는)", s)})
			}
		case *ast.CodeSpan:
			if line := plain(n, source); isCommand(line) {
				m.commands = append(m.commands, line)
			}
		case *ast.FencedCodeBlock:
			for i := range n.Lines().Len() {
				segment := n.Lines().At(i)
				if line := strings.TrimPrefix(strings.TrimSpace(string(segment.Value(source))), "$ "); isCommand(line) {
					m.commands = append(m.commands, line)
				}
			}
		case *ast.Link:
			if err := m.checkLink(n); err != nil {
				wrong = append(wrong, near{"](" + string(n.Destination) + ")", err})
			}
			n.SetAttributeString("lang", []byte(m.lang))
		case *ast.AutoLink:
			wrong = append(wrong, fmt.Errorf("bare link %q: give it words", n.URL(source)))
		}
		return ast.WalkContinue, nil
	})
	return errors.Join(wrong...)
}

func rawHTML(text string) error {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return near{text, fmt.Errorf("raw HTML is not allowed in the book: %s", text)}
}

func (m *markdown) checkLink(n *ast.Link) error {
	to := string(n.Destination)
	u, err := url.Parse(to)
	if err != nil {
		return fmt.Errorf("link %q: %w", to, err)
	}
	switch u.Scheme {
	case "term":
		if _, ok := m.glossary.Term(u.Opaque); !ok {
			return fmt.Errorf("link to the term %q, which the glossary does not have", u.Opaque)
		}
	case "chapter":
		m.links = append(m.links, strings.TrimPrefix(to, "chapter:"))
	case "row":
		if _, ok := m.outline.Row(u.Opaque); !ok {
			return fmt.Errorf("link to the row %q, which the outline does not have", u.Opaque)
		}
	case "https":
		if u.Host == "" {
			return fmt.Errorf("link %q leads nowhere", to)
		}
	default:
		return fmt.Errorf("link %q: only term:, chapter:, row: and https: links are allowed", to)
	}
	return nil
}

// linkRenderer writes links: a term becomes a button that lights its
// components, a chapter or a row of the outline is a page of ours, anything else
// opens outside of the page.
type linkRenderer struct{}

func (linkRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindLink, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		to := string(n.(*ast.Link).Destination)
		term, isTerm := strings.CutPrefix(to, "term:")
		lang, _ := n.AttributeString("lang")
		chapter, isChapter := strings.CutPrefix(to, "chapter:")
		row, isRow := strings.CutPrefix(to, "row:")
		switch {
		case isTerm && entering:
			_, _ = fmt.Fprintf(w, `<button type="button" class="term" data-term="%s">`, util.EscapeHTML([]byte(term)))
		case isTerm:
			_, _ = w.WriteString("</button>")
		case isChapter && entering:
			_, _ = fmt.Fprintf(w, `<a href="/%s/chapter/%s">`, lang, util.EscapeHTML([]byte(chapter)))
		case isRow && entering:
			_, _ = fmt.Fprintf(w, `<a href="/%s/row/%s">`, lang, util.EscapeHTML([]byte(row)))
		case entering && !html.IsDangerousURL([]byte(to)):
			_, _ = fmt.Fprintf(w, `<a href="%s" rel="noreferrer" target="_blank">`, util.EscapeHTML(util.URLEscape([]byte(to), true)))
		default:
			_, _ = w.WriteString("</a>")
		}
		return ast.WalkContinue, nil
	})
}

// plain returns the words of a node without markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
