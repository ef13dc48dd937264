package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Serve is the generic HTTP server that stands in for images whose own program
// is not built in. It says so in every answer, writes one access log line per
// request to stdout, and on SIGTERM or SIGQUIT finishes what it is answering
// and exits 0, as servers in containers should.
func Serve(ctx context.Context, p *Process) int {
	ports := p.Ports
	if len(ports) == 0 {
		ports = []int{80}
	}
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	for _, port := range ports {
		l, err := p.Network.Listen(port)
		if err != nil {
			fmt.Fprintf(p.Stderr, "bind to 0.0.0.0:%d: %v\n", port, err)
			return 1
		}
		listeners = append(listeners, l)
	}
	term := p.Notify(SIGTERM, SIGQUIT, SIGINT)

	srv := &http.Server{
		Handler:           &standInSite{p: p},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(p.Stderr, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for i, l := range listeners {
		fmt.Fprintf(p.Stdout, "kubestage stand-in for %s: serving HTTP on port %d\n", p.Image, ports[i])
		serving.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	code := 0
	select {
	case s := <-term:
		fmt.Fprintf(p.Stdout, "%s: finishing open requests\n", s)
		if err := srv.Shutdown(ctx); err != nil {
			code = 137
		}
	case err := <-failed:
		fmt.Fprintln(p.Stderr, err)
		code = 1
	case <-ctx.Done():
		code = 137
	}
	srv.Close()
	serving.Wait()
	return code
}

// standInSite answers every path the same way.
type standInSite struct {
	p  *Process
	mu sync.Mutex // one access log line at a time
}

func (s *standInSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20))
	var b strings.Builder
	fmt.Fprintf(&b, "Hello from pod %s in namespace %s on %s.\n", s.p.PodName, s.p.PodNamespace, s.p.Node)
	fmt.Fprintf(&b, "Image: %s\n", s.p.Image)
	fmt.Fprintf(&b, "Container: %s, address %s, host %s\n", s.p.Name, s.p.Network.Address(), s.p.Hostname)
	fmt.Fprintf(&b, "This is a stand-in: Kubestage runs its built-in HTTP server instead of the image.\n")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Server", "kubestage-stand-in")
	n, _ := io.WriteString(w, b.String())
	s.log(r, http.StatusOK, n)
}

func (s *standInSite) log(r *http.Request, code, bytes int) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	line := fmt.Sprintf("%s - - [%s] %q %d %d %q %q\n", host, time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"),
		r.Method+" "+r.URL.RequestURI()+" "+r.Proto, code, bytes, r.Referer(), r.UserAgent())
	s.mu.Lock()
	defer s.mu.Unlock()
	io.WriteString(s.p.Stdout, line)
}
