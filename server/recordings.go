package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recording"
)

// recordings makes recordings of the log and keeps them in the database.
//
//	GET    /api/record?story=ID or ?from=SEQ&to=SEQ[&title=…]   makes one and answers with its file; nothing is kept
//	POST   /api/recordings {"story" or "from" and "to", "title"} makes one and keeps it: 201 and what GET lists of it
//	GET    /api/recordings                                      {"recordings": [{"id", "kept", "size", …header}]}, the oldest first
//	GET    /api/recordings/{id}                                 the file
//	GET    …?recording=ID                                       what the log is asked, asked of it: /api/events, stream, state, stories, objects/{uid}/history
//	DELETE /api/recordings/{id}
//
// Without `to` a recording goes up to the newest event.
type recordings struct {
	*Server

	making sync.Mutex // one is made at a time: that takes memory

	mu   sync.Mutex // guards open
	open []opened   // the ones looked at last, the latest first
}

// opened is a kept recording that somebody plays.
type opened struct {
	id string
	chronicle
	recording.Header
}

// atOnce is how many kept recordings stay open.
const atOnce = 3

func (s *Server) recordingRoutes(r chi.Router) {
	s.recordings = &recordings{Server: s}
	r.Get("/api/record", s.handle(s.recordings.make))
	r.Get("/api/recordings", s.handle(s.recordings.list))
	r.Post("/api/recordings", s.handle(s.recordings.keep))
	r.Get("/api/recordings/{id}", s.handle(s.recordings.file))
	r.Delete("/api/recordings/{id}", s.handle(s.recordings.forget))
	s.recordings.aloneRoutes(r)
}

// wish is what somebody wants recorded.
type wish struct {
	Title string  `json:"title"`
	Story string  `json:"story"`
	From  *uint64 `json:"from"`
	To    *uint64 `json:"to"`
	Lang  string  `json:"lang"`
}

const maxTitle = 200

// record makes the file of what is wished.
func (s *recordings) record(w wish) (recording.Header, []byte, error) {
	refuse := func(code int, why, hint said) error {
		return &HTTPError{Code: code, Msg: why.in(w.Lang), Hint: hint.in(w.Lang)}
	}
	w.Title = strings.TrimSpace(w.Title)
	if len(w.Title) > maxTitle || !utf8.ValidString(w.Title) || strings.ContainsFunc(w.Title, func(r rune) bool { return r < ' ' }) {
		return recording.Header{}, nil, refuse(http.StatusBadRequest,
			said{"the title is too long or has more than one line", "제목이 너무 길거나 여러 줄입니다"},
			said{fmt.Sprintf("it may have %d bytes", maxTitle), fmt.Sprintf("%d바이트까지 쓸 수 있습니다", maxTitle)})
	}
	choice, ends, err := s.choose(&w, refuse)
	if err != nil {
		return recording.Header{}, nil, err
	}
	return s.cut(w, choice, recording.Header{Title: w.Title, Story: w.Story, Ends: ends})
}

// cut makes the file of what is chosen. Of the header, about has what only the
// caller knows.
func (s *recordings) cut(w wish, choice recording.Choice, about recording.Header) (recording.Header, []byte, error) {
	refuse := func(code int, why, hint said) error {
		return &HTTPError{Code: code, Msg: why.in(w.Lang), Hint: hint.in(w.Lang)}
	}
	s.making.Lock()
	defer s.making.Unlock()
	choice.Past = s.live.past
	h, events, err := recording.Cut(s.Log, choice)
	var gap *watch.Gap
	switch {
	case errors.As(err, &gap):
		return h, nil, &HTTPError{Code: http.StatusGone,
			Msg:  said{"the log no longer keeps the beginning of this", "로그가 이 부분의 앞쪽을 더는 가지고 있지 않습니다"}.in(w.Lang),
			Hint: said{fmt.Sprintf("record from event %d on; --log-memory makes the log keep more", gap.First), fmt.Sprintf("이벤트 %d부터 기록하세요. --log-memory를 늘리면 로그가 더 많이 가지고 있습니다", gap.First)}.in(w.Lang),
			More: map[string]any{"first": gap.First, "last": gap.Last}}
	case errors.Is(err, recording.ErrNothing):
		return h, nil, refuse(http.StatusBadRequest,
			said{"there are no events in what was chosen", "선택한 범위에 이벤트가 없습니다"},
			said{"choose from and to among the numbers of the log", "from과 to를 로그에 있는 번호로 고르세요"})
	case err != nil:
		return h, nil, err
	}
	h.Title, h.Story, h.Ends, h.Scene = about.Title, about.Story, about.Ends, about.Scene
	h.MadeBy, h.Made, h.Source, h.Kubernetes = strings.TrimSpace("Kubestage "+s.Version), s.Now().UTC(), s.Source, s.Kubernetes
	var file bytes.Buffer
	if err := recording.Write(&file, h, events); err != nil {
		return h, nil, s.unwritten(w, err)
	}
	kept, err := recording.Read(bytes.NewReader(file.Bytes()), recording.DefaultLimits)
	if err != nil {
		return h, nil, fmt.Errorf("read what was just written: %w", err)
	}
	return kept.Header, file.Bytes(), nil
}

// choose says which events are wished.
func (s *recordings) choose(w *wish, refuse func(int, said, said) error) (c recording.Choice, ends string, err error) {
	first, last := s.Log.Bounds()
	if w.Story != "" && (w.From != nil || w.To != nil) {
		return c, "", refuse(http.StatusBadRequest,
			said{"a recording is either of a story or of a time", "기록은 이야기 하나이거나 시간 범위입니다"},
			said{"give story, or from and to", "story를 주거나 from과 to를 주세요"})
	}
	if w.Story != "" {
		return s.chooseStory(w, refuse)
	}
	c, ends = recording.Choice{First: first, Last: last}, recording.EndNewest
	if w.From != nil {
		c.First = *w.From
	}
	if w.To != nil {
		if c.Last = *w.To; c.Last < last {
			ends = recording.EndAsked
		}
	}
	return c, ends, nil
}

// chooseStory takes the events of a story, and gives the recording its title
// when it has none.
func (s *recordings) chooseStory(w *wish, refuse func(int, said, said) error) (c recording.Choice, ends string, err error) {
	root, err := strconv.ParseUint(w.Story, 10, 64)
	st, events, because, ok := s.live.tales.story(root)
	if err != nil || !ok {
		return c, "", refuse(http.StatusNotFound,
			said{fmt.Sprintf("no story that is kept has the id %s", clip(w.Story)), fmt.Sprintf("남아 있는 이야기 가운데 id가 %s인 것이 없습니다", clip(w.Story))},
			said{"/api/stories lists those that are", "/api/stories에 남아 있는 이야기가 있습니다"})
	}
	slices.Sort(events)
	c.Story = events
	for _, link := range because {
		c.Causes = append(c.Causes, link.Cause)
	}
	if w.Title == "" {
		w.Title = said{st.Title.English, st.Title.Korean}.in(w.Lang)
		for len(w.Title) > maxTitle {
			_, size := utf8.DecodeLastRuneInString(w.Title)
			w.Title = w.Title[:len(w.Title)-size]
		}
	}
	if st.Settled {
		return c, recording.EndSettled, nil
	}
	return c, recording.EndUnsettled, nil
}

// unwritten says why a recording was not written.
func (s *recordings) unwritten(w wish, err error) error {
	var leak *recording.Leak
	var large *recording.TooLarge
	switch {
	case errors.As(err, &leak):
		s.Logf("no recording was made: %v", err)
		return &HTTPError{Code: http.StatusUnprocessableEntity,
			Msg: said{fmt.Sprintf("%s holds %s, so no recording was made", leak.Where, leak.What), fmt.Sprintf("%s에 파일로 나가면 안 되는 것(%s)이 있어 기록하지 않았습니다", leak.Where, leak.What)}.in(w.Lang),
			Hint: said{"choose a time or a story without it. If it is a Secret or a token of the cluster, please report this as a mistake in Kubestage",
				"그것이 없는 시간이나 이야기를 고르세요. 클러스터의 Secret이나 토큰이라면 Kubestage의 잘못이니 알려 주세요"}.in(w.Lang)}
	case errors.As(err, &large):
		return &HTTPError{Code: http.StatusRequestEntityTooLarge,
			Msg:  said{fmt.Sprintf("%d events are more than a recording holds", large.Events), fmt.Sprintf("이벤트 %d개는 기록 하나에 담을 수 있는 것보다 많습니다", large.Events)}.in(w.Lang),
			Hint: said{"choose a shorter time, or one story", "더 짧은 시간이나 이야기 하나를 고르세요"}.in(w.Lang)}
	}
	return err
}

func (s *recordings) make(w http.ResponseWriter, r *http.Request) error {
	ask, err := wishOf(r.URL.Query())
	if err != nil {
		return err
	}
	h, file, err := s.record(ask)
	if err != nil {
		return err
	}
	sendAs(w, "application/gzip", fileName(h), file)
	return nil
}

// wishOf reads what is wished from an address.
func wishOf(q url.Values) (wish, error) {
	ask := wish{Title: q.Get("title"), Story: q.Get("story"), Lang: q.Get("lang")}
	for name, to := range map[string]**uint64{"from": &ask.From, "to": &ask.To} {
		if text := q.Get(name); q.Has(name) {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return ask, badRequest(fmt.Sprintf("%s=%s is not a sequence number", name, clip(text)), "give the seq of an event")
			}
			*to = &n
		}
	}
	return ask, nil
}

// fileName is made of the title's plain letters and the time.
func fileName(h recording.Header) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '-'
	}, h.Title), "-.")
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	if name == "" {
		name = "kubestage"
	}
	return name + "-" + h.Start.UTC().Format("20060102-150405") + recording.Extension
}

// listed is what a list tells of a recording.
type listed struct {
	ID   string    `json:"id"`
	Kept time.Time `json:"kept"`
	Size int       `json:"size"`
	recording.Header
}

func describe(k store.Kept) (listed, error) {
	l := listed{ID: k.ID, Kept: k.At, Size: k.Size}
	err := json.Unmarshal(k.About, &l.Header)
	return l, err
}

var errNoStore = &HTTPError{Code: http.StatusNotImplemented, Msg: "this Kubestage has no database to keep recordings in", Hint: "GET /api/record makes one without keeping it"}

func (s *recordings) keep(w http.ResponseWriter, r *http.Request) error {
	var ask wish
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if s.Store == nil {
		return errNoStore
	}
	h, file, err := s.record(ask)
	if err != nil {
		return err
	}
	h.Origin = nil // the file has it; lists need it not
	about, err := json.Marshal(h)
	if err != nil {
		return err
	}
	kept, err := s.Store.Keep(r.Context(), about, file)
	if errors.Is(err, store.ErrFull) {
		return &HTTPError{Code: http.StatusInsufficientStorage, Err: err,
			Msg:  said{"there is no room for another recording", "기록을 더 담을 자리가 없습니다"}.in(ask.Lang),
			Hint: said{fmt.Sprintf("delete one first: there may be %d, with %d MiB", s.Store.Limits.Count, s.Store.Limits.Total>>20), fmt.Sprintf("먼저 하나를 지우세요. %d개, %d MiB까지 담을 수 있습니다", s.Store.Limits.Count, s.Store.Limits.Total>>20)}.in(ask.Lang)}
	}
	if err != nil {
		return err
	}
	l, err := describe(kept)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/recordings/"+kept.ID)
	writeJSON(w, http.StatusCreated, l)
	return nil
}

func (s *recordings) list(w http.ResponseWriter, r *http.Request) error {
	all := []listed{}
	if s.Store != nil {
		kept, err := s.Store.Recordings(r.Context())
		if err != nil {
			return err
		}
		for _, k := range kept {
			l, err := describe(k)
			if err != nil {
				return fmt.Errorf("the recording %s: %w", k.ID, err)
			}
			all = append(all, l)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{"recordings": all})
	return nil
}

// read returns a kept recording.
func (s *recordings) read(ctx context.Context, id string) (recording.Header, []byte, error) {
	if s.Store == nil {
		return recording.Header{}, nil, errNoStore
	}
	kept, file, err := s.Store.Recording(ctx, id)
	if errors.Is(err, store.ErrNoRecording) {
		return recording.Header{}, nil, noRecording(id)
	}
	if err != nil {
		return recording.Header{}, nil, err
	}
	l, err := describe(kept)
	return l.Header, file, err
}

func noRecording(id string) error {
	return &HTTPError{Code: http.StatusNotFound, Msg: "there is no recording " + clip(id), Hint: "GET /api/recordings lists those that are kept"}
}

func (s *recordings) file(w http.ResponseWriter, r *http.Request) error {
	h, file, err := s.kept(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	sendAs(w, "application/gzip", fileName(h), file)
	return nil
}

func (s *recordings) forget(w http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "id")
	if s.Store == nil {
		return errNoStore
	}
	err := s.Store.Forget(r.Context(), id)
	if errors.Is(err, store.ErrNoRecording) {
		return noRecording(id)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.open = slices.DeleteFunc(s.open, func(o opened) bool { return o.id == id })
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// play returns a kept recording, or that of a chapter's run, as a log.
func (s *recordings) play(ctx context.Context, id string) (opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock() // one is opened at a time, for the same reason
	if i := slices.IndexFunc(s.open, func(o opened) bool { return o.id == id }); i >= 0 {
		o := s.open[i]
		s.open = slices.Insert(slices.Delete(s.open, i, i+1), 0, o)
		return o, nil
	}
	_, file, err := s.kept(ctx, id)
	if err != nil {
		return opened{}, err
	}
	r, err := recording.Read(bytes.NewReader(file), recording.DefaultLimits)
	if err != nil {
		return opened{}, fmt.Errorf("the recording %s: %w", id, err)
	}
	log := r.Log()
	if err := r.Feed(ctx, log); err != nil {
		return opened{}, fmt.Errorf("the recording %s: %w", id, err)
	}
	o := opened{id, newChronicle(log, "recording"), r.Header}
	s.open = slices.Insert(s.open, 0, o)
	s.open = s.open[:min(len(s.open), atOnce)]
	return o, nil
}

// kept returns a kept recording, or that of a chapter's run.
func (s *recordings) kept(ctx context.Context, id string) (recording.Header, []byte, error) {
	c, ok := s.book().Chapter(id)
	if !ok || c.Tape == nil {
		return s.read(ctx, id)
	}
	r, err := recording.Read(bytes.NewReader(c.Tape), recording.DefaultLimits)
	if err != nil {
		return recording.Header{}, nil, fmt.Errorf("the recording %s: %w", id, err)
	}
	return r.Header, c.Tape, nil
}
