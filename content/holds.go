package content

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/kubestage/kubestage/watch"
)

// World is the cluster as it is now: it hands out each object and its value as
// it was last stored. Values of Secrets are in no log and therefore in no world.
type World func(each func(o watch.Object, value json.RawMessage))

// worldLibrary is what an expression over the cluster asks with. A resource is
// its plural, as in "pods", or with its group, as in "ingresses.networking.k8s.io".
//
//	object("pods", "duo")   its value in the learner's namespace; {} when it is not there
//	objects("pods")         all of them in the learner's namespace
//	cluster("nodes")        all of them, wherever they are
//
// CEL binds functions when an expression is compiled, and the world is known when
// it is asked; so these are macros for methods of a variable.
func worldLibrary() []cel.EnvOption {
	text := cel.StringType
	here := func(name string, args int) cel.Macro {
		return cel.GlobalMacro(name, args, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			return eh.NewMemberCall(name, eh.NewIdent(worldName), args...), nil
		})
	}
	method := func(name string, result *cel.Type, args ...*cel.Type) cel.EnvOption {
		signature := append([]*cel.Type{worldType}, args...)
		return cel.Function(name, cel.MemberOverload("world_"+name, signature, result, cel.FunctionBinding(func(v ...ref.Val) ref.Val {
			return v[0].(*asked).answer(name, v[1:])
		})))
	}
	return []cel.EnvOption{
		cel.Macros(here("object", 2), here("objects", 1), here("cluster", 1)),
		cel.Variable(worldName, worldType),
		method("object", cel.DynType, text, text),
		method("objects", cel.ListType(cel.DynType), text),
		method("cluster", cel.ListType(cel.DynType), text),
	}
}

const worldName = "@world"

var worldType = cel.OpaqueType("content.world")

// asked is a world in an expression, with the namespace that is the learner's.
type asked struct {
	world World
	ns    string
}

func (w *asked) answer(what string, args []ref.Val) ref.Val {
	resource, ok := args[0].Value().(string)
	if !ok {
		return types.NewErr("%s(%v): not a resource", what, args[0].Value())
	}
	resource, group, grouped := strings.Cut(resource, ".")
	found := []any{}
	w.world(func(o watch.Object, value json.RawMessage) {
		if o.Resource != resource || grouped && o.Group != group || what != "cluster" && o.Namespace != w.ns ||
			what == "object" && args[1].Equal(types.String(o.Name)) != types.True {
			return
		}
		var object map[string]any
		if json.Unmarshal(value, &object) == nil {
			found = append(found, object)
		}
	})
	switch {
	case what != "object":
		return types.DefaultTypeAdapter.NativeToValue(found)
	case len(found) == 0:
		return types.DefaultTypeAdapter.NativeToValue(map[string]any{})
	}
	return types.DefaultTypeAdapter.NativeToValue(found[0])
}

// What a value of CEL has to be able to do.
func (w *asked) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("a world is no value")
}
func (w *asked) ConvertToType(ref.Type) ref.Val { return types.NewErr("a world is no value") }
func (w *asked) Equal(other ref.Val) ref.Val    { return types.Bool(other == ref.Val(w)) }
func (w *asked) Type() ref.Type                 { return worldType }
func (w *asked) Value() any                     { return w }

// Holding returns the ids of the facts about the cluster that are true.
func (c *Checkpoint) Holding(ns string, world World) (ids []string) {
	for id, p := range c.claims().holds {
		if holds(p, map[string]any{"ns": ns, worldName: &asked{world, ns}}) {
			ids = append(ids, id)
		}
	}
	return ids
}
