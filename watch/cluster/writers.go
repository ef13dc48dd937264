package cluster

import (
	"hash/fnv"
	"sort"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writer is somebody who, by the managedFields of an object, wrote to it
// between two revisions we saw. A write that changes no field's owner or time
// leaves no mark (setting deletionTimestamp is one), so there may be none.
type writer struct {
	Manager     string    `json:"manager"`
	Operation   string    `json:"operation"`
	Subresource string    `json:"subresource,omitempty"`
	Time        time.Time `json:"time"`
	group       string    // the API group it was written in: Events have two
}

type markKey struct{ manager, operation, subresource, group string }

type mark struct {
	time   time.Time
	fields uint64 // a hash: times have whole seconds, so two writes may share one
}

// marks is what managedFields say at one revision, small enough to keep for
// every object.
type marks map[markKey]mark

func marksOf(entries []metav1.ManagedFieldsEntry) marks {
	ms := make(marks, len(entries))
	for _, e := range entries {
		h := fnv.New64a()
		if e.FieldsV1 != nil {
			h.Write(e.FieldsV1.GetRawBytes())
		}
		w := writerOf(e)
		ms[markKey{w.Manager, w.Operation, w.Subresource, w.group}] = mark{w.Time, h.Sum64()}
	}
	return ms
}

func writerOf(e metav1.ManagedFieldsEntry) writer {
	w := writer{Manager: e.Manager, Operation: string(e.Operation), Subresource: e.Subresource, group: groupOf(e.APIVersion)}
	if e.Time != nil {
		w.Time = e.Time.UTC()
	}
	return w
}

// since returns who left a mark after the earlier revision, oldest first.
// With a nil earlier revision that is everybody.
//
// Somebody whose fields another one took over has fewer fields and the old
// time: that is the other one's write, so a change of fields
// counts only when there is no change of time to explain it.
func (ms marks) since(earlier marks) []writer {
	if found := ms.newer(earlier); len(found) > 0 {
		return found
	}
	return ms.fewer(earlier)
}

// newer returns those who are new, or whose time is.
func (ms marks) newer(earlier marks) []writer {
	return ms.those(earlier, func(now, before mark, known bool) bool { return !known || now.time.After(before.time) })
}

// fewer returns those whose fields are not the same at the same time.
func (ms marks) fewer(earlier marks) []writer {
	return ms.those(earlier, func(now, before mark, known bool) bool { return known && now.fields != before.fields })
}

func (ms marks) those(earlier marks, fits func(now, before mark, known bool) bool) (found []writer) {
	for key, now := range ms {
		before, known := earlier[key]
		if fits(now, before, known) {
			found = append(found, writer{key.manager, key.operation, key.subresource, now.time, key.group})
		}
	}
	sort.Slice(found, func(a, b int) bool {
		if !found[a].Time.Equal(found[b].Time) {
			return found[a].Time.Before(found[b].Time)
		}
		return found[a].Manager < found[b].Manager
	})
	return found
}
