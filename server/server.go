package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/content/notes"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/web"
)

// Config is what a server cannot live without, and, from Logf on, what it can.
type Config struct {
	Log            *watch.Log
	Source         string                // what feeds the log: sandbox, cluster or recording
	Ready          func() (bool, string) // whether the cluster is up, and how it is in words
	Kubectl        []string              // the program of a console command, and what its arguments begin with
	KubeconfigPath func() string         // credentials of the console; "" means not yet
	ReadOnly       bool                  // no console and no scenes: the cluster is not ours
	Kubernetes     string                // its version, where it is known
	Store          *store.Store
	Book           *content.Book
	Course         *content.Course // a folder of chapters that are read beside it; nil when none was given
	Controls       Controls        // of the cluster's parts; nil where there are none of ours
	Notes          *notes.Folder   // a person's own; nil when none was given

	Version string                           // shown on pages
	Logf    func(format string, args ...any) // nil discards
	Now     func() time.Time                 // nil is time.Now
}

// Server serves one log until the context of Serve ends.
type Server struct {
	Config

	key      string // what a link carries where the kernel cannot tell who connects
	assets   fs.FS
	manifest web.Manifest
	handler  http.Handler
	live     chronicle
	stage    *classroom
	limits   limits
	running  chan struct{} // a place for each running console command
	jail     jail
	library  library

	recordings *recordings
	scenes     *scenes

	tellKey sync.Once

	mu       sync.Mutex // guards those below
	share    *Share     // nil when only the owner watches
	streams  int        // open websockets
	quiet    chan struct{}
	stopping bool
}

// limits bound what one client can use. Tests make them small.
type limits struct {
	pace         time.Duration // least time between two batches of a stream
	beat         time.Duration // time between two pings in a stream
	patience     time.Duration // how long a client may take to receive what was sent
	idle         time.Duration // time between two probes of a silent connection
	window       int64         // bytes that may be on the way to a client
	batchBytes   int           // a batch ends with the event that exceeds this
	streams      int           // open websockets
	commands     int           // console commands at a time
	commandTime  time.Duration // of one console command
	commandBytes int           // that one console command may print
	goodbye      time.Duration // for websockets to hear that the server stops
}

func defaultLimits() limits {
	return limits{
		pace:     20 * time.Millisecond,
		beat:     5 * time.Second,
		patience: 10 * time.Second,
		idle:     20 * time.Second,
		// Less than a kernel buffers for a connection, so that there is always
		// room to tell a slow client why it is closed.
		window:       512 << 10,
		batchBytes:   128 << 10,
		streams:      1000,
		commands:     8,
		commandTime:  15 * time.Minute,
		commandBytes: 4 << 20,
		goodbye:      400 * time.Millisecond,
	}
}

// New checks the configuration and prepares a server. It listens to nothing yet.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		return nil, errors.New("a server needs a log")
	}
	if c.Ready == nil {
		c.Ready = func() (bool, string) { return true, "" }
	}
	if c.KubeconfigPath == nil {
		c.KubeconfigPath = func() string { return "" }
	}
	if c.Logf == nil {
		c.Logf = func(string, ...any) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	manifest, err := web.ReadManifest()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Config:   c,
		key:      rand.Text(),
		assets:   web.Dist(),
		manifest: manifest,
		live:     newChronicle(c.Log, c.Source),
		stage:    newClassroom(),
	}
	s.setLimits(defaultLimits())
	s.handler = s.routes()
	return s, nil
}

// book is the book as it is now; without one, an empty book.
func (s *Server) book() *content.Book {
	switch {
	case s.Course != nil:
		return s.Course.Book()
	case s.Book == nil:
		return &content.Book{}
	}
	return s.Book
}

func (s *Server) setLimits(l limits) {
	s.limits = l
	s.running = make(chan struct{}, l.commands)
}

// Handler answers all requests. Serve adds to it what needs a listener.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.recoverPanics, s.sameSite, s.ownUser, middleware.GetHead)
	r.NotFound(s.handle(func(http.ResponseWriter, *http.Request) error {
		return &HTTPError{Code: http.StatusNotFound, Msg: "there is no such page", Hint: "the stage is at /"}
	}))
	r.MethodNotAllowed(s.handle(func(_ http.ResponseWriter, r *http.Request) error {
		return &HTTPError{Code: http.StatusMethodNotAllowed, Msg: r.Method + " is not possible here"}
	}))

	r.Get("/healthz", s.handle(s.healthz))
	r.Get("/readyz", s.handle(s.readyz))
	s.sceneRoutes(r)
	s.watchRoutes(r)
	r.Get("/api/follow", s.handle(func(w http.ResponseWriter, r *http.Request) error { return s.follow(w, r, true) }))
	r.Get("/api/share", s.handle(s.shareState))
	r.Get("/api/share/code.svg", s.handle(s.shareCode))
	r.Post("/api/kubectl", s.handle(s.kubectl))
	r.Get("/api/terminal", s.handle(s.terminal))
	r.Post("/api/complete", s.handle(s.complete))
	s.controlRoutes(r)
	s.learnerRoutes(r)
	s.recordingRoutes(r)

	s.noteRoutes(r)
	r.Get("/assets/*", s.handle(s.asset))
	r.Get("/favicon.ico", s.handle(s.favicon))
	for _, lang := range web.Languages {
		r.Get("/"+lang+"/present", s.handle(s.presenterPage(lang)))
		r.Get("/"+lang+"/search", s.handle(s.searchPage(lang)))
	}
	return r
}

// errStopping is why requests end when Serve does.
var errStopping = errors.New("the server is stopping")

// Serve answers connections of l until ctx ends, then tells open websockets
// that it stops, ends running commands, and returns nil within a second.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.jail.remove()
	defer s.library.close()
	if !isLoopback(l.Addr()) {
		s.Logf("warning: %s can be reached from other computers. Whoever has the link with the key can do everything in this cluster, and the connection is not encrypted.", l.Addr())
	}
	base, stop := context.WithCancel(context.Background())
	var remembering sync.WaitGroup
	defer remembering.Wait()
	defer stop()
	remembering.Go(func() { s.remember(base) })
	return s.serveOn(ctx, l, s.handler)
}

// serveOn is Serve without what happens only once: a class has a listener of
// its own.
func (s *Server) serveOn(ctx context.Context, l net.Listener, handler http.Handler) error {
	base, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	srv := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       withConnection,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second, // streams extend it as they write
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          log.New(logWriter(s.Logf), "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		stop(errStopping)
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop(errStopping)
	grace, cancel := context.WithTimeout(context.Background(), 2*s.limits.goodbye)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close()
	}
	s.awaitStreams(grace)
	<-failed
	return nil
}

// websocketOnly refuses a request that asks for no websocket; instead says what
// does without one.
func websocketOnly(w http.ResponseWriter, r *http.Request, instead string) error {
	if r.Header.Get("Upgrade") != "" {
		return nil
	}
	w.Header().Set("Upgrade", "websocket")
	return &HTTPError{Code: http.StatusUpgradeRequired, Msg: "this address speaks websocket only", Hint: instead}
}

// enter counts a websocket, or refuses it; leave has to follow when it returns nil.
func (s *Server) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.streams >= s.limits.streams {
		return &HTTPError{Code: http.StatusServiceUnavailable, Msg: fmt.Sprintf("there are %d open streams already, or Kubestage is stopping", s.limits.streams), Hint: "close some pages and try again"}
	}
	s.streams++
	return nil
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams--
	if s.streams == 0 && s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
}

// awaitStreams waits for websockets, which http.Server.Shutdown knows nothing
// about.
func (s *Server) awaitStreams(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	if s.streams == 0 {
		s.mu.Unlock()
		return
	}
	if s.quiet == nil {
		s.quiet = make(chan struct{})
	}
	quiet := s.quiet
	s.mu.Unlock()
	select {
	case <-quiet:
	case <-ctx.Done():
	}
}

// Link is the address to open in a browser. It carries the key where the
// kernel will not tell who connects.
func (s *Server) Link(addr net.Addr) string {
	link := "http://" + browsable(addr)
	if !peersAreKnown || !isLoopback(addr) {
		link += "/?key=" + s.key
	}
	return link
}

// browsable is addr with a host that can be opened.
func browsable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// jail is a directory of nobody's files, in which console commands run.
type jail struct {
	mu  sync.Mutex // guards dir
	dir string
}

func (j *jail) path() (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dir != "" {
		return j.dir, nil
	}
	dir, err := os.MkdirTemp("", "kubestage-console-")
	if err != nil {
		return "", fmt.Errorf("make a directory for the console: %w", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o700); err != nil {
		return "", err
	}
	j.dir = dir
	return dir, nil
}

func (j *jail) remove() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dir != "" {
		os.RemoveAll(j.dir)
		j.dir = ""
	}
}
