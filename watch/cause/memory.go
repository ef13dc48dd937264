package cause

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// memory is what a finder keeps of the events before. It is bounded by what the
// cluster holds: of an object that is gone all is forgotten after a while.
type memory struct {
	told       map[string]map[string][]notice // by user and uid, oldest first
	lists      map[string]map[string][]notice // by user and resource: lists, and beginnings of watches
	acts       map[string][]*act              // by uid, of anybody, oldest first
	newest     map[string]*act                // by actor and verb and resource, of those whose object has no uid
	writes     map[string]*write              // by revision
	things     map[string]*thing              // by uid
	named      map[string]string              // uid by key, of what exists
	lost       map[string]string              // uid by key, of what existed last
	owned      map[string][]string            // uids by owner's uid
	static     map[string]string              // by a mirror Pod's uid, the uid its kubelet knows the Pod by
	components map[string][]*act              // their events, oldest first
	links      map[string]*act                // by the client they belong to: the newest event of each
	leases     map[string][]notice            // by name: when etcd stored them
	revisions  []string                       // of writes, oldest first
	dead       []string                       // uids of what is gone, oldest first
}

const (
	keptNotices   = 16
	keptActs      = 48
	keptRevisions = 16384
	keptDead      = 2048
)

// notice is a notification of an object that reached somebody.
type notice struct {
	seq      uint64
	end      time.Time
	revision string
	verb     string
}

// write is what etcd stored at a revision.
type write struct {
	seq      uint64 // of the etcd event
	by       string // who asked
	request  uint64
	end      time.Time
	uid      string
	ending   bool // it has a deletionTimestamp, and had none before
	gone     bool
	finished bool // a Pod that has just Succeeded or Failed
	tainted  bool // a Node whose taints have just changed
	debugged bool // a Pod that has just got an ephemeral container
	tally    tally
}

// tally is what an object adds to the status of its owner: a Pod itself, while
// it is neither ending nor finished, and a ReplicaSet its Pods.
type tally struct {
	Replicas    int `json:"replicas"`
	Ready       int `json:"readyReplicas"`
	Terminating int `json:"terminatingReplicas"`
}

// thing is an object as it was last stored.
type thing struct {
	object   watch.Object
	kind     string // as lists are known by
	owners   []string
	node     string
	ending   bool
	gone     bool
	phase    string
	taints   string
	debug    int               // how many ephemeral containers
	targets  []string          // of Endpoints and EndpointSlices: the uids they refer to
	stored   notice            // its last write
	taintRev string            // where its taints last changed
	replaced bool              // somebody was already made in its place
	labels   map[string]string // of Pods
	selects  map[string]string // labels of Pods that it is about, of a PodDisruptionBudget
	scales   reference         // of a HorizontalPodAutoscaler
	about    reference
	why      string // the reason of an Event
	text     string // its message
}

func newMemory() memory {
	return memory{
		told: map[string]map[string][]notice{}, lists: map[string]map[string][]notice{}, acts: map[string][]*act{}, newest: map[string]*act{},
		writes: map[string]*write{}, things: map[string]*thing{}, named: map[string]string{}, lost: map[string]string{}, owned: map[string][]string{}, static: map[string]string{},
		components: map[string][]*act{}, links: map[string]*act{}, leases: map[string][]notice{},
	}
}

// act remembers what somebody did.
func (m *memory) act(e *watch.Event, a *act) {
	switch e.Kind {
	case watch.Component:
		a.actor = e.To
		known := m.components[e.To]
		m.components[e.To] = append(known[max(len(known)-keptNotices, 0):], a)
		return
	case "link":
		m.links[e.To] = a
		return
	case watch.Request:
		if e.Verb == "list" || e.Verb == "watch" {
			m.list(e, "")
			return
		}
		if a.uid == "" && a.object.Name != "" {
			a.uid = m.named[a.object.Key()]
		}
		if e.Verb != "get" {
			m.newest[a.actor+" "+a.verb+" "+a.what()] = a
		}
	case watch.Schedule:
		m.newest[a.actor+" schedule"] = a
	}
	if a.uid == "" {
		return
	}
	known := m.acts[a.uid]
	if len(known) >= keptActs {
		known = append(known[:0], known[len(known)-keptActs/2:]...)
	}
	m.acts[a.uid] = append(known, a)
}

// list remembers a list, or the beginning of a watch; with a revision if it has
// told of all objects that the watch is about, as they were then.
func (m *memory) list(e *watch.Event, revision string) {
	if e.Object == nil || e.Code >= 300 {
		return
	}
	if m.lists[e.From] == nil {
		m.lists[e.From] = map[string][]notice{}
	}
	keep(m.lists[e.From], e.Object.Group+"/"+e.Object.Resource, notice{seq: e.Seq, end: e.End, revision: revision})
}

// keep adds what is new and lets go of the oldest.
func keep(lists map[string][]notice, key string, n notice) {
	known := lists[key]
	if len(known) == keptNotices {
		known = append(known[:0], known[1:]...)
	}
	lists[key] = append(known, n)
}

func (m *memory) notify(e *watch.Event) {
	if e.Object == nil {
		return
	}
	if e.Verb == "BOOKMARK" { // what a watch began with, told at once
		list := *e
		list.From, list.Code = e.To, 200
		m.list(&list, e.Revision)
		return
	}
	if e.Object.UID == "" {
		return
	}
	by := m.told[e.To]
	if by == nil {
		by = map[string][]notice{}
		m.told[e.To] = by
	}
	keep(by, e.Object.UID, notice{e.Seq, watch.Reached(e), e.Revision, e.Verb})
}

// stored is what is read of an object in etcd.
type stored struct {
	Value struct {
		Metadata struct {
			Owners      []reference       `json:"ownerReferences"`
			Deletion    string            `json:"deletionTimestamp"`
			Labels      map[string]string `json:"labels"`
			Annotations struct {
				Mirror string `json:"kubernetes.io/config.mirror"`
			} `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Node      string            `json:"nodeName"`
			Taints    json.RawMessage   `json:"taints"`
			Selector  json.RawMessage   `json:"selector"` // its form depends on the kind
			Scales    reference         `json:"scaleTargetRef"`
			Ephemeral []json.RawMessage `json:"ephemeralContainers"`
		} `json:"spec"`
		Status struct {
			Phase      string      `json:"phase"`
			Conditions []condition `json:"conditions"`
			tally
		} `json:"status"`
		Involved  reference `json:"involvedObject"`
		Regarding reference `json:"regarding"`
		Reason    string    `json:"reason"`
		Message   string    `json:"message"`
		Note      string    `json:"note"`
		Endpoints []target  `json:"endpoints"`
		Subsets   []struct {
			Address []target `json:"addresses"`
			Not     []target `json:"notReadyAddresses"`
		} `json:"subsets"`
	} `json:"value"`
}

func (m *memory) store(e *watch.Event) {
	if e.Object == nil {
		return
	}
	uid := e.Object.UID
	if uid == "" {
		return
	}
	var s stored
	_ = json.Unmarshal(e.Detail, &s)
	w := &write{seq: e.Seq, end: e.End, uid: uid}
	for _, c := range e.Causes {
		if r := m.asked(uid, c.Seq); r != nil && (c.How == watch.ByRevision || c.How == watch.ByObject) {
			w.by, w.request = r.actor, r.seq
		}
	}
	t := m.things[uid]
	if t == nil {
		t = &thing{}
		m.things[uid] = t
		for _, o := range s.Value.Metadata.Owners {
			m.owned[o.UID] = append(m.owned[o.UID], uid)
		}
	}
	w.gone = e.Verb == "delete"
	w.tally = s.Value.Status.tally
	w.ending = s.Value.Metadata.Deletion != "" && !t.ending
	finished := s.Value.Status.Phase == "Succeeded" || s.Value.Status.Phase == "Failed"
	w.finished = finished && t.phase != s.Value.Status.Phase && e.Object.Resource == "pods"
	switch {
	case e.Object.Resource != "pods" || finished:
	case s.Value.Metadata.Deletion != "":
		w.tally.Terminating = 1
	default:
		w.tally.Replicas = 1
		if slices.ContainsFunc(s.Value.Status.Conditions, func(c condition) bool { return c.Type == "Ready" && c.Status == "True" }) {
			w.tally.Ready = 1
		}
	}
	if w.gone {
		w.tally = tally{}
	}
	w.tainted = string(s.Value.Spec.Taints) != t.taints && e.Object.Resource == "nodes"
	if w.tainted {
		t.taintRev = e.Revision
	}
	w.debugged = len(s.Value.Spec.Ephemeral) > t.debug
	t.debug = len(s.Value.Spec.Ephemeral)
	if t.kind == "" {
		t.kind = e.Object.Group + "/" + e.Object.Resource
	}
	t.object, t.node, t.phase, t.taints = *e.Object, s.Value.Spec.Node, s.Value.Status.Phase, string(s.Value.Spec.Taints)
	t.ending, t.gone = t.ending || w.ending, w.gone
	t.owners = t.owners[:0]
	for _, o := range s.Value.Metadata.Owners {
		t.owners = append(t.owners, o.UID)
	}
	t.targets = nil
	for _, x := range s.Value.Endpoints {
		t.targets = append(t.targets, x.Target.UID)
	}
	for _, x := range s.Value.Subsets {
		for _, y := range append(x.Address, x.Not...) {
			t.targets = append(t.targets, y.Target.UID)
		}
	}
	switch e.Object.Resource {
	case "pods":
		t.labels = s.Value.Metadata.Labels
		if static := s.Value.Metadata.Annotations.Mirror; static != "" {
			m.static[uid] = static
		}
	case "poddisruptionbudgets":
		var selector struct {
			Labels map[string]string `json:"matchLabels"`
		}
		_ = json.Unmarshal(s.Value.Spec.Selector, &selector)
		t.selects = selector.Labels
	case "horizontalpodautoscalers":
		t.scales = s.Value.Spec.Scales
	}
	t.about, t.why, t.text = s.Value.Involved, s.Value.Reason, s.Value.Message+s.Value.Note
	if t.about.Name == "" {
		t.about = s.Value.Regarding
	}
	t.stored = notice{e.Seq, e.End, e.Revision, e.Verb}
	if e.Object.Resource == "leases" {
		keep(m.leases, e.Object.Namespace+"/"+e.Object.Name, notice{seq: e.Seq, end: e.End})
	}
	key := e.Object.Key()
	if w.gone {
		if m.named[key] == uid {
			delete(m.named, key)
		}
		m.lost[key] = uid
		m.bury(uid)
	} else {
		m.named[key] = uid
	}
	m.writes[e.Revision] = w
	m.revisions = append(m.revisions, e.Revision)
	if len(m.revisions) > keptRevisions {
		for _, r := range m.revisions[:keptRevisions/2] {
			delete(m.writes, r)
		}
		m.revisions = slices.Clone(m.revisions[keptRevisions/2:])
	}
}

// asked returns the request with a number, if it was about an object or made it.
func (m *memory) asked(uid string, seq uint64) *act {
	for _, a := range slices.Backward(m.acts[uid]) {
		if a.seq == seq {
			return a
		}
	}
	for _, a := range m.newest { // a deletecollection names nobody
		if a.seq == seq {
			return a
		}
	}
	return nil
}

// bury forgets the oldest of what is gone.
func (m *memory) bury(uid string) {
	m.dead = append(m.dead, uid)
	if len(m.dead) <= keptDead {
		return
	}
	for _, uid := range m.dead[:keptDead/2] {
		if t := m.things[uid]; t != nil {
			if key := t.object.Key(); m.lost[key] == uid {
				delete(m.lost, key)
			}
			for _, o := range t.owners {
				m.owned[o] = slices.DeleteFunc(m.owned[o], func(u string) bool { return u == uid })
				if len(m.owned[o]) == 0 {
					delete(m.owned, o)
				}
			}
		}
		delete(m.things, uid)
		delete(m.acts, uid)
		delete(m.acts, m.static[uid])
		delete(m.static, uid)
		for _, by := range m.told {
			delete(by, uid)
		}
	}
	m.dead = slices.Clone(m.dead[keptDead/2:])
}

// last returns the newest notice of an object that had reached one of users
// before a moment and that ok lets through. It may be a list, after a
// connection was lost, that told what nobody had told before.
func (m *memory) last(users []string, uid string, before time.Time, ok func(notice) bool) (found notice) {
	for _, user := range users {
		if n := newest(m.told[user][uid], before, ok); n.after(found) {
			found = n
		}
		if n := m.caughtUp(user, uid, before); n.after(found) && (ok == nil || ok(n)) {
			found = n
		}
	}
	return found
}

// caughtUp is the list that first told a user of the newest write of an object.
func (m *memory) caughtUp(user, uid string, before time.Time) notice {
	t := m.things[uid]
	if t == nil || t.gone {
		return notice{}
	}
	for _, l := range m.lists[user][t.kind] {
		if l.revision == "" || newer(t.stored.revision, l.revision) || l.end.After(before) {
			continue
		}
		if slices.ContainsFunc(m.told[user][uid], func(n notice) bool { return n.revision == t.stored.revision }) {
			return notice{}
		}
		return notice{l.seq, l.end, t.stored.revision, "LISTED"}
	}
	return notice{}
}

// newer compares revisions, which are numbers.
func newer(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// newest is the last of some notices that had come before a moment. Their order
// in the log may be another: what is told late comes late.
func newest(all []notice, before time.Time, ok func(notice) bool) (found notice) {
	for _, n := range all {
		if !n.end.After(before) && (ok == nil || ok(n)) && n.after(found) {
			found = n
		}
	}
	return found
}

// after reports whether n came after another notice, which may be none.
func (n notice) after(other notice) bool {
	if n.seq == 0 || other.seq == 0 || !n.end.Equal(other.end) {
		return n.seq > 0 && (other.seq == 0 || n.end.After(other.end))
	}
	return newer(n.revision, other.revision)
}

// foreign lets through what somebody else wrote: an echo of one's own write is
// no news.
func (m *memory) foreign(actor string) func(notice) bool {
	return func(n notice) bool {
		w := m.writes[n.revision]
		return w == nil || w.by != actor
	}
}

// did returns the newest thing somebody did to an object before a moment; of a
// mirror Pod also what its kubelet did to the Pod it shows.
func (m *memory) did(uid string, before time.Time, ok func(*act) bool) *act {
	var found *act
	acts := m.acts[uid]
	if static := m.static[uid]; static != "" {
		acts = slices.Concat(acts, m.acts[static])
	}
	for _, a := range acts {
		if !a.end.After(before) && (found == nil || a.end.After(found.end)) && ok(a) {
			found = a
		}
	}
	return found
}

func nodeOf(actor string) string { return strings.TrimPrefix(actor, kubelet) }
