package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// gateStep is a step of a span event, as a reader of the log finds it.
type gateStep struct {
	Step       string
	Start, End int64
	Source     string
	Refused    bool
	Merged     []string
	Attributes struct {
		User, Method, As          string
		FlowSchema, PriorityLevel string
		Decision, Authorizer      string
		Binding, Role, Subject    struct{ Kind, Namespace, Name string }
		Rule                      struct{ Verbs, APIGroups, Resources []string }
		Checks                    []struct{ Verb, Resource, Name, Decision string }
		Call, Op, Key, Revision   string
		Plugins                   []struct {
			Plugin     string
			Start, End int64
			Changed    []string
			Refused    string
		}
	}
}

type through struct {
	t       *testing.T
	name    string
	code    int
	body    []byte
	event   watch.Event // the span event
	request watch.Event
	steps   []gateStep
}

// asker sends one request and returns what the apiserver told of it.
type asker struct {
	*cluster
	http *http.Client
	head http.Header
}

func (a asker) with(key, value string) asker {
	a.head = a.head.Clone()
	if a.head == nil {
		a.head = http.Header{}
	}
	a.head.Set(key, value)
	return a
}

func (a asker) ask(name, method, path string, doc any) *through {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var send io.Reader
	switch d := doc.(type) {
	case nil:
	case string:
		send = strings.NewReader(d)
	default:
		b, err := json.Marshal(doc)
		if err != nil {
			a.t.Fatal(err)
		}
		send = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.server()+path, send)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.head != nil {
		r.Header = a.head.Clone()
	}
	if send != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := a.http.Do(r)
	if err != nil {
		a.t.Fatalf("%s: %v", name, err)
	}
	defer response.Body.Close()
	th := &through{t: a.t, name: name, code: response.StatusCode}
	if response.StatusCode != http.StatusSwitchingProtocols && !strings.Contains(path, "watch=") {
		if th.body, err = io.ReadAll(response.Body); err != nil {
			a.t.Fatal(err)
		}
	}
	id := response.Header.Get("Audit-Id")
	for deadline := time.Now().Add(5 * time.Second); id == "" && time.Now().Before(deadline); {
		for _, e := range a.events() { // an upgraded connection has no such header
			if e.Kind == watch.Request && strings.Contains(string(e.Detail), path[:strings.Index(path, "?")+1]) {
				id = e.Evidence.ID
			}
		}
	}
	a.span(th, id)
	return th
}

// span waits for the span event of an audit ID, and checks what must hold of
// any.
func (a asker) span(th *through, auditID string) {
	a.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); th.event.Seq == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Fatalf("%s: no span event for %q", th.name, auditID)
		}
		for _, e := range a.events() {
			if e.Kind == watch.Span && e.Evidence.ID == auditID {
				th.event = e
			}
		}
	}
	th.check(a.events())
}

func (c *cluster) events() (all []watch.Event) {
	lines, err := c.log.Lines(0, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, line := range lines {
		var e watch.Event
		if err := json.Unmarshal(line, &e); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (th *through) check(events []watch.Event) {
	th.t.Helper()
	e := th.event
	if len(e.Causes) != 1 || e.Causes[0].How != watch.ByAuditID {
		th.t.Fatalf("%s: causes %v", th.name, e.Causes)
	}
	th.request = events[e.Causes[0].Seq-1]
	if th.request.Kind != watch.Request || th.request.Evidence.ID != e.Evidence.ID || th.request.Code != e.Code {
		th.t.Errorf("%s: the cause is %+v", th.name, th.request)
	}
	// A request whose answer goes on is told as the moment when it begins.
	if !e.End.Equal(th.request.End) || th.request.End.After(th.request.Start) && !e.Start.Equal(th.request.Start) {
		th.t.Errorf("%s: %v to %v is not %v to %v", th.name, e.Start, e.End, th.request.Start, th.request.End)
	}
	var d struct {
		AuditID string
		Steps   []gateStep
	}
	if err := json.Unmarshal(e.Detail, &d); err != nil || d.AuditID != e.Evidence.ID {
		th.t.Fatalf("%s: %v %s", th.name, err, e.Detail)
	}
	th.steps = d.Steps
	var last int64
	for _, s := range d.Steps {
		if s.Start < last || s.End < s.Start || s.End > e.End.Sub(e.Start).Nanoseconds() || s.Source != "otel" && s.Source != "apiserver" {
			th.t.Errorf("%s: step %+v after %d, within %v", th.name, s, last, e.End.Sub(e.Start))
		}
		last = s.Start
		for _, p := range s.Attributes.Plugins {
			if p.Start < s.Start || p.End > s.End || p.End < p.Start {
				th.t.Errorf("%s: plugin %+v is not within %s", th.name, p, s.Step)
			}
		}
	}
}

// course is the names of all steps; one that refused has an exclamation mark.
func (th *through) course() string {
	var names []string
	for _, s := range th.steps {
		if s.Refused {
			s.Step += "!"
		}
		names = append(names, s.Step)
	}
	return strings.Join(names, " ")
}

func (th *through) wants(code int, course string) {
	th.t.Helper()
	if th.code != code || th.course() != course {
		th.t.Errorf("%s: %d\n got %s\nwant %s\n%.300s\n%s", th.name, th.code, th.course(), course, th.body, th.event.Detail)
	}
}

func (th *through) step(name string) gateStep {
	th.t.Helper()
	for _, s := range th.steps {
		if s.Step == name {
			return s
		}
	}
	th.t.Errorf("%s: no step %s in %s", th.name, name, th.course())
	return gateStep{}
}

// refusedBy is the plugin that refused in a phase.
func (th *through) refusedBy(phase string) string {
	for _, p := range th.step(phase).Attributes.Plugins {
		if p.Refused != "" {
			return p.Plugin
		}
	}
	return ""
}

func (th *through) changedBy(plugin string) []string {
	for _, p := range th.step("mutating").Attributes.Plugins {
		if p.Plugin == plugin {
			return p.Changed
		}
	}
	return nil
}

func (th *through) revision() string {
	var b body
	_ = json.Unmarshal(th.body, &b)
	return b.Metadata.ResourceVersion
}

const (
	filters = "authentication audit impersonation priorityandfairness authorization"
	writing = " read decode mutating validation validating"
)

// Each sort of request through the apiserver, and what it went through there.
func TestRealSpans(t *testing.T) {
	c := begin(t, Options{Ephemeral: true, Nodes: 1})
	c.mustBeReady(60 * time.Second)
	admin := asker{cluster: c, http: c.admin.http}
	const pods, maps = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"
	configMap := func(name string) object {
		return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name}, "data": object{"a": "b"}}
	}
	pod := func(name string) object {
		return object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name},
			"spec": object{"terminationGracePeriodSeconds": 1, "containers": []object{{"name": "c", "image": "nginx"}}}}
	}

	create := admin.ask("create", http.MethodPost, maps, configMap("one"))
	create.wants(201, filters+writing+" etcd response")
	if a := create.step("authentication").Attributes; a.User != adminUser || a.Method != "certificate" {
		t.Errorf("authenticated %+v", a)
	}
	if a := create.step("authorization").Attributes; a.Decision != "allow" || a.Authorizer != "RBAC" || a.Binding.Kind != "ClusterRoleBinding" || a.Role.Name != "cluster-admin" || !slices.Equal(a.Rule.Verbs, []string{"*"}) {
		t.Errorf("authorized by %+v", a)
	}
	if a := create.step("etcd").Attributes; a.Call != "Txn" || a.Op != "create" || a.Key != "/registry/configmaps/default/one" || a.Revision != create.revision() {
		t.Errorf("stored by %+v, answered with revision %s", a, create.revision())
	}
	if a := create.step("priorityandfairness").Attributes; a.FlowSchema == "" || a.PriorityLevel == "" {
		t.Errorf("flow %+v", a)
	}
	if m := create.step("validation").Merged; len(m) < 2 {
		t.Errorf("validation is %v", m)
	}

	admin.ask("dry run", http.MethodPost, maps+"?dryRun=All", configMap("dry")).wants(201, filters+writing+" etcd response") // is the name free?
	admin.ask("get", http.MethodGet, maps+"/one", nil).wants(200, filters+" etcd response")
	admin.ask("get from the cache", http.MethodGet, maps+"/one?resourceVersion=0", nil).wants(200, filters+" cache response")
	admin.ask("list", http.MethodGet, maps+"?resourceVersion=0", nil).wants(200, filters+" cache response")
	admin.ask("watch", http.MethodGet, maps+"?watch=true&timeoutSeconds=1&resourceVersion=0", nil).wants(200, filters)
	admin.ask("not JSON", http.MethodPost, maps, "{").wants(400, filters+" read decode! response")
	nothing := pod("nothing")
	nothing["spec"] = object{"containers": []object{}}
	admin.ask("invalid", http.MethodPost, pods, nothing).wants(422, filters+" read decode mutating validation! response")
	admin.ask("exists", http.MethodPost, maps, configMap("one")).wants(409, filters+writing+" etcd! etcd response") // is it about to go?
	same := admin.with("Content-Type", "application/merge-patch+json").ask("patch", http.MethodPatch, maps+"/one", object{"data": object{"a": "c"}})
	same.wants(200, filters+" read patch mutating validation validating etcd response")
	admin.with("Content-Type", "application/merge-patch+json").ask("patch that changes nothing", http.MethodPatch, maps+"/one", object{"data": object{"a": "c"}})

	// A pod, changed by plugins, and a shell in it.
	made := admin.ask("create pod", http.MethodPost, pods, pod("shell"))
	made.wants(201, filters+writing+" etcd response")
	for plugin, path := range map[string]string{"ServiceAccount": "spec.serviceAccountName", "DefaultTolerationSeconds": "spec.tolerations", "Priority": "spec.priority"} {
		if got := made.changedBy(plugin); !slices.Contains(got, path) {
			t.Errorf("%s changed %v, want %s", plugin, got, path)
		}
	}
	if got := made.changedBy("NamespaceLifecycle"); got != nil {
		t.Errorf("NamespaceLifecycle changed %v", got)
	}
	if made.event.Object.UID == "" || made.event.Object.Name != "shell" {
		t.Errorf("the pod is %+v", made.event.Object)
	}
	c.running("shell", 30*time.Second)
	shell := admin.with("Connection", "Upgrade").with("Upgrade", "websocket").with("Sec-WebSocket-Version", "13").
		with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==").with("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
	shell.ask("exec", http.MethodGet, pods+"/shell/exec?command=true&container=c&stdout=true", nil).
		wants(101, filters+" mutating validating etcd etcd") // the pod, and its node

	// Somebody who may do little.
	for _, doc := range []struct {
		path string
		doc  object
	}{
		{"/api/v1/namespaces/default/serviceaccounts", object{"metadata": object{"name": "little"}}},
		{"/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", object{"metadata": object{"name": "reader"}, "rules": []object{
			{"verbs": []string{"list"}, "apiGroups": []string{""}, "resources": []string{"pods"}},
			{"verbs": []string{"get"}, "apiGroups": []string{""}, "resources": []string{"configmaps"}}}}},
		{"/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", object{"metadata": object{"name": "little-reads"},
			"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
			"subjects": []object{{"kind": "ServiceAccount", "name": "little", "namespace": "default"}}}},
	} {
		c.kube(http.MethodPost, doc.path, doc.doc)
	}
	var token struct{ Status struct{ Token string } }
	if err := json.Unmarshal(c.kube(http.MethodPost, "/api/v1/namespaces/default/serviceaccounts/little/token", object{"spec": object{}}), &token); err != nil {
		t.Fatal(err)
	}
	nobody := asker{cluster: c, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.admin.tls.RootCAs}}}}
	little := nobody.with("Authorization", "Bearer "+token.Status.Token)
	allowed := eventually(t, func() *through { return little.ask("by a role", http.MethodGet, maps+"/one", nil) }, 200)
	if a := allowed.step("authorization").Attributes; a.Binding.Kind != "RoleBinding" || a.Binding.Name != "little-reads" || a.Binding.Namespace != "default" ||
		a.Role.Kind != "Role" || a.Role.Name != "reader" || a.Subject.Kind != "ServiceAccount" || a.Subject.Name != "little" || !slices.Equal(a.Rule.Resources, []string{"configmaps"}) {
		t.Errorf("allowed by %+v", a)
	}
	if a := allowed.step("authentication").Attributes; a.Method != "serviceAccountToken" || a.User != "system:serviceaccount:default:little" {
		t.Errorf("authenticated %+v", a)
	}
	little.ask("forbidden", http.MethodDelete, maps+"/one", nil).wants(403, filters+"! response")
	nobody.ask("unknown", http.MethodGet, maps, nil).wants(401, "authentication! response")
	nobody.with("Authorization", "Bearer abc").ask("wrong token", http.MethodGet, maps, nil).wants(401, "authentication! response")
	little.with("Impersonate-User", "jane").ask("may not act as jane", http.MethodGet, maps, nil).
		wants(403, "authentication audit impersonation! response")
	jane := admin.with("Impersonate-User", "jane").ask("as jane", http.MethodGet, maps, nil)
	jane.wants(403, filters+"! response")
	if a := jane.step("impersonation").Attributes; a.As != "jane" || len(a.Checks) == 0 || a.Checks[len(a.Checks)-1].Decision != "allow" {
		t.Errorf("impersonation %+v", a)
	}
	if jane.request.From != adminUser || !strings.Contains(string(jane.request.Detail), `"as":"jane"`) {
		t.Errorf("the request is from %s: %s", jane.request.From, jane.request.Detail)
	}

	// Refused by admission.
	for _, namespace := range []object{
		{"metadata": object{"name": "limited"}},
		{"metadata": object{"name": "quota"}},
		{"metadata": object{"name": "strict", "labels": object{"pod-security.kubernetes.io/enforce": "restricted"}}},
	} {
		c.kube(http.MethodPost, "/api/v1/namespaces", namespace)
	}
	c.kube(http.MethodPost, "/api/v1/namespaces/quota/resourcequotas", object{"metadata": object{"name": "none"}, "spec": object{"hard": object{"count/configmaps": "0"}}})
	c.kube(http.MethodPost, "/api/v1/namespaces/limited/limitranges", object{"metadata": object{"name": "small"},
		"spec": object{"limits": []object{{"type": "Container", "max": object{"memory": "1Mi"}}}}})
	large := pod("large")
	large["spec"] = object{"containers": []object{{"name": "c", "image": "nginx", "resources": object{"limits": object{"memory": "1Gi"}}}}}
	for _, refused := range []struct {
		path, plugin string
		doc          object
	}{
		{"/api/v1/namespaces/quota/configmaps", "ResourceQuota", configMap("over")},
		{"/api/v1/namespaces/limited/pods", "LimitRanger", large},
		{"/api/v1/namespaces/strict/pods", "PodSecurity", pod("loose")},
	} {
		th := eventually(t, func() *through { return admin.ask(refused.plugin, http.MethodPost, refused.path, refused.doc) }, 403)
		th.wants(403, filters+" read decode mutating validation validating! response")
		if got := th.refusedBy("validating"); got != refused.plugin {
			t.Errorf("refused by %q, want %s", got, refused.plugin)
		}
	}
	gone := admin.ask("no namespace", http.MethodPost, "/api/v1/namespaces/nowhere/configmaps", configMap("lost"))
	if gone.code != 404 || gone.refusedBy("mutating") != "NamespaceLifecycle" {
		t.Errorf("%d, %s", gone.code, gone.event.Detail)
	}
	hidden := admin.ask("secret", http.MethodPost, "/api/v1/namespaces/nowhere/secrets", object{"metadata": object{"name": "s"}, "stringData": object{"password": "open-sesame"}})
	if strings.Contains(string(hidden.event.Detail), "open-sesame") || hidden.refusedBy("mutating") != "NamespaceLifecycle" {
		t.Errorf("of a Secret: %s", hidden.event.Detail)
	}

	// A controller, by its token.
	c.kube(http.MethodPost, deployments, deployment("web", 2))
	c.available("web", 2, 30*time.Second)
	const controller = "system:serviceaccount:kube-system:replicaset-controller"
	controlled := &through{t: t, name: "a controller's write"}
	id := ""
	for deadline := time.Now().Add(10 * time.Second); id == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, e := range c.events() {
			if e.Kind == watch.Request && e.From == controller && e.Verb == "create" && e.Object.Resource == "pods" {
				id = e.Evidence.ID
			}
		}
	}
	admin.span(controlled, id)
	controlled.code = controlled.event.Code
	controlled.wants(201, filters+writing+" etcd response")
	if a := controlled.step("authentication").Attributes; a.Method != "serviceAccountToken" || a.User != controller {
		t.Errorf("the controller is %+v", a)
	}
	if a := controlled.step("authorization").Attributes; a.Role.Name != "system:controller:replicaset-controller" || !slices.Contains(a.Rule.Verbs, "create") || !slices.Contains(a.Rule.Resources, "pods") {
		t.Errorf("the controller was allowed by %+v", a)
	}

	c.writes()
	c.everyRequestHasItsSpan()
	c.everyWriteHasItsRequest()
}

// writes are requests whose answers do not tell what they wrote.
func (c *cluster) writes() {
	c.t.Helper()
	const core = "/api/v1/namespaces/default/"
	for _, name := range []string{"now", "evicted", "finalized"} {
		c.kube(http.MethodPost, core+"pods", object{"metadata": object{"name": name}, "spec": object{"containers": []object{{"name": "c", "image": "nginx"}}}})
	}
	c.kube(http.MethodDelete, core+"pods/now?gracePeriodSeconds=0", nil)
	c.kube(http.MethodPost, core+"pods/evicted/eviction", object{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": object{"name": "evicted"}})
	for _, kind := range []string{"configmaps", "secrets"} {
		for _, name := range []string{"a", "b", "c"} {
			c.kube(http.MethodPost, core+kind, object{"metadata": object{"name": name, "labels": object{"of": "a-set"}}})
		}
		c.kube(http.MethodDelete, core+kind+"?labelSelector=of%3Da-set", nil)
	}
	c.kube(http.MethodPost, core+"configmaps", object{"metadata": object{"name": "held", "finalizers": []string{"kubestage.io/held"}}})
	c.kube(http.MethodDelete, core+"configmaps/held", nil)
	b := c.kube(http.MethodGet, core+"configmaps/held", nil)
	var held object
	if err := json.Unmarshal(b, &held); err != nil {
		c.t.Fatal(err)
	}
	delete(held["metadata"].(map[string]any), "finalizers")
	c.kube(http.MethodPut, core+"configmaps/held", held)
	c.kube(http.MethodDelete, "/api/v1/namespaces/strict", nil)
	c.kube(http.MethodDelete, deployments+"/web", nil)
	time.Sleep(2 * time.Second) // for controllers to follow; nothing depends on how far they get
}

// everyWriteHasItsRequest holds of a whole log: a revision is exactly one
// request's, but for what the apiserver writes on its own account.
func (c *cluster) everyWriteHasItsRequest() {
	c.t.Helper()
	events := c.events()
	writes, wrong := 0, []string{}
	for _, e := range events {
		own := strings.HasPrefix(e.Evidence.ID, "/registry/masterleases/") || strings.HasPrefix(e.Evidence.ID, "/registry/ranges/") || strings.HasPrefix(e.Evidence.ID, "/registry/peerserverleases/")
		if e.Kind != watch.Etcd || e.Verb == "range" || own {
			continue
		}
		writes++
		var by []watch.Event
		for _, cause := range e.Causes {
			if cause.How == watch.ByRevision {
				by = append(by, events[cause.Seq-1])
			}
		}
		if len(by) != 1 || by[0].Kind != watch.Request || by[0].Code >= 300 {
			wrong = append(wrong, fmt.Sprintf("%d %s %s: %v", e.Seq, e.Verb, e.Evidence.ID, e.Causes))
		}
	}
	c.t.Logf("%d writes", writes)
	if len(wrong) > 0 {
		c.t.Errorf("writes that are not exactly one request's: %q", wrong)
	}
	c.everyStepIsItsWrite(events)
}

// everyStepIsItsWrite: what a request says of the call to etcd by which it wrote
// is what etcd says of that revision.
func (c *cluster) everyStepIsItsWrite(events []watch.Event) {
	c.t.Helper()
	keys := map[string]string{} // by revision
	for _, e := range events {
		if e.Kind == watch.Etcd {
			keys[e.Revision] = strings.TrimSuffix(e.Evidence.ID, "@"+e.Revision)
		}
	}
	steps := 0
	for _, e := range events {
		var d struct{ Steps []gateStep }
		if e.Kind != watch.Span || json.Unmarshal(e.Detail, &d) != nil {
			continue
		}
		for _, s := range d.Steps {
			a := s.Attributes
			if s.Step != "etcd" || a.Call != "Txn" || keys[a.Revision] == "" {
				continue // one that failed, or that etcd has told before the log began
			}
			if steps++; keys[a.Revision] != a.Key {
				c.t.Errorf("event %d: the step that wrote %s has revision %s, which is %s", e.Seq, a.Key, a.Revision, keys[a.Revision])
			}
		}
	}
	if c.t.Logf("%d of its steps", steps); steps < 100 {
		c.t.Errorf("only %d steps that wrote", steps)
	}
}

// eventually asks until it gets an answer with a code.
func eventually(t *testing.T, ask func() *through, code int) *through {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if th := ask(); th.code == code || time.Now().After(deadline) {
			return th
		}
	}
}

// running waits until a pod does.
func (c *cluster) running(name string, within time.Duration) {
	c.t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		b := c.kube(http.MethodGet, "/api/v1/namespaces/default/pods/"+name, nil)
		if bytes.Contains(b, []byte(`"phase":"Running"`)) {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s does not run: %s", name, b)
		}
	}
}

// everyRequestHasItsSpan holds of a whole log: all but heartbeats are told.
func (c *cluster) everyRequestHasItsSpan() {
	c.t.Helper()
	time.Sleep(time.Second) // longer than the joiner's patience
	events := c.events()
	spans := map[string]int{}
	size := 0
	for _, e := range events {
		if e.Kind == watch.Span {
			spans[e.Evidence.ID]++
			size += len(e.Detail)
		}
	}
	requests, missing := 0, []string{}
	for _, e := range events {
		if e.Kind != watch.Request || e.Object != nil && e.Object.Resource == "leases" {
			continue
		}
		requests++
		if spans[e.Evidence.ID] != 1 && len(missing) < 10 {
			missing = append(missing, fmt.Sprintf("%d of %d %s %s (%d)", spans[e.Evidence.ID], e.Seq, e.From, e.Verb, e.Code))
		}
	}
	c.t.Logf("%d requests, %d spans of %d bytes each", requests, len(spans), size/max(1, len(spans)))
	if len(missing) > 0 {
		c.t.Errorf("requests without their span, or with more than one: %q", missing)
	}
}
