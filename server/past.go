package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/state"
)

// chronicle is a log and what is concluded from it: what there was when, and
// the stories it tells.
type chronicle struct {
	log    *watch.Log
	source string // what feeds the log
	past   *state.Timeline
	tales  *tales
}

func newChronicle(log *watch.Log, source string) chronicle {
	return chronicle{log, source, state.NewTimeline(log), newTales(log)}
}

// about is what a request asks of: a recording when it says so, by
// recording=ID, or else the log that grows.
func (s *Server) about(r *http.Request) (chronicle, error) {
	id := r.URL.Query().Get("recording")
	if id == "" {
		return s.live, nil
	}
	o, err := s.recordings.play(r.Context(), id)
	return o.chronicle, err
}

// remember reads the log as it grows, so that nobody who asks for the past
// waits for that. A burst of events is read in one go.
func (s *Server) remember(ctx context.Context) {
	for {
		_, last := s.Log.Bounds()
		s.live.past.CatchUp()
		s.live.tales.catchUp()
		if s.Log.Wait(ctx, last) != nil || sleep(ctx, 100*time.Millisecond) != nil {
			return
		}
	}
}

// stateAt answers with what there was right after event at=SEQ, or now:
// {"seq", "since", "objects": [{"object", "revision", "value", "seq", "by"}],
// "components": [{"name", "state", "pid", "restarts", "seq"}], "links":
// [{"name", "state", "delay", "seq"}]}. It is the fold of the events from
// `since` on; an object last written before is not in it.
func (s *Server) stateAt(w http.ResponseWriter, r *http.Request) error {
	c, err := s.about(r)
	if err != nil {
		return err
	}
	_, at := c.log.Bounds()
	if text := r.URL.Query().Get("at"); r.URL.Query().Has("at") {
		if at, err = strconv.ParseUint(text, 10, 64); err != nil {
			return badRequest(fmt.Sprintf("at=%s is not a sequence number", clip(text)), "give the seq of an event, or leave it out for what there is now")
		}
	}
	if err := foreign(r, c.log, at); err != nil {
		return gone(err)
	}
	st, err := c.past.At(at)
	var gap *watch.Gap
	if errors.As(err, &gap) {
		return &HTTPError{
			Code: http.StatusGone,
			Msg:  fmt.Sprintf("what there was at event %d is not kept any more", at),
			Hint: fmt.Sprintf("ask for at=%d or later", gap.First-1),
			More: map[string]any{"first": gap.First, "last": gap.Last},
		}
	}
	if err != nil {
		return err
	}
	c.header(w, "application/json")
	writeState(w, st, c.past.Since())
	return nil
}

// writeState writes a state as JSON. Objects are megabytes of it, and made when
// they were written.
func writeState(w io.Writer, st *state.State, since uint64) {
	b := bufio.NewWriterSize(w, 64<<10)
	defer b.Flush() // an error means that the client is gone
	fmt.Fprintf(b, `{"seq":%d,"since":%d,"objects":[`, st.Seq, since)
	for i, o := range st.Objects() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(o.JSON())
	}
	rest, _ := json.Marshal(map[string]any{"components": some(st.Components()), "links": some(st.Links())})
	b.WriteString("],")
	b.Write(rest[1:])
}

// history answers with the events about one object that the log keeps, the
// newest limit=N of those before before=SEQ, oldest first, and who wrote it:
// {"object", "events": […], "more", "writers": [{"name", "writes", "first",
// "last"}]}. The writers are those of all kept events.
func (s *Server) history(w http.ResponseWriter, r *http.Request) error {
	uid := chi.URLParam(r, "uid")
	limit, err := numberParameter(r, "limit", defaultEvents, 1, maxEvents)
	if err != nil {
		return err
	}
	before, err := numberParameter(r, "before", 0, 1, 0)
	if err != nil {
		return err
	}
	c, err := s.about(r)
	if err != nil {
		return err
	}
	h, err := c.past.History(uid)
	if errors.Is(err, state.ErrUnknown) {
		return &HTTPError{Code: http.StatusNotFound, Msg: fmt.Sprintf("no event the log keeps is about an object with uid %s", clip(uid)), Hint: "the uid is metadata.uid of an object, as in /api/state"}
	}
	if err != nil {
		return err
	}
	seqs, more := h.Before(before, int(limit))
	c.header(w, "application/json")
	writeJSON(w, http.StatusOK, map[string]any{"object": h.Object, "events": rawLines(c.log.Pick(seqs)), "more": more, "writers": some(h.Writers)})
	return nil
}

func (c *chronicle) header(w http.ResponseWriter, content string) {
	h := w.Header()
	h.Set("Content-Type", content)
	h.Set("Cache-Control", "no-store")
	h.Set("Kubestage-Log", c.log.ID())
}

// numberParameter reads a number from least to most; most 0 is no bound.
func numberParameter(r *http.Request, name string, otherwise, least, most uint64) (uint64, error) {
	if !r.URL.Query().Has(name) {
		return otherwise, nil
	}
	text := r.URL.Query().Get(name)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || most > 0 && n > most {
		bounds := fmt.Sprintf("from %d to %d", least, most)
		if most == 0 {
			bounds = fmt.Sprintf("of at least %d", least)
		}
		return 0, badRequest(fmt.Sprintf("%s=%s is not a number %s", name, clip(text), bounds), "leave it out for what is usual")
	}
	return n, nil
}

// some is a list that is never null in JSON.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// rawLines are events that are JSON already.
func rawLines(lines [][]byte) []json.RawMessage {
	raw := make([]json.RawMessage, len(lines))
	for i, line := range lines {
		raw[i] = line
	}
	return raw
}
