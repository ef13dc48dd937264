package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// site is an HTTP server of a process.
type site struct {
	server  *http.Server
	failed  chan error
	serving sync.WaitGroup
}

// openSite listens on all ports or on none. Whoever opened it closes it.
func (p *Process) openSite(ctx context.Context, handler http.Handler, ports ...int) (*site, error) {
	return p.openSiteOn(ctx, handler, func(l net.Listener) net.Listener { return l }, ports...)
}

// openSiteOn has something between the network and HTTP.
func (p *Process) openSiteOn(ctx context.Context, handler http.Handler, on func(net.Listener) net.Listener, ports ...int) (*site, error) {
	s := &site{
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          log.New(p.Stderr, "", 0),
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
		failed: make(chan error, len(ports)),
	}
	var listeners []net.Listener
	for _, port := range ports {
		l, err := p.Network.Listen(port)
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, fmt.Errorf("bind to 0.0.0.0:%d: %v", port, err)
		}
		listeners = append(listeners, l)
	}
	for _, l := range listeners {
		s.serving.Go(func() {
			if err := s.server.Serve(on(l)); !errors.Is(err, http.ErrServerClosed) {
				s.failed <- err
			}
		})
	}
	return s, nil
}

// close ends what is still being answered.
func (s *site) close() {
	s.server.Close()
	s.serving.Wait()
}

// forever serves until the process ends.
func (s *site) forever(ctx context.Context, p *Process) int {
	defer s.close()
	select {
	case err := <-s.failed:
		p.logger().Print(err)
		return 1
	case <-ctx.Done():
		return 137
	}
}

// until serves until one of the signals arrives, then finishes what it is
// answering; it returns the exit code.
func (s *site) until(ctx context.Context, p *Process, signals <-chan Signal) int {
	defer s.close()
	select {
	case sig := <-signals:
		fmt.Fprintf(p.Stdout, "%s: finishing open requests\n", sig)
		if err := s.server.Shutdown(ctx); err != nil {
			return 137
		}
		return 0
	case err := <-s.failed:
		fmt.Fprintln(p.Stderr, err)
		return 1
	case <-ctx.Done():
		return 137
	}
}

// logger writes lines with the time before them, as Go's programs do.
func (p *Process) logger() *log.Logger { return log.New(p.Stderr, "", log.LstdFlags|log.LUTC) }

// body is as much of a request's body as a stand-in looks at.
func body(w http.ResponseWriter, r *http.Request) io.Reader {
	return http.MaxBytesReader(w, r.Body, 1<<20)
}
