//go:build !nosandbox

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane" // registers the built-in kinds

	"github.com/kubestage/kubestage/watch"
)

// tap tells what etcd stores, from inside the server: no second client, no
// second identity, and no revision missed, since the watch starts at the
// revision after the last one told.
type tap struct {
	kv    mvcc.WatchableKV
	w     *witness
	bound map[string]bool // uids of pods that have a node, so that only the write that gave it is told as the binding's
}

func newTap(kv mvcc.WatchableKV, w *witness) *tap {
	return &tap{kv: kv, w: w, bound: map[string]bool{}}
}

var (
	registry    = []byte("/registry/")
	registryEnd = []byte("/registry0") // the key after every key with the prefix
)

// run tells what is there (range events) unless after names the last revision
// the log already has, and then each revision as it is committed.
func (t *tap) run(ctx context.Context, after int64) {
	for ctx.Err() == nil {
		if after == 0 {
			after = t.tellRange(ctx)
		}
		after = t.follow(ctx, after)
	}
}

// tellRange tells every key as it is now and returns the revision of now.
func (t *tap) tellRange(ctx context.Context) int64 {
	r, err := t.kv.Range(ctx, registry, registryEnd, mvcc.RangeOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "tap: range:", err)
		return t.kv.Rev()
	}
	now := time.Now()
	for i := range r.KVs {
		t.tell("range", &r.KVs[i], nil, now)
	}
	return r.Rev
}

// follow returns the last revision it told, or 0 when etcd has compacted the
// revisions in between and all must be ranged anew.
func (t *tap) follow(ctx context.Context, after int64) int64 {
	ws := t.kv.NewWatchStream()
	defer ws.Close()
	if _, err := ws.Watch(0, registry, registryEnd, after+1); err != nil {
		fmt.Fprintln(os.Stderr, "tap: watch:", err)
		return after
	}
	for {
		select {
		case <-ctx.Done():
			return after
		case r := <-ws.Chan():
			if r.CompactRevision != 0 {
				return 0
			}
			now := time.Now()
			for i := range r.Events {
				e := &r.Events[i]
				after = e.Kv.ModRevision
				if e.Type == mvccpb.DELETE {
					t.tell("delete", e.Kv, t.before(ctx, e.Kv), now)
				} else {
					t.tell("put", e.Kv, e.Kv, now)
				}
			}
		}
	}
}

// before returns the key's last value before a deletion, nil when it is gone.
func (t *tap) before(ctx context.Context, kv *mvccpb.KeyValue) *mvccpb.KeyValue {
	r, err := t.kv.Range(ctx, kv.Key, nil, mvcc.RangeOptions{Rev: kv.ModRevision - 1})
	if err != nil || len(r.KVs) == 0 {
		return nil
	}
	return &r.KVs[0]
}

// stored is the detail of an etcd event.
type stored struct {
	Key            string          `json:"key"`
	Version        int64           `json:"version,omitempty"`
	CreateRevision int64           `json:"createRevision,omitempty"`
	Lease          string          `json:"lease,omitempty"`
	Bytes          int             `json:"bytes,omitempty"`
	Value          json.RawMessage `json:"value,omitempty"`
}

func (t *tap) tell(verb string, kv, value *mvccpb.KeyValue, now time.Time) {
	if verb == "range" {
		value = kv
	}
	key := string(kv.Key)
	rev := strconv.FormatInt(kv.ModRevision, 10)
	d := stored{Key: key, Version: kv.Version, CreateRevision: kv.CreateRevision}
	var object watch.Object
	var pod *corev1.Pod
	if value != nil {
		d.Bytes = len(value.Value)
		object, d.Value, pod = decodeStored(key, value.Value)
	} else {
		object = objectOfKey(key)
	}
	if kv.Lease != 0 {
		d.Lease = strconv.FormatInt(kv.Lease, 16)
	}
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.Etcd, Start: now, End: now,
			From: watch.APIServer, To: watch.EtcdServer, Verb: verb,
			Object: &object, Revision: rev,
			Evidence: watch.Observed("etcd", key+"@"+rev),
			Detail:   detail(d),
		},
		Lane:  "etcd",
		Gives: []watch.Give{{Key: "put:" + rev}},
	}
	if object.UID != "" {
		o.Gives = append(o.Gives, watch.Give{Key: "obj:" + object.UID})
	}
	switch {
	case pod == nil:
	case verb == "delete":
		delete(t.bound, object.UID)
	case pod.Spec.NodeName != "" && !t.bound[object.UID]:
		t.bound[object.UID] = true
		o.Gives = append(o.Gives, watch.Give{Key: "bound:" + object.UID})
	}
	if verb != "range" && !withoutRequest(key) {
		o.Needs = []watch.Need{{Key: "rv:" + rev, How: watch.ByRevision, Wait: true}}
	}
	if verb == "range" {
		o.From, o.To = watch.EtcdServer, watch.Kubestage
	}
	t.w.tell(o)
}

// withoutRequest reports keys that the apiserver writes on its own account,
// past its own handlers, so that no audit record can explain them: the list of
// apiservers (pkg/controlplane/reconcilers/lease.go), the allocators' bitmaps
// (pkg/registry/core/service/allocator/storage) and the compactor's mark.
func withoutRequest(key string) bool {
	for _, p := range []string{"/registry/masterleases/", "/registry/ranges/", "/registry/peerserverleases/"} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// decodeStored reads an object as the apiserver stored it and returns its
// identity and its JSON without managedFields. Secrets lose their values here,
// in the process that holds them anyway, so that nothing later can leak them.
func decodeStored(key string, value []byte) (watch.Object, json.RawMessage, *corev1.Pod) {
	o := objectOfKey(key)
	obj, gvk, err := legacyscheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
	if err != nil {
		obj, gvk, err = decodeUnknown(value)
	}
	if err != nil {
		return o, nil, nil
	}
	if gvk.Kind != "" && gvk.Kind != "RangeAllocation" {
		plural, _ := meta.UnsafeGuessKindToResource(*gvk)
		o.Group, o.Version, o.Resource = plural.Group, plural.Version, plural.Resource
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return o, nil, nil
	}
	o.Namespace, o.Name, o.UID = m.GetNamespace(), m.GetName(), string(m.GetUID())
	m.SetManagedFields(nil)
	if s, ok := obj.(*corev1.Secret); ok {
		hideSecret(s)
	}
	obj.GetObjectKind().SetGroupVersionKind(*gvk)
	text, err := json.Marshal(obj)
	if err != nil {
		return o, nil, nil
	}
	pod, _ := obj.(*corev1.Pod)
	return o, text, pod
}

// decodeUnknown reads kinds that are not in the scheme: JSON as stored for
// custom resources, and the metadata of anything in protobuf, since ObjectMeta
// is field 1 of every such message.
func decodeUnknown(value []byte) (runtime.Object, *schema.GroupVersionKind, error) {
	if len(value) > 0 && value[0] == '{' {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(value); err != nil {
			return nil, nil, err
		}
		gvk := u.GroupVersionKind()
		return u, &gvk, nil
	}
	const magic = "k8s\x00"
	if !strings.HasPrefix(string(value), magic) {
		return nil, nil, fmt.Errorf("neither JSON nor protobuf")
	}
	var unknown runtime.Unknown
	if err := unknown.Unmarshal(value[len(magic):]); err != nil {
		return nil, nil, err
	}
	gvk := schema.FromAPIVersionAndKind(unknown.APIVersion, unknown.Kind)
	p := &metav1.PartialObjectMetadata{}
	if err := p.Unmarshal(unknown.Raw); err != nil {
		return nil, nil, err
	}
	return p, &gvk, nil
}

// hideSecret keeps the names of a Secret's keys and nothing they hold. The
// annotation of kubectl apply repeats the whole manifest.
func hideSecret(s *corev1.Secret) {
	for k := range s.Data {
		s.Data[k] = nil
	}
	s.StringData = nil
	delete(s.Annotations, corev1.LastAppliedConfigAnnotation)
}

// objectOfKey says what a key alone tells: /registry/RESOURCE/[NAMESPACE/]NAME,
// with a group in front for custom and aggregated kinds.
func objectOfKey(key string) watch.Object {
	parts := strings.Split(strings.TrimPrefix(key, "/registry/"), "/")
	var o watch.Object
	if len(parts) > 1 && strings.Contains(parts[0], ".") {
		o.Group, parts = parts[0], parts[1:]
	}
	o.Resource = parts[0]
	switch len(parts) {
	case 2:
		o.Name = parts[1]
	case 3:
		o.Namespace, o.Name = parts[1], parts[2]
	default:
		o.Name = strings.Join(parts[1:], "/")
	}
	return o
}
