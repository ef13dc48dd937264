package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
)

// Controls is what a person can do to a cluster from outside: to its
// components' processes, and to the network between them. An error of Order or
// Disturb says why that cannot be done now; one with a method Korean says it in
// both languages.
type Controls interface {
	Components() []ComponentState
	Order(ctx context.Context, component, order string) error
	Links() []LinkState
	Disturb(link, how string, delay time.Duration) error
}

// ComponentState is a component at one moment.
type ComponentState struct {
	Name     string `json:"name"`
	State    string `json:"state"` // waiting, starting, ready, frozen, backoff, stopping, stopped
	Pid      int    `json:"pid,omitempty"`
	Restarts int    `json:"restarts"`
	Link     string `json:"link,omitempty"` // its way to the server it uses
}

// LinkState is a link at one moment.
type LinkState struct {
	Name  string `json:"name"`
	State string `json:"state"`           // whole, cut or delayed
	Delay string `json:"delay,omitempty"` // one way, as in 200ms
}

// Orders to components and to links, as they stand in addresses.
var (
	componentOrders = []string{"stop", "kill", "freeze", "thaw", "start"}
	linkOrders      = []string{"cut", "delay", "heal"}
)

// controlRoutes lets a person do something to the cluster's parts.
//
//	GET  /api/components                 [{"name", "state", "pid", "restarts", "link"}]
//	POST /api/components/{name}/{order}  stop, kill, freeze, thaw or start
//	GET  /api/links                      [{"name", "state", "delay"}]
//	POST /api/links/{name}/{order}       cut, delay (with "delay": "200ms", one way) or heal
//
// An order has to name its object twice, {"confirm": NAME}: none of them is to
// be given by a slip. The answer is what GET says of it afterwards.
func (s *Server) controlRoutes(r chi.Router) {
	r.Get("/api/components", s.handle(func(w http.ResponseWriter, _ *http.Request) error {
		if err := s.controllable(""); err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, s.Controls.Components())
		return nil
	}))
	r.Get("/api/links", s.handle(func(w http.ResponseWriter, _ *http.Request) error {
		if err := s.controllable(""); err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, s.Controls.Links())
		return nil
	}))
	r.Post("/api/components/{name}/{order}", s.handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.order(w, r, componentOrders, func(name string) (any, bool) {
			all := s.Controls.Components()
			i := slices.IndexFunc(all, func(c ComponentState) bool { return c.Name == name })
			if i < 0 {
				return nil, false
			}
			return all[i], true
		}, func(name, order string, _ time.Duration) error {
			return s.Controls.Order(r.Context(), name, order)
		})
	}))
	r.Post("/api/links/{name}/{order}", s.handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.order(w, r, linkOrders, func(name string) (any, bool) {
			all := s.Controls.Links()
			i := slices.IndexFunc(all, func(l LinkState) bool { return l.Name == name })
			if i < 0 {
				return nil, false
			}
			return all[i], true
		}, func(name, order string, delay time.Duration) error {
			return s.Controls.Disturb(name, order, delay)
		})
	}))
}

// controllable refuses where there is no cluster of ours.
func (s *Server) controllable(lang string) error {
	if no := s.readOnly(); no != nil {
		return &HTTPError{Code: http.StatusNotFound, Msg: no.why.in(lang), Hint: no.hint.in(lang)}
	}
	if s.Controls == nil {
		return &HTTPError{Code: http.StatusNotFound,
			Msg: said{"there are no components here to control", "여기에는 조작할 구성 요소가 없습니다"}.in(lang)}
	}
	return nil
}

func (s *Server) order(w http.ResponseWriter, r *http.Request, orders []string, find func(name string) (any, bool), do func(name, order string, delay time.Duration) error) error {
	var ask struct {
		Confirm string `json:"confirm"`
		Delay   string `json:"delay"`
		Lang    string `json:"lang"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	refuse := func(code int, why, hint said) error {
		return &HTTPError{Code: code, Msg: why.in(ask.Lang), Hint: hint.in(ask.Lang)}
	}
	if err := s.controllable(ask.Lang); err != nil {
		return err
	}
	name, order := chi.URLParam(r, "name"), chi.URLParam(r, "order")
	if _, ok := find(name); !ok {
		return refuse(http.StatusNotFound,
			said{fmt.Sprintf("there is no %s here", clip(name)), fmt.Sprintf("여기에는 %s 항목이 없습니다", clip(name))},
			said{"GET /api/components and /api/links list what there is", "GET /api/components와 /api/links가 있는 것을 알려 줍니다"})
	}
	if !slices.Contains(orders, order) {
		return refuse(http.StatusNotFound,
			said{fmt.Sprintf("%s cannot be done to %s", clip(order), name), fmt.Sprintf("%s에는 %s 명령이 없습니다", name, clip(order))},
			said{fmt.Sprintf("choose one of %v", orders), fmt.Sprintf("%v 중에서 고르세요", orders)})
	}
	if ask.Confirm != name {
		return refuse(http.StatusConflict,
			said{fmt.Sprintf("to %s %s is not confirmed", order, name), fmt.Sprintf("%s에 대한 %s 명령을 확인하지 않았습니다", name, order)},
			said{fmt.Sprintf(`send {"confirm": %q}`, name), fmt.Sprintf(`{"confirm": %q}을 보내세요`, name)})
	}
	var delay time.Duration
	if order == "delay" {
		var err error
		if delay, err = time.ParseDuration(ask.Delay); err != nil || delay <= 0 {
			return refuse(http.StatusBadRequest,
				said{"the delay is not a length of time", "지연 시간을 알 수 없습니다"},
				said{`send one, as in {"delay": "200ms"}`, `{"delay": "200ms"}처럼 보내세요`})
		}
	}
	if err := do(name, order, delay); err != nil {
		return &HTTPError{Code: http.StatusConflict, Msg: inLanguage(err, ask.Lang)}
	}
	after, _ := find(name)
	writeJSON(w, http.StatusOK, after)
	return nil
}
