package content

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
)

// claims are a scene's expressions, compiled. That takes longer than all the rest
// of a chapter, so the built-in book, of which a test has compiled everything,
// compiles those of a scene when it is first played.
type claims struct {
	facts  *factChain
	judges []cel.Program          // of the assertions, in their order
	trace  *factChain             // of the checkpoint; nil when it asks nothing of the log
	holds  map[string]cel.Program // of the checkpoint, by id
}

// compile compiles everything that a scene claims. Its errors name the place.
func (l *languages) compile(s *Scene, f *sceneFile) (*claims, error) {
	c := &claims{holds: map[string]cel.Program{}}
	var wrong []error
	var err error
	if c.facts, err = l.chain(f.Steps); err != nil {
		wrong = append(wrong, err)
	}
	for _, a := range s.Asserts {
		judge, err := l.judge(s, c.facts, a.Is)
		if err != nil {
			wrong = append(wrong, near{a.Says[Languages[0]], fmt.Errorf("asserts: %q: %w", a.Says[Languages[0]], err)})
		}
		c.judges = append(c.judges, judge)
	}
	if s.Predict != nil {
		if err := c.facts.ask(s.Predict); err != nil {
			wrong = append(wrong, near{"predict:", fmt.Errorf("predict: %w", err)})
		}
	}
	var trace []stepFile
	for _, f := range f.Checkpoint {
		if f.Fact != "" {
			step := stepFile{ID: f.ID, After: f.After, Fact: f.Fact, Capture: f.Capture}
			if step.After == "" && len(trace) > 0 {
				step.After = trace[len(trace)-1].ID
			}
			trace = append(trace, step)
			continue
		}
		if c.holds[f.ID], err = compile(l.holds, f.Holds, judgeLimit, worldName); err != nil {
			wrong = append(wrong, near{"id: " + f.ID, fmt.Errorf("checkpoint %s: holds: %w", f.ID, err)})
		}
	}
	if len(trace) > 0 {
		if c.trace, err = l.chain(trace); err != nil {
			wrong = append(wrong, err)
		}
	}
	return c, errors.Join(wrong...)
}
