package sandbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// metrics is the add-on that serves metrics.k8s.io, as metrics-server does in
// other clusters, out of the same source: /stats/summary of the kubelets. It
// runs in the supervisor. The apiserver reaches it through the egress proxy at
// an address of the cluster, and nothing listens on this machine.
//
// Metrics-server asks every kubelet four times a minute whether anybody wants
// to know or not; this one asks when it is asked, so that it costs nothing
// while nobody looks. A figure of CPU needs two looks: the first question waits
// for the second one.
type metrics struct {
	kubelets []node
	kube     *client // for the kubelets, and for the apiserver at server
	server   string
	serving  *tls.Config
	listener *overlay.Listener

	mu   sync.Mutex // guards all below, and is held while the kubelets are asked
	last map[string]*looks
}

// looks are the last two looks at a node.
type looks struct{ before, now look }

// look is what a kubelet said.
type look struct {
	at   time.Time
	said summary
}

// summary is the part of a kubelet's statistics that is used here
// (k8s.io/kubelet/pkg/apis/stats/v1alpha1).
type summary struct {
	Node usage `json:"node"`
	Pods []struct {
		PodRef     struct{ Name, Namespace, UID string }
		Containers []struct {
			Name string
			usage
		}
	}
}

type usage struct {
	CPU *struct {
		Time                 time.Time
		UsageCoreNanoSeconds *uint64
	}
	Memory *struct{ WorkingSetBytes *uint64 }
}

const (
	metricsName  = "metrics-server"
	metricsPort  = 10250
	metricsGroup = "metrics.k8s.io"
	freshLook    = 5 * time.Second  // so long two questions get the same answer
	oldLook      = 90 * time.Second // and after so long the one before says nothing about now
	firstLook    = time.Second      // so long lies between the first two
)

func newMetrics(nodes []node, c *credentials, kube *client, server string) (*metrics, error) {
	cert, err := tls.X509KeyPair(c.metrics.cert, c.metrics.key)
	if err != nil {
		return nil, fmt.Errorf("use the certificate %s: %w", c.metrics.CertFile, err)
	}
	front := x509.NewCertPool()
	front.AddCert(c.frontProxyCA.cert)
	return &metrics{
		kubelets: nodes, kube: kube, server: server,
		// Who the user is the apiserver says in headers. Only its own
		// certificate makes that believable.
		serving:  &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: front, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13},
		listener: overlay.Listen(netip.AddrPortFrom(netip.MustParseAddr(controlPlaneAddress), metricsPort)),
		last:     map[string]*looks{},
	}, nil
}

// dial returns a connection to the add-on.
func (m *metrics) dial() (net.Conn, error) {
	near, far, err := overlay.Pair()
	if err != nil {
		return nil, err
	}
	m.listener.Hand(far)
	return near, nil
}

// serve answers until ctx ends.
func (m *metrics) serve(ctx context.Context) {
	server := &http.Server{Handler: m.handler(), TLSConfig: m.serving, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	_ = server.ServeTLS(m.listener, "", "")
}

func (m *metrics) handler() http.Handler {
	version := object{"groupVersion": metricsGroup + "/v1beta1", "version": "v1beta1"}
	group := object{"name": metricsGroup, "versions": []object{version}, "preferredVersion": version}
	verbs := []string{"get", "list"}
	documents := map[string]object{
		"/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{group}},
		"/apis/metrics.k8s.io": {"kind": "APIGroup", "apiVersion": "v1", "name": metricsGroup,
			"versions": []object{version}, "preferredVersion": version},
		"/apis/metrics.k8s.io/v1beta1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": metricsGroup + "/v1beta1", "resources": []object{
			{"name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": verbs},
			{"name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": verbs},
		}},
	}
	mux := http.NewServeMux()
	for path, doc := range documents {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { answerJSON(w, http.StatusOK, doc) })
	}
	for _, path := range []string{"nodes", "nodes/{name}", "pods", "namespaces/{namespace}/pods", "namespaces/{namespace}/pods/{name}"} {
		mux.HandleFunc("GET /apis/metrics.k8s.io/v1beta1/"+path, func(w http.ResponseWriter, r *http.Request) {
			if err := m.answer(w, r, strings.HasPrefix(path, "nodes")); err != nil {
				answerStatus(w, err)
			}
		})
	}
	return mux
}

// statusError is an answer in the form that API clients expect.
type statusError struct {
	code            int
	reason, message string
}

func (e *statusError) Error() string { return e.message }

func answerStatus(w http.ResponseWriter, err error) {
	var s *statusError
	if !errors.As(err, &s) {
		s = &statusError{http.StatusServiceUnavailable, "ServiceUnavailable", err.Error()}
	}
	answerJSON(w, s.code, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure", "message": s.message, "reason": s.reason, "code": s.code})
}

func answerJSON(w http.ResponseWriter, code int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(doc)
}

// answer answers a question for nodes or pods.
func (m *metrics) answer(w http.ResponseWriter, r *http.Request, nodes bool) error {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	resource, of := "pods", "/api/v1/pods"
	switch {
	case nodes:
		resource, of = "nodes", "/api/v1/nodes"
	case namespace != "":
		of = "/api/v1/namespaces/" + url.PathEscape(namespace) + "/pods"
	}
	if err := m.allowed(r, resource, namespace, name); err != nil {
		return err
	}
	query := url.Values{}
	for _, selector := range []string{"labelSelector", "fieldSelector"} {
		if s := r.URL.Query().Get(selector); s != "" {
			query.Set(selector, s)
		}
	}
	if name != "" {
		query.Set("fieldSelector", "metadata.name="+name)
	}
	// Which there are, and which of them are meant, the apiserver knows.
	list, err := m.kube.do(r.Context(), http.MethodGet, m.server+of+"?"+query.Encode(), "", nil)
	if err != nil {
		return err
	}
	var found struct {
		Items []struct {
			Metadata struct {
				Name, Namespace, UID string
				Labels               map[string]string
			}
		}
	}
	if err := json.Unmarshal(list, &found); err != nil {
		return err
	}
	all := m.look(r.Context())
	items := []object{}
	for _, i := range found.Items {
		var item object
		if nodes {
			item = all.node(i.Metadata.Name)
		} else {
			item = all.pod(i.Metadata.UID)
		}
		if item == nil {
			continue
		}
		meta := object{"name": i.Metadata.Name, "creationTimestamp": item["timestamp"]}
		if i.Metadata.Namespace != "" {
			meta["namespace"] = i.Metadata.Namespace
		}
		if len(i.Metadata.Labels) > 0 {
			meta["labels"] = i.Metadata.Labels
		}
		item["metadata"] = meta
		items = append(items, item)
	}
	kind := map[bool]string{true: "NodeMetrics", false: "PodMetrics"}[nodes]
	if name == "" {
		answerJSON(w, http.StatusOK, object{"kind": kind + "List", "apiVersion": metricsGroup + "/v1beta1", "metadata": object{}, "items": items})
		return nil
	}
	if len(items) == 0 {
		return &statusError{http.StatusNotFound, "NotFound", fmt.Sprintf("%s.%s %q not found", resource, metricsGroup, name)}
	}
	items[0]["kind"], items[0]["apiVersion"] = kind, metricsGroup+"/v1beta1"
	answerJSON(w, http.StatusOK, items[0])
	return nil
}

// allowed asks the apiserver whether the user it passed on may ask this.
func (m *metrics) allowed(r *http.Request, resource, namespace, name string) error {
	if peer := r.TLS.PeerCertificates; len(peer) == 0 || peer[0].Subject.CommonName != "front-proxy-client" {
		return &statusError{http.StatusUnauthorized, "Unauthorized", "only the apiserver is answered here"}
	}
	user, verb := r.Header.Get("X-Remote-User"), "get"
	if name == "" {
		verb = "list"
	}
	extra := map[string][]string{}
	for key, values := range r.Header {
		if name, ok := strings.CutPrefix(key, "X-Remote-Extra-"); ok {
			if plain, err := url.PathUnescape(strings.ToLower(name)); err == nil {
				extra[plain] = values
			}
		}
	}
	answer, err := m.kube.do(r.Context(), http.MethodPost, m.server+"/apis/authorization.k8s.io/v1/subjectaccessreviews", "application/json", object{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": object{"user": user, "groups": r.Header.Values("X-Remote-Group"), "extra": extra, "resourceAttributes": object{
			"group": metricsGroup, "version": "v1beta1", "resource": resource, "namespace": namespace, "name": name, "verb": verb}},
	})
	if err != nil {
		return err
	}
	var review struct{ Status struct{ Allowed bool } }
	if err := json.Unmarshal(answer, &review); err != nil {
		return err
	}
	if !review.Status.Allowed {
		return &statusError{http.StatusForbidden, "Forbidden", fmt.Sprintf("%s.%s is forbidden: User %q cannot %s resource %q in API group %q", resource, metricsGroup, user, verb, resource, metricsGroup)}
	}
	return nil
}

// figures are the looks at all nodes that could be asked.
type figures map[string]looks

// look asks the kubelets, unless they have been asked just now.
func (m *metrics) look(ctx context.Context) figures {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		var asking sync.WaitGroup
		for _, n := range m.kubelets {
			l := m.last[n.name]
			if l == nil {
				l = &looks{}
				m.last[n.name] = l
			}
			if age := time.Since(l.now.at); age < freshLook && !l.before.at.IsZero() {
				continue
			}
			asking.Go(func() {
				now, err := m.ask(ctx, n)
				switch {
				case err != nil:
					*l = looks{}
				case time.Since(l.now.at) > oldLook:
					*l = looks{now: now}
				default:
					*l = looks{l.now, now}
				}
			})
		}
		asking.Wait()
		all, second := figures{}, false
		for name, l := range m.last {
			switch {
			case !l.before.at.IsZero():
				all[name] = *l
			case !l.now.at.IsZero():
				second = true
			}
		}
		if !second {
			return all
		}
		select {
		case <-time.After(firstLook):
		case <-ctx.Done():
			return all
		}
	}
}

func (m *metrics) ask(ctx context.Context, n node) (look, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // a kubelet that is frozen does not answer
	defer cancel()
	answer, err := m.kube.do(ctx, http.MethodGet, localURL(n.port)+"/stats/summary?only_cpu_and_memory=true", "", nil)
	if err != nil {
		return look{}, err
	}
	l := look{at: time.Now()}
	return l, json.Unmarshal(answer, &l.said)
}

func (all figures) node(name string) object {
	l, ok := all[name]
	if !ok {
		return nil
	}
	used, at, window := between(l.before.said.Node, l.now.said.Node)
	if used == nil {
		return nil
	}
	return object{"timestamp": at, "window": window, "usage": used}
}

func (all figures) pod(uid string) object {
	for _, l := range all {
		before := map[string]usage{}
		for _, p := range l.before.said.Pods {
			for _, c := range p.Containers {
				before[p.PodRef.UID+"/"+c.Name] = c.usage
			}
		}
		for _, p := range l.now.said.Pods {
			if p.PodRef.UID != uid {
				continue
			}
			var containers []object
			var at, window any
			for _, c := range p.Containers {
				used, t, w := between(before[uid+"/"+c.Name], c.usage)
				if used == nil {
					return nil // as metrics-server: a pod is told when all its containers can be
				}
				containers, at, window = append(containers, object{"name": c.Name, "usage": used}), t, w
			}
			if containers == nil {
				return nil
			}
			slices.SortFunc(containers, func(a, b object) int { return cmp.Compare(a["name"].(string), b["name"].(string)) })
			return object{"timestamp": at, "window": window, "containers": containers}
		}
	}
	return nil
}

// between is what was used from one look to the next.
func between(before, now usage) (used object, at, window any) {
	if before.CPU == nil || now.CPU == nil || now.Memory == nil ||
		before.CPU.UsageCoreNanoSeconds == nil || now.CPU.UsageCoreNanoSeconds == nil || now.Memory.WorkingSetBytes == nil {
		return nil, nil, nil
	}
	passed := now.CPU.Time.Sub(before.CPU.Time)
	if passed <= 0 || *now.CPU.UsageCoreNanoSeconds < *before.CPU.UsageCoreNanoSeconds {
		return nil, nil, nil // the container was started again
	}
	cores := float64(*now.CPU.UsageCoreNanoSeconds-*before.CPU.UsageCoreNanoSeconds) / float64(passed)
	return object{
		"cpu":    fmt.Sprintf("%dn", int64(cores*1e9)),
		"memory": fmt.Sprintf("%dKi", *now.Memory.WorkingSetBytes>>10),
	}, now.CPU.Time.UTC().Format(time.RFC3339), passed.Round(time.Millisecond).String()
}
