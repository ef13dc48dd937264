//go:build !nosandbox

package kube

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/mutating"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	fairqueuing "k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing"
	flowcontrolrequest "k8s.io/apiserver/pkg/util/flowcontrol/request"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// The gates are put around what a request passes. None of them changes what
// is decided; each writes what it saw into the passage of the request.

// identity is who a request is from, and how that is known.
type identity struct {
	name, method, pod, node string
}

// authenticationGate sees who was recognised, and by what.
type authenticationGate struct{ authenticator.Request }

func (g authenticationGate) AuthenticateRequest(r *http.Request) (*authenticator.Response, bool, error) {
	response, ok, err := g.Request.AuthenticateRequest(r)
	if p := passageOf(r.Context()); p != nil && ok && response != nil {
		u := response.User
		who := identity{
			name: u.GetName(), method: "token",
			pod: first(u.GetExtra()[serviceaccount.PodNameKey]), node: first(u.GetExtra()[serviceaccount.NodeNameKey]),
		}
		// Authenticators do not say which of them it was, but leave the
		// credential's ID (x509.go:298, serviceaccount/util.go:150).
		switch credential := first(u.GetExtra()[user.CredentialIDKey]); {
		case u.GetName() == user.Anonymous:
			who.method = "anonymous"
		case strings.HasPrefix(credential, "X509SHA256="):
			who.method = "certificate"
		case strings.HasPrefix(credential, "JTI="):
			who.method = "serviceAccountToken"
		}
		p.add(func() { p.user = who })
	}
	return response, ok, err
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// flow is how priority and fairness sorted a request.
type flow struct {
	schema, level string
	seats         uint64
	queued        time.Time
	waited        time.Duration
	refused       bool
}

// flowGate sees to which priority level a request was assigned, and whether it
// waited there.
type flowGate struct{ flowcontrol.Interface }

func (g flowGate) Handle(ctx context.Context, digest flowcontrol.RequestDigest,
	note func(*flowcontrolv1.FlowSchema, *flowcontrolv1.PriorityLevelConfiguration, string),
	estimate func() flowcontrolrequest.WorkEstimate, queue fairqueuing.QueueNoteFn, execute func(),
) {
	p := passageOf(ctx)
	if p == nil {
		g.Interface.Handle(ctx, digest, note, estimate, queue, execute)
		return
	}
	p.add(func() { p.flow.refused = true }) // until it is executed
	g.Interface.Handle(ctx, digest,
		func(s *flowcontrolv1.FlowSchema, l *flowcontrolv1.PriorityLevelConfiguration, distinguisher string) {
			p.add(func() { p.flow.schema, p.flow.level = s.Name, l.Name })
			note(s, l, distinguisher)
		},
		func() flowcontrolrequest.WorkEstimate {
			e := estimate()
			p.add(func() { p.flow.seats = e.InitialSeats })
			return e
		},
		func(inQueue bool) {
			now := time.Now()
			p.add(func() {
				if inQueue {
					p.flow.queued = now
				} else {
					p.flow.waited = now.Sub(p.flow.queued)
				}
			})
			queue(inQueue)
		},
		func() {
			p.add(func() { p.flow.refused = false })
			execute()
		})
}

// access is a question to the authorizers and their answer.
type access struct {
	// What was asked, where it is not the request itself.
	Verb     string `json:"verb,omitempty"`
	Resource string `json:"resource,omitempty"`
	Name     string `json:"name,omitempty"`

	Decision   string `json:"decision"`             // allow or forbid
	Authorizer string `json:"authorizer,omitempty"` // that allowed it
	Reason     string `json:"reason,omitempty"`
	Binding    *named `json:"binding,omitempty"`
	Role       *named `json:"role,omitempty"`
	Subject    *named `json:"subject,omitempty"` // of the binding
	Rule       *rule  `json:"rule,omitempty"`    // of the role

	at time.Time
}

// named is an object of RBAC.
type named struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

type rule struct {
	Verbs           []string `json:"verbs"`
	APIGroups       []string `json:"apiGroups,omitempty"`
	Resources       []string `json:"resources,omitempty"`
	ResourceNames   []string `json:"resourceNames,omitempty"`
	NonResourceURLs []string `json:"nonResourceURLs,omitempty"`
}

// authorizationGate sees what was decided, and by which rule.
type authorizationGate struct {
	authorizer.Authorizer
	roles        rbaclisters.RoleLister
	clusterRoles rbaclisters.ClusterRoleLister
}

func (g authorizationGate) Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	decision, reason, err := g.Authorizer.Authorize(ctx, a)
	p := passageOf(ctx)
	if p == nil {
		return decision, reason, err
	}
	p.mu.Lock()
	filter, own := p.filter, p.access == nil
	p.mu.Unlock()
	switch {
	case filter == "authorization" && own:
		made := g.access(decision, reason, a)
		p.add(func() { p.access = made })
	case filter == "impersonation":
		made := g.access(decision, reason, a)
		made.Verb, made.Resource, made.Name = a.GetVerb(), a.GetResource(), a.GetName()
		p.add(func() { p.acting = append(p.acting, made) })
	}
	return decision, reason, err // other questions are those of handlers and plugins
}

func (g authorizationGate) access(decision authorizer.Decision, reason string, a authorizer.Attributes) *access {
	made := &access{Decision: "forbid", Reason: reason, at: time.Now()}
	if decision != authorizer.DecisionAllow {
		return made
	}
	made.Decision = "allow"
	binding, role, subject, ok := allowedBy(reason)
	switch {
	case ok:
		made.Authorizer, made.Binding, made.Role, made.Subject = "RBAC", binding, role, subject
		made.Reason = "" // it says the same, and is in the request's detail
		made.Rule = g.rule(binding, role, a)
	case slices.Contains(a.GetUser().GetGroups(), user.SystemPrivilegedGroup):
		made.Authorizer = user.SystemPrivilegedGroup // asked before all others (kubeapiserver/authorizer/reload.go:91)
	default:
		made.Authorizer = "Node" // RBAC always has a reason, and there are no others
	}
	return made
}

// allowedBy takes RBAC's reason apart, which is all that it tells:
//
//	RBAC: allowed by RoleBinding "NAME/NAMESPACE" of Role "NAME" to User "NAME"
//
// (plugin/pkg/auth/authorizer/rbac/rbac.go:66, registry/rbac/validation/rule.go:139).
func allowedBy(reason string) (binding, role, subject *named, ok bool) {
	text, ok := strings.CutPrefix(reason, "RBAC: allowed by ")
	if !ok {
		return nil, nil, nil, false
	}
	next := func(separator string) *named {
		kind, rest, _ := strings.Cut(text, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			ok = false
			return nil
		}
		name, _ := strconv.Unquote(quoted)
		text = strings.TrimPrefix(rest[len(quoted):], separator)
		return &named{Kind: kind, Name: name}
	}
	if binding = next(" of "); ok {
		if role = next(" to "); ok {
			subject = next("")
		}
	}
	if !ok {
		return nil, nil, nil, false
	}
	if binding.Kind == "RoleBinding" {
		binding.Name, binding.Namespace, _ = strings.Cut(binding.Name, "/")
		if role.Kind == "Role" {
			role.Namespace = binding.Namespace
		}
	}
	if subject.Kind == rbacv1.ServiceAccountKind {
		subject.Name, subject.Namespace, _ = strings.Cut(subject.Name, "/")
	}
	return binding, role, subject, true
}

// rule finds the rule of a role that allowed a request: the first that does,
// as the authorizer looks at them in this order, in the same cache.
func (g authorizationGate) rule(binding, role *named, a authorizer.Attributes) *rule {
	var rules []rbacv1.PolicyRule
	if role.Kind == "Role" {
		if r, err := g.roles.Roles(binding.Namespace).Get(role.Name); err == nil {
			rules = r.Rules
		}
	} else if r, err := g.clusterRoles.Get(role.Name); err == nil {
		rules = r.Rules
	}
	for i := range rules {
		if r := &rules[i]; rbac.RuleAllows(a, r) {
			return &rule{r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs}
		}
	}
	return nil
}

// pluginCall is what one admission plugin did.
type pluginCall struct {
	phase      string // mutating or validating
	name       string
	operation  admission.Operation
	start, end time.Time
	changed    []string
	refused    string
}

// pluginGate is around one admission plugin. Upstream has metrics here, but no
// spans (pkg/admission/metrics/metrics.go:90).
type pluginGate struct {
	admission.Interface
	name string
}

func admissionGate(plugin admission.Interface, name string) admission.Interface {
	return pluginGate{plugin, name}
}

func (g pluginGate) Admit(ctx context.Context, a admission.Attributes, o admission.ObjectInterfaces) error {
	plugin, ok := g.Interface.(admission.MutationInterface)
	if !ok {
		return nil
	}
	p := passageOf(ctx)
	if p == nil {
		return plugin.Admit(ctx, a, o)
	}
	object := a.GetObject()
	look := object != nil && mayChange(g.name, a)
	var before runtime.Object
	var webhooks int
	if look {
		before, webhooks = p.copied(object)
	}
	c := pluginCall{phase: "mutating", name: g.name, operation: a.GetOperation(), start: time.Now()}
	err := plugin.Admit(ctx, a, o)
	c.end = time.Now()
	if err != nil {
		c.refused = err.Error()
	}
	if look && g.name == mutating.PluginName {
		_, now := p.copied(object)
		look = now > webhooks // it changes nothing itself
	}
	if look && !same.DeepEqual(before, object) {
		c.changed = changes(before, object)
		p.add(func() { p.object = nil })
	}
	p.called(c)
	return err
}

// changers are the resources that a plugin of Kubernetes may change, by its
// Admit in plugin/pkg/admission. None changes anything when asked about a
// status. To look for changes of all others, too, costs more than all other
// gates together; a plugin that is not listed is looked at always.
var changers = map[string][]string{
	"DefaultIngressClass":          {"ingresses"},
	"DefaultStorageClass":          {"persistentvolumeclaims"},
	"DefaultTolerationSeconds":     {"pods"},
	"LimitRanger":                  {"pods", "persistentvolumeclaims"},
	"NamespaceLifecycle":           nil,
	"NodeRestriction":              nil,
	"PodTopologyLabels":            {"pods"},
	"Priority":                     {"pods", "podgroups"},
	"RuntimeClass":                 {"pods"},
	"ServiceAccount":               {"pods"},
	"StorageObjectInUseProtection": {"persistentvolumes", "persistentvolumeclaims", "volumeattributesclasses"},
	"TaintNodesByCondition":        {"nodes"},
}

func mayChange(plugin string, a admission.Attributes) bool {
	resources, listed := changers[plugin]
	return !listed || a.GetSubresource() != "status" && slices.Contains(resources, a.GetResource().Resource)
}

func (g pluginGate) Validate(ctx context.Context, a admission.Attributes, o admission.ObjectInterfaces) error {
	plugin, ok := g.Interface.(admission.ValidationInterface)
	if !ok {
		return nil
	}
	p := passageOf(ctx)
	if p == nil {
		return plugin.Validate(ctx, a, o)
	}
	c := pluginCall{phase: "validating", name: g.name, operation: a.GetOperation(), start: time.Now()}
	err := plugin.Validate(ctx, a, o)
	c.end = time.Now()
	if err != nil {
		c.refused = err.Error()
	}
	p.add(func() { p.object = nil }) // after this the registry may change it
	p.called(c)
	return err
}

// copied returns a copy of an object as it was after the last plugin, and how
// many webhooks were called so far.
func (p *passage) copied(object runtime.Object) (before runtime.Object, webhooks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.object != object {
		p.object, p.before = object, object.DeepCopyObject()
	}
	return p.before, p.webhooks
}

func (p *passage) called(c pluginCall) {
	p.add(func() {
		if len(p.plugins) < enough {
			p.plugins = append(p.plugins, c)
		} else {
			p.omitted++
		}
	})
}

// storeCall is what a handler asked of the storage, which is the watch cache
// and etcd behind it.
type storeCall struct {
	span       *span // the parent of its calls to etcd
	op, key    string
	start, end time.Time
	revision   string // of the write, or of what was read
	wrote      bool
	name, uid  string // of the object
	refused    string
}

// storageGate puts a gate around the storage of each resource.
type storageGate struct{ generic.RESTOptionsGetter }

func (g storageGate) GetRESTOptions(resource schema.GroupResource, example runtime.Object) (generic.RESTOptions, error) {
	o, err := g.RESTOptionsGetter.GetRESTOptions(resource, example)
	if err != nil {
		return o, err
	}
	decorate := o.Decorator
	o.Decorator = func(config *storagebackend.ConfigForResource, prefix string, key func(runtime.Object) (string, error),
		one, list func() runtime.Object, attributes storage.AttrFunc, trigger storage.IndexerFuncs, indexers *cache.Indexers,
	) (storage.Interface, factory.DestroyFunc, error) {
		s, destroy, err := decorate(config, prefix, key, one, list, attributes, trigger, indexers)
		if err != nil {
			return s, destroy, err
		}
		return resourceGate{s, config.Prefix}, destroy, nil
	}
	return o, nil
}

// resourceGate sees each read and write of one resource, and the revision that
// etcd gave to a write: the answer to the client does not always tell it.
type resourceGate struct {
	storage.Interface
	prefix string
}

func (g resourceGate) Create(ctx context.Context, key string, obj, out runtime.Object, ttl uint64) error {
	p := passageOf(ctx)
	if p == nil {
		return g.Interface.Create(ctx, key, obj, out, ttl)
	}
	ctx, c := g.call(ctx, p, "create", key)
	err := g.Interface.Create(ctx, key, obj, out, ttl)
	p.stored(c, out, "", err)
	return err
}

func (g resourceGate) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, cached runtime.Object, opts storage.DeleteOptions,
) error {
	p := passageOf(ctx)
	if p == nil {
		return g.Interface.Delete(ctx, key, out, preconditions, validate, cached, opts)
	}
	ctx, c := g.call(ctx, p, "delete", key)
	err := g.Interface.Delete(ctx, key, out, preconditions, validate, cached, opts)
	p.stored(c, out, "", err)
	return err
}

func (g resourceGate) GuaranteedUpdate(ctx context.Context, key string, out runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, update storage.UpdateFunc, cached runtime.Object,
) error {
	p := passageOf(ctx)
	if p == nil {
		return g.Interface.GuaranteedUpdate(ctx, key, out, ignoreNotFound, preconditions, update, cached)
	}
	ctx, c := g.call(ctx, p, "update", key)
	var had uint64 // the revision that the last try began with
	err := g.Interface.GuaranteedUpdate(ctx, key, out, ignoreNotFound, preconditions,
		func(input runtime.Object, known storage.ResponseMeta) (runtime.Object, *uint64, error) {
			had = known.ResourceVersion
			return update(input, known)
		}, cached)
	p.stored(c, out, strconv.FormatUint(had, 10), err)
	return err
}

func (g resourceGate) Get(ctx context.Context, key string, opts storage.GetOptions, out runtime.Object) error {
	p := passageOf(ctx)
	if p == nil {
		return g.Interface.Get(ctx, key, opts, out)
	}
	ctx, c := g.call(ctx, p, "get", key)
	err := g.Interface.Get(ctx, key, opts, out)
	p.read(c, err)
	return err
}

func (g resourceGate) GetList(ctx context.Context, key string, opts storage.ListOptions, out runtime.Object) error {
	p := passageOf(ctx)
	if p == nil {
		return g.Interface.GetList(ctx, key, opts, out)
	}
	ctx, c := g.call(ctx, p, "list", key)
	err := g.Interface.GetList(ctx, key, opts, out)
	p.read(c, err)
	return err
}

func (g resourceGate) call(ctx context.Context, p *passage, op, key string) (context.Context, storeCall) {
	s := &span{of: p}
	return trace.ContextWithSpan(ctx, s), storeCall{span: s, op: op, key: path.Join(g.prefix, key), start: time.Now()}
}

// stored notes a write. An update that changed nothing is answered with the
// revision it began with, and etcd is not asked to write
// (pkg/storage/etcd3/store.go, GuaranteedUpdate).
func (p *passage) stored(c storeCall, out runtime.Object, had string, err error) {
	if err == nil {
		if m, merr := meta.Accessor(out); merr == nil {
			c.name, c.uid, c.revision = m.GetName(), string(m.GetUID()), m.GetResourceVersion()
			c.wrote = c.revision != had
		}
	}
	p.read(c, err)
	if c.wrote {
		p.add(func() { p.revision = append(p.revision, c.revision) })
	}
}

func (p *passage) read(c storeCall, err error) {
	c.end = time.Now()
	if err != nil {
		c.refused = err.Error()
	}
	p.add(func() {
		if len(p.stores) < enough {
			p.stores = append(p.stores, c)
		} else {
			p.omitted++
		}
	})
}

// What the gates of the storage tell in the audit log: which revisions etcd
// gave to the writes of a request, separated by commas; and name, uid and
// resourceVersion of the object, which the answer has, too. So the audit log
// need not hold answers, which would cost more than all gates together.
const (
	revisionsAnnotation = "kubestage.io/revisions"
	objectAnnotation    = "kubestage.io/object"
)

func (p *passage) annotate(e *auditinternal.Event) {
	c := p.ofObject(e.ObjectRef)
	if c == nil && len(p.revision) == 0 {
		return
	}
	if e.Annotations == nil {
		e.Annotations = map[string]string{}
	}
	if len(p.revision) > 0 {
		e.Annotations[revisionsAnnotation] = strings.Join(p.revision, ",")
	}
	if c != nil {
		e.Annotations[objectAnnotation] = c.name + "," + c.uid + "," + c.revision
	}
}

// ofObject returns the last write to the object that a request names, or of
// the only sort it is about when it names none.
func (p *passage) ofObject(ref *auditinternal.ObjectReference) *storeCall {
	if ref == nil {
		return nil
	}
	for i := range slices.Backward(p.stores) {
		if s := &p.stores[i]; s.uid != "" && (ref.Name == "" || ref.Name == s.name) {
			return s
		}
	}
	return nil
}

// auditGate tells a passage when its request is audited, which is when it is
// answered, or when an answer that goes on (a watch, exec, logs -f) begins.
type auditGate struct {
	audit.Backend
	all *passages
}

func (g auditGate) ProcessEvents(events ...*auditinternal.Event) bool {
	for _, e := range events {
		if e.Stage == auditinternal.StageRequestReceived {
			continue
		}
		p := g.all.find(e.AuditID)
		if p == nil {
			continue
		}
		p.mu.Lock()
		if !p.told {
			p.told = true
			p.annotate(e)
			g.all.out <- p.observation(e)
		}
		p.mu.Unlock()
	}
	return g.Backend.ProcessEvents(events...)
}
