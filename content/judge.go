package content

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/kubestage/kubestage/watch"
)

// judgeLimit ends an assertion that would compare everything with everything: a
// run has some thousand events.
const judgeLimit = 200_000_000

// judge compiles an assertion over a whole run of a scene.
func (l *languages) judge(s *Scene, facts *factChain, expr string) (cel.Program, error) {
	var captured []cel.EnvOption
	for _, f := range facts.facts {
		for _, c := range f.capture {
			captured = append(captured, cel.Variable(c.name, c.kind))
		}
	}
	env, err := l.asserts.Extend(captured...)
	if err != nil {
		return nil, err
	}
	p, err := compile(env, expr, judgeLimit)
	if err != nil {
		return nil, err
	}
	a, _ := env.Compile(expr)
	return p, checkAt(a.NativeRep(), s)
}

// checkAt refuses the number of a step that is none.
func checkAt(a *ast.AST, s *Scene) error {
	var wrong []error
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		step := ""
		switch e.Kind() {
		case ast.SelectKind:
			if of := e.AsSelect().Operand(); of.Kind() == ast.IdentKind && of.AsIdent() == "at" {
				step = e.AsSelect().FieldName()
			}
		case ast.CallKind:
			if args := e.AsCall().Args(); e.AsCall().FunctionName() == "_[_]" && args[0].Kind() == ast.IdentKind && args[0].AsIdent() == "at" {
				if names := words(args[1]); len(names) == 1 {
					step = names[0]
				}
			}
		}
		if step != "" && !s.HasStep(step) {
			wrong = append(wrong, fmt.Errorf("at: %q is not a step", step))
		}
	}))
	return errors.Join(wrong...)
}

// Verdict is what the log of a run says to an assertion.
type Verdict struct {
	Says map[string]string `json:"says"` // by language
	True bool              `json:"true"`
	Why  string            `json:"why,omitempty"` // when it could not be decided
}

// Judge holds the scene's assertions against the events of a run that a trail
// has followed to its end.
func (s *Scene) Judge(t *Trail, events []watch.Event) []Verdict {
	run := make([]any, len(events))
	for i := range events {
		run[i] = fields(&events[i])
	}
	at := map[string]int64{}
	for id, seq := range t.reached {
		at[id] = int64(seq)
	}
	vars := map[string]any{"run": run, "at": at}
	for name, value := range t.captured {
		vars[name] = value
	}
	out := make([]Verdict, len(s.Asserts))
	for i, a := range s.Asserts {
		out[i].Says = a.Says
		value, _, err := s.claims().judges[i].Eval(vars)
		if err != nil {
			out[i].Why = err.Error()
			continue
		}
		out[i].True = value == types.True
	}
	return out
}

// fields is an event as an assertion sees it: every field of docs/events.md is
// there, empty where the event has none.
func fields(e *watch.Event) map[string]any {
	var o watch.Object
	if e.Object != nil {
		o = *e.Object
	}
	causes := make([]any, len(e.Causes))
	for i, c := range e.Causes {
		causes[i] = map[string]any{"seq": int64(c.Seq), "how": c.How}
	}
	detail := map[string]any{}
	if len(e.Detail) > 0 {
		_ = json.Unmarshal(e.Detail, &detail) // the log holds only valid JSON
	}
	return map[string]any{
		"seq": int64(e.Seq), "kind": string(e.Kind), "from": e.From, "to": e.To, "verb": e.Verb, "code": int64(e.Code),
		"start": e.Start, "end": e.End, "revision": e.Revision, "causes": causes, "detail": detail,
		"object": map[string]any{
			"group": o.Group, "version": o.Version, "resource": o.Resource, "subresource": o.Subresource,
			"namespace": o.Namespace, "name": o.Name, "uid": o.UID,
		},
		"evidence": map[string]any{"how": e.Evidence.How, "source": e.Evidence.Source, "id": e.Evidence.ID},
	}
}

// Foreign reports whether an event is of a namespace that is somebody else's:
// other learners' scenes run at the same time, and are no part of this run.
func Foreign(e *watch.Event, others func(ns string) bool) bool {
	if e.Object == nil {
		return false
	}
	return others(e.Object.Namespace) || e.Object.Resource == "namespaces" && others(e.Object.Name)
}
