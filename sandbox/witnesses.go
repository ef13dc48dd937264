package sandbox

import (
	"encoding/json"
	"strconv"
	"sync/atomic"

	"github.com/kubestage/kubestage/watch"
)

// witnesses takes what components tell and hands it to the joiner.
type witnesses struct {
	auditor *auditor
	board   *board
	offer   func(watch.Observation)
	last    atomic.Int64 // the newest revision the tap told
}

func newWitnesses(b *board, offer func(watch.Observation)) *witnesses {
	return &witnesses{auditor: newAuditor(), board: b, offer: offer}
}

func (w *witnesses) tell(o watch.Observation) { w.offer(o) }

func (w *witnesses) lastRevision() int64 { return w.last.Load() }

func (w *witnesses) audit(line []byte) {
	for _, o := range w.auditor.line(line) {
		w.offer(o)
	}
}

// observed takes a line of file descriptor 3.
func (w *witnesses) observed(line []byte) {
	o, ok := watch.ReadObservation(line)
	if !ok {
		return // the child was killed in the middle of a line
	}
	w.offer(o)
	if o.Kind != watch.Etcd {
		return
	}
	if rev, err := strconv.ParseInt(o.Revision, 10, 64); err == nil && rev > w.last.Load() {
		w.last.Store(rev)
	}
	if o.Object != nil && o.Object.Resource == "nodes" && o.Object.Group == "" && o.Verb != "delete" {
		var d struct {
			Value json.RawMessage `json:"value"`
		}
		if json.Unmarshal(o.Detail, &d) == nil {
			w.board.node(d.Value)
		}
	}
}
