package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-chi/chi/v5"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/story"
)

// tales are the stories of a log, as far as it was read.
type tales struct {
	log *watch.Log

	mu      sync.Mutex // guards those below
	stories *story.Stories
	seq     uint64
}

func newTales(log *watch.Log) *tales { return &tales{log: log, stories: story.New()} }

// catchUp reads what is new in the log, and forgets what the log has.
func (t *tales) catchUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
}

func (t *tales) catchUpLocked() {
	for {
		events, err := t.log.After(t.seq, 1024)
		var gap *watch.Gap
		if errors.As(err, &gap) {
			t.stories, t.seq = story.New(), gap.First-1
			continue
		}
		if err != nil || len(events) == 0 {
			break
		}
		for i := range events {
			t.stories.Add(&events[i])
			t.seq = events[i].Seq
		}
	}
	first, _ := t.log.Bounds()
	t.stories.Drop(first)
}

// after returns the stories whose roots follow an event, at most limit.
func (t *tales) after(seq uint64, limit int) (list []story.Story, first, last uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
	first, last = t.stories.Bounds()
	return t.stories.After(seq, limit), first, last
}

// newest returns the last stories, at most limit.
func (t *tales) newest(limit int) (list []story.Story, first, last uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
	first, last = t.stories.Bounds()
	return t.stories.Newest(limit), first, last
}

func (t *tales) story(root uint64) (st story.Story, events []uint64, because []story.Link, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUpLocked()
	return t.stories.Story(root)
}

// How many stories one answer holds.
const (
	usualStories = 100
	mostStories  = 1000
)

// listStories answers with at most limit=N stories whose roots come after
// after=SEQ, or, without that, with the newest ones; the newest is last:
// {"stories": [{"id", "root", "title": {"en", "ko"}, "actors", "objects",
// "counts", "start", "end", "last", "settled"}], "first", "last"}. first and
// last are the roots of the oldest and of the newest story that is kept.
func (s *Server) listStories(w http.ResponseWriter, r *http.Request) error {
	after, given, err := afterParameter(r)
	if err != nil {
		return err
	}
	limit, err := numberParameter(r, "limit", usualStories, 1, mostStories)
	if err != nil {
		return err
	}
	c, err := s.about(r)
	if err != nil {
		return err
	}
	if err := foreign(r, c.log, after); err != nil {
		return gone(err)
	}
	var list []story.Story
	var first, last uint64
	if given {
		list, first, last = c.tales.after(after, int(limit))
	} else {
		list, first, last = c.tales.newest(int(limit))
	}
	c.header(w, "application/json")
	writeJSON(w, http.StatusOK, map[string]any{"stories": some(list), "first": first, "last": last})
	return nil
}

// oneStory answers with a story as it is in the list, and with "events": the
// numbers of those that are kept, and "because": [[seq, cause, how], …].
func (s *Server) oneStory(w http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "id")
	root, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return badRequest(fmt.Sprintf("%s is not a story's id", clip(id)), "it is the number of the event the story began with, as in /api/stories")
	}
	c, err := s.about(r)
	if err != nil {
		return err
	}
	if err := foreign(r, c.log, 0); err != nil {
		return gone(err)
	}
	st, events, because, ok := c.tales.story(root)
	if !ok {
		return &HTTPError{Code: http.StatusNotFound, Msg: fmt.Sprintf("no story that is kept begins with event %d", root), Hint: "/api/stories lists those that are"}
	}
	c.header(w, "application/json")
	writeJSON(w, http.StatusOK, struct {
		story.Story
		Events  []uint64     `json:"events"`
		Because []story.Link `json:"because"`
	}{st, some(events), some(because)})
	return nil
}
