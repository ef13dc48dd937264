package cluster

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubestage/kubestage/watch"
)

// change is one notification of a watch. Each is one write in etcd, so each
// was asked for by somebody.
type change struct {
	kind
	verb   string // added, modified or deleted
	quiet  bool   // nobody saw it happen: it is known from a list, and nothing is concluded
	at     time.Time
	before *seen // nil when the object is new
	now    *seen
	fields []metav1.ManagedFieldsEntry // of now
	told   watch.Observation           // the notification itself
	done   func()                      // is called when it was told

	parsed [2]*unstructured.Unstructured // of before and now, when a rule has asked for them
}

// was and is are the object before and after the write. They are empty, never
// nil, when there was none.
func (c *change) was() *unstructured.Unstructured { return c.parse(0, c.before) }
func (c *change) is() *unstructured.Unstructured  { return c.parse(1, c.now) }

func (c *change) parse(i int, s *seen) *unstructured.Unstructured {
	if c.parsed[i] == nil {
		c.parsed[i] = &unstructured.Unstructured{Object: map[string]any{}}
		if s != nil {
			_ = json.Unmarshal(s.value, &c.parsed[i].Object) // value came out of json.Marshal
		}
	}
	return c.parsed[i]
}

func (c *change) pod() bool { return c.Group == "" && c.Resource == "pods" }

// text reads a field of an object; what is not there is "".
func text(o *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, path...)
	return s
}

// number reads a field of an object; what is not there is 0.
func number(o *unstructured.Unstructured, path ...string) int64 {
	n, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	switch n := n.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

// condition returns the reason of a status condition that is True.
func condition(o *unstructured.Unstructured, kind string) (reason string) {
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range all {
		if m, ok := c.(map[string]any); ok && m["type"] == kind && m["status"] == "True" {
			reason, _ = m["reason"].(string)
		}
	}
	return reason
}

// writers are those who, by managedFields, made this write: in most cases
// one, none when the write left no mark, more when they cannot be told apart.
//
// A time of managedFields has whole seconds, and who changes only values of
// fields that were theirs already leaves the very same entry when that second
// has not passed
// (apimachinery/pkg/util/managedfields/internal/managedfieldsupdater.go:43).
// Then the owner of the changed fields is the writer, since whoever changes a
// field owns it from then on.
func (c *change) writers() (found []writer, lost bool) {
	var earlier marks
	if c.before != nil {
		earlier = c.before.marks
	}
	found = c.now.marks.newer(earlier)
	if len(found) > 0 || c.before == nil {
		return found, false
	}
	for _, entry := range c.fields {
		var owned map[string]any
		if entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &owned) != nil {
			continue
		}
		if differs(owned, c.was().Object, c.is().Object) {
			found = append(found, writerOf(entry))
		}
	}
	if len(found) > 0 {
		return found, false
	}
	return c.now.marks.fewer(earlier), true
}

// differs reports whether any field named by a set in the form of FieldsV1
// has another value in b than in a.
func differs(owned map[string]any, a, b any) bool {
	leaf := true
	for step, below := range owned {
		if step == "." {
			continue
		}
		leaf = false
		next, _ := below.(map[string]any)
		if differs(next, take(a, step), take(b, step)) {
			return true
		}
	}
	if !leaf {
		return false
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return !slices.Equal(x, y)
}

// take goes one step of a FieldsV1 path: f:NAME into an object, k:KEYS to the
// item of a list that has these, v:VALUE to that value in a list.
func take(in any, step string) any {
	kind, rest, _ := strings.Cut(step, ":")
	switch kind {
	case "f":
		if m, ok := in.(map[string]any); ok {
			return m[rest]
		}
	case "k", "v":
		var want any
		list, ok := in.([]any)
		if !ok || json.Unmarshal([]byte(rest), &want) != nil {
			return nil
		}
		keys, isMap := want.(map[string]any)
		for _, item := range list {
			if kind == "v" && item == want || isMap && hasKeys(item, keys) {
				return item
			}
		}
	}
	return nil
}

func hasKeys(item any, keys map[string]any) bool {
	m, ok := item.(map[string]any)
	for key, value := range keys {
		// A key that has a default may be named and not be there.
		if there, has := m[key]; has && there != value {
			return false
		}
	}
	return ok
}

// groupOf returns the group of an apiVersion.
func groupOf(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}
