package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// How many events one answer holds.
const (
	defaultEvents = 1000
	maxEvents     = 10000
)

// events answers with the events that follow after=SEQ, oldest first, one JSON
// object a line. The header Kubestage-Log names the log the numbers belong to.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	c, err := s.about(r)
	if err != nil {
		return err
	}
	after, _, err := afterParameter(r)
	if err != nil {
		return err
	}
	limit := uint64(defaultEvents)
	if text := r.URL.Query().Get("limit"); r.URL.Query().Has("limit") {
		limit, err = strconv.ParseUint(text, 10, 64)
		if err != nil || limit < 1 || limit > maxEvents {
			return badRequest(fmt.Sprintf("limit=%s is not a number from 1 to %d", clip(text), maxEvents),
				fmt.Sprintf("leave it out for %d events, and ask again with after=SEQ of the last one", defaultEvents))
		}
	}
	if err := foreign(r, c.log, after); err != nil {
		return gone(err)
	}
	lines, err := c.log.Lines(after, int(limit))
	if err != nil {
		return gone(err)
	}
	c.header(w, "application/x-ndjson")
	rc := http.NewResponseController(w)
	for i, line := range lines {
		if i%256 == 0 {
			rc.SetWriteDeadline(time.Now().Add(lineWait))
		}
		if _, err := w.Write(line); err != nil {
			return nil // the client is gone
		}
		if _, err := w.Write(newline); err != nil {
			return nil
		}
	}
	return nil
}

var newline = []byte("\n")

// afterParameter reads after=SEQ; given is false when it was left out.
func afterParameter(r *http.Request) (after uint64, given bool, err error) {
	q := r.URL.Query()
	if !q.Has("after") {
		return 0, false, nil
	}
	after, err = strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil {
		return 0, true, badRequest(fmt.Sprintf("after=%s is not a sequence number", clip(q.Get("after"))),
			"give the seq of the last event you have, or leave it out to begin with the oldest")
	}
	return after, true, nil
}

// foreign returns the gap of a reader whose number is not of this log: because
// the reader says so with log=ID, or because there is no such number yet.
func foreign(r *http.Request, log *watch.Log, after uint64) *foreignGap {
	first, last := log.Bounds()
	if id := r.URL.Query().Get("log"); after > last || id != "" && id != log.ID() {
		return &foreignGap{after, watch.Gap{First: first, Last: last}}
	}
	return nil
}

type foreignGap struct {
	after uint64
	watch.Gap
}

func (g *foreignGap) Error() string {
	return fmt.Sprintf("%d is not a number of this log: it is of another one, from before Kubestage was started", g.after)
}

func (g *foreignGap) As(target any) bool {
	t, ok := target.(**watch.Gap)
	if ok {
		*t = &g.Gap
	}
	return ok
}

// gone is the answer to a reader who asks for what is not kept.
func gone(err error) error {
	var gap *watch.Gap
	if !errors.As(err, &gap) {
		return err
	}
	return &HTTPError{
		Code: http.StatusGone,
		Msg:  err.Error(),
		Hint: fmt.Sprintf("forget what you have and go on with after=%d", gap.First-1),
		More: map[string]any{"first": gap.First, "last": gap.Last},
	}
}

// clip shortens what a client sent, to be quoted.
func clip(s string) string {
	if len(s) > 40 {
		return strconv.Quote(s[:40] + "…")
	}
	return strconv.Quote(s)
}
