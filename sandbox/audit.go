package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/cause"
)

// auditor turns the apiserver's audit log (audit.k8s.io/v1, one JSON object a
// line) into request observations.
//
// A request is told once: when it is answered, or, if the answer goes on (a
// watch, exec, logs -f), when that begins.
type auditor struct {
	mu      sync.Mutex      // guards all below
	begun   map[string]bool // audit IDs of requests that were told at their beginning
	written revisions
	passages
}

func newAuditor() *auditor {
	return &auditor{begun: map[string]bool{}}
}

// auditRecord is what we read of an audit event.
type auditRecord struct {
	Kind    string `json:"kind"`
	AuditID string `json:"auditID"`
	Stage   string `json:"stage"`
	URI     string `json:"requestURI"`
	Verb    string `json:"verb"`
	User    struct {
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	} `json:"user"`
	Impersonated *struct {
		Username string `json:"username"`
	} `json:"impersonatedUser"`
	UserAgent string `json:"userAgent"`
	Ref       *struct {
		Group       string `json:"apiGroup"`
		Version     string `json:"apiVersion"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		UID         string `json:"uid"`
	} `json:"objectRef"`
	Status *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Reason  string `json:"reason"`
	} `json:"responseStatus"`
	Request     json.RawMessage   `json:"requestObject"`
	Response    json.RawMessage   `json:"responseObject"`
	Received    time.Time         `json:"requestReceivedTimestamp"`
	At          time.Time         `json:"stageTimestamp"`
	Annotations map[string]string `json:"annotations"`
}

// requestDetail is the detail of a request event; see docs/events.md.
type requestDetail struct {
	UserAgent string          `json:"userAgent,omitempty"`
	Groups    []string        `json:"groups,omitempty"`
	As        string          `json:"as,omitempty"`
	URI       string          `json:"uri"`
	Decision  string          `json:"decision,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Message   string          `json:"message,omitempty"`
	Request   json.RawMessage `json:"request,omitempty"`
	DryRun    bool            `json:"dryRun,omitempty"`
}

// body is what we read of objects in requests and answers.
type body struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name            string `json:"name"`
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
		Owners          []struct {
			UID string `json:"uid"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Details struct {
		UID string `json:"uid"`
	} `json:"details"` // of a Status
}

// isAudit tells audit events from other lines on the apiserver's stdout.
func isAudit(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`{"kind":"Event","apiVersion":"audit.k8s.io/`))
}

// line returns what an audit event says, nothing when it says nothing new or
// cannot be read.
func (a *auditor) line(line []byte) []watch.Observation {
	var r auditRecord
	if err := json.Unmarshal(line, &r); err != nil {
		return nil
	}
	code := 0
	if r.Status != nil {
		code = r.Status.Code
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.Stage {
	case "ResponseStarted":
		if r.User.Username == "" {
			// Who was not recognised is audited by a filter of its own, and
			// only here (WithFailedAuthenticationAudit).
			return []watch.Observation{a.request(&r, code)}
		}
		if code >= 400 {
			return nil // the record of its end follows, with the reason
		}
		a.begun[r.AuditID] = true
		o := a.request(&r, code)
		o.Start = o.End
		return []watch.Observation{o}
	case "ResponseComplete", "Panic":
		if a.begun[r.AuditID] {
			delete(a.begun, r.AuditID)
			return nil
		}
		return []watch.Observation{a.request(&r, code)}
	}
	return nil
}

// reset forgets what was open, when the apiserver has gone.
func (a *auditor) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.begun)
}

func (a *auditor) request(r *auditRecord, code int) watch.Observation {
	o := watch.Observation{Event: watch.Event{
		Kind: watch.Request, Start: r.Received, End: r.At,
		From: r.User.Username, To: watch.APIServer, Verb: r.Verb, Code: code,
		Evidence: watch.Observed("audit", r.AuditID),
	}}
	if o.From == "" {
		o.From = watch.Unknown
	}
	o.Gives = []watch.Give{{Key: "audit:" + r.AuditID}}
	o.Knows = cause.Ears(r.User.Username, r.UserAgent)
	d := requestDetail{
		UserAgent: r.UserAgent, Groups: r.User.Groups, URI: withoutSecrets(r.URI),
		Decision: r.Annotations["authorization.k8s.io/decision"],
		Reason:   r.Annotations["authorization.k8s.io/reason"],
		DryRun:   dryRun(r.URI),
	}
	if r.Impersonated != nil {
		d.As = r.Impersonated.Username
	}
	if r.Status != nil && code >= 400 {
		d.Message = r.Status.Message
	}
	if ref := r.Ref; ref != nil {
		o.Object = &watch.Object{
			Group: ref.Group, Version: ref.Version, Resource: ref.Resource, Subresource: ref.Subresource,
			Namespace: ref.Namespace, Name: ref.Name, UID: ref.UID,
		}
		if ref.Group == "" && ref.Resource == "namespaces" {
			o.Object.Namespace = "" // the audit log puts a Namespace into itself
		}
		if secretive(o.Object) && (code == 400 || code == 422) && d.Message != "" {
			d.Message = "(not told: it may quote a value)"
		}
		if slices.Contains(writeVerbs, r.Verb) {
			a.write(&o, &d, r, code)
		}
	}
	o.Detail, _ = json.Marshal(d) // RawMessages in it were read from JSON
	// An upgrade's answer is the kubelet's, which names no audit ID.
	linked := onLink(r) && code != http.StatusSwitchingProtocols
	if linked {
		o.Complete = func() bool { _, seen := a.passage(r.AuditID); return seen }
	}
	o.Finish = func(e *watch.Event) { e.Detail = a.travelled(r.AuditID, e.Detail, linked) }
	return o
}

// write adds to an observation what follows from its being a write.
func (a *auditor) write(o *watch.Observation, d *requestDetail, r *auditRecord, code int) {
	var sent, got body
	if !secretive(o.Object) {
		d.Request = r.Request
		if len(r.Response) > 0 {
			_ = json.Unmarshal(r.Response, &got)
		}
	}
	if got.Kind == "Status" {
		got.Metadata.ResourceVersion = ""
		got.Metadata.UID = got.Details.UID
	}
	if stored := strings.Split(r.Annotations[objectAnnotation], ","); len(stored) == 3 {
		m := &got.Metadata
		m.Name, m.UID, m.ResourceVersion = stored[0], stored[1], stored[2]
	}
	obj := o.Object
	// The answer to TokenReviews and the like is no stored object, and the
	// answer to a binding is no answer about the pod.
	if obj.Name = firstOf(obj.Name, got.Metadata.Name); code < 300 && obj.Subresource != "binding" {
		obj.UID = firstOf(obj.UID, got.Metadata.UID)
	}
	if r.Verb == "create" || obj.Name == "" || obj.UID == "" { // else it tells nothing new
		_ = json.Unmarshal(d.Request, &sent) // a patch may be a list; then it tells nothing here
		obj.Name, obj.UID = firstOf(obj.Name, sent.Metadata.Name), firstOf(obj.UID, sent.Metadata.UID)
	}

	switch {
	case obj.Resource == "pods" && obj.Subresource == "binding":
		o.Needs = append(o.Needs, watch.Need{Key: "sched:" + obj.UID, Wait: true})
	case r.Verb == "create":
		for _, owner := range sent.Metadata.Owners {
			// A controller that has seen its owner has seen a revision; on a
			// busy machine its request may overtake that revision's report.
			o.Needs = append(o.Needs, watch.Need{Key: "obj:" + owner.UID, Wait: true})
		}
	}

	if d.DryRun || !stores(obj) {
		return
	}
	if told := r.Annotations[revisionsAnnotation]; told != "" {
		for _, rev := range strings.Split(told, ",") {
			o.Gives = append(o.Gives, watch.Give{Key: "rv:" + rev})
			o.Revision = rev
		}
	}
	// The object's revision may be that of an earlier write, when this one
	// changed nothing. Only a lease that is renewed passes no gate, and its
	// answer is all there is.
	if rv := got.Metadata.ResourceVersion; rv != "" && code < 300 && r.Verb != "deletecollection" {
		o.Revision = rv
		if obj.Resource == "leases" && len(o.Gives) == 1 && a.written.first(rv) {
			o.Gives = append(o.Gives, watch.Give{Key: "rv:" + rv})
		}
	}
}

// What the apiserver's gates tell of a request's writes (sandbox/kube/gates.go):
// the revisions that etcd gave to them, and the object's name, uid and
// resourceVersion. To delete a Pod at once is two writes, to delete a
// collection as many as it had objects: no answer tells of all.
const (
	revisionsAnnotation = "kubestage.io/revisions"
	objectAnnotation    = "kubestage.io/object"
)

// secretive reports objects of which no body may be told, whatever the audit
// policy lets through.
func secretive(o *watch.Object) bool {
	switch o.Resource {
	case "secrets":
		return o.Group == ""
	case "serviceaccounts":
		return o.Subresource == "token"
	case "tokenreviews":
		return true
	}
	return false
}

// stores reports whether a successful write to the object ends in etcd. Some
// resources are questions, and some subresources are connections.
func stores(o *watch.Object) bool {
	switch o.Group {
	case "authentication.k8s.io", "authorization.k8s.io":
		return false
	}
	switch o.Subresource {
	case "exec", "attach", "portforward", "proxy", "log", "token":
		return false
	}
	return true
}

func dryRun(uri string) bool {
	_, query, _ := strings.Cut(uri, "?")
	q, _ := url.ParseQuery(query)
	return len(q["dryRun"]) > 0
}

// withoutSecrets hides bearer tokens that a websocket client put into the
// address, as browsers must.
func withoutSecrets(uri string) string {
	path, query, ok := strings.Cut(uri, "?")
	if !ok || !strings.Contains(strings.ToLower(query), "token") {
		return uri
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return path
	}
	for key := range q {
		if strings.Contains(strings.ToLower(key), "token") {
			q[key] = []string{"hidden"}
		}
	}
	return path + "?" + q.Encode()
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// passed takes what a link saw of a request. The apiserver's record of the
// same request may come before or after it.
func (a *auditor) passed(id string, p passage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(id, p)
}

// onLink tells who certainly has a link. The apiserver as a client of itself has
// none, nor have the programs in pods, which use a service account, and who was
// not recognised may be anybody.
func onLink(r *auditRecord) bool {
	return r.User.Username != "" && r.User.Username != "system:apiserver" &&
		(!strings.HasPrefix(r.User.Username, "system:serviceaccount:") || strings.HasPrefix(r.UserAgent, "kube-controller-manager/"))
}

func (a *auditor) passage(id string) (p passage, seen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, seen = a.byID[id]
	return p, seen
}

// travelled adds to a request's detail when it was on a link, or that its link
// has not seen an answer to it, as when its client had hung up before.
func (a *auditor) travelled(id string, detail json.RawMessage, linked bool) json.RawMessage {
	p, ok := a.passage(id)
	switch {
	case !ok && !linked:
		return detail
	case !ok:
		return append(detail[:len(detail)-1], `,"unseen":true}`...)
	}
	seen, _ := json.Marshal(struct {
		Link  string    `json:"link"`
		Sent  time.Time `json:"sent"`
		Heard time.Time `json:"heard"`
	}{p.link, p.sent, p.heard})
	return append(append(detail[:len(detail)-1], ','), seen[1:]...) // two JSON objects become one
}

// passages remembers the last few thousand.
type passages struct {
	byID map[string]passage
	ids  [4096]string
	next int
}

func (p *passages) keep(id string, is passage) {
	if p.byID == nil {
		p.byID = map[string]passage{}
	}
	delete(p.byID, p.ids[p.next])
	p.ids[p.next], p.byID[id] = id, is
	p.next = (p.next + 1) % len(p.ids)
}

// revisions remembers the last few thousand revisions it was asked about.
type revisions struct {
	seen map[string]bool
	ring [4096]string
	next int
}

func (r *revisions) first(rv string) bool {
	if r.seen[rv] {
		return false
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next], r.seen[rv] = rv, true
	r.next = (r.next + 1) % len(r.ring)
	return true
}
