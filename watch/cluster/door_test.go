package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// door is the HTTP face of an apiserver whose every answer a test decides. It
// exists for what a real one cannot be made to do quickly: expire
// revisions, lose kinds, refuse and allow again.
type door struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex // guards all below
	shelves  map[string]*shelf
	broken   map[string]bool // groups whose discovery fails
	requests []request
}

type request struct{ method, path, query, accept string }

// shelf holds the objects of one kind.
type shelf struct {
	group, version, resource, kind string
	namespaced                     bool

	objects  []object
	revision int
	refuse   func(r *http.Request) int // status for a request; 0 lets it pass
	watchers []chan frame
}

type object map[string]any

type frame struct {
	Type   string `json:"type"`
	Object any    `json:"object"`
}

func openDoor(t *testing.T, shelves ...*shelf) *door {
	d := &door{t: t, shelves: map[string]*shelf{}, broken: map[string]bool{}}
	for _, s := range shelves {
		d.shelves[s.path()] = s
		s.revision = 100
	}
	d.server = httptest.NewServer(d)
	t.Cleanup(func() {
		d.server.CloseClientConnections()
		d.server.Close()
	})
	return d
}

func pods() *shelf {
	return &shelf{version: "v1", resource: "pods", kind: "Pod", namespaced: true}
}

func (s *shelf) path() string {
	if s.group == "" {
		return "/api/" + s.version + "/" + s.resource
	}
	return "/apis/" + s.group + "/" + s.version + "/" + s.resource
}

func (s *shelf) groupVersion() string { return strings.TrimPrefix(s.group+"/"+s.version, "/") }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.requests = append(d.requests, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Accept")})
	for p, s := range d.shelves {
		path := r.URL.Path
		if i := strings.Index(path, "/namespaces/"); i > 0 && s.namespaced {
			rest := strings.SplitN(path[i+len("/namespaces/"):], "/", 2)
			path = path[:i] + "/" + rest[len(rest)-1]
		}
		if path != p {
			continue
		}
		if s.refuse != nil {
			if code := s.refuse(r); code != 0 {
				d.mu.Unlock()
				status(w, code, "refused by the test")
				return
			}
		}
		if r.URL.Query().Get("watch") != "" {
			d.serveWatch(w, r, s) // unlocks
			return
		}
		defer d.mu.Unlock()
		d.serveList(w, r, s)
		return
	}
	defer d.mu.Unlock()
	d.serveDiscovery(w, r)
}

func (d *door) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/version":
		answer(w, object{"gitVersion": "v1.36.3"})
	case r.URL.Path == "/api":
		answer(w, object{"kind": "APIVersions", "versions": []string{"v1"}})
	case r.URL.Path == "/apis":
		groups := map[string]object{}
		for _, s := range d.shelves {
			if s.group != "" {
				v := object{"groupVersion": s.groupVersion(), "version": s.version}
				groups[s.group] = object{"name": s.group, "versions": []object{v}, "preferredVersion": v}
			}
		}
		all := []object{}
		for _, g := range groups {
			all = append(all, g)
		}
		answer(w, object{"kind": "APIGroupList", "apiVersion": "v1", "groups": all})
	case d.broken[path[len(path)-2]]:
		status(w, http.StatusServiceUnavailable, "the aggregated apiserver is down")
	default:
		gv := strings.Join(path[1:], "/")
		resources := []object{}
		for _, s := range d.shelves {
			if s.groupVersion() == gv {
				resources = append(resources, object{"name": s.resource, "kind": s.kind, "namespaced": s.namespaced, "verbs": []string{"get", "list", "watch", "create"}})
			}
		}
		if len(resources) == 0 && gv != "v1" {
			status(w, http.StatusNotFound, "the server could not find the requested resource")
			return
		}
		answer(w, object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": resources})
	}
}

func (d *door) serveList(w http.ResponseWriter, r *http.Request, s *shelf) {
	q := r.URL.Query()
	first, last := 0, len(s.objects)
	fmt.Sscan(q.Get("continue"), &first)
	meta := object{"resourceVersion": fmt.Sprint(s.revision)}
	var limit int
	if fmt.Sscan(q.Get("limit"), &limit); limit > 0 && first+limit < last {
		last = first + limit
		meta["continue"] = fmt.Sprint(last)
	}
	items := []any{}
	for _, o := range s.objects[first:last] {
		items = append(items, s.rendered(r, o))
	}
	list := object{"kind": s.kind + "List", "apiVersion": s.groupVersion(), "metadata": meta, "items": items}
	if asMetadata(r) {
		list["kind"], list["apiVersion"] = "PartialObjectMetadataList", "meta.k8s.io/v1"
	}
	answer(w, list)
}

// serveWatch sends a watcher its frames until the connection ends.
func (d *door) serveWatch(w http.ResponseWriter, r *http.Request, s *shelf) {
	frames := make(chan frame, 100)
	s.watchers = append(s.watchers, frames)
	d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case f, more := <-frames:
			if !more {
				return
			}
			if o, ok := f.Object.(object); ok && f.Type != "ERROR" {
				f.Object = s.rendered(r, o)
			}
			json.NewEncoder(w).Encode(f)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func asMetadata(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata")
}

func (s *shelf) rendered(r *http.Request, o object) object {
	if asMetadata(r) {
		return object{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]}
	}
	full := object{"kind": s.kind, "apiVersion": s.groupVersion()}
	for k, v := range o {
		full[k] = v
	}
	return full
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

func status(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	reason := map[int]string{403: "Forbidden", 404: "NotFound", 410: "Expired", 401: "Unauthorized", 503: "ServiceUnavailable"}[code]
	json.NewEncoder(w).Encode(object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

// put stores an object and tells watchers, unless silent.
func (d *door) put(s *shelf, o object, silent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.revision++
	o.meta()["resourceVersion"] = fmt.Sprint(s.revision)
	verb := "ADDED"
	if i := slices.IndexFunc(s.objects, o.same); i >= 0 {
		verb, s.objects[i] = "MODIFIED", o
	} else {
		s.objects = append(s.objects, o)
	}
	if !silent {
		s.send(frame{verb, o})
	}
}

func (d *door) remove(s *shelf, o object, silent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.revision++
	s.objects = slices.DeleteFunc(s.objects, o.same)
	gone := o.clone()
	gone.meta()["resourceVersion"] = fmt.Sprint(s.revision)
	if !silent {
		s.send(frame{"DELETED", gone})
	}
}

func (s *shelf) send(f frame) {
	for _, w := range s.watchers {
		w <- f
	}
}

// endWatches ends all watches of a kind, after a last frame if there is one.
func (d *door) endWatches(s *shelf, last ...frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range s.watchers {
		for _, f := range last {
			w <- f
		}
		close(w)
	}
	s.watchers = nil
}

// reopen listens again where the door was before its listener was closed.
func (d *door) reopen(address string) {
	d.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		d.t.Fatal(err)
	}
	server := &http.Server{Handler: d}
	go server.Serve(listener)
	d.t.Cleanup(func() { server.Close() })
}

func (d *door) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func named(namespace, name string) object {
	return object{"metadata": map[string]any{"namespace": namespace, "name": name, "uid": "uid-of-" + name}}
}

func (o object) meta() map[string]any { return o["metadata"].(map[string]any) }

func (o object) with(field string, value any) object {
	c := o.clone()
	c[field] = value
	return c
}

func (o object) clone() object {
	var c object
	text, _ := json.Marshal(o)
	json.Unmarshal(text, &c)
	return c
}

func (o object) same(other object) bool {
	return o.meta()["namespace"] == other.meta()["namespace"] && o.meta()["name"] == other.meta()["name"]
}

// kubeconfig writes a kubeconfig for an address and returns its path.
func kubeconfig(t *testing.T, server string) string {
	return write(t, fmt.Sprintf(`{"kind":"Config","apiVersion":"v1","current-context":"here",
"contexts":[{"name":"here","context":{"cluster":"c","user":"u","namespace":"mine"}}],
"clusters":[{"name":"c","cluster":{"server":%q}}],"users":[{"name":"u","user":{"token":"t"}}]}`, server))
}

func write(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// story is a log that is being filled.
type story struct {
	t   *testing.T
	log *watch.Log
}

// follow runs a source against the door for the time of the test.
func (d *door) follow() story {
	s, err := New(Options{Kubeconfig: kubeconfig(d.t, d.server.URL)})
	if err != nil {
		d.t.Fatal(err)
	}
	s.pace = pace{
		contact: time.Second, page: time.Second, pageSize: 2,
		first: 5 * time.Millisecond, longest: 50 * time.Millisecond, denied: 20 * time.Millisecond,
		scan: time.Hour, settle: time.Millisecond, hold: 10 * time.Millisecond, watching: time.Minute,
	}
	log := watch.NewLog(0)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, log) }()
	d.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			d.t.Error("Run:", err)
		}
	})
	return story{d.t, log}
}

// tells waits until the log tells these lines and nothing else. The order
// counts among lines of one kind only.
func (s story) tells(want ...string) {
	s.t.Helper()
	byKind := func(lines []string) []string {
		lines = slices.Clone(lines)
		slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0]) })
		return lines
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		got := s.lines()
		if slices.Equal(byKind(got), byKind(want)) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the log tells\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// has waits until the log tells a line.
func (s story) has(want string) {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !slices.Contains(s.lines(), want) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the log tells\n  %s\nwithout %q", strings.Join(s.lines(), "\n  "), want)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// events are those that were told; what was concluded from them is requests.
func (s story) events() []watch.Event {
	return slices.DeleteFunc(s.all(), func(e watch.Event) bool { return e.Kind == watch.Request })
}

func (s story) requests() []watch.Event {
	return slices.DeleteFunc(s.all(), func(e watch.Event) bool { return e.Kind != watch.Request })
}

func (s story) all() []watch.Event {
	events, err := s.log.After(0, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.Clone(events)
}

// lines are events in short: "pods ADDED mine/web 101", with "listed" and
// "inferred" where they are.
func (s story) lines() (lines []string) {
	for _, e := range s.events() {
		var d detail
		json.Unmarshal(e.Detail, &d)
		line := []string{"cluster", e.Verb}
		if e.Object != nil {
			line[0] = e.Object.Resource
			if line[0] == "" {
				line[0] = e.Object.Group
			}
			if e.Object.Name != "" {
				line = append(line, strings.TrimPrefix(e.Object.Namespace+"/"+e.Object.Name, "/"))
			}
		}
		if e.Revision != "" {
			line = append(line, e.Revision)
		}
		if d.Listed {
			line = append(line, "listed")
		}
		if e.Evidence.How != "observed" {
			line = append(line, e.Evidence.How)
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

// asked returns the queries of requests for a path.
func (d *door) asked(path string) (queries []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.requests {
		if r.path == path {
			queries = append(queries, r.query)
		}
	}
	return queries
}

// freePort is an address where nothing listens.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func contains(events []watch.Event, text string) bool {
	return slices.ContainsFunc(events, func(e watch.Event) bool {
		line, _ := json.Marshal(e)
		return bytes.Contains(line, []byte(text))
	})
}
