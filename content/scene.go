package content

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"sigs.k8s.io/yaml"
)

// Scene is the part of a chapter that is not language: what is run, what is
// awaited, what lights.
type Scene struct {
	Command  string // one kubectl command line
	Stdin    string // manifest for -f -, as the learner sees it
	Within   time.Duration
	Reset    Reset
	Steps    []Step
	Predict  *Prediction // nil when nothing is asked
	Check    *Checkpoint // nil when nothing is checked
	facts    *factChain
	resetFor *fact
}

// Reset removes what an earlier run left. The command may find nothing; when it
// did find something, the scene waits for the fact that it is gone.
type Reset struct {
	Command string
	Stdin   string
	Gone    string // CEL, true of the event with which the last of it went
}

// Step is one awaited fact and what to look at meanwhile.
type Step struct {
	ID    string
	After string // the step it follows; its fact is looked for behind that one's event
	Focus string // the term that lights with the step
	Fact  string // CEL
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

// Checkpoint is a chain of facts the learner brings about alone.
type Checkpoint struct {
	Facts []Step
	chain *factChain
}

// The file format. Maps with expressions stay lists here, because order matters.
type sceneFile struct {
	Order   int      `json:"order"`
	Covers  []string `json:"covers"`
	Command string   `json:"command"`
	Stdin   string   `json:"stdin"`
	Within  string   `json:"within"`
	Reset   struct {
		Command string `json:"command"`
		Gone    string `json:"gone"`
	} `json:"reset"`
	Steps   []stepFile `json:"steps"`
	Predict *struct {
		At      string `json:"at"`
		Options []struct {
			ID   string `json:"id"`
			When string `json:"when"`
		} `json:"options"`
	} `json:"predict"`
	Checkpoint []stepFile `json:"checkpoint"`
}

type stepFile struct {
	ID      string        `json:"id"`
	After   string        `json:"after"`
	Focus   string        `json:"focus"`
	Fact    string        `json:"fact"`
	Capture []captureFile `json:"capture"`
}

type captureFile struct {
	Name string `json:"name"`
	Is   string `json:"is"`
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// longestRun bounds `within`: a scene's request is held open that long.
const longestRun = 5 * time.Minute

func parseScene(text []byte, g *Glossary, lang *factLanguage) (*Scene, *sceneFile, error) {
	var f sceneFile
	if err := yaml.UnmarshalStrict(text, &f); err != nil {
		return nil, nil, err
	}
	s := &Scene{Command: f.Command, Stdin: f.Stdin, Reset: Reset{f.Reset.Command, f.Stdin, f.Reset.Gone}}
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if s.Command == "" {
		say("command is missing: what does the Run button run?")
	}
	if s.Stdin != "" {
		if err := checkManifest(s.Stdin); err != nil {
			say("stdin: %w", err)
		}
	}
	var err error
	if s.Within, err = time.ParseDuration(f.Within); err != nil || s.Within <= 0 || s.Within > longestRun {
		say("within: %q is not a time between 0 and %s; it bounds how long a run may take", f.Within, longestRun)
	}
	if (s.Reset.Command == "") != (s.Reset.Gone == "") {
		say("reset needs both a command and the fact (gone) that shows its work is done")
	}
	if s.Reset.Gone != "" {
		if s.resetFor, err = lang.single(s.Reset.Gone); err != nil {
			say("reset.gone: %w", err)
		}
	}

	s.Steps = steps(f.Steps)
	checkSteps("steps", s.Steps, g, say)
	if s.facts, err = lang.chain(f.Steps); err != nil {
		say("steps: %w", err)
	}
	if f.Predict != nil {
		s.Predict = &Prediction{At: f.Predict.At}
		for _, o := range f.Predict.Options {
			s.Predict.Options = append(s.Predict.Options, Option(o))
		}
		if len(s.Predict.Options) < 2 {
			say("predict: a question needs at least two options")
		}
		if s.facts != nil {
			if err := s.facts.ask(s.Predict); err != nil {
				say("predict: %w", err)
			}
		}
	}
	if len(f.Checkpoint) > 0 {
		s.Check = &Checkpoint{Facts: steps(f.Checkpoint)}
		checkSteps("checkpoint", s.Check.Facts, g, say)
		if s.Check.chain, err = lang.chain(f.Checkpoint); err != nil {
			say("checkpoint: %w", err)
		}
	}
	return s, &f, errors.Join(wrong...)
}

// steps fills in After: a step follows the one before it unless it says
// otherwise.
func steps(in []stepFile) []Step {
	var out []Step
	for i := range in {
		if in[i].After == "" && i > 0 {
			in[i].After = in[i-1].ID
		}
		out = append(out, Step{ID: in[i].ID, After: in[i].After, Focus: in[i].Focus, Fact: in[i].Fact})
	}
	return out
}

func checkSteps(what string, steps []Step, g *Glossary, say func(string, ...any)) {
	if len(steps) == 0 {
		say("%s: there are none", what)
	}
	var seen []string
	for _, s := range steps {
		if !idForm.MatchString(s.ID) {
			say("%s: %q is not an id (small letters, digits, hyphens)", what, s.ID)
		}
		if slices.Contains(seen, s.ID) {
			say("%s: %q is there twice", what, s.ID)
		}
		if s.After != "" && !slices.Contains(seen, s.After) {
			say("%s: %q comes after %q, which is not a step before it", what, s.ID, s.After)
		}
		if t, ok := g.Term(s.Focus); s.Focus != "" && !ok {
			say("%s: %q focuses on %q, which the glossary does not have", what, s.ID, s.Focus)
		} else if ok && t.Lights == "" {
			say("%s: %q focuses on %q, which has no place on the stage", what, s.ID, s.Focus)
		}
		seen = append(seen, s.ID)
	}
}

// HasStep reports whether the scene has a step with this id.
func (s *Scene) HasStep(id string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool { return step.ID == id })
}

// Has reports whether an option has this id.
func (p *Prediction) Has(id string) bool {
	return slices.ContainsFunc(p.Options, func(o Option) bool { return o.ID == id })
}
