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
}

type markKey struct{ manager, operation, subresource string }

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
		m := mark{fields: h.Sum64()}
		if e.Time != nil {
			m.time = e.Time.UTC()
		}
		ms[markKey{e.Manager, string(e.Operation), e.Subresource}] = m
	}
	return ms
}

// since returns who left a mark after the earlier revision, oldest first.
// With a nil earlier revision that is everybody.
//
// Somebody whose fields another one took over has fewer fields and the old
// time: that is the other one's write, so a change of fields
// counts only when there is no change of time to explain it.
func (ms marks) since(earlier marks) []writer {
	var newer, same []writer
	for key, now := range ms {
		before, known := earlier[key]
		w := writer{key.manager, key.operation, key.subresource, now.time}
		switch {
		case !known || now.time.After(before.time):
			newer = append(newer, w)
		case now.fields != before.fields:
			same = append(same, w)
		}
	}
	if len(newer) == 0 {
		newer = same
	}
	sort.Slice(newer, func(a, b int) bool {
		if !newer[a].Time.Equal(newer[b].Time) {
			return newer[a].Time.Before(newer[b].Time)
		}
		return newer[a].Manager < newer[b].Manager
	})
	return newer
}
