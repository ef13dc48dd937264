package behaviours

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
)

// language is what expressions are written in.
var language = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		ext.Strings(), ext.Lists(),
		cel.Variable("pod", cel.DynType), cel.Variable("events", cel.ListType(cel.DynType)),
		cel.Variable("saved", cel.DynType), cel.Variable("e", cel.DynType), cel.Variable("here", cel.StringType),
		// The status of a container of any kind.
		cel.Function("container", cel.Overload("container_of", []*cel.Type{cel.DynType, cel.StringType}, cel.DynType, cel.BinaryBinding(container))),
		// The status of a condition: True, False or Unknown; empty when there is none.
		cel.Function("condition", cel.Overload("condition_of", []*cel.Type{cel.DynType, cel.StringType}, cel.StringType, cel.BinaryBinding(condition))),
		// How long it is from one time to another.
		cel.Function("seconds", cel.Overload("seconds_between", []*cel.Type{cel.DynType, cel.DynType}, cel.DoubleType, cel.BinaryBinding(seconds))),
	}
	for name := range kinds {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	return cel.NewEnv(options...)
})

func compile(expression string) (cel.Program, error) {
	env, err := language()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	return env.Program(tree)
}

func container(pod, name ref.Val) ref.Val {
	status := field(pod, "status")
	for _, list := range []string{"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"} {
		found := find(field(status, list), "name", name)
		if found != nil {
			return found
		}
	}
	return types.NewErr("no status of container %v", name.Value())
}

func condition(object, kind ref.Val) ref.Val {
	if found := find(field(field(object, "status"), "conditions"), "type", kind); found != nil {
		return field(found, "status")
	}
	return types.String("")
}

func field(v ref.Val, name string) ref.Val {
	if m, ok := v.(traits.Mapper); ok {
		if inside, ok := m.Find(types.String(name)); ok {
			return inside
		}
	}
	return types.NullValue
}

func find(list ref.Val, key string, want ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return nil
	}
	for it := l.Iterator(); it.HasNext() == types.True; {
		if item := it.Next(); field(item, key).Equal(want) == types.True {
			return item
		}
	}
	return nil
}

func seconds(from, to ref.Val) ref.Val {
	a, err := moment(from)
	if err != nil {
		return types.WrapErr(err)
	}
	b, err := moment(to)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Double(b.Sub(a).Seconds())
}

func moment(v ref.Val) (time.Time, error) {
	if t, ok := v.(types.Timestamp); ok {
		return t.Time, nil
	}
	text, ok := v.Value().(string)
	if !ok {
		return time.Time{}, fmt.Errorf("%v is no time", v.Value())
	}
	return time.Parse(time.RFC3339Nano, text)
}

// holds says whether an expression is true. One that speaks of what is not
// there is not true; the text says why.
func holds(expression cel.Program, about map[string]any) (ok bool, why string, err error) {
	value, _, err := expression.Eval(about)
	if err != nil {
		return false, err.Error(), nil
	}
	truth, ok := value.Value().(bool)
	if !ok {
		return false, "", fmt.Errorf("it is %v, which is neither true nor false", value.Value())
	}
	return truth, fmt.Sprint(truth), nil
}
