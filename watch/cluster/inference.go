package cluster

import (
	"container/heap"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/kubestage/kubestage/watch"
)

// inference concludes, from what the watches bring, which requests were sent.
// Each kind has a watch of its own and they overtake each other, so changes
// are held for a moment and looked at in the order of their revisions: who
// deletes a pod is seen from what was written before. Events, which come
// after what they tell about, are looked at as they arrive.
type inference struct {
	tell     func(watch.Observation)
	in       chan *change
	hold     time.Duration
	accounts accounts

	waiting changes
	last    time.Time                  // end of what was told last
	alive   map[string]*life           // by uid
	under   map[string]map[string]bool // uids of what an owner controls and has not begun to end, by its uid
	gone    recent[string]             // keys of the requests that deleted, by uid
	ending  map[string]string          // uids of namespaces that are being deleted, by name
	hints   recent[hint]               // who said that he deletes a pod, by namespace/name
	swept   recent[string]             // keys of deletecollections, by uid of the namespace and kind
}

// life is what the rules need to know of an object that is there.
type life struct {
	uid, kind    string
	controller   string // uid of its owner
	foreground   bool   // it waits for what it owns
	replicas     int64
	first        int64 // the first ordinal of a StatefulSet's pods
	historyLimit int64
	revision     string // of a StatefulSet's or DaemonSet's pods
}

func newInference(hold time.Duration, tell func(watch.Observation)) *inference {
	return &inference{
		tell: tell, in: make(chan *change, 4096), hold: hold, accounts: accounts{},
		alive: map[string]*life{}, under: map[string]map[string]bool{}, ending: map[string]string{},
	}
}

// run works until ctx ends, and then tells what it still holds.
func (n *inference) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if len(n.waiting) > 0 {
			timer.Reset(time.Until(n.waiting.earliest().Add(n.hold)))
		}
		select {
		case c := <-n.in:
			n.hear(c)
			heap.Push(&n.waiting, c)
		case <-timer.C:
		case <-ctx.Done():
			for len(n.in) > 0 {
				heap.Push(&n.waiting, <-n.in)
			}
			n.release(time.Now())
			return
		}
		n.release(time.Now().Add(-n.hold))
	}
}

// release tells what is due, and what is older than something that is due.
func (n *inference) release(due time.Time) {
	for len(n.waiting) > 0 && !n.waiting.earliest().After(due) {
		c := heap.Pop(&n.waiting).(*change)
		if !c.quiet {
			// The log is ordered by ends, and must have the order of revisions.
			if c.at.Before(n.last) {
				c.at = n.last
			}
			n.last, c.told.End = c.at, c.at
			c.told.Needs = append([]watch.Need{{Key: n.conclude(c), How: watch.ByRevision}}, c.told.Needs...)
			n.tell(c.told)
		}
		n.learn(c)
		c.done()
	}
}

// conclude tells the request behind a change, unless an earlier one was
// concluded to have made this one too, and returns the request's key.
func (n *inference) conclude(c *change) (key string) {
	key = "rv:" + c.now.revision
	if made, ok := n.gone.get(c.now.object.UID); ok && c.verb == deleted {
		return made
	}
	for _, r := range rules {
		out, ok := r.conclude(n, c)
		if !ok {
			continue
		}
		if out.collection {
			sweep := out.owner + "/" + c.name()
			if made, ok := n.swept.get(sweep); ok {
				return made
			}
			n.swept.put(sweep, key)
		}
		if endsWith(c) {
			n.gone.put(c.now.object.UID, key)
		}
		n.tell(n.request(c, r.name, out))
		break
	}
	return key
}

// inferredDetail is the detail of a request that was concluded; see docs/events.md.
type inferredDetail struct {
	Rule      string   `json:"rule"`
	Manager   string   `json:"manager,omitempty"`
	Operation string   `json:"operation,omitempty"`
	Unsure    []string `json:"unsure,omitempty"`
}

func (n *inference) request(c *change, rule string, out conclusion) watch.Observation {
	object := c.now.object
	object.Subresource = out.subresource
	d := inferredDetail{Rule: rule, Unsure: out.unsure}
	if w := out.writer; w != nil {
		d.Manager, d.Operation = w.Manager, w.Operation
		if c.Resource == "events" {
			object.Group = w.group // the same Events are written in two groups
		}
	}
	text, _ := json.Marshal(d)
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.Request, Start: c.told.Start, End: c.at,
			From: out.actor, To: watch.APIServer, Verb: out.verb,
			Object: &object, Revision: c.now.revision,
			Evidence: watch.Inferred(out.source, c.now.place()), Detail: text,
		},
		Gives: []watch.Give{{Key: "rv:" + c.now.revision}},
		Lane:  c.told.Lane,
	}
	need := func(uid, how string, wait bool) {
		if uid != "" {
			o.Needs = append(o.Needs, watch.Need{Key: "obj:" + uid, How: how, Wait: wait})
		}
	}
	need(out.owner, watch.ByOwner, c.verb == added)
	need(c.now.about, watch.ByUID, false)
	if c.verb != added {
		need(object.UID, watch.ByUID, false)
	}
	if out.collection {
		object.Name, object.UID = "", ""
	}
	return o
}

// endsWith reports whether the request that made this change also made the
// next one, in which the object goes.
func endsWith(c *change) bool {
	o := c.is()
	return c.verb == modified && c.pod() && deleting(o) && number(o, "metadata", "deletionGracePeriodSeconds") == 0 && len(o.GetFinalizers()) == 0
}

// learn keeps what later conclusions need.
func (n *inference) learn(c *change) {
	if c.name() == "events" {
		return // there are many, and nothing follows from them later
	}
	o, uid := c.is(), c.now.object.UID
	if c.verb == deleted || deleting(o) {
		if before := n.alive[uid]; before != nil {
			delete(n.under[before.controller], uid)
		}
	}
	switch {
	case c.Group == "" && c.Resource == "namespaces" && deleting(o) && c.verb != deleted:
		n.ending[o.GetName()] = uid
	case c.Group == "" && c.Resource == "namespaces":
		delete(n.ending, o.GetName())
	case c.Group == "" && c.Resource == "serviceaccounts" && o.GetNamespace() == "kube-system":
		n.accounts[o.GetName()] = c.verb != deleted
	}
	if c.verb == deleted {
		delete(n.alive, uid)
		delete(n.under, uid)
		if _, told := n.gone.get(uid); !told {
			n.gone.put(uid, "rv:"+c.now.revision)
		}
		return
	}
	l := &life{uid: uid, kind: c.Kind, controller: controllerOf(o), foreground: deleting(o) && slices.Contains(o.GetFinalizers(), "foregroundDeletion"),
		replicas: 1, first: number(o, "spec", "ordinals", "start"), historyLimit: number(o, "spec", "revisionHistoryLimit"), revision: text(o, "status", "updateRevision")}
	if _, set, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "replicas"); set {
		l.replicas = number(o, "spec", "replicas")
	}
	n.alive[uid] = l
	if l.controller != "" && !deleting(o) {
		if n.under[l.controller] == nil {
			n.under[l.controller] = map[string]bool{}
		}
		n.under[l.controller][uid] = true
	}
}

// hint is who said in an Event that he deleted a pod, and when that came.
type hint struct {
	who string
	at  time.Time
}

// hear takes hints from Events. Only what is said after the deed counts: an
// eviction is announced whether or not another deletes the pod first.
func (n *inference) hear(c *change) {
	o := c.is()
	if c.name() != "events" || c.verb != added || c.quiet || text(o, "reason") != "SuccessfulDelete" {
		return
	}
	// "Deleted pod: web-1" (pkg/controller/controller_utils.go) and
	// "delete Pod db-0 in StatefulSet db successful" (pkg/controller/statefulset/stateful_pod_control.go)
	message := text(o, "message")
	_, pod, found := strings.Cut(message, "Deleted pod: ")
	if !found {
		_, pod, _ = strings.Cut(message, "delete Pod ")
		pod, _, _ = strings.Cut(pod, " ")
	}
	if pod != "" {
		n.hints.put(text(o, "involvedObject", "namespace")+"/"+pod, hint{n.accounts.reporter(reportingComponent(o), reportingHost(o)), c.at})
	}
}

// hinted returns who said that he deleted a pod. The Event comes after the
// deed, while that is held; an older one is about an earlier pod of the name.
func (n *inference) hinted(c *change) string {
	h, ok := n.hints.get(c.now.object.Namespace + "/" + c.now.object.Name)
	if !c.pod() || !ok || h.at.Before(c.at.Add(-n.hold)) {
		return ""
	}
	return h.who
}

// changes is a heap in the order of revisions, which one apiserver gives to
// all kinds alike. Where they cannot be compared, who came first is first.
type changes []*change

func (h changes) Len() int      { return len(h) }
func (h changes) Swap(a, b int) { h[a], h[b] = h[b], h[a] }
func (h changes) Less(a, b int) bool {
	order, err := resourceversion.CompareResourceVersion(h[a].now.revision, h[b].now.revision)
	if err != nil || order == 0 {
		return h[a].at.Before(h[b].at)
	}
	return order < 0
}
func (h *changes) Push(x any) { *h = append(*h, x.(*change)) }
func (h *changes) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}

// earliest is the time of the change that waits longest.
func (h changes) earliest() time.Time {
	t := h[0].at
	for _, c := range h {
		if c.at.Before(t) {
			t = c.at
		}
	}
	return t
}

// recent remembers for a while: at least the last ten thousand.
type recent[V any] struct{ young, old map[string]V }

func (r *recent[V]) put(key string, value V) {
	if r.young == nil || len(r.young) >= 10_000 {
		r.young, r.old = map[string]V{}, r.young
	}
	r.young[key] = value
}

func (r *recent[V]) get(key string) (value V, ok bool) {
	if value, ok = r.young[key]; !ok {
		value, ok = r.old[key]
	}
	return value, ok
}
