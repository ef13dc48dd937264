package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"rsc.io/qr"

	"github.com/kubestage/kubestage/web"
)

// Share lets a class watch. It answers on a listener of its own, which other
// computers can reach, and offers there what one needs to watch and nothing
// else: no console, no scene, no order to a component, nobody's progress.
//
//	GET /join?code=CODE         makes a viewer of whoever knows the code
//	GET /present?token=TOKEN    makes a presenter of whoever has the link: a remote control, which still runs no command
//
// Both are cookies, and new with each start. The connection is not encrypted.
type Share struct {
	*Server
	code              string // for people to type
	viewer, presenter string // what the cookies hold
	tries             tries
	addrs             []string // host:port under which others find us
}

// Share prepares to let others watch through l, as Serve of what it returns
// does. Links to it are on the owner's page, and in Links.
func (s *Server) Share(l net.Listener) *Share {
	sh := &Share{Server: s, code: rand.Text()[:6], viewer: rand.Text(), presenter: rand.Text(), addrs: reachable(l.Addr())}
	s.mu.Lock()
	s.share = sh
	s.mu.Unlock()
	return sh
}

func (s *Server) shared() *Share {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.share
}

// Serve answers viewers until ctx ends.
func (sh *Share) Serve(ctx context.Context, l net.Listener) error {
	return sh.serveOn(ctx, l, sh.handler())
}

// Links are the addresses that a class can open, the likeliest first.
func (sh *Share) Links() (links []string) {
	for _, a := range sh.addrs {
		links = append(links, "http://"+a+"/join?code="+sh.code)
	}
	return links
}

func (sh *Share) handler() http.Handler {
	r := chi.NewRouter()
	r.Use(sh.recoverPanics, sh.sameSite, middleware.GetHead)
	r.NotFound(sh.handle(func(http.ResponseWriter, *http.Request) error {
		return &HTTPError{Code: http.StatusNotFound, Msg: "there is nothing to watch here", Hint: "the stage is at /"}
	}))
	r.Get("/join", sh.handle(sh.join))
	for _, lang := range web.Languages {
		r.Get("/"+lang+"/join", sh.handle(sh.door(lang)))
	}
	r.Get("/present", sh.handle(sh.takeToken))
	r.Get("/assets/*", sh.handle(sh.asset))
	r.Get("/favicon.ico", sh.handle(sh.favicon))
	r.Group(func(r chi.Router) {
		r.Use(sh.viewers)
		sh.watchRoutes(r)
		r.Get("/api/follow", sh.handle(func(w http.ResponseWriter, r *http.Request) error {
			return sh.follow(w, r, sh.is(r, presenterCookie, sh.presenter))
		}))
		for _, lang := range web.Languages {
			r.Get("/"+lang+"/present", sh.handle(sh.presenterPage(lang)))
		}
	})
	return r
}

// watchRoutes are the pages and answers that change nothing and tell nothing
// of a person.
func (s *Server) watchRoutes(r chi.Router) {
	r.Get("/api/events", s.handle(s.events))
	r.Get("/api/stream", s.handle(s.stream))
	r.Get("/api/state", s.handle(s.stateAt))
	r.Get("/api/stories", s.handle(s.listStories))
	r.Get("/api/stories/{id}", s.handle(s.oneStory))
	r.Get("/api/objects/{uid}/history", s.handle(s.history))
	r.Get("/api/book", s.handle(s.bookData))
	r.Get("/", s.handle(s.home))
	for _, lang := range web.Languages {
		r.Get("/"+lang, redirect("/"+lang+"/"))
		r.Get("/"+lang+"/", s.handle(s.stagePage(lang)))
		r.Get("/"+lang+"/design", s.handle(s.designPage(lang)))
		r.Get("/"+lang+"/book", s.handle(s.contentsPage(lang)))
		r.Get("/"+lang+"/board", s.handle(s.boardPage(lang)))
		r.Get("/"+lang+"/glossary", s.handle(s.glossaryPage(lang)))
		r.Get("/"+lang+"/row/{id}", s.handle(s.rowLink(lang)))
		r.Get("/"+lang+"/chapter/{id}", s.handle(s.chapterPage(lang)))
	}
}

const (
	viewerCookie    = "kubestage-viewer"
	presenterCookie = "kubestage-presenter"
)

type watchingKey struct{}

// watching reports whether a request came from a viewer, whose page has nothing
// to act with.
func watching(r *http.Request) bool { return r.Context().Value(watchingKey{}) != nil }

// viewers lets in who has joined. Others are sent to the door, or, where no
// person would see it, refused.
func (sh *Share) viewers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sh.is(r, viewerCookie, sh.viewer) && !sh.is(r, presenterCookie, sh.presenter) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				sh.answerError(w, r, &HTTPError{Code: http.StatusForbidden, Msg: "this class has a code", Hint: "open /join and enter the code that the presenter shows"})
				return
			}
			http.Redirect(w, r, "/join", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), watchingKey{}, true)))
	})
}

func (sh *Share) is(r *http.Request, cookie, value string) bool {
	c, err := r.Cookie(cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(value)) == 1
}

// join is the door: a form, and with the right code a way in.
func (sh *Share) join(w http.ResponseWriter, r *http.Request) error {
	lang := language(r)
	code := r.URL.Query().Get("code")
	if code == "" {
		return sh.door(lang)(w, r)
	}
	if wait := sh.tries.wait(time.Now()); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(1+int(wait.Seconds())))
		return &HTTPError{Code: http.StatusTooManyRequests, Msg: "too many wrong codes were tried", Hint: "wait a few seconds and try again"}
	}
	if !sh.isCode(code) {
		sh.tries.wrong(time.Now())
		d := sh.pageFor(r, lang)
		d.Path = "join"
		return showAs(http.StatusForbidden, w, r, d, web.JoinPage(d, code))
	}
	giveCookie(w, viewerCookie, sh.viewer)
	http.Redirect(w, r, "/"+lang+"/", http.StatusSeeOther)
	return nil
}

// door is the form in one language.
func (sh *Share) door(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d := sh.pageFor(r, lang)
		d.Path = "join"
		return show(w, r, d, web.JoinPage(d, ""))
	}
}

func (s *Server) presenterPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d := s.pageFor(r, lang)
		d.Path = "present"
		return show(w, r, d, web.PresenterPage(d))
	}
}

// boardPage shows how far the class has come.
func (s *Server) boardPage(lang string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Book == nil {
			return errNoBook
		}
		var passed map[string]int
		var learners int
		if s.Store != nil { // a recording that is played keeps nothing
			var err error
			if passed, learners, err = s.Store.Board(r.Context()); err != nil {
				return err
			}
		}
		d := s.pageFor(r, lang)
		d.Path, d.Title = "board", said{"The class", "우리 반"}.in(lang)
		return show(w, r, d, web.Page(d, web.Board(d, s.book(), passed, learners)))
	}
}

// isCode accepts a code as people type it.
func (sh *Share) isCode(typed string) bool {
	typed = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
	return subtle.ConstantTimeCompare([]byte(typed), []byte(sh.code)) == 1
}

func (sh *Share) takeToken(w http.ResponseWriter, r *http.Request) error {
	if subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("token")), []byte(sh.presenter)) != 1 {
		return &HTTPError{Code: http.StatusForbidden, Msg: "this is not the presenter's link of the running Kubestage", Hint: "each start has a new one: open the one on the owner's page"}
	}
	giveCookie(w, presenterCookie, sh.presenter)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/"+language(r)+"/present", http.StatusSeeOther)
	return nil
}

func giveCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// tries slows down whoever guesses codes: after freeTries wrong ones, one
// second each, whoever asks.
type tries struct {
	mu   sync.Mutex // guards free
	free time.Time  // when a try is possible again, less freeTries seconds
}

const freeTries = 30

func (t *tries) wait(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.free.Sub(now.Add(freeTries * time.Second))
}

func (t *tries) wrong(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Second)
}

// shareInfo is what the owner's page shows of sharing.
type shareInfo struct {
	On        bool     `json:"on"`
	Code      string   `json:"code,omitempty"`
	Links     []string `json:"links,omitempty"`
	Presenter []string `json:"presenter,omitempty"` // links for a remote control
	Viewers   int      `json:"viewers"`
}

// shareState answers GET /api/share, to the owner only.
func (s *Server) shareState(w http.ResponseWriter, _ *http.Request) error {
	info := shareInfo{Viewers: s.stage.viewers()}
	if sh := s.shared(); sh != nil {
		info.On, info.Code, info.Links = true, sh.code, sh.Links()
		for _, a := range sh.addrs {
			info.Presenter = append(info.Presenter, "http://"+a+"/present?token="+sh.presenter)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, info)
	return nil
}

// shareCode draws the likeliest link of the class as a QR code.
func (s *Server) shareCode(w http.ResponseWriter, _ *http.Request) error {
	sh := s.shared()
	if sh == nil || len(sh.addrs) == 0 {
		return &HTTPError{Code: http.StatusNotFound, Msg: "nothing is shared", Hint: "start Kubestage with --share :7788"}
	}
	code, err := qr.Encode(sh.Links()[0], qr.M)
	if err != nil {
		return err
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	const quiet = 4 // modules around the code, which cameras need
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="%d %d %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M-%d-%dh%dv%dh-%dz"/><path d="%s"/></svg>`,
		-quiet, -quiet, code.Size+2*quiet, code.Size+2*quiet, quiet, quiet, code.Size+2*quiet, code.Size+2*quiet, code.Size+2*quiet, path.String())
	return nil
}

// reachable lists the addresses under which others may find a listener: its
// own, or, when it listens everywhere, this computer's, private networks first.
func reachable(addr net.Addr) []string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return []string{addr.String()}
	}
	if !tcp.IP.IsUnspecified() {
		return []string{addr.String()}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return []string{browsable(addr)}
	}
	var found []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast() {
			found = append(found, prefix.Addr())
		}
	}
	rank := func(a netip.Addr) int {
		switch {
		case a.Is4() && a.IsPrivate():
			return 0
		case a.Is4():
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	var out []string
	for _, a := range found {
		out = append(out, netip.AddrPortFrom(a, uint16(tcp.Port)).String())
	}
	if len(out) == 0 {
		out = []string{browsable(addr)}
	}
	return out
}

// CheckShare says what is wrong with an address to share on. Nothing is wrong
// with sharing on none.
func CheckShare(addr string) error {
	if addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--share %q is not HOST:PORT, as in :7788 for all networks of this computer", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "" && err != nil || ip.Zone() != "" {
		return errors.New("--share takes an address of this computer, not a name: viewers find it by its address")
	}
	return nil
}
