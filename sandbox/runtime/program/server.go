package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"os"
	"path"
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

// standInSite answers with the file of that name in the image's folder of
// pages, when there is one, and else the same to every path.
type standInSite struct {
	p  *Process
	mu sync.Mutex // one access log line at a time
}

func (s *standInSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20))
	w.Header().Set("Server", "kubestage-stand-in")
	if page, kind := s.page(r.URL.Path); page != nil {
		defer page.Close()
		w.Header().Set("Content-Type", kind)
		n, _ := s.p.transfer(r.Context(), w, page)
		s.log(r, http.StatusOK, int(n))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	n, _ := io.WriteString(w, s.p.Greeting())
	s.log(r, http.StatusOK, n)
}

// Greeting says who answers, and that it is not the image's own program.
func (c *Container) Greeting() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Hello from pod %s in namespace %s on %s.\n", c.PodName, c.PodNamespace, c.Node)
	fmt.Fprintf(&b, "Image: %s\n", c.Image)
	fmt.Fprintf(&b, "Container: %s, address %s, host %s\n", c.Name, c.Network.Address(), c.Hostname)
	fmt.Fprintf(&b, "This is a stand-in: Kubestage runs its built-in HTTP server instead of the image.\n")
	return b.String()
}

// page opens the file that a path of a request means. The one that comes with
// the image is the greeting: nothing else says so well who answers.
func (s *standInSite) page(name string) (io.ReadCloser, string) {
	if s.p.Docroot == "" {
		return nil, ""
	}
	name = path.Join(s.p.Docroot, path.Clean("/"+name))
	if isFolder(s.p.Files, name) {
		name = path.Join(name, "index.html")
	}
	f, err := s.p.Files.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, ""
	}
	first := make([]byte, 512)
	n, _ := io.ReadFull(f, first)
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" || path.Ext(name) == ".html" {
		kind = http.DetectContentType(first[:n])
	}
	return pageFile{io.MultiReader(bytes.NewReader(first[:n]), f), f}, kind
}

type pageFile struct {
	io.Reader
	io.Closer
}

func (s *standInSite) log(r *http.Request, code, bytes int) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	line := fmt.Sprintf("%s - - [%s] %q %d %d %q %q\n", host, time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"),
		r.Method+" "+r.URL.RequestURI()+" "+r.Proto, code, bytes, r.Referer(), r.UserAgent())
	s.mu.Lock()
	defer s.mu.Unlock()
	io.WriteString(s.p.Stdout, line)
}
