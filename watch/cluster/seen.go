package cluster

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubestage/kubestage/watch"
)

// seen is one object at one revision, as it was read from the apiserver.
type seen struct {
	object   watch.Object
	revision string
	value    json.RawMessage // without managedFields; of a Secret only metadata and the names of its keys
	owners   []string        // uids
	about    string          // uid of the object an Event is about
	marks    marks           // who had written what until then
}

// key is unique among the objects of one kind at one time.
func (s *seen) key() string { return s.object.Namespace + "/" + s.object.Name }

// place is where to look the object up.
func (s *seen) place() string { return s.object.Key() + "@" + s.revision }

// read takes what the log needs from an object, which it changes, and returns
// its managedFields apart: they are too much to keep.
func read(k kind, o runtime.Object) (*seen, []metav1.ManagedFieldsEntry, error) {
	m, err := meta.Accessor(o)
	if err != nil {
		return nil, nil, err
	}
	fields := m.GetManagedFields()
	s := &seen{
		object: watch.Object{
			Group: k.Group, Version: k.Version, Resource: k.Resource,
			Namespace: m.GetNamespace(), Name: m.GetName(), UID: string(m.GetUID()),
		},
		revision: m.GetResourceVersion(),
		marks:    marksOf(fields),
	}
	for _, owner := range m.GetOwnerReferences() {
		s.owners = append(s.owners, string(owner.UID))
	}
	keys := secretKeys(k, fields)
	m.SetManagedFields(nil)
	var content any = o
	switch o := o.(type) {
	case *unstructured.Unstructured:
		s.about, _, _ = unstructured.NestedString(o.Object, "involvedObject", "uid")
		content = o.Object
	case *metav1.PartialObjectMetadata:
		content = hidden(k, o, keys)
	}
	s.value, err = json.Marshal(content)
	return s, fields, err
}

// hidden is the value of an object whose content was not asked for. The
// annotation of kubectl apply repeats the content and goes too.
func hidden(k kind, o *metav1.PartialObjectMetadata, keys []string) any {
	delete(o.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	data := map[string]any{}
	for _, key := range keys {
		data[key] = nil
	}
	return struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   metav1.ObjectMeta `json:"metadata"`
		Data       map[string]any    `json:"data,omitempty"`
	}{k.GroupVersion().String(), k.Kind, o.ObjectMeta, data}
}

// secretKeys reads the names of a Secret's keys from its managedFields, which
// name fields and never hold values.
func secretKeys(k kind, entries []metav1.ManagedFieldsEntry) (keys []string) {
	if !k.secret() {
		return nil
	}
	for _, entry := range entries {
		var fields struct {
			Data map[string]any `json:"f:data"`
		}
		if entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		for field := range fields.Data {
			if len(field) > 2 && field[:2] == "f:" {
				keys = append(keys, field[2:])
			}
		}
	}
	return keys
}

// detail of a watch event on an attached cluster; see docs/events.md.
type detail struct {
	UserAgent string          `json:"userAgent"`
	Listed    bool            `json:"listed,omitempty"`  // read from a list: it was so before we looked
	Writers   []writer        `json:"writers,omitempty"` // concluded from managedFields
	Value     json.RawMessage `json:"value,omitempty"`
}

// watched is the observation of a notification or of one line of a list.
func (s *seen) watched(verb string, at time.Time, evidence watch.Evidence, d detail) watch.Observation {
	d.UserAgent, d.Value = "kubestage", s.value
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("cluster: %s: %v", s.object.Key(), err)) // value came out of json.Marshal
	}
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.Watch, Start: at, End: at,
			From: watch.APIServer, To: watch.Kubestage,
			Verb: verb, Object: &s.object, Revision: s.revision,
			Evidence: evidence, Detail: text,
		},
		Lane: s.object.Group + "/" + s.object.Resource,
	}
	if s.object.UID != "" {
		o.Gives = []watch.Give{{Key: "obj:" + s.object.UID}}
	}
	if verb == added {
		// Watches of different kinds overtake each other, so that a Pod may
		// be heard of before its ReplicaSet. Of what is in a list nobody
		// knows the order any more.
		for _, uid := range s.owners {
			o.Needs = append(o.Needs, watch.Need{Key: "obj:" + uid, How: watch.ByOwner, Wait: !d.Listed})
		}
	}
	if s.about != "" {
		o.Needs = append(o.Needs, watch.Need{Key: "obj:" + s.about, How: watch.ByUID})
	}
	return o
}

func sourceEvent(verb string, about *watch.Object, message string) watch.Observation {
	now := time.Now()
	text, _ := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	o := watch.Observation{Event: watch.Event{
		Kind: watch.Source, Start: now, End: now, From: watch.Kubestage, Verb: verb, Object: about,
		Evidence: watch.Observed("client", ""), Detail: text,
	}}
	if about != nil {
		o.Lane = about.Group + "/" + about.Resource
	}
	return o
}
