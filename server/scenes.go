package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/watch"
)

// scenes runs the scenes of the book against the cluster, and keeps what
// learners have done.
//
//	POST /api/scenes/{id}/run           runs it; one JSON object a line, see runScene
//	GET  /api/scenes/{id}/facts?after   what is true already, of the newest run or after an event
//	POST /api/scenes/{id}/checkpoint    whether the checkpoint is met, and what is missing
//	GET  /api/progress/{id}             what this learner has done in a chapter
//	PUT  /api/progress/{id}/prediction  {"chosen": "tie"}
//	PUT  /api/progress/{id}/place       {"step": "chosen"}
type scenes struct {
	*Server
	command commandRunner

	mu      sync.Mutex // guards running
	running map[string]bool
}

// commandRunner is Server.runCommand, or a test's stand-in for it.
type commandRunner func(ctx context.Context, line, input, lang string, emit func(stream, data string) error) (exit int, err error)

func (s *Server) sceneRoutes(r chi.Router) {
	newScenes(s, s.runCommand).routes(r)
}

func newScenes(s *Server, command commandRunner) *scenes {
	return &scenes{Server: s, command: command, running: map[string]bool{}}
}

func (s *scenes) routes(r chi.Router) {
	r.Post("/api/scenes/{id}/run", s.handle(s.run))
	r.Get("/api/scenes/{id}/facts", s.handle(s.facts))
	r.Post("/api/scenes/{id}/checkpoint", s.handle(s.checkpoint))
	r.Get("/api/progress/{id}", s.handle(s.progress))
	r.Put("/api/progress/{id}/prediction", s.handle(s.predict))
	r.Put("/api/progress/{id}/place", s.handle(s.place))
}

func (s *scenes) chapter(r *http.Request) (*content.Chapter, error) {
	id := chi.URLParam(r, "id")
	if s.Book != nil {
		if c, ok := s.Book.Chapter(id); ok {
			return c, nil
		}
	}
	return nil, noChapter(id)
}

// Lines of a run, in this order: reset (old objects are being removed), start
// (facts are looked for after seq), then output and fact as they come, and at last
// either done or error.
type (
	resetLine struct {
		Type string `json:"type"`
	}
	startLine struct {
		Type string `json:"type"`
		Log  string `json:"log"`
		Seq  uint64 `json:"seq"`
	}
	outputLine struct {
		Type   string `json:"type"`
		Stream string `json:"stream"`
		Data   string `json:"data"`
	}
	factLine struct {
		Type string `json:"type"`
		content.Fact
	}
	doneLine struct {
		Type string `json:"type"`
	}
	errorLine struct {
		Type  string `json:"type"`
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
		Step  string `json:"step,omitempty"` // the fact that was awaited
	}
)

func (s *scenes) run(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	var ask struct {
		Lang string `json:"lang"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	refuse := func(code int, why, hint said) error {
		return &HTTPError{Code: code, Msg: why.in(ask.Lang), Hint: hint.in(ask.Lang)}
	}
	if no := s.readOnly(); no != nil {
		no := no.sentences()
		return refuse(http.StatusForbidden, no.why, no.hint)
	}
	if ok, _ := s.Ready(); !ok {
		return refuse(http.StatusServiceUnavailable,
			said{"The cluster is still starting.", "클러스터가 아직 시작하는 중입니다."},
			said{"Run it when the stage shows every component ready.", "무대의 모든 구성 요소가 준비되면 실행하세요."})
	}
	if !s.begin(c.ID) {
		return refuse(http.StatusConflict,
			said{"This scene is running already, perhaps in another tab.", "이 장면은 이미 실행 중입니다. 다른 탭일 수도 있습니다."},
			said{"Wait for that run to end.", "그 실행이 끝나기를 기다리세요."})
	}
	defer s.end(c.ID)
	learner := s.learner(w, r)

	ctx, cancel := context.WithTimeout(r.Context(), c.Scene.Within)
	defer cancel()
	lines := newNDJSON(w)
	send := func(v any) {
		if lines.send(v) != nil {
			cancel() // the reader is gone: stop what we do for it
		}
	}
	play := &play{scenes: s, chapter: c, lang: ask.Lang, learner: learner, send: send}
	if fail := play.run(ctx); fail != nil {
		fail.Type = "error"
		send(fail)
	}
	return nil
}

// follow hands each event after seq to each, as they come, until it returns
// false. Its error is the context's, or a *watch.Gap.
func (s *scenes) follow(ctx context.Context, seq uint64, each func(watch.Event) bool) error {
	for {
		if err := s.Log.Wait(ctx, seq); err != nil {
			return err
		}
		events, err := s.Log.After(seq, 1024)
		if err != nil {
			return err
		}
		for _, e := range events {
			seq = e.Seq
			if !each(e) {
				return nil
			}
		}
	}
}

// all hands out the events after seq that are in the log now.
func (s *scenes) all(seq uint64, each func(watch.Event) bool) error {
	for {
		events, err := s.Log.After(seq, 1024)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			seq = e.Seq
			if !each(e) {
				return nil
			}
		}
	}
}

// facts answers with a JSON list of the facts that are true already: after the
// event `after`, or, without it, of the newest run the log holds.
func (s *scenes) facts(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	var start uint64
	if after := r.URL.Query().Get("after"); after != "" {
		if start, err = strconv.ParseUint(after, 10, 64); err != nil {
			return badRequest("after is not a sequence number", "give the number of the last event before the run, as in after=41")
		}
	} else if start, err = s.newestRun(c.Scene); err != nil {
		return err
	}
	found := []content.Fact{}
	trail := c.Scene.Follow()
	var first time.Time
	err = s.all(start, func(e watch.Event) bool {
		found = append(found, trail.Add(e)...)
		if first.IsZero() && len(found) > 0 {
			first = found[0].At
		}
		// What comes later than a run may take belongs to another story.
		return !trail.Done() && (first.IsZero() || e.End.Sub(first) <= c.Scene.Within)
	})
	var gap *watch.Gap
	if errors.As(err, &gap) {
		return &HTTPError{Code: http.StatusGone, Msg: "these events are no longer kept", Hint: "ask without after", More: map[string]any{"first": gap.First, "last": gap.Last}}
	}
	if err != nil {
		return err
	}
	w.Header().Set("Kubestage-Log", s.Log.ID())
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, found)
	return nil
}

// newestRun returns the number of the event before the one the newest run began
// with, and the log's last when there was none. It looks from the end.
func (s *scenes) newestRun(scene *content.Scene) (uint64, error) {
	const window = 1024
	first, last := s.Log.Bounds()
	for end := last; end >= first && end > 0; {
		begin := max(first, end-min(end, window)+1)
		events, err := s.Log.After(begin-1, int(end-begin+1))
		var gap *watch.Gap
		if errors.As(err, &gap) {
			break // the log let go of it meanwhile: there is nothing older to find
		}
		if err != nil {
			return 0, err
		}
		for i := len(events) - 1; i >= 0; i-- {
			if scene.Begins(events[i]) {
				return events[i].Seq - 1, nil
			}
		}
		end = begin - 1
	}
	return last, nil
}

// attempts is how many tries at a checkpoint are followed at a time: somebody
// may create, delete and create again.
const attempts = 16

// checkpoint looks for an attempt that brought about every fact. Without one it
// tells how far the newest came.
func (s *scenes) checkpoint(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	if c.Scene.Check == nil {
		return &HTTPError{Code: http.StatusNotFound, Msg: "this chapter has no checkpoint"}
	}
	type attempt struct {
		trail *content.Trail
		facts []content.Fact
	}
	var tries []*attempt
	var passed *attempt
	first, _ := s.Log.Bounds()
	err = s.all(first-1, func(e watch.Event) bool {
		if c.Scene.Check.Begins(e) {
			tries = append(tries, &attempt{trail: c.Scene.Check.Follow()})
			tries = tries[max(0, len(tries)-attempts):]
		}
		for _, a := range tries {
			a.facts = append(a.facts, a.trail.Add(e)...)
			if a.trail.Done() {
				passed = a
				return false
			}
		}
		return true
	})
	var gap *watch.Gap
	if err != nil && !errors.As(err, &gap) {
		return err
	}
	answer := struct {
		Passed  bool           `json:"passed"`
		Facts   []content.Fact `json:"facts"`
		Missing string         `json:"missing,omitempty"`
	}{Facts: []content.Fact{}}
	switch {
	case passed != nil:
		answer.Passed, answer.Facts = true, passed.facts
		learner := s.learner(w, r)
		s.record(func(ctx context.Context) error { return s.Store.Pass(ctx, learner, c.ID) })
	case len(tries) > 0:
		newest := tries[len(tries)-1]
		answer.Facts, answer.Missing = newest.facts, newest.trail.Waiting()
	default:
		answer.Missing = c.Scene.Check.Facts[0].ID
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// begin takes the only place for a run of this scene; its objects have fixed
// names.
func (s *scenes) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] {
		return false
	}
	s.running[id] = true
	return true
}

func (s *scenes) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}
