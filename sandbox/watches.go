package sandbox

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// watches infers who was notified of a write: from the watch requests that are
// open (the audit log tells), and from what etcd stored. The apiserver itself
// does the same sum for each watcher: same kind, same namespace, selectors
// that match before or after the write.
type watches struct {
	mu     sync.Mutex            // guards all below
	opened map[string]*openWatch // by audit ID
	last   map[string]traits     // by etcd key: what selectors may ask for
	recent []storedWrite         // for watches whose opening is told after writes they got
}

// openWatch is one watch request that has not ended.
type openWatch struct {
	auditID, user, userAgent string
	group, resource          string
	namespace                string
	labels, fields           selector
	after                    int64     // it gets what was stored after this revision...
	since                    time.Time // ...or, if that is 0, after this moment
}

// traits are the parts of an object that selectors can see.
type traits struct {
	labels map[string]string
	fields map[string]string
}

// storedWrite is a put or delete as the tap told it.
type storedWrite struct {
	at             time.Time
	revision       int64
	created        bool
	object         watch.Object
	before, after  traits
	existed, exist bool
}

// recentWrites is how many writes are looked at again when a watch opens:
// between the list a client makes and the watch that continues it.
const recentWrites = 512

func newWatches() *watches {
	return &watches{opened: map[string]*openWatch{}, last: map[string]traits{}}
}

// open begins to follow a watch request and returns the notifications of
// writes it got that were told before it.
func (w *watches) open(r *auditRecord) []watch.Observation {
	if r.Verb != "watch" || r.Ref == nil || !watched(r.User.Username, r.Ref.Resource) {
		return nil
	}
	_, query, _ := strings.Cut(r.URI, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	o := &openWatch{
		auditID: r.AuditID, user: r.User.Username, userAgent: r.UserAgent,
		group: r.Ref.Group, resource: r.Ref.Resource, namespace: r.Ref.Namespace,
		since: r.Received,
	}
	if o.labels, err = parseSelector(q.Get("labelSelector")); err != nil {
		return nil
	}
	if o.fields, err = parseSelector(q.Get("fieldSelector")); err != nil {
		return nil
	}
	if r.Ref.Name != "" { // the old form, /api/v1/watch/.../NAME
		o.fields = append(o.fields, requirement{key: "metadata.name", op: "=", values: []string{r.Ref.Name}})
	}
	o.after, _ = strconv.ParseInt(q.Get("resourceVersion"), 10, 64)
	if q.Get("sendInitialEvents") == "true" {
		o.after = 0 // what it gets first is a list in another form
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened[r.AuditID] = o
	var told []watch.Observation
	for i := range w.recent {
		if n, ok := o.notified(&w.recent[i]); ok {
			told = append(told, n)
		}
	}
	return told
}

// watched leaves out the supervisor's own watches and the leases, which are
// heartbeats: each lease is written every few seconds.
func watched(user, resource string) bool {
	return user != kubestageUser && resource != "leases"
}

func (w *watches) close(auditID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.opened, auditID)
}

func (w *watches) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.opened)
}

// stored takes what the tap told, and returns who was notified of it.
func (w *watches) stored(o *watch.Observation) []watch.Observation {
	if o.Kind != watch.Etcd || o.Object == nil || !watched("", o.Object.Resource) {
		return nil
	}
	var d struct {
		Key            string          `json:"key"`
		Version        int64           `json:"version"`
		CreateRevision int64           `json:"createRevision"`
		Value          json.RawMessage `json:"value"`
	}
	if json.Unmarshal(o.Detail, &d) != nil {
		return nil
	}
	revision, err := strconv.ParseInt(o.Revision, 10, 64)
	if err != nil {
		return nil
	}
	s := storedWrite{at: o.End, revision: revision, object: *o.Object}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.before, s.existed = w.last[d.Key]
	if o.Verb == "delete" {
		if !s.existed {
			s.before, s.existed = traitsOf(d.Value), true
		}
		delete(w.last, d.Key)
	} else {
		s.after, s.exist = traitsOf(d.Value), true
		w.last[d.Key] = s.after
		s.created = d.Version == 1
	}
	if o.Verb == "range" {
		return nil
	}
	if len(w.recent) == 2*recentWrites {
		w.recent = append(w.recent[:0], w.recent[recentWrites:]...)
	}
	w.recent = append(w.recent, s)
	var told []watch.Observation
	for _, open := range w.opened {
		if n, ok := open.notified(&s); ok {
			told = append(told, n)
		}
	}
	return told
}

// notified returns the notification that a watcher got of a write, if it did.
func (o *openWatch) notified(s *storedWrite) (watch.Observation, bool) {
	if o.resource != s.object.Resource || !sameGroup(o.group, s.object.Group, o.resource) ||
		(o.namespace != "" && o.namespace != s.object.Namespace) {
		return watch.Observation{}, false
	}
	if o.after > 0 && s.revision <= o.after || o.after == 0 && s.at.Before(o.since) {
		return watch.Observation{}, false
	}
	before := s.existed && !s.created && o.matches(&s.object, s.before)
	after := s.exist && o.matches(&s.object, s.after)
	var verb string
	switch {
	case !before && after:
		verb = "ADDED"
	case before && after:
		verb = "MODIFIED"
	case before && !after:
		verb = "DELETED"
	default:
		return watch.Observation{}, false
	}
	object := s.object
	detail, _ := json.Marshal(struct {
		UserAgent string `json:"userAgent,omitempty"`
	}{o.userAgent})
	revision := strconv.FormatInt(s.revision, 10)
	return watch.Observation{
		Event: watch.Event{
			Kind: watch.Watch, Start: s.at, End: s.at,
			From: watch.APIServer, To: o.user, Verb: verb,
			Object: &object, Revision: revision,
			Evidence: watch.Inferred("audit", o.auditID),
			Detail:   detail,
		},
		Needs: []watch.Need{
			{Key: "put:" + revision, How: watch.ByRevision, Wait: true},
			{Key: "audit:" + o.auditID, How: watch.ByAuditID},
		},
	}, true
}

// sameGroup compares API groups. Events are stored once and served in two.
func sameGroup(a, b, resource string) bool {
	if a == b {
		return true
	}
	isEvents := func(g string) bool { return g == "" || g == "events.k8s.io" }
	return resource == "events" && isEvents(a) && isEvents(b)
}

func (o *openWatch) matches(object *watch.Object, t traits) bool {
	if !o.labels.matches(t.labels) {
		return false
	}
	for _, r := range o.fields {
		value := t.fields[r.key]
		switch r.key {
		case "metadata.name":
			value = object.Name
		case "metadata.namespace":
			value = object.Namespace
		}
		if !r.matches(value, true) {
			return false
		}
	}
	return true
}

// selectable are the fields that some kind of object can be selected by, as in
// the AddFieldLabelConversionFunc calls of pkg/apis/*/v1/conversion.go upstream.
var selectable = map[string][]string{
	"": {"reason", "type"},
	"spec": {"nodeName", "restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork",
		"unschedulable", "signerName", "clusterIP", "type", "driver", "podName"},
	"status":         {"phase", "podIP", "podIPs", "nominatedNodeName", "replicas", "successful"},
	"involvedObject": {"kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"},
}

// traitsOf reads from an object what selectors can see.
func traitsOf(value json.RawMessage) traits {
	t := traits{fields: map[string]string{}}
	var top map[string]json.RawMessage
	if json.Unmarshal(value, &top) != nil {
		return t
	}
	var metadata struct {
		Labels map[string]string `json:"labels"`
	}
	if json.Unmarshal(top["metadata"], &metadata) == nil {
		t.labels = metadata.Labels
	}
	for parent, names := range selectable {
		part, prefix := top, ""
		if parent != "" {
			prefix = parent + "."
			part = nil
			if json.Unmarshal(top[parent], &part) != nil {
				continue
			}
		}
		for _, name := range names {
			raw, ok := part[name]
			if !ok {
				continue
			}
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw) // a number or a boolean, as a selector writes it
			}
			t.fields[prefix+name] = text
		}
	}
	return t
}
