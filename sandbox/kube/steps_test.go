//go:build !nosandbox

package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
)

// An update that lost against another writer goes through admission again, and
// only its last try is a write. What failed on the way of a request that went
// well has refused nothing.
func TestStepsOfARetry(t *testing.T) {
	t0 := time.Now().Truncate(time.Microsecond)
	at := func(us int) time.Time { return t0.Add(time.Duration(us) * time.Microsecond) }
	p := &passage{auditID: "a", omitted: 3}
	filter := func(name string, start int) {
		p.spans = append(p.spans, &span{of: p, name: name, start: at(start), end: at(99)})
	}
	for i, name := range []string{firstFilter, "audit", "constrainedimpersonation", "priorityandfairness", "authorization"} {
		filter(name, i+1)
	}
	p.access = &access{Decision: "allow", at: at(7)}
	p.spans = append(p.spans, &span{of: p, name: "Patch", start: at(8), end: at(90)})
	p.marks = []mark{{bodyRead, at(10)}, {patchBegun, at(12)}, {patchEnded, at(14)}, {patchBegun, at(42)}, {patchEnded, at(44)}}
	work := &span{of: p}
	for _, start := range []int{15, 45} {
		p.plugins = append(p.plugins,
			pluginCall{phase: "mutating", name: "A", operation: admission.Update, start: at(start), end: at(start + 1), changed: []string{"spec.a"}},
			pluginCall{phase: "mutating", name: "B", operation: admission.Update, start: at(start + 1), end: at(start + 2)},
			pluginCall{phase: "validating", name: "B", operation: admission.Update, start: at(start + 5), end: at(start + 6)})
		p.spans = append(p.spans, &span{of: p, parent: work, name: etcdPrefix + "Txn", start: at(start + 10), end: at(start + 20)})
	}
	p.stores = []storeCall{
		{op: "get", key: "/registry/gone", start: at(9), end: at(10), refused: "not found"},
		{span: work, op: "update", key: "/registry/x", start: at(11), end: at(70), revision: "7", wrote: true, name: "x", uid: "u"},
	}
	p.revision = []string{"7"}
	p.spans = append(p.spans, &span{of: p, name: encoding, start: at(80), end: at(200)})

	e := &auditinternal.Event{
		AuditID: "a", RequestReceivedTimestamp: metav1.NewMicroTime(t0), StageTimestamp: metav1.NewMicroTime(at(100)),
		ObjectRef: &auditinternal.ObjectReference{Resource: "things", Name: "x"}, ResponseStatus: &metav1.Status{Code: 200},
	}
	o := p.observation(e)
	if o.Object.UID != "u" || !o.Start.Equal(t0) || !o.End.Equal(at(100)) || !strings.Contains(string(o.Detail), `"omitted":3`) {
		t.Errorf("%+v %s", o.Event, o.Detail)
	}
	c := course{passage: p, begin: t0, end: at(100), code: 200}
	var got []string
	for _, s := range c.steps(e) {
		text := fmt.Sprintf("%s %d-%d", s.Step, s.Start/1000, s.End/1000)
		if s.Refused {
			text += "!"
		}
		if a := s.Attributes; a != nil && a.Revision != "" {
			text += " @" + a.Revision
		}
		got = append(got, text)
	}
	want := []string{
		"authentication 1-2", "audit 2-3", "impersonation 3-4", "priorityandfairness 4-5", "authorization 5-7", "read 8-10", "cache 9-10",
		"patch 12-14", "mutating 15-17", "validation 17-20", "validating 20-21", "etcd 25-35",
		"patch 42-44", "mutating 45-47", "validation 47-50", "validating 50-51", "etcd 55-65 @7", "response 80-100",
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	p.annotate(e)
	if e.Annotations[revisionsAnnotation] != "7" || e.Annotations[objectAnnotation] != "x,u,7" {
		t.Errorf("annotations %v", e.Annotations)
	}
}

// What is done at once is told apart.
func TestStepsOfACollection(t *testing.T) {
	t0 := time.Now()
	p := &passage{}
	for i, key := range []string{"/registry/a", "/registry/b"} {
		work := &span{of: p}
		p.spans = append(p.spans, &span{of: p, parent: work, name: etcdPrefix + "Txn", start: t0.Add(time.Duration(9 - i)), end: t0.Add(20)})
		p.stores = append(p.stores, storeCall{span: work, op: "delete", key: key, start: t0, end: t0.Add(30), revision: key[len(key)-1:], wrote: true})
	}
	p.stores = append(p.stores, storeCall{span: &span{of: p}, op: "list", key: "/registry", start: t0, end: t0.Add(30)})
	c := course{passage: p, begin: t0, end: t0.Add(40), code: 200}
	c.storing()
	var got []string
	for _, s := range c.made {
		got = append(got, fmt.Sprint(s.Step, s.Start, " ", s.Attributes.Op, s.Attributes.Key, s.Attributes.Revision))
	}
	if want := "[cache0 list/registry etcd9 delete/registry/aa etcd8 delete/registry/bb]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a Secret's request was refused with may quote it.
func TestStepsHideSecrets(t *testing.T) {
	p := &passage{plugins: []pluginCall{{phase: "mutating", name: "A", refused: "open-sesame is too short"}}, stores: []storeCall{{op: "get", key: "/registry/secrets/a/b", refused: "open-sesame"}}}
	e := &auditinternal.Event{ObjectRef: &auditinternal.ObjectReference{Resource: "secrets"}, ResponseStatus: &metav1.Status{Code: 403}}
	if o := p.observation(e); strings.Contains(string(o.Detail), "sesame") || !strings.Contains(string(o.Detail), `"refused":true`) {
		t.Errorf("%s", o.Detail)
	}
}
