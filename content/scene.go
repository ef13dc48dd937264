package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/yaml"
)

// Scene is the part of a chapter that is not language: what is run, what is
// awaited, what lights, and what is checked.
type Scene struct {
	Within   time.Duration // how long a run may take
	Setup    []Action      // before the story begins; no step is about it
	Steps    []Step
	Reset    []Action // undoes what lies outside the learner's namespace; may fail
	Asserts  []Assert
	Predict  *Prediction // nil when nothing is asked
	Check    *Checkpoint // nil when nothing is checked
	Solution []Action    // passes the checkpoint
	Wrong    []Action    // reaches the same by another way, and does not
	Lines    []Line      // kubectl lines of the text that cannot simply be run

	alone    bool     // says the file
	captures []string // names that captions, commands and assertions may use
	claims   func() *claims
}

// Step is one awaited fact, what brings it about, and what to look at meanwhile.
type Step struct {
	ID    string
	After string  // the step it follows; its fact is looked for behind that one's event
	Do    *Action // when all steps before it are reached; nil when it happens by itself
	Focus string  // the term that lights with the step
	Fact  string  // CEL
}

// Assert is a claim of the text that is checked against the log of a whole run.
type Assert struct {
	Says map[string]string // by language
	Is   string            // CEL
}

// Prediction is a question asked before the run and answered by a step's event.
type Prediction struct {
	At      string // the step whose event decides
	Options []Option
}

// Option is one answer to a prediction. The first option whose expression is
// true of the event is the right one.
type Option struct {
	ID   string
	When string // CEL
}

// Checkpoint is what the learner brings about alone: facts of the log, which
// form a trail, and facts about the cluster as it is.
type Checkpoint struct {
	Facts  []CheckFact
	claims func() *claims
}

// CheckFact is one of them; exactly one of Fact and Holds is set.
type CheckFact struct {
	ID    string
	Fact  string // CEL over one event
	Holds string // CEL over the cluster
}

// Line is a kubectl line of the text that the test of the text must not simply
// run and see succeed.
type Line struct {
	Line  string
	Fails bool   // it is there because it fails
	Skip  string // why it is not run at all
}

// Actions returns everything the scene itself does, in order.
func (s *Scene) Actions() []Action {
	all := slices.Clone(s.Setup)
	for _, step := range s.Steps {
		if step.Do != nil {
			all = append(all, *step.Do)
		}
	}
	return all
}

// Alone reports whether a run touches what everybody uses, so that no other scene
// may run beside it: parts of the cluster, or which nodes take pods.
func (s *Scene) Alone() bool { return s.alone || slices.ContainsFunc(s.Actions(), Action.shared) }

// AloneToTheEnd is Alone of the scene with its solution, and what is wrong.
func (s *Scene) AloneToTheEnd() bool {
	return s.Alone() || slices.ContainsFunc(slices.Concat(s.Solution, s.Wrong), Action.shared)
}

// Traces reports whether the way counts: whether something is looked for in the
// log, too.
func (c *Checkpoint) Traces() bool {
	return slices.ContainsFunc(c.Facts, func(f CheckFact) bool { return f.Fact != "" })
}

// inLanguages is a sentence in each language.
type inLanguages map[string]string

func (s *inLanguages) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, (*map[string]string)(s)) != nil {
		return fmt.Errorf("says: %s is not said by language: write {en: …, ko: …}", data)
	}
	return nil
}

// The file format. Maps with expressions stay lists here, because order matters.
type sceneFile struct {
	Order   int          `json:"order"`
	Covers  []string     `json:"covers"`
	Within  string       `json:"within"`
	Alone   bool         `json:"alone"`
	Setup   []actionFile `json:"setup"`
	Steps   []stepFile   `json:"steps"`
	Reset   []actionFile `json:"reset"`
	Asserts []struct {
		Says inLanguages `json:"says"`
		Is   string      `json:"is"`
	} `json:"asserts"`
	Predict *struct {
		At      string `json:"at"`
		Options []struct {
			ID   string `json:"id"`
			When string `json:"when"`
		} `json:"options"`
	} `json:"predict"`
	Checkpoint []checkFile  `json:"checkpoint"`
	Solution   []actionFile `json:"solution"`
	Wrong      []actionFile `json:"wrong"`
	Lines      []struct {
		Line  string `json:"line"`
		Fails bool   `json:"fails"`
		Skip  string `json:"skip"`
	} `json:"lines"`
}

type stepFile struct {
	actionFile `json:",inline"`
	ID         string        `json:"id"`
	After      string        `json:"after"`
	Focus      string        `json:"focus"`
	Fact       string        `json:"fact"`
	Capture    []captureFile `json:"capture"`
}

type checkFile struct {
	ID      string        `json:"id"`
	After   string        `json:"after"`
	Fact    string        `json:"fact"`
	Holds   string        `json:"holds"`
	Capture []captureFile `json:"capture"`
}

type captureFile struct {
	Name string `json:"name"`
	Is   string `json:"is"`
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// longestRun bounds `within`: a scene's request is held open that long.
const longestRun = 5 * time.Minute

// parseScene reads a scene.yaml, all but the expressions: compile compiles those.
func parseScene(text []byte, g *Glossary, lang func() (*languages, error)) (s *Scene, f *sceneFile, compile func() (*claims, error), err error) {
	f = &sceneFile{}
	if err := yaml.UnmarshalStrict(text, f); err != nil {
		return nil, nil, nil, err
	}
	s = &Scene{alone: f.Alone, captures: []string{"ns"}}
	compile = sync.OnceValues(func() (*claims, error) {
		l, err := lang()
		if err != nil {
			return nil, err
		}
		return l.compile(s, f)
	})
	s.claims = func() *claims {
		c, _ := compile() // whoever loads the book has asked, or a test has
		return c
	}
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if s.Within, err = time.ParseDuration(f.Within); err != nil || s.Within <= 0 || s.Within > longestRun {
		say("within: %q is not a time between 0 and %s; it bounds how long a run may take", f.Within, longestRun)
	}
	s.Setup = parseActions("setup", f.Setup, say)
	s.Reset = parseActions("reset", f.Reset, say)
	s.Solution = parseActions("solution", f.Solution, say)
	s.Wrong = parseActions("wrong", f.Wrong, say)
	for _, l := range f.Lines {
		if l.Line == "" || l.Fails == (l.Skip != "") {
			say("lines: %q needs either fails: true or skip: why", l.Line)
		}
		s.Lines = append(s.Lines, Line(l))
	}
	s.Steps = steps(f.Steps, say)
	checkSteps(s.Steps, g, say)
	for _, step := range f.Steps {
		for _, c := range step.Capture {
			s.captures = append(s.captures, c.Name)
		}
	}
	if len(s.Actions()) == 0 {
		say("nothing is run: a step needs a run or an order")
	}
	s.checkPlaces(say)
	for _, a := range f.Asserts {
		for _, lang := range Languages {
			if a.Says[lang] == "" {
				say("asserts: %q lacks what it says in %q", a.Is, lang)
			}
		}
		s.Asserts = append(s.Asserts, Assert{a.Says, a.Is})
	}
	if f.Predict != nil {
		s.Predict = &Prediction{At: f.Predict.At}
		for _, o := range f.Predict.Options {
			s.Predict.Options = append(s.Predict.Options, Option(o))
		}
		if len(s.Predict.Options) < 2 {
			say("predict: a question needs at least two options")
		}
	}
	if len(f.Checkpoint) > 0 {
		s.Check = &Checkpoint{Facts: checkFacts(f.Checkpoint, say), claims: s.claims}
		if len(s.Solution) == 0 {
			say("solution is missing: a checkpoint is one that somebody has passed")
		}
	} else if len(s.Solution)+len(s.Wrong) > 0 {
		say("solution and wrong belong to a checkpoint, and there is none")
	}
	return s, f, compile, errors.Join(wrong...)
}

func checkFacts(list []checkFile, say func(string, ...any)) (facts []CheckFact) {
	traced := func(id string) bool {
		return slices.ContainsFunc(facts, func(f CheckFact) bool { return f.ID == id && f.Fact != "" })
	}
	for _, f := range list {
		here := func(why string) { say("%w", near{"id: " + f.ID, fmt.Errorf("checkpoint %q %s", f.ID, why)}) }
		switch {
		case !idForm.MatchString(f.ID):
			here("is not an id (small letters, digits, hyphens)")
		case slices.ContainsFunc(facts, func(other CheckFact) bool { return other.ID == f.ID }):
			here("is there twice")
		case (f.Fact == "") == (f.Holds == ""):
			here("needs either fact (of the log) or holds (of the cluster)")
		case f.Holds != "" && len(f.Capture) > 0:
			here("captures: only a fact of the log does")
		case f.After != "" && (f.Holds != "" || !traced(f.After)):
			here("comes after " + strconv.Quote(f.After) + ": only a fact of the log does, and after one that stands before it")
		}
		facts = append(facts, CheckFact{f.ID, f.Fact, f.Holds})
	}
	return facts
}

// steps fills in After: a step follows the one before it unless it says
// otherwise.
func steps(in []stepFile, say func(string, ...any)) []Step {
	var out []Step
	for i := range in {
		if in[i].After == "" && i > 0 {
			in[i].After = in[i-1].ID
		}
		do, err := in[i].actionFile.parse()
		if err != nil {
			say("%w", near{"id: " + in[i].ID, fmt.Errorf("step %s: %w", in[i].ID, err)})
		}
		out = append(out, Step{ID: in[i].ID, After: in[i].After, Do: do, Focus: in[i].Focus, Fact: in[i].Fact})
	}
	return out
}

func checkSteps(steps []Step, g *Glossary, say func(string, ...any)) {
	if len(steps) == 0 {
		say("steps: there are none")
	}
	var seen []string
	for _, s := range steps {
		here := func(format string, args ...any) {
			say("%w", near{"id: " + s.ID, fmt.Errorf("step %q "+format, append([]any{s.ID}, args...)...)})
		}
		if !idForm.MatchString(s.ID) {
			here("is not an id (small letters, digits, hyphens)")
		}
		if slices.Contains(seen, s.ID) {
			here("is there twice")
		}
		if s.After != "" && !slices.Contains(seen, s.After) {
			here("comes after %q, which is not a step before it", s.After)
		}
		if t, ok := g.Term(s.Focus); s.Focus != "" && !ok {
			here("focuses on %q, which the glossary does not have", s.Focus)
		} else if ok && t.Lights == "" {
			here("focuses on %q, which has no place on the stage", s.Focus)
		}
		seen = append(seen, s.ID)
	}
}

// checkPlaces refuses an order to what nothing has captured: kubectl's own
// braces are left alone, but no component's name has any.
func (s *Scene) checkPlaces(say func(string, ...any)) {
	for _, step := range s.Steps {
		if step.Do == nil || step.Do.Order == nil {
			continue
		}
		for _, m := range placeForm.FindAllStringSubmatch(step.Do.Order.Of, -1) {
			if !slices.Contains(s.captures, m[1]) {
				say("step %s: order: uses {%s}, which no fact captures", step.ID, m[1])
			}
		}
	}
}

// Cut takes a line apart at the places that a run fills: Place is the name of
// what a fact captures, or ns, and empty where Text stands as it is. Other braces are
// JSONPath's or JSON's.
func (s *Scene) Cut(text string) (out []Piece) {
	begin := 0
	for _, m := range placeForm.FindAllStringSubmatchIndex(text, -1) {
		if name := text[m[2]:m[3]]; slices.Contains(s.captures, name) {
			out = append(out, Piece{Text: text[begin:m[0]]}, Piece{Place: name})
			begin = m[1]
		}
	}
	return append(out, Piece{Text: text[begin:]})
}

// Piece is a part of a line; see Cut.
type Piece struct{ Text, Place string }

// HasStep reports whether the scene has a step with this id.
func (s *Scene) HasStep(id string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool { return step.ID == id })
}

// Has reports whether an option has this id.
func (p *Prediction) Has(id string) bool {
	return slices.ContainsFunc(p.Options, func(o Option) bool { return o.ID == id })
}

// near is a mistake in a file, and words that stand where it is.
type near struct {
	words string
	error
}

func (n near) Unwrap() error { return n.error }

// inFile says of each mistake in which file it is, and on which line where that
// can be found.
func inFile(name string, text []byte, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, inFile(name, text, e))
		}
		return errors.Join(all...)
	}
	var n near
	if errors.As(err, &n) {
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, n.words) {
				return fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
		}
	}
	return fmt.Errorf("%s: %w", name, err)
}
