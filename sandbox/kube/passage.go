//go:build !nosandbox

package kube

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/kubestage/kubestage/watch"
)

// passage is what one request went through inside the apiserver: the spans of
// upstream's OpenTelemetry instrumentation, and what our gates saw where
// upstream has no span. It begins with the span of the first filter, and is
// told when the request is audited.
//
// There is no OpenTelemetry SDK behind the spans. It would give each span an
// identity and send it to a collector, which then would have to put together
// again what was together here: a span in a context points to the passage of
// its request.
type passage struct {
	all     *passages
	auditID types.UID

	mu       sync.Mutex // guards all below: an answer may be given up while its handler still runs
	told     bool       // what comes later is not
	filter   string     // the innermost filter that has begun
	spans    []*span    // in order of their start
	marks    []mark     // in order
	plugins  []pluginCall
	stores   []storeCall
	user     identity
	flow     flow
	access   *access   // of the request itself
	acting   []*access // of acting as somebody else
	revision []string  // etcd's, of all writes
	omitted  int       // what was more than enough
	webhooks int       // mutating ones that were called

	// A copy of the object under mutation, to see which plugin changes it.
	object, before runtime.Object
}

// span is a part of a request that upstream's instrumentation names.
type span struct {
	noop.Span
	of         *passage
	parent     *span
	name       string
	start, end time.Time
}

// mark is a moment that upstream's instrumentation names.
type mark struct {
	name string
	at   time.Time
}

// enough bounds what is kept of one request of each sort: to delete a
// collection of a thousand objects is a thousand times the same.
const enough = 100

// Names of spans, from upstream's source.
const (
	firstFilter = "authentication"        // pkg/server/config.go, DefaultBuildHandlerChain
	encoding    = "SerializeObject"       // pkg/endpoints/handlers/responsewriters/writers.go:94
	etcdPrefix  = "etcdserverpb.KV/"      // otelgrpc names spans after the gRPC method
	webhookCall = "Call mutating webhook" // pkg/admission/plugin/webhook/mutating/dispatcher.go:266
)

// filters begin one after the other and all end at the end. The step that a
// filter is ends when the next begins.
var filters = map[string]string{
	firstFilter:                firstFilter,
	"audit":                    "audit",
	"impersonation":            "impersonation",
	"constrainedimpersonation": "impersonation", // by default since 1.36
	"priorityandfairness":      "priorityandfairness",
	"authorization":            "authorization",
}

// handlers are the spans of pkg/endpoints/handlers.
var handlers = map[string]bool{"Create": true, "Update": true, "Patch": true, "Delete": true, "Get": true, "List": true}

// Names of moments in those.
const (
	bodyRead     = "limitedReadBody succeeded"
	decodeBegun  = "About to convert to expected version"
	decodeEnded  = "Conversion done"
	patchBegun   = "About to apply patch"
	patchEnded   = "About to check admission control"
	optionsKnown = "Decoded delete options"
)

// passages are the requests that are on their way.
type passages struct {
	byID sync.Map // types.UID of the audit: *passage
	out  chan watch.Observation
	stop chan struct{} // closed by close
	done chan struct{} // closed when all is told
}

func newPassages(w *witness) *passages {
	all := &passages{out: make(chan watch.Observation, 1024), stop: make(chan struct{}), done: make(chan struct{})}
	go all.tell(w)
	return all
}

func (all *passages) tell(w *witness) {
	defer close(all.done)
	for {
		select {
		case o := <-all.out:
			w.tell(o)
		case <-all.stop:
			for len(all.out) > 0 {
				w.tell(<-all.out)
			}
			return
		}
	}
}

// close tells what is not told yet. A request that outlives it is not told.
func (all *passages) close() {
	close(all.stop)
	<-all.done
}

func (all *passages) find(id types.UID) *passage {
	if p, ok := all.byID.Load(id); ok {
		return p.(*passage)
	}
	return nil
}

// passageOf returns the passage that a context belongs to, or nil.
func passageOf(ctx context.Context) *passage {
	if s := spanOf(ctx); s != nil {
		return s.of
	}
	return nil
}

func spanOf(ctx context.Context) *span {
	s, _ := trace.SpanFromContext(ctx).(*span)
	return s
}

// followed leaves out health checks, which are not audited, and heartbeats,
// which are leases that are renewed.
func followed(ctx context.Context) bool {
	info, ok := request.RequestInfoFrom(ctx)
	if !ok {
		return false
	}
	if !info.IsResourceRequest {
		return !strings.HasPrefix(info.Path, "/healthz") && !strings.HasPrefix(info.Path, "/livez") && !strings.HasPrefix(info.Path, "/readyz")
	}
	return info.Resource != "leases" || info.Verb != "get" && info.Verb != "update" && info.Verb != "patch"
}

// tracing is the OpenTelemetry provider that the apiserver's servers get.
type tracing struct {
	embedded.TracerProvider
	all *passages
}

func (t tracing) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{all: t.all} }
func (t tracing) Shutdown(context.Context) error                    { return nil }

type tracer struct {
	embedded.Tracer
	all *passages
}

func (t tracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	p := passageOf(ctx)
	switch {
	case p != nil:
	case name == firstFilter && followed(ctx):
		id, _ := audit.AuditIDFrom(ctx)
		p = &passage{all: t.all, auditID: id, spans: make([]*span, 0, 12), plugins: make([]pluginCall, 0, 32)}
		t.all.byID.Store(id, p)
	case trace.SpanContextFromContext(ctx).IsRemote():
		// The client traces, too, and its span has taken the place of ours.
		id, _ := audit.AuditIDFrom(ctx)
		if p = t.all.find(id); p != nil {
			ctx = trace.ContextWithSpan(ctx, &span{of: p})
		}
	}
	if p != nil && name == webhookCall {
		p.add(func() { p.webhooks++ })
	}
	if p == nil || filters[name] == "" && !handlers[name] && name != encoding && !strings.HasPrefix(name, etcdPrefix) {
		return ctx, noop.Span{}
	}
	s := &span{of: p, parent: spanOf(ctx), name: name, start: time.Now()}
	p.add(func() {
		if f := filters[name]; f != "" {
			p.filter = f
		}
		if len(p.spans) < enough {
			p.spans = append(p.spans, s)
		} else {
			p.omitted++
		}
	})
	return trace.ContextWithSpan(ctx, s), s
}

// add changes a passage that is not told yet.
func (p *passage) add(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.told {
		change()
	}
}

func (s *span) End(...trace.SpanEndOption) {
	now := time.Now()
	s.of.add(func() { s.end = now })
	if s.name == firstFilter {
		s.of.all.byID.CompareAndDelete(s.of.auditID, s.of)
	}
}

func (s *span) AddEvent(name string, _ ...trace.EventOption) {
	switch name {
	case bodyRead, decodeBegun, decodeEnded, patchBegun, patchEnded, optionsKnown:
		now := time.Now()
		s.of.add(func() {
			if len(s.of.marks) < enough {
				s.of.marks = append(s.of.marks, mark{name, now})
			}
		})
	}
}

// IsRecording must be true: otelgrpc ends only spans that record.
func (s *span) IsRecording() bool { return true }

func (s *span) TracerProvider() trace.TracerProvider { return tracing{all: s.of.all} }
