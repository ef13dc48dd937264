package server

import (
	"context"
	"net/http"
	"time"

	"github.com/kubestage/kubestage/server/store"
)

func (s *scenes) progress(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	p := store.Progress{Reached: []store.Reached{}}
	if s.Store != nil {
		if p, err = s.Store.Progress(r.Context(), knownLearner(r), c.ID); err != nil {
			return err
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, p)
	return nil
}

func (s *scenes) predict(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	var ask struct {
		Chosen string `json:"chosen"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if c.Scene.Predict == nil || !c.Scene.Predict.Has(ask.Chosen) {
		return badRequest("this is none of the options", "choose one that the page offers")
	}
	if s.Store != nil {
		if err := s.Store.Predict(r.Context(), s.learner(w, r), c.ID, ask.Chosen); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *scenes) place(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r)
	if err != nil {
		return err
	}
	var ask struct {
		Step string `json:"step"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if !c.Scene.HasStep(ask.Step) {
		return badRequest("this is no step of the chapter", "choose one that the page offers")
	}
	if s.Store != nil {
		if err := s.Store.SetPlace(r.Context(), s.learner(w, r), c.ID, ask.Step); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// record writes to the store while a scene runs. A record that cannot be kept is
// told in the log and does not stop the scene. It is written even when the
// learner has just left.
func (s *scenes) record(write func(context.Context) error) {
	if s.Store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := write(ctx); err != nil {
		s.Logf("keep the progress of a learner: %v", err)
	}
}
