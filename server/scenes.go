package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recording"
)

// scenes runs the scenes of the book against the cluster, and keeps what
// learners have done.
//
//	GET  /api/outline                   [{"id", "wave", "en", "ko", "chapters"}]: every row the book is about
//	GET  /api/scenes                    [{"id", "covers", "alone", "namespace", …}]: what there is to run, and what a test of the book needs
//	POST /api/scenes/{id}/run           runs it; one JSON object a line, see the types of lines below
//	GET  /api/scenes/{id}/facts?after   what is true already, of the newest run or after an event
//	GET  /api/scenes/{id}/facts?recording  the facts of the chapter's own recording
//	GET  /api/scenes/{id}/recording     a recording of this learner's newest run
//	POST /api/scenes/{id}/checkpoint    whether the checkpoint is met, and what is missing
//	GET  /api/progress/{id}             what this learner has done in a chapter
//	PUT  /api/progress/{id}/prediction  {"chosen": "tie"}
//	PUT  /api/progress/{id}/place       {"step": "chosen"}
type scenes struct {
	*Server
	command    commandRunner
	namespaces namespaces

	mu      sync.Mutex                  // guards both
	running map[string]*content.Chapter // by namespace
	runs    map[string][]*span          // by namespace, of this log
}

// span is the part of the log that a run of a scene takes: what happens there
// is nobody's attempt at a checkpoint.
type span struct {
	first, start, last uint64 // start is 0 while it is being prepared, last while it goes on
}

// commandRunner is Server.runCommand, or a test's stand-in for it.
type commandRunner func(ctx context.Context, line, input, lang, ns string, emit func(stream, data string) error) (exit int, err error)

func (s *Server) sceneRoutes(r chi.Router) {
	s.scenes = newScenes(s, s.runCommand)
	s.scenes.routes(r)
}

func newScenes(s *Server, command commandRunner) *scenes {
	return &scenes{Server: s, command: command, running: map[string]*content.Chapter{}, runs: map[string][]*span{}}
}

func (s *scenes) routes(r chi.Router) {
	r.Get("/api/outline", s.handle(s.outline))
	r.Get("/api/scenes", s.handle(s.list))
	r.Post("/api/scenes/{id}/run", s.handle(s.run))
	r.Get("/api/scenes/{id}/facts", s.handle(s.facts))
	r.Get("/api/scenes/{id}/recording", s.handle(s.recordingOf))
	r.Post("/api/scenes/{id}/checkpoint", s.handle(s.checkpoint))
	r.Get("/api/progress/{id}", s.handle(s.progress))
	r.Put("/api/progress/{id}/prediction", s.handle(s.predict))
	r.Put("/api/progress/{id}/place", s.handle(s.place))
}

func (s *scenes) chapter(r *http.Request) (*content.Chapter, error) {
	id := chi.URLParam(r, "id")
	if c, ok := s.book().Chapter(id); ok {
		return c, nil
	}
	return nil, noChapter(id)
}

// outline tells which row is taught where.
func (s *scenes) outline(w http.ResponseWriter, _ *http.Request) error {
	type row struct {
		ID       string   `json:"id"`
		Wave     int      `json:"wave"`
		EN       string   `json:"en"`
		KO       string   `json:"ko"`
		Chapters []string `json:"chapters"`
	}
	rows := []row{}
	if o := s.book().Outline; o != nil {
		for _, p := range o.Parts {
			for _, r := range p.Rows {
				is := row{r.ID, r.Wave, r.EN, r.KO, []string{}}
				for _, c := range r.Chapters {
					is.Chapters = append(is.Chapters, c.ID)
				}
				rows = append(rows, is)
			}
		}
	}
	writeJSON(w, http.StatusOK, rows)
	return nil
}

// list tells of each scene what a test of the book does beside running it.
func (s *scenes) list(w http.ResponseWriter, r *http.Request) error {
	type action struct {
		Run     string `json:"run,omitempty"`
		Stdin   string `json:"stdin,omitempty"`
		Refused bool   `json:"refused,omitempty"`
		Order   string `json:"order,omitempty"`
	}
	actions := func(list []content.Action) []action {
		out := []action{}
		for _, a := range list {
			if a.Order != nil {
				out = append(out, action{Order: a.Line()})
			} else {
				out = append(out, action{a.Run, a.Stdin, a.Refused, ""})
			}
		}
		return out
	}
	type scene struct {
		ID        string             `json:"id"`
		Covers    []string           `json:"covers"`
		Alone     bool               `json:"alone"`     // nothing may run beside it, or its solution
		Namespace string             `json:"namespace"` // the learner's who asks
		Check     bool               `json:"checkpoint"`
		Solution  []action           `json:"solution"`
		Wrong     []action           `json:"wrong"`
		Lines     []content.TextLine `json:"lines"` // kubectl lines of the text
	}
	learner := s.learner(w, r)
	all := []scene{}
	for _, c := range s.book().Chapters {
		ns := namespaceOf(learner, c.ID)
		fill := func(list []content.Action) (out []content.Action) {
			for _, a := range list {
				out = append(out, a.Fill(map[string]string{"ns": ns}))
			}
			return out
		}
		all = append(all, scene{c.ID, some(c.Covers), c.Scene.AloneToTheEnd(), ns, c.Scene.Check != nil,
			actions(fill(c.Scene.Solution)), actions(fill(c.Scene.Wrong)), some(c.TextLines())})
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, all)
	return nil
}

// Lines of a run, in this order: reset (what is left is being removed), commands
// of the setup, start (facts are looked for after seq), then commands, what they
// print and how they end, and facts as they come; then what the log says to each
// assertion, and at last either done or error.
type (
	resetLine struct {
		Type string `json:"type"`
	}
	startLine struct {
		Type      string `json:"type"`
		Log       string `json:"log"`
		Seq       uint64 `json:"seq"`
		Namespace string `json:"namespace"`
	}
	commandLine struct {
		Type string `json:"type"`
		Step string `json:"step"` // "" is the setup
		Line string `json:"line"`
	}
	outputLine struct {
		Type   string `json:"type"`
		Step   string `json:"step"`
		Stream string `json:"stream"`
		Data   string `json:"data"`
	}
	exitLine struct {
		Type string `json:"type"`
		Step string `json:"step"`
		Exit int    `json:"exit"`
	}
	assertLine struct {
		Type string `json:"type"`
		content.Verdict
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
	if ok, _ := s.Ready(); !ok && !s.disturbed() { // what a person has stopped, the scene starts first
		return refuse(http.StatusServiceUnavailable,
			said{"The cluster is still starting.", "클러스터가 아직 시작하는 중입니다."},
			said{"Run it when the stage shows every component ready.", "무대의 모든 구성 요소가 준비되면 실행하세요."})
	}
	learner := s.learner(w, r)
	ns := namespaceOf(learner, c.ID)
	if no := s.begin(ns, c, ask.Lang); no != nil {
		return refuse(http.StatusConflict, no.why, no.hint)
	}
	defer s.end(ns)

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	lines := newNDJSON(w)
	send := func(v any) {
		if lines.send(v) != nil {
			cancel() // the reader is gone: stop what we do for it
		}
	}
	play := &play{scenes: s, chapter: c, lang: ask.Lang, learner: learner, ns: ns, send: send}
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
func (s *scenes) all(seq uint64, each func(watch.Event) bool) error { return all(s.Log, seq, each) }

func all(log *watch.Log, seq uint64, each func(watch.Event) bool) error {
	for {
		events, err := log.After(seq, 1024)
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

// eventsOf returns the events of a run in a namespace: those after start, up to
// end, without what other learners' scenes do meanwhile.
func (s *scenes) eventsOf(ns string, start, end uint64) (events []watch.Event, err error) {
	others := s.namespaces.others(ns)
	err = s.all(start, func(e watch.Event) bool {
		if e.Seq > end {
			return false
		}
		if !content.Foreign(&e, others) {
			events = append(events, e)
		}
		return true
	})
	return events, err
}

// facts answers with a JSON list of the facts that are true already: after the
// event `after`, or, without it, of the learner's newest run.
func (s *scenes) facts(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	if id := r.URL.Query().Get("recording"); id != "" {
		o, err := s.Server.recordings.play(r.Context(), id)
		if err != nil {
			return err
		}
		found, err := s.factsAfter(o.log, c.Scene, o.Scene, uint64(o.Carried))
		if err != nil {
			return err
		}
		w.Header().Set("Kubestage-Log", o.log.ID())
		writeJSON(w, http.StatusOK, found)
		return nil
	}
	ns := namespaceOf(s.learner(w, r), c.ID)
	start, began := s.newestRun(ns)
	if after := r.URL.Query().Get("after"); after != "" {
		if start, err = strconv.ParseUint(after, 10, 64); err != nil {
			return badRequest("after is not a sequence number", "give the number of the last event before the run, as in after=41")
		}
		began = true
	}
	found := []content.Fact{}
	if began {
		found, err = s.factsAfter(s.Log, c.Scene, ns, start)
	}
	var gap *watch.Gap
	if errors.As(err, &gap) {
		return &HTTPError{Code: http.StatusGone, Msg: "these events are no longer kept", Hint: "run the scene again", More: map[string]any{"first": gap.First, "last": gap.Last}}
	}
	if err != nil {
		return err
	}
	w.Header().Set("Kubestage-Log", s.Log.ID())
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, found)
	return nil
}

// recordingOf answers with a recording of the learner's newest run, from its
// first step to the end of the run, and of nothing else that happened meanwhile.
func (s *scenes) recordingOf(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	ns := namespaceOf(s.learner(w, r), c.ID)
	runs := s.runsIn(ns)
	if len(runs) == 0 || runs[len(runs)-1].last == 0 {
		return &HTTPError{Code: http.StatusNotFound, Msg: "no run of this scene has come to its end", Hint: "run it first"}
	}
	run := runs[len(runs)-1]
	events, err := s.eventsOf(ns, run.start, run.last)
	if err != nil {
		return gone(err)
	}
	choice := recording.Choice{Carry: func(e watch.Event) bool { return belongs(e, ns) }}
	for _, e := range events {
		choice.Story = append(choice.Story, e.Seq)
	}
	page, _ := c.Page(content.Languages[0])
	h, file, err := s.Server.recordings.cut(wish{}, choice, recording.Header{Title: page.Title, Ends: recording.EndAsked, Scene: ns})
	if err != nil {
		return err
	}
	sendAs(w, "application/gzip", fileName(h), file)
	return nil
}

// belongs reports whether something that was there before is part of the picture
// of a scene: the cluster's parts, its nodes, and what is in the namespace.
func belongs(e watch.Event, ns string) bool {
	if e.Kind != watch.Etcd {
		return true
	}
	return e.Object != nil && (e.Object.Namespace == ns || e.Object.Resource == "nodes" || e.Object.Resource == "namespaces" && e.Object.Name == ns)
}

// factsAfter returns the facts of a run that began after an event.
func (s *scenes) factsAfter(log *watch.Log, scene *content.Scene, ns string, start uint64) ([]content.Fact, error) {
	found := []content.Fact{}
	trail := scene.Follow(ns)
	var first time.Time
	err := all(log, start, func(e watch.Event) bool {
		found = append(found, trail.Add(e)...)
		if first.IsZero() && len(found) > 0 {
			first = found[0].At
		}
		// What comes later than a run may take belongs to another story.
		return !trail.Done() && (first.IsZero() || e.End.Sub(first) <= scene.Within)
	})
	return found, err
}

// attempts is how many tries at a checkpoint are followed at a time: somebody
// may create, delete and create again.
const attempts = 16

// attempt is one try at what a checkpoint asks of the log.
type attempt struct {
	trail *content.Trail
	facts []content.Fact
}

// checkpoint looks for an attempt that brought about every fact of the log, and
// at the cluster for those that are about it. What a run of the scene did itself
// is nobody's attempt.
func (s *scenes) checkpoint(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	check := c.Scene.Check
	if check == nil {
		return &HTTPError{Code: http.StatusNotFound, Msg: "this chapter has no checkpoint"}
	}
	learner := s.learner(w, r)
	ns := namespaceOf(learner, c.ID)
	met := map[string]content.Fact{}
	if check.Traces() {
		best, err := s.bestAttempt(check, ns)
		if err != nil {
			return err
		}
		for _, f := range best.facts {
			met[f.Step] = f
		}
	}
	now, err := s.now()
	if err != nil {
		return err
	}
	for _, id := range check.Holding(ns, func(each func(watch.Object, json.RawMessage)) {
		for _, o := range now.Objects() {
			each(o.Object, o.Value)
		}
	}) {
		met[id] = content.Fact{Step: id, Seq: now.Seq}
	}
	answer := struct {
		Passed  bool           `json:"passed"`
		Facts   []content.Fact `json:"facts"`
		Missing string         `json:"missing,omitempty"` // the first that is
	}{Facts: []content.Fact{}}
	for _, f := range check.Facts {
		if fact, ok := met[f.ID]; ok {
			answer.Facts = append(answer.Facts, fact)
		} else if answer.Missing == "" {
			answer.Missing = f.ID
		}
	}
	if answer.Passed = answer.Missing == ""; answer.Passed {
		s.record(func(ctx context.Context) error { return s.Store.Pass(ctx, learner, c.ID) })
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// bestAttempt is one that brought about everything, else the newest.
func (s *scenes) bestAttempt(check *content.Checkpoint, ns string) (attempt, error) {
	runs := s.runsIn(ns)
	var tries []*attempt
	var best attempt
	first, _ := s.Log.Bounds()
	err := s.all(first-1, func(e watch.Event) bool {
		for len(runs) > 0 && runs[0].last > 0 && e.Seq > runs[0].last {
			runs = runs[1:]
		}
		if len(runs) > 0 && e.Seq > runs[0].first {
			tries = nil // everything is swept away, too
			return true
		}
		if check.Begins(ns, e) {
			tries = append(tries, &attempt{trail: check.Follow(ns)})
			tries = tries[max(0, len(tries)-attempts):]
		}
		for _, a := range tries {
			if a.facts = append(a.facts, a.trail.Add(e)...); a.trail.Done() {
				best = *a
				return false
			}
		}
		return true
	})
	var gap *watch.Gap
	if errors.As(err, &gap) {
		err = nil // the log let go of it meanwhile: there is nothing older to find
	}
	if best.facts == nil && len(tries) > 0 {
		best = *tries[len(tries)-1]
	}
	return best, err
}

// begin takes the only place for a run of this learner in this chapter, or says
// why there is none.
func (s *scenes) begin(ns string, c *content.Chapter, lang string) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[ns] != nil {
		return &refusal{
			said{"This scene is running already, perhaps in another tab.", "이 장면은 이미 실행 중입니다. 다른 탭일 수도 있습니다."},
			said{"Wait for that run to end.", "그 실행이 끝나기를 기다리세요."}}
	}
	for _, other := range s.running {
		title := other.ID
		if page, ok := other.Page(lang); ok {
			title = page.Title
		}
		if other.Scene.Alone() {
			return &refusal{
				said{fmt.Sprintf("The scene “%s” is running, and it touches what everybody uses: parts of the cluster, or its nodes.", title), fmt.Sprintf("‘%s’ 장면이 실행 중입니다. 이 장면은 모두가 함께 쓰는 구성 요소나 노드를 건드립니다.", title)},
				said{"Wait until it has ended.", "끝날 때까지 기다리세요."}}
		}
		if c.Scene.Alone() {
			return &refusal{
				said{fmt.Sprintf("This scene touches what everybody uses, parts of the cluster or its nodes, and the scene “%s” is running.", title), fmt.Sprintf("이 장면은 모두가 함께 쓰는 구성 요소나 노드를 건드리는데, 지금 ‘%s’ 장면이 실행 중입니다.", title)},
				said{"Wait until it has ended.", "끝날 때까지 기다리세요."}}
		}
	}
	s.running[ns] = c
	return nil
}

func (s *scenes) end(ns string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, ns)
}

// opened notes that a run takes the log from here on.
func (s *scenes) opened(ns string) *span {
	_, last := s.Log.Bounds()
	s.mu.Lock()
	defer s.mu.Unlock()
	began := &span{first: last}
	s.runs[ns] = append(s.runs[ns], began)
	return began
}

// begins notes where its story starts.
func (s *scenes) begins(run *span, start uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run.start = start
}

// closed notes that it takes the log no longer, and returns its last event.
func (s *scenes) closed(run *span) uint64 {
	_, last := s.Log.Bounds()
	s.mu.Lock()
	defer s.mu.Unlock()
	if run.last == 0 {
		run.last = last
	}
	return run.last
}

func (s *scenes) runsIn(ns string) []span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []span
	for _, run := range s.runs[ns] {
		all = append(all, *run)
	}
	return all
}

// newestRun returns the number of the event before the one the newest run began
// with; false when there was none.
func (s *scenes) newestRun(ns string) (start uint64, ok bool) {
	for _, run := range s.runsIn(ns) {
		if run.start > 0 {
			start, ok = run.start, true
		}
	}
	return start, ok
}
