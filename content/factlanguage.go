package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"

	"github.com/kubestage/kubestage/watch"
)

// languages compiles what a scene claims. They have the namespace of the learner
// (`ns`) in common, and lists and strings.
//
//   - A fact sees `event`, with the fields of docs/events.md (an empty string
//     where the event has none), `detail`, which depends on the event's kind, and
//     what the facts it comes after have captured.
//   - An assertion sees `run`, every event of a run as a map, `at`, the number of
//     the event of each step, and everything that was captured.
//   - What holds of the cluster is asked with object(RESOURCE, NAME),
//     objects(RESOURCE) and cluster(RESOURCE); see holds.go.
type languages struct{ facts, asserts, holds *cel.Env }

// The field names of docs/events.md, typed, so that a misspelled one is an error
// when the book is loaded and not a fact that is never true.
type eventFields struct {
	Seq      int64          `cel:"seq"`
	Kind     string         `cel:"kind"`
	From     string         `cel:"from"`
	To       string         `cel:"to"`
	Verb     string         `cel:"verb"`
	Code     int64          `cel:"code"`
	Object   objectFields   `cel:"object"`
	Revision string         `cel:"revision"`
	Evidence evidenceFields `cel:"evidence"`
}

type objectFields struct {
	Group       string `cel:"group"`
	Version     string `cel:"version"`
	Resource    string `cel:"resource"`
	Subresource string `cel:"subresource"`
	Namespace   string `cel:"namespace"`
	Name        string `cel:"name"`
	UID         string `cel:"uid"`
}

type evidenceFields struct {
	How    string `cel:"how"`
	Source string `cel:"source"`
	ID     string `cel:"id"`
}

func newLanguages() (*languages, error) {
	common, err := cel.NewEnv(ext.Strings(), ext.Lists(), cel.Variable("ns", cel.StringType))
	if err != nil {
		return nil, fmt.Errorf("prepare the language of scenes: %w", err)
	}
	facts, err1 := common.Extend(
		ext.NativeTypes(reflect.TypeFor[eventFields](), reflect.TypeFor[objectFields](), reflect.TypeFor[evidenceFields](), ext.ParseStructTags(true)),
		cel.Variable("event", cel.ObjectType("content.eventFields")),
		cel.Variable("detail", cel.MapType(cel.StringType, cel.DynType)),
	)
	asserts, err2 := common.Extend(
		cel.Variable("run", cel.ListType(cel.MapType(cel.StringType, cel.DynType))),
		cel.Variable("at", cel.MapType(cel.StringType, cel.IntType)),
	)
	holds, err3 := common.Extend(worldLibrary()...)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("prepare the language of scenes: %w", err)
	}
	return &languages{facts, asserts, holds}, nil
}

// fact is one compiled expression over an event, and what it captures.
type fact struct {
	id      string
	after   string
	is      cel.Program
	capture []capture
	answers []answer // of the prediction this fact decides
}

type capture struct {
	name string
	is   cel.Program
	kind *cel.Type
}

type answer struct {
	option string
	when   cel.Program
}

// factChain is the facts of a scene in order. envs holds, for each fact, what an
// expression that comes after it may use.
type factChain struct {
	facts []*fact
	envs  map[string]*cel.Env
}

func (l *languages) chain(steps []stepFile) (*factChain, error) {
	c := &factChain{envs: map[string]*cel.Env{}}
	var wrong []error
	for _, s := range steps {
		env := l.facts
		here := func(format string, args ...any) {
			wrong = append(wrong, near{"id: " + s.ID, fmt.Errorf("%s: "+format, append([]any{s.ID}, args...)...)})
		}
		if s.After != "" && c.envs[s.After] != nil {
			env = c.envs[s.After]
		}
		f := &fact{id: s.ID, after: s.After}
		var err error
		if f.is, err = compileBool(env, s.Fact); err != nil {
			here("fact: %w", err)
		}
		for _, v := range s.Capture {
			if !nameForm.MatchString(v.Name) {
				here("capture %q is not a name", v.Name)
				continue
			}
			if _, iss := env.Compile(v.Name); iss.Err() == nil || env.HasFunction(v.Name) {
				here("capture %q: the name is taken, by CEL or by an earlier capture", v.Name)
				continue
			}
			a, iss := env.Compile(v.Is)
			if iss.Err() != nil {
				here("capture %s: %w", v.Name, iss.Err())
				continue
			}
			p, err := env.Program(a, cel.CostLimit(costLimit))
			if err != nil {
				here("capture %s: %w", v.Name, err)
				continue
			}
			f.capture = append(f.capture, capture{v.Name, p, a.OutputType()})
		}
		for _, v := range f.capture {
			extended, err := env.Extend(cel.Variable(v.name, v.kind))
			if err != nil {
				here("capture %s: %w", v.name, err)
				continue
			}
			env = extended
		}
		c.envs[s.ID] = env
		c.facts = append(c.facts, f)
	}
	return c, errors.Join(wrong...)
}

// ask attaches a prediction to the fact that decides it.
func (c *factChain) ask(p *Prediction) error {
	i := slices.IndexFunc(c.facts, func(f *fact) bool { return f.id == p.At })
	if i < 0 {
		return fmt.Errorf("it is decided at %q, which is not a step", p.At)
	}
	for _, o := range p.Options {
		when, err := compileBool(c.envs[p.At], o.When)
		if err != nil {
			return fmt.Errorf("option %q: %w", o.ID, err)
		}
		c.facts[i].answers = append(c.facts[i].answers, answer{o.ID, when})
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

// costLimit ends an expression that would walk a large object again and again.
const costLimit = 1_000_000

// compileBool compiles what is true or not of an event.
func compileBool(env *cel.Env, expr string) (cel.Program, error) {
	return compile(env, expr, costLimit, "event")
}

// compile compiles what is true or not. Events are what names stand for, as
// far as actors and kinds are checked; none means any.
func compile(env *cel.Env, expr string, cost uint64, events ...string) (cel.Program, error) {
	if strings.TrimSpace(expr) == "" {
		return nil, errors.New("the expression is missing")
	}
	a, iss := env.Compile(expr)
	if iss.Err() != nil {
		return nil, fmt.Errorf("does not compile: %w", iss.Err())
	}
	if t := a.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("gives a %s where true or false is needed", t)
	}
	if err := checkNames(a.NativeRep(), events); err != nil {
		return nil, err
	}
	return env.Program(a, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(cost))
}

// checkNames refuses a comparison of an event's actor or kind with a word that
// no event can carry: such a fact would wait for ever.
func checkNames(a *ast.AST, events []string) error {
	var wrong []error
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
			return
		}
		switch e.AsCall().FunctionName() {
		case "_==_", "_!=_", "@in":
		default:
			return
		}
		left, right := e.AsCall().Args()[0], e.AsCall().Args()[1]
		for _, pair := range [][2]ast.Expr{{left, right}, {right, left}} {
			field := eventField(pair[0], events)
			for _, word := range words(pair[1]) {
				switch {
				case (field == "from" || field == "to") && !knownActor(word):
					wrong = append(wrong, fmt.Errorf("%q is not an actor", word))
				case field == "kind" && !slices.Contains(kinds, watch.Kind(word)):
					wrong = append(wrong, fmt.Errorf("%q is not a kind of event", word))
				}
			}
		}
	}))
	return errors.Join(wrong...)
}

func eventField(e ast.Expr, events []string) string {
	if e.Kind() != ast.SelectKind {
		return ""
	}
	if of := e.AsSelect().Operand(); of.Kind() != ast.IdentKind || len(events) > 0 && !slices.Contains(events, of.AsIdent()) {
		return ""
	}
	return e.AsSelect().FieldName()
}

// words returns the constant strings of a literal or of a list of literals.
func words(e ast.Expr) (out []string) {
	switch e.Kind() {
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			out = append(out, string(s))
		}
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			out = append(out, words(item)...)
		}
	}
	return out
}

var kinds = []watch.Kind{watch.Request, watch.Etcd, watch.Watch, watch.Schedule, watch.CRI, watch.Probe, watch.Net, watch.Component, watch.Span, watch.Link, watch.Source}

// actorForm is every actor a fact may name: the users of the control plane, the
// learner, and the parts that have no user.
var actorForm = regexp.MustCompile(`^(kubernetes-admin|kube-apiserver|etcd|kubestage|unknown|system:anonymous|kube-controller-manager|kube-scheduler|` +
	`system:(apiserver|kube-scheduler|kube-controller-manager|kube-proxy|node:[a-z0-9.-]+|serviceaccount:[a-z0-9-]+:[a-z0-9-]+)|` +
	`(runtime|kubelet):[a-z0-9.-]+)?$`)

func knownActor(name string) bool { return actorForm.MatchString(name) }

// input makes the variables of a fact from an event. Detail is decoded only when
// an expression reaches for it, which most events are ruled out before.
func input(e *watch.Event, captured map[string]any) map[string]any {
	var o watch.Object
	if e.Object != nil {
		o = *e.Object
	}
	vars := map[string]any{
		"event": &eventFields{
			Seq: int64(e.Seq), Kind: string(e.Kind), From: e.From, To: e.To, Verb: e.Verb, Code: int64(e.Code),
			Object:   objectFields{o.Group, o.Version, o.Resource, o.Subresource, o.Namespace, o.Name, o.UID},
			Revision: e.Revision,
			Evidence: evidenceFields{e.Evidence.How, e.Evidence.Source, e.Evidence.ID},
		},
		"detail": func() any {
			detail := map[string]any{}
			if len(e.Detail) > 0 {
				// The log holds only valid JSON; a detail that is not an object has no fields.
				_ = json.Unmarshal(e.Detail, &detail)
			}
			return detail
		},
	}
	for name, value := range captured {
		vars[name] = value
	}
	return vars
}

// holds reports whether an expression is true of an event. One that asks for a
// field the event does not have is not true of it.
func holds(p cel.Program, vars map[string]any) bool {
	out, _, err := p.Eval(vars)
	return err == nil && out == types.True
}
