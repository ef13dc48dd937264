package program

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	signals := p.Notify(SIGTERM, SIGQUIT, SIGINT, SIGWINCH)
	s, err := p.openSite(ctx, &standInSite{p: p}, ports...)
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	for _, port := range ports {
		fmt.Fprintf(p.Stdout, "kubestage stand-in for %s: serving HTTP on port %d\n", p.Image, port)
	}
	return s.until(ctx, p, signals)
}

// nginx is the command of that name: the server, or a word about it.
func nginx(ctx context.Context, p *Process) int {
	o, _, ok := p.options("vVtTqs:g:c:p:e:h")
	switch {
	case !ok:
		return 1
	case o.has('v'), o.has('V'), o.has('h'):
		fmt.Fprintf(p.Stderr, "nginx version: Kubestage's stand-in for %s\n", p.Image)
	case o.has('t'), o.has('T'):
		fmt.Fprintln(p.Stderr, "nginx: the stand-in reads no configuration file; its folder of pages is "+p.Docroot)
	case o.has('s'):
		s, known := map[string]Signal{"quit": SIGQUIT, "stop": SIGTERM, "reload": SIGHUP, "reopen": SIGUSR1}[o['s']]
		server := p.find("1")
		if !known || server == nil {
			fmt.Fprintf(p.Stderr, "nginx: invalid option: \"-s %s\"\n", o['s'])
			return 1
		}
		server.Signal(s)
	default:
		return Serve(ctx, p)
	}
	return 0
}

// standInSite answers with the file of that name in the image's folder of
// pages, when there is one, and else the same to every path.
type standInSite struct {
	p  *Process
	mu sync.Mutex // one access log line at a time
}

func (s *standInSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, body(w, r))
	w.Header().Set("Server", "kubestage-stand-in")
	if page, kind := s.page(r.URL.Path); page != nil {
		defer page.Close()
		w.Header().Set("Content-Type", kind)
		n, _ := s.p.transfer(r.Context(), w, page)
		s.log(r, http.StatusOK, int(n))
		return
	}
	if s.p.Docroot != "" {
		http.Error(w, "404 Not Found\n"+s.p.Image+" has no file "+r.URL.Path+" in "+s.p.Docroot+" (a stand-in's answer)", http.StatusNotFound)
		s.log(r, http.StatusNotFound, 0)
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
