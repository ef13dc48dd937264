package program

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// dial connects to host:port through the pod's network.
func (p *Process) dial(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, err := p.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	return p.Network.Dial(ctx, net.JoinHostPort(ip, port))
}

// wget fetches one page: -q, -O FILE, -S, -T SECONDS, --spider, --header=LINE,
// --ca-certificate=FILE, --no-check-certificate.
func wget(ctx context.Context, p *Process) int {
	var args []string
	spider, check, authorities := false, true, ""
	header := http.Header{"User-Agent": {"Wget"}}
	rest := p.Args[1:]
	for i := 0; i < len(rest); i++ {
		a := rest[i]
		if (a == "--header" || a == "--ca-certificate") && i+1 < len(rest) {
			i++
			a += "=" + rest[i]
		}
		switch {
		case a == "--spider":
			spider = true
		case a == "--no-check-certificate":
			check = false
		case strings.HasPrefix(a, "--ca-certificate="):
			authorities = a[len("--ca-certificate="):]
		case strings.HasPrefix(a, "--header="):
			name, value, _ := strings.Cut(a[len("--header="):], ":")
			header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		case a == "-nv":
		case strings.HasPrefix(a, "--timeout="):
			args = append(args, "-T", a[len("--timeout="):])
		default:
			args = append(args, a)
		}
	}
	p.Args = append([]string{p.Args[0]}, args...)
	o, urls, ok := p.options("qO:ST:t:U:Y:")
	if !ok {
		return 1
	}
	if len(urls) != 1 {
		p.complain("give one URL")
		return 1
	}
	target := urls[0]
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		p.complain("not an http or ftp url: %s", urls[0])
		return 1
	}
	wait := 15 * time.Minute
	if seconds, err := strconv.Atoi(o['T']); err == nil && seconds > 0 && seconds < 3600 {
		wait = time.Duration(seconds) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if !o.has('q') {
		fmt.Fprintf(p.Stderr, "Connecting to %s\n", net.JoinHostPort(u.Hostname(), port))
	}
	conn, err := p.dial(ctx, net.JoinHostPort(u.Hostname(), port))
	if isNoName(err) {
		p.complain("bad address '%s'", u.Hostname())
		return 1
	}
	if err != nil {
		p.complain("can't connect to remote host (%s): %s", u.Hostname(), dialReason(err))
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if u.Scheme == "https" {
		config := &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: !check}
		if check && !p.trust(config, authorities) {
			return 1
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			p.complain("TLS: %v", err)
			return 1
		}
		conn = secure
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		p.complain("%v", err)
		return 1
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	r.Close = true
	if err := r.Write(conn); err != nil {
		p.complain("error sending the request")
		return 1
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		if ctx.Err() != nil {
			p.complain("download timed out")
		} else {
			p.complain("error getting response")
		}
		return 1
	}
	defer resp.Body.Close()
	if o.has('S') {
		fmt.Fprintf(p.Stderr, "  %s %s\n", resp.Proto, resp.Status)
	}
	if resp.StatusCode >= 400 {
		p.complain("server returned error: %s %s", resp.Proto, resp.Status)
		return 1
	}
	if spider {
		return 0
	}
	return p.save(ctx, o, u, resp.Body)
}

// trust reads the certificates that are to be trusted. Without any, wget goes on
// as busybox does, which cannot check them.
func (p *Process) trust(c *tls.Config, file string) bool {
	if file == "" {
		io.WriteString(p.Stderr, "wget: note: TLS certificate validation not implemented\n")
		c.InsecureSkipVerify = true
		return true
	}
	f, err := p.Files.Open(p.path(file), os.O_RDONLY, 0)
	if err != nil {
		p.complain("can't open '%s': %s", file, reason(err))
		return false
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if c.RootCAs = x509.NewCertPool(); err != nil || !c.RootCAs.AppendCertsFromPEM(pem) {
		p.complain("no certificate in '%s'", file)
		return false
	}
	return true
}

func (p *Process) save(ctx context.Context, o options, u *url.URL, body io.Reader) int {
	name, out := o['O'], p.Stdout
	if name == "" {
		if name = path.Base(u.Path); name == "/" || name == "." {
			name = "index.html"
		}
	}
	if name != "-" {
		f, err := p.Files.Open(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			p.complain("can't open '%s': %s", name, reason(err))
			return 1
		}
		defer f.Close()
		out = f
	}
	if _, err := p.transfer(ctx, out, body); err != nil {
		p.complain("%s", reason(err))
		return 1
	}
	return 0
}

// nc connects its streams to a port: nc HOST PORT, -z to look only, -w SECONDS.
func nc(ctx context.Context, p *Process) int {
	o, args, ok := p.options("zvw:n")
	if !ok {
		return 1
	}
	if len(args) != 2 {
		p.complain("usage: nc [-zv] [-w SECONDS] HOST PORT (listening is not built in)")
		return 1
	}
	wait := 10 * time.Second
	if seconds, err := strconv.Atoi(o['w']); err == nil && seconds > 0 && seconds < 3600 {
		wait = time.Duration(seconds) * time.Second
	}
	dialing, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	conn, err := p.dial(dialing, net.JoinHostPort(args[0], args[1]))
	if isNoName(err) {
		p.complain("bad address '%s'", args[0])
		return 1
	}
	if err != nil {
		p.complain("%s (%s): %s", args[0], net.JoinHostPort(args[0], args[1]), dialReason(err))
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if o.has('v') {
		p.complain("%s (%s) open", args[0], net.JoinHostPort(args[0], args[1]))
	}
	if o.has('z') {
		return 0
	}
	go func() { // ends with the connection or the process's input
		p.transfer(ctx, conn, p.Stdin)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
	}()
	if _, err := p.transfer(ctx, p.Stdout, conn); err != nil && ctx.Err() != nil {
		return 137
	}
	return 0
}
