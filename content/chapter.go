package content

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Chapter is one folder of the book.
type Chapter struct {
	ID     string   // the folder's name, and its place in URLs
	Order  int      // place in the book
	Covers []string // ids of the outline this chapter covers, such as "4.2.1"
	Scene  *Scene
	Tape   []byte // a recorded run, in the form of watch/recording; nil when there is none

	pages map[string]*Page
	links map[string][]string // to other chapters, by the file they stand in
}

// Page is a chapter in one language, rendered. HTML is safe: it comes from
// Markdown in which raw HTML is refused.
type Page struct {
	Lang     string
	Title    string
	Kicker   string // the line above the title
	Summary  string
	Intro    template.HTML
	Steps    []Section // one a step of the scene, in its order
	Notes    []Section // what follows the last step
	Captions map[string]string
	Predict  *Question
	Check    *Task

	commands []string // kubectl lines of the text
}

// Section is one heading and what stands under it.
type Section struct {
	ID    string
	Title string
	Body  template.HTML
}

// Question is a prediction in words.
type Question struct {
	Ask     template.HTML
	Options []Choice
}

// Choice is one option. Because says why it is right when it is.
type Choice struct {
	ID      string
	Text    template.HTML
	Because template.HTML // may use {captures}
}

// Task is a checkpoint in words.
type Task struct {
	Ask    template.HTML
	Passed template.HTML
	Facts  []TaskFact
	Hints  []template.HTML // shown one by one
}

// TaskFact says what a fact of the checkpoint is, and what to do while it is
// missing.
type TaskFact struct {
	ID      string
	Text    template.HTML
	Missing template.HTML
}

// Page returns the chapter in a language; the loader made sure it is there.
func (c *Chapter) Page(lang string) (*Page, bool) {
	p, ok := c.pages[lang]
	return p, ok
}

// head is what a Markdown file begins with.
type head struct {
	Title    string            `json:"title"`
	Kicker   string            `json:"kicker"`
	Summary  string            `json:"summary"`
	Captions map[string]string `json:"captions"`
	Predict  *struct {
		Ask     string            `json:"ask"`
		Options map[string]string `json:"options"`
		Because map[string]string `json:"because"`
	} `json:"predict"`
	Checkpoint *struct {
		Ask     string            `json:"ask"`
		Passed  string            `json:"passed"`
		Facts   map[string]string `json:"facts"`
		Missing map[string]string `json:"missing"`
		Hints   []string          `json:"hints"`
	} `json:"checkpoint"`
}

// shelf is what the chapters of a book share.
type shelf struct {
	files    fs.FS
	glossary *Glossary
	outline  *Outline
	lang     func() (*languages, error)
	trusted  func(id string) bool // what takes long to check was checked by a test
}

func (b shelf) chapter(id string) (*Chapter, error) {
	dir := path.Join("chapters", id)
	if !chapterForm.MatchString(id) {
		return nil, fmt.Errorf("%s: a chapter's folder is its id: small letters, digits, hyphens, at most %d", dir, longestID)
	}
	var wrong []error
	name := path.Join(dir, "scene.yaml")
	text, err := fs.ReadFile(b.files, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	scene, f, compile, err := parseScene(text, b.glossary, b.lang)
	if err != nil {
		wrong = append(wrong, inFile(name, text, err))
	}
	if scene != nil && !b.trusted(id) {
		if _, err := compile(); err != nil {
			wrong = append(wrong, inFile(name, text, err))
		}
	}
	if scene == nil {
		return nil, errors.Join(wrong...)
	}
	c := &Chapter{ID: id, Order: f.Order, Covers: f.Covers, Scene: scene, pages: map[string]*Page{}, links: map[string][]string{}}
	for _, lang := range Languages {
		name := path.Join(dir, lang+".md")
		text, err := fs.ReadFile(b.files, name)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s is missing: every chapter is in every language: %w", name, err))
			continue
		}
		md := &markdown{glossary: b.glossary, outline: b.outline, lang: lang}
		p, err := parsePage(text, md, scene)
		if err != nil {
			wrong = append(wrong, inFile(name, text, err))
			continue
		}
		c.pages[lang], c.links[name] = p, md.links
	}
	lines := c.TextLines()
	for _, l := range scene.Lines {
		if !slices.ContainsFunc(lines, func(t TextLine) bool { return t.Line == l.Line }) {
			wrong = append(wrong, inFile(name, text, near{l.Line, fmt.Errorf("lines: %q is in no text", l.Line)}))
		}
	}
	if err := c.agree(); err != nil {
		wrong = append(wrong, fmt.Errorf("%s: %w", dir, err))
	}
	c.Tape, err = fs.ReadFile(b.files, path.Join("recordings", id+".kubestage"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		wrong = append(wrong, err)
	}
	return c, errors.Join(wrong...)
}

// longestID leaves room for what a learner's namespace has behind it.
const longestID = 40

var chapterForm = regexp.MustCompile(fmt.Sprintf(`^[a-z][a-z0-9-]{0,%d}$`, longestID-1))

// agree refuses languages that differ in what is not language.
func (c *Chapter) agree() error {
	var wrong []error
	first := c.pages[Languages[0]]
	for _, lang := range Languages[1:] {
		p := c.pages[lang]
		if first == nil || p == nil {
			continue
		}
		if a, b := noteIDs(first), noteIDs(p); !slices.Equal(a, b) {
			wrong = append(wrong, fmt.Errorf("sections behind the steps differ: %s has %v, %s has %v", first.Lang, a, lang, b))
		}
		if first.Check != nil && p.Check != nil && len(first.Check.Hints) != len(p.Check.Hints) {
			wrong = append(wrong, fmt.Errorf("checkpoint.hints: %s has %d, %s has %d", first.Lang, len(first.Check.Hints), lang, len(p.Check.Hints)))
		}
	}
	return errors.Join(wrong...)
}

// HasSection reports whether a link may lead to this place in the chapter.
func (c *Chapter) HasSection(id string) bool {
	p := c.pages[Languages[0]]
	return p != nil && (c.Scene.HasStep(id) || slices.Contains(noteIDs(p), id))
}

func noteIDs(p *Page) (ids []string) {
	for _, n := range p.Notes {
		ids = append(ids, n.ID)
	}
	return ids
}

func parsePage(text []byte, md *markdown, scene *Scene) (*Page, error) {
	meta, body, err := splitHead(text)
	if err != nil {
		return nil, err
	}
	var h head
	if err := yaml.UnmarshalStrict(meta, &h); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	inline := func(what, text string) template.HTML {
		if strings.TrimSpace(text) == "" {
			say("%s is missing", what)
			return ""
		}
		html, err := md.inline(text)
		if err != nil {
			say("%w", near{what[strings.LastIndexByte(what, '.')+1:] + ":", fmt.Errorf("%s: %w", what, err)})
		}
		return html
	}

	p := &Page{Lang: md.lang, Title: h.Title, Kicker: h.Kicker, Summary: h.Summary, Captions: h.Captions}
	if h.Title == "" || h.Summary == "" {
		say("head: title and summary are needed")
	}
	intro, sections, err := md.sections(body)
	if err != nil {
		say("%w", err)
	}
	p.Intro = intro
	for i, s := range sections {
		if i < len(scene.Steps) {
			if s.ID != scene.Steps[i].ID {
				say("section %d is %q where scene.yaml has step %q", i+1, s.ID, scene.Steps[i].ID)
			}
			p.Steps = append(p.Steps, s)
		} else {
			p.Notes = append(p.Notes, s)
		}
	}
	if len(sections) < len(scene.Steps) {
		say("has %d sections, scene.yaml has %d steps: %q is missing", len(sections), len(scene.Steps), scene.Steps[len(sections)].ID)
	}
	checkPlaces := func(what, text string) {
		for _, m := range placeForm.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(scene.captures, m[1]) {
				say("%w", near{m[0], fmt.Errorf("%s uses {%s}, which no fact captures", what, m[1])})
			}
		}
	}
	for _, s := range scene.Steps {
		if h.Captions[s.ID] == "" {
			say("captions: %q is missing", s.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.Captions)) {
		text := h.Captions[id]
		if !slices.ContainsFunc(scene.Steps, func(s Step) bool { return s.ID == id }) {
			say("captions: %q is not a step", id)
		}
		checkPlaces("caption "+id, text)
	}
	switch {
	case (scene.Predict == nil) != (h.Predict == nil):
		say("predict has to be in scene.yaml and in every language, or nowhere")
	case scene.Predict != nil:
		p.Predict = &Question{Ask: inline("predict.ask", h.Predict.Ask)}
		for _, o := range scene.Predict.Options {
			checkPlaces("predict.because."+o.ID, h.Predict.Because[o.ID])
			p.Predict.Options = append(p.Predict.Options, Choice{
				ID:      o.ID,
				Text:    inline("predict.options."+o.ID, h.Predict.Options[o.ID]),
				Because: inline("predict.because."+o.ID, h.Predict.Because[o.ID]),
			})
		}
		if len(h.Predict.Options) != len(scene.Predict.Options) || len(h.Predict.Because) != len(scene.Predict.Options) {
			say("predict has other options than scene.yaml")
		}
	}
	switch {
	case (scene.Check == nil) != (h.Checkpoint == nil):
		say("checkpoint has to be in scene.yaml and in every language, or nowhere")
	case scene.Check != nil:
		p.Check = &Task{Ask: inline("checkpoint.ask", h.Checkpoint.Ask), Passed: inline("checkpoint.passed", h.Checkpoint.Passed)}
		for _, f := range scene.Check.Facts {
			p.Check.Facts = append(p.Check.Facts, TaskFact{
				ID:      f.ID,
				Text:    inline("checkpoint.facts."+f.ID, h.Checkpoint.Facts[f.ID]),
				Missing: inline("checkpoint.missing."+f.ID, h.Checkpoint.Missing[f.ID]),
			})
		}
		for i, hint := range h.Checkpoint.Hints {
			p.Check.Hints = append(p.Check.Hints, inline(fmt.Sprintf("checkpoint.hints %d", i+1), hint))
		}
		if len(h.Checkpoint.Facts) != len(scene.Check.Facts) || len(h.Checkpoint.Missing) != len(scene.Check.Facts) {
			say("checkpoint has other facts than scene.yaml")
		}
	}
	p.commands = md.commands
	return p, errors.Join(wrong...)
}

// placeForm is a place in a caption that is filled from the log.
var placeForm = regexp.MustCompile(`\{([a-z][a-zA-Z0-9]*)\}`)

func splitHead(text []byte) (meta, body []byte, err error) {
	s := strings.ReplaceAll(string(text), "\r\n", "\n")
	rest, ok := strings.CutPrefix(s, "---\n")
	if !ok {
		return nil, nil, errors.New("does not begin with a head between --- lines")
	}
	m, b, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return nil, nil, errors.New("the head does not end with a --- line")
	}
	return []byte(m), []byte(b), nil
}
