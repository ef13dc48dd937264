package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

func TestSelector(t *testing.T) {
	labels := map[string]string{"app": "web", "tier": "front", "empty": ""}
	for _, c := range []struct {
		text string
		want string // yes, no or error
	}{
		{"", "yes"},
		{"app=web", "yes"},
		{"app==web,tier=front", "yes"},
		{"app=web,tier=back", "no"},
		{"app!=db", "yes"},
		{"other!=db", "yes"},
		{"app!=web", "no"},
		{"app", "yes"},
		{"empty", "yes"},
		{"empty=", "yes"},
		{"other", "no"},
		{"!other", "yes"},
		{"!app", "no"},
		{"app in (db, web)", "yes"},
		{"app in (db,cache),tier=front", "no"},
		{"app notin (db,web)", "no"},
		{"other notin (db)", "yes"},
		{"tier=front,app in (web),!x", "yes"},
		{"app in web", "error"},
		{"app near (web)", "error"},
		{"a>1", "error"},
	} {
		s, err := parseSelector(c.text)
		got := "error"
		if err == nil {
			got = map[bool]string{true: "yes", false: "no"}[s.matches(labels)]
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s (%v)", c.text, got, c.want, err)
		}
	}
}

// pod is what the tap tells of a Pod.
func storedPod(verb string, revision, version int, name, node, phase string, labels string) *watch.Observation {
	value := fmt.Sprintf(`{"metadata":{"name":%q,"labels":{%s}},"spec":{"nodeName":%q},"status":{"phase":%q}}`, name, labels, node, phase)
	return &watch.Observation{Event: watch.Event{
		Kind: watch.Etcd, Verb: verb, Revision: fmt.Sprint(revision), Start: at(revision), End: at(revision),
		Object: &watch.Object{Version: "v1", Resource: "pods", Namespace: "d", Name: name},
		Detail: []byte(fmt.Sprintf(`{"key":"/registry/pods/d/%s","version":%d,"value":%s}`, name, version, value)),
	}}
}

func at(revision int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(revision) * time.Second)
}

func opening(id, user, resource, namespace, query string, received int) *auditRecord {
	r := &auditRecord{AuditID: id, Verb: "watch", URI: "/x?watch=true&" + query, Received: at(received)}
	r.User.Username = user
	r.Ref = &struct {
		Group       string `json:"apiGroup"`
		Version     string `json:"apiVersion"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		UID         string `json:"uid"`
	}{Resource: resource, Namespace: namespace}
	return r
}

func notifications(os []watch.Observation) string {
	var all []string
	for _, o := range os {
		all = append(all, fmt.Sprintf("%s %s %s@%s", o.To, o.Verb, o.Object.Name, o.Revision))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestWhoIsNotified(t *testing.T) {
	w := newWatches()
	for _, r := range []*auditRecord{
		opening("1", "all", "pods", "", "resourceVersion=0", 0),
		opening("2", "kubelet", "pods", "", "fieldSelector=spec.nodeName%3Dnode-1&sendInitialEvents=true&resourceVersion=50", 0),
		opening("3", "scheduler", "pods", "", "fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed", 0),
		opening("4", "web", "pods", "d", "labelSelector=app%3Dweb", 0),
		opening("5", "elsewhere", "pods", "other", "", 0),
		opening("6", "services", "services", "", "", 0),
		opening("7", "late", "pods", "", "resourceVersion=4", 0),
		opening("8", kubestageUser, "pods", "", "", 0),
		opening("9", "one", "pods", "d", "fieldSelector=metadata.name%3Da", 0),
	} {
		w.open(r)
	}
	for i, step := range []struct {
		stored *watch.Observation
		want   string
	}{
		{storedPod("range", 1, 3, "old", "node-1", "Running", `"app":"web"`), ""},
		{storedPod("put", 2, 1, "a", "", "Pending", ""), "all ADDED a@2; one ADDED a@2; scheduler ADDED a@2"},
		{storedPod("put", 3, 2, "a", "node-1", "Pending", ""), "all MODIFIED a@3; kubelet ADDED a@3; one MODIFIED a@3; scheduler MODIFIED a@3"},
		{storedPod("put", 4, 3, "a", "node-1", "Succeeded", ""), "all MODIFIED a@4; kubelet MODIFIED a@4; one MODIFIED a@4; scheduler DELETED a@4"},
		{storedPod("put", 5, 4, "a", "node-1", "Succeeded", `"app":"web"`), "all MODIFIED a@5; kubelet MODIFIED a@5; late MODIFIED a@5; one MODIFIED a@5; web ADDED a@5"},
		{storedPod("put", 6, 4, "old", "node-1", "Running", `"app":"db"`), "all MODIFIED old@6; kubelet MODIFIED old@6; late MODIFIED old@6; scheduler MODIFIED old@6; web DELETED old@6"},
		{storedPod("delete", 7, 0, "a", "node-1", "Succeeded", `"app":"web"`), "all DELETED a@7; kubelet DELETED a@7; late DELETED a@7; one DELETED a@7; web DELETED a@7"},
		{storedPod("delete", 8, 0, "unseen", "node-2", "Running", ""), "all DELETED unseen@8; late DELETED unseen@8; scheduler DELETED unseen@8"},
		{storedPod("put", 9, 1, "a", "node-2", "Running", ""), "all ADDED a@9; late ADDED a@9; one ADDED a@9; scheduler ADDED a@9"},
	} {
		if got := notifications(w.stored(step.stored)); got != step.want {
			t.Errorf("step %d\n got %s\nwant %s", i, got, step.want)
		}
	}
	w.close("1")
	w.reset()
	if got := notifications(w.stored(storedPod("put", 10, 2, "a", "node-2", "Running", ""))); got != "" {
		t.Errorf("closed watches were notified: %s", got)
	}
}

// The audit log and the tap come through different pipes: a watch may be told
// after a write that it got.
func TestWatchToldLate(t *testing.T) {
	w := newWatches()
	for i := range 3 * recentWrites {
		w.stored(storedPod("put", i+1, 1, fmt.Sprint("p", i+1), "", "Pending", ""))
	}
	last := 3 * recentWrites
	got := notifications(w.open(opening("1", "a", "pods", "", fmt.Sprint("resourceVersion=", last-2), 0)))
	if want := fmt.Sprintf("a ADDED p%d@%d; a ADDED p%d@%d", last-1, last-1, last, last); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = notifications(w.open(opening("2", "b", "pods", "", "", last)))
	if want := fmt.Sprintf("b ADDED p%d@%d", last, last); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEventsAreWatchedInTwoGroups(t *testing.T) {
	w := newWatches()
	r := opening("1", "a", "events", "", "", 0)
	r.Ref.Group = "events.k8s.io"
	w.open(r)
	o := storedPod("put", 1, 1, "e", "", "", "")
	o.Object.Resource = "events"
	if got := notifications(w.stored(o)); got != "a ADDED e@1" {
		t.Errorf("got %q", got)
	}
}
