package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// delivery is the body of a watch response on its way to a client. A frame is
// told once it was delivered: the reverse proxy writes and flushes what it
// read before it reads again, so whoever asks for more has passed on the rest.
type delivery struct {
	io.ReadCloser
	framer *framer
	ctx    context.Context // of the request
	wire   *wire
	line   *line
	offer  func(watch.Observation)

	user, agent, link, auditID string
	of                         watch.Object // the collection that is watched

	read    []frame   // with the last Read
	at      time.Time // of it
	end     error     // that came with it
	number  int       // of the last frame
	listing bool      // the list in another form, with which the watch begins, is not over
	listed  int       // objects in it

	mu       sync.Mutex // guards those below
	late     []watch.Observation
	carrying bool // late is being worked off
}

// watchDetail is the detail of a watch event; see docs/events.md.
type watchDetail struct {
	UserAgent string `json:"userAgent,omitempty"`
	Link      string `json:"link"`
	Listed    *int   `json:"listed,omitempty"`
}

func (d *delivery) Read(p []byte) (int, error) {
	d.delivered()
	if d.end != nil {
		return 0, d.end
	}
	n, err := d.ReadCloser.Read(p)
	d.read, d.at = d.framer.write(p[:n]), time.Now()
	if n > 0 {
		d.end, err = err, nil
	}
	return n, err
}

func (d *delivery) delivered() {
	now := time.Now()
	if d.ctx.Err() != nil {
		return // the client has gone, perhaps without it
	}
	for _, f := range d.read {
		d.number++
		if o, ok := d.observation(f); ok {
			o.Start, o.End = d.at, now
			d.tell(o)
		}
	}
	d.read = nil
}

// observation is what a frame is to the log. Bookmarks and errors tell nothing
// of any object. Nor do the frames with which a watch may begin: they are a
// list in another form, of what was there before, and are told together with
// the bookmark that ends it.
func (d *delivery) observation(f frame) (watch.Observation, bool) {
	object, detail := d.of, watchDetail{UserAgent: d.agent, Link: d.link}
	o := watch.Observation{
		Event: watch.Event{
			Kind: watch.Watch, From: watch.APIServer, To: d.user, Verb: f.verb,
			Object: &object, Revision: f.meta.resourceVersion,
			Evidence: watch.Observed("link", d.auditID+"#"+strconv.Itoa(d.number)),
		},
		Lane: "watch:" + d.auditID,
	}
	openedBy := watch.Need{Key: "audit:" + d.auditID, How: watch.ByAuditID}
	switch f.verb {
	case "ADDED", "MODIFIED", "DELETED":
		if d.listing {
			d.listed++
			return o, false
		}
		object.Namespace, object.Name, object.UID = f.meta.namespace, f.meta.name, f.meta.uid
		o.Needs = []watch.Need{{Key: "put:" + o.Revision, How: watch.ByRevision, Wait: true}, openedBy}
	case "BOOKMARK":
		if !f.listEnds {
			return o, false
		}
		n := d.listed
		detail.Listed = &n
		o.Needs = []watch.Need{openedBy}
		d.listing = false
	default:
		return o, false
	}
	o.Detail, _ = json.Marshal(detail)
	return o, true
}

// tell hands an observation in when what it tells of has arrived, which is
// later than it was sent if the line is slow or cut.
func (d *delivery) tell(o watch.Observation) {
	cut, delay, _ := d.line.state()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !cut && delay == 0 && !d.carrying {
		d.offer(o)
		return
	}
	o.End = o.End.Add(delay)
	d.late = append(d.late, o)
	if !d.carrying {
		d.carrying = true
		go d.carry() // until it has told all, or the request has ended
	}
}

func (d *delivery) carry() {
	for {
		d.mu.Lock()
		if len(d.late) == 0 {
			d.carrying = false
			d.mu.Unlock()
			return
		}
		o := d.late[0]
		d.late = d.late[1:]
		d.mu.Unlock()
		arrived := d.line.pass(d.ctx, o.End)
		select {
		case <-d.wire.hungUp:
			arrived = false
		default:
		}
		if !arrived {
			return // and carrying stays true: nothing arrives any more
		}
		if cutUntil := time.Now(); cutUntil.After(o.End.Add(time.Millisecond)) {
			o.End = cutUntil
		}
		d.offer(o)
	}
}
