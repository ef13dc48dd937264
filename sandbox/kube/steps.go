//go:build !nosandbox

package kube

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/admission"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"

	"github.com/kubestage/kubestage/watch"
)

// spanStep is one thing that happened to a request on its way; docs/events.md
// says what the fields mean. Times are nanoseconds after the event's start.
type spanStep struct {
	Step       string      `json:"step"`
	Start      int64       `json:"start"`
	End        int64       `json:"end"`
	Source     string      `json:"source"`
	Refused    bool        `json:"refused,omitempty"`
	Merged     []string    `json:"merged,omitempty"`
	Attributes *attributes `json:"attributes,omitempty"`
}

// attributes are the facts of a step; which there are depends on the step.
type attributes struct {
	// authentication
	User   string `json:"user,omitempty"`
	Method string `json:"method,omitempty"`
	Pod    string `json:"pod,omitempty"`
	Node   string `json:"node,omitempty"`
	// audit
	Level string `json:"level,omitempty"`
	// impersonation
	As       string    `json:"as,omitempty"`
	AsGroups []string  `json:"asGroups,omitempty"`
	Checks   []*access `json:"checks,omitempty"`
	// priorityandfairness
	FlowSchema    string `json:"flowSchema,omitempty"`
	PriorityLevel string `json:"priorityLevel,omitempty"`
	Seats         uint64 `json:"seats,omitempty"`
	Queued        int64  `json:"queued,omitempty"`
	// authorization
	*access
	// mutating, validating
	Plugins []plugin `json:"plugins,omitempty"`
	// etcd, cache, unchanged
	Call     string `json:"call,omitempty"`
	Op       string `json:"op,omitempty"`
	Key      string `json:"key,omitempty"`
	Revision string `json:"revision,omitempty"`
	// of whatever refused
	Message string `json:"message,omitempty"`
}

type plugin struct {
	Plugin  string   `json:"plugin"`
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Changed []string `json:"changed,omitempty"`
	Refused string   `json:"refused,omitempty"`
}

type spanDetail struct {
	AuditID string     `json:"auditID"`
	Steps   []spanStep `json:"steps"`
	Omitted int        `json:"omitted,omitempty"`
}

const (
	byOtel = "otel"      // an OpenTelemetry span or event of upstream's
	byGate = "apiserver" // a gate of ours in the apiserver
)

// observation tells a passage, with what the audit knows of the request.
func (p *passage) observation(e *auditinternal.Event) watch.Observation {
	c := course{
		passage: p, secret: secretive(e.ObjectRef),
		// As the audit log writes them.
		begin: e.RequestReceivedTimestamp.Time.Truncate(time.Microsecond), end: e.StageTimestamp.Time.Truncate(time.Microsecond),
	}
	if e.ResponseStatus != nil {
		c.code = int(e.ResponseStatus.Code)
	}
	steps := c.steps(e)
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.Span, Start: c.begin, End: c.end, From: watch.APIServer, To: watch.APIServer,
			Verb: "request", Code: c.code, Object: p.about(e.ObjectRef),
			Evidence: watch.Observed(byOtel, string(e.AuditID)),
			Detail:   detail(spanDetail{string(e.AuditID), steps, p.omitted}),
		},
		Needs: []watch.Need{{Key: "audit:" + string(e.AuditID), How: watch.ByAuditID, Wait: true}},
	}
	return o
}

// secretive reports objects of which not even an error message is told: it
// may quote what was refused.
func secretive(ref *auditinternal.ObjectReference) bool {
	return ref != nil && (ref.Resource == "secrets" || ref.Resource == "tokenreviews" || ref.Subresource == "token")
}

// about names the object of a request. A new object may have got its name and
// its uid only when it was stored.
func (p *passage) about(ref *auditinternal.ObjectReference) *watch.Object {
	if ref == nil {
		return nil
	}
	o := &watch.Object{
		Group: ref.APIGroup, Version: ref.APIVersion, Resource: ref.Resource, Subresource: ref.Subresource,
		Namespace: ref.Namespace, Name: ref.Name, UID: string(ref.UID),
	}
	if ref.APIGroup == "" && ref.Resource == "namespaces" {
		o.Namespace = "" // the audit log puts a Namespace into itself
	}
	if s := p.ofObject(ref); s != nil {
		o.Name = s.name
		if o.UID == "" {
			o.UID = s.uid
		}
	}
	return o
}

// course puts the steps of a passage into their order.
type course struct {
	*passage
	begin, end time.Time
	code       int
	secret     bool // messages are not told
	made       []spanStep
}

func (c *course) steps(e *auditinternal.Event) []spanStep {
	c.made = make([]spanStep, 0, 16)
	answer := c.answer()
	c.filters(e, answer)
	c.decoding(answer)
	c.admission(answer)
	c.storing()
	if !answer.IsZero() {
		if last := c.last(encoding); last != nil {
			c.add("response", last.start, c.ended(last), byOtel, nil)
		}
	}
	slices.SortStableFunc(c.made, func(a, b spanStep) int {
		if a.Start != b.Start {
			return int(a.Start - b.Start)
		}
		return int(b.End - a.End) // what holds another comes first
	})
	return c.made
}

// answer is when the answer began to be written, if it is an object.
func (c *course) answer() time.Time {
	if last := c.last(encoding); last != nil {
		return last.start
	}
	return time.Time{}
}

func (c *course) last(name string) *span {
	for _, s := range slices.Backward(c.spans) {
		if s.name == name {
			return s
		}
	}
	return nil
}

// ended is when a span ended, or now for one that has not.
func (c *course) ended(s *span) time.Time {
	if s.end.IsZero() {
		return c.end
	}
	return s.end
}

func (c *course) add(name string, start, end time.Time, source string, a *attributes) *spanStep {
	if end.IsZero() || end.After(c.end) {
		end = c.end
	}
	s := spanStep{Step: name, Start: c.at(start), End: c.at(end), Source: source, Attributes: a}
	s.Start = min(s.Start, c.at(c.end))
	s.End = max(s.End, s.Start)
	c.made = append(c.made, s)
	return &c.made[len(c.made)-1]
}

// refused reports whether a failure is what turned the request back. Not all
// are: to see whether a name is free, the storage is asked for it.
func (c *course) refused(failed bool) bool { return failed && c.code >= 400 }

func (c *course) at(t time.Time) int64 { return max(0, t.Sub(c.begin).Nanoseconds()) }

// filters are the steps before the handler. Each ends when the next begins,
// and the last when the authorizers have decided, or with its refusal.
func (c *course) filters(e *auditinternal.Event, answer time.Time) {
	var passed []*span
	for _, s := range c.spans {
		if filters[s.name] != "" {
			passed = append(passed, s)
		}
	}
	for i, s := range passed {
		name := filters[s.name]
		var end time.Time
		switch {
		case i+1 < len(passed):
			end = passed[i+1].start
		case name == "authorization" && c.access != nil:
			end = c.access.at
		default:
			end = answer
		}
		a := &attributes{}
		refused := false
		switch name {
		case "authentication":
			u := c.user
			a.User, a.Method, a.Pod, a.Node = u.name, u.method, u.pod, u.node
			refused = u.name == ""
		case "audit":
			a.Level = string(e.Level)
		case "impersonation":
			refused = i+1 == len(passed)
			a.Checks = c.acting
			if u := e.ImpersonatedUser; u != nil {
				a.As, a.AsGroups = u.Username, u.Groups
			} else if len(c.acting) == 0 {
				a = nil
			}
		case "priorityandfairness":
			f := c.flow
			a.FlowSchema, a.PriorityLevel, a.Seats, a.Queued = f.schema, f.level, f.seats, f.waited.Nanoseconds()
			refused = f.refused
			if f.schema == "" { // of exec and the like nothing is asked
				a = nil
			}
		case "authorization":
			a.access = c.access
			refused = c.access != nil && c.access.Decision != "allow"
		}
		c.add(name, s.start, end, byOtel, a).Refused = c.refused(refused)
	}
}

// decoding are the steps between the wire and an object.
func (c *course) decoding(answer time.Time) {
	if h := c.handler(); h != nil {
		if read := c.mark(bodyRead, h.start); !read.IsZero() {
			c.add("read", h.start, read, byOtel, nil)
		}
	}
	for _, m := range c.marks {
		switch m.name {
		case decodeBegun:
			c.decoded("decode", m.at, decodeEnded, answer, "decode", "conversion", "defaulting")
		case patchBegun:
			c.decoded("patch", m.at, patchEnded, answer, "patch", "decode", "conversion", "defaulting")
		case optionsKnown:
			if read := c.mark(bodyRead, c.begin); !read.IsZero() {
				c.add("decode", read, m.at, byOtel, nil)
			}
		}
	}
}

func (c *course) decoded(name string, start time.Time, until string, answer time.Time, merged ...string) {
	end := c.mark(until, start)
	refused := end.IsZero() && c.code >= 400
	if refused {
		end = answer
	}
	s := c.add(name, start, end, byOtel, nil)
	s.Merged, s.Refused = merged, refused
}

func (c *course) handler() *span {
	for _, s := range c.spans {
		if handlers[s.name] {
			return s
		}
	}
	return nil
}

// mark returns when the first moment of a name was, not before another time.
func (c *course) mark(name string, after time.Time) time.Time {
	for _, m := range c.marks {
		if m.name == name && !m.at.Before(after) {
			return m.at
		}
	}
	return time.Time{}
}

// admission are the two phases of admission, as often as they were gone
// through, and validation, which is what lies between them.
func (c *course) admission(answer time.Time) {
	var mutated time.Time // when the last mutating phase ended without a validating one after it
	for calls := c.plugins; len(calls) > 0; {
		n := 1
		for n < len(calls) && calls[n].phase == calls[0].phase {
			n++
		}
		run := calls[:n]
		calls = calls[n:]
		begin, end := run[0].start, run[n-1].end
		validated := run[0].operation == admission.Create || run[0].operation == admission.Update
		if run[0].phase == "validating" && validated && !mutated.IsZero() {
			c.validation(mutated, begin)
		}
		a := &attributes{}
		refused := false
		for _, call := range run {
			p := plugin{Plugin: call.name, Start: c.at(call.start), End: c.at(call.end), Changed: call.changed, Refused: c.message(call.refused)}
			refused = refused || call.refused != ""
			a.Plugins = append(a.Plugins, p)
		}
		c.add(run[0].phase, begin, end, byGate, a).Refused = refused
		mutated = time.Time{}
		if run[0].phase == "mutating" && validated && !refused {
			mutated = end
		}
	}
	if !mutated.IsZero() && c.code == 422 {
		c.validation(mutated, answer).Refused = true
	}
}

// validation has no span and no seam of its own: it is part of what a registry
// does between the two phases of admission (pkg/registry/generic/registry/store.go,
// create and Update).
func (c *course) validation(start, end time.Time) *spanStep {
	s := c.add("validation", start, end, byGate, nil)
	s.Merged = []string{"prepare", "validation", "canonicalize"}
	return s
}

func (c *course) message(text string) string {
	if c.secret && text != "" {
		return "(not told)"
	}
	return text
}

// storing are the calls to etcd, and what the storage answered without one. A
// call knows what it is part of by its parent: of a collection many objects are
// deleted at once. Of several tries the last has the outcome.
func (c *course) storing() {
	var calls []*span
	last := map[*span]*span{} // by parent
	for _, s := range c.spans {
		if strings.HasPrefix(s.name, etcdPrefix) {
			calls = append(calls, s)
			last[s.parent] = s
		}
	}
	facts := map[*span]*attributes{}
	for _, s := range c.stores {
		a := &attributes{Op: s.op, Key: s.key, Revision: s.revision, Message: c.message(s.refused)}
		last := last[s.span]
		write := s.op == "create" || s.op == "update" || s.op == "delete"
		switch {
		case last != nil && (!write || s.wrote || s.refused != ""):
			facts[last] = a
		case s.refused != "" && write:
			// Somebody before the storage has refused, and says so itself.
		case s.wrote: // with a call that was more than enough
			c.add("etcd", s.start, s.end, byGate, a)
		case write:
			c.add("unchanged", s.start, s.end, byGate, a)
		default:
			c.add("cache", s.start, s.end, byGate, a).Refused = c.refused(s.refused != "")
		}
	}
	for _, call := range calls {
		a := facts[call]
		if a == nil {
			a = &attributes{}
		}
		a.Call = strings.TrimPrefix(call.name, etcdPrefix)
		c.add("etcd", call.start, c.ended(call), byOtel, a).Refused = c.refused(a.Message != "")
	}
}
