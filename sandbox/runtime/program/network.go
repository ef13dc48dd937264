package program

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// resolve finds the address of a name: /etc/hosts is all there is.
func (p *Process) resolve(ctx context.Context, name string) (string, bool) {
	if _, err := netip.ParseAddr(name); err == nil {
		return name, true
	}
	f, err := p.Files.Open("/etc/hosts", os.O_RDONLY, 0)
	if err != nil {
		return "", false
	}
	defer f.Close()
	address := ""
	p.eachLine(ctx, f, func(line string) error {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for i, n := range fields {
			if a, err := netip.ParseAddr(fields[0]); i > 0 && strings.EqualFold(n, name) && err == nil && a.Is4() {
				address = fields[0]
				return errEnough
			}
		}
		return nil
	})
	return address, address != ""
}

var errNoName = errors.New("bad address")

// dial connects to host:port through the pod's network.
func (p *Process) dial(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, ok := p.resolve(ctx, host)
	if !ok {
		return nil, errNoName
	}
	return p.Network.Dial(ctx, net.JoinHostPort(ip, port))
}

// noNames explains what a failed lookup means here.
const noNames = "Kubestage has no cluster DNS inside containers yet; use a pod's address"

// wget fetches one page: -q, -O FILE, -S, -T SECONDS, --spider.
func wget(ctx context.Context, p *Process) int {
	var args []string
	spider := false
	for _, a := range p.Args[1:] {
		switch {
		case a == "--spider":
			spider = true
		case a == "--no-check-certificate", a == "-nv":
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
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		p.complain("not an http address: %s", urls[0])
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
		port = "80"
	}
	if !o.has('q') {
		fmt.Fprintf(p.Stderr, "Connecting to %s\n", net.JoinHostPort(u.Hostname(), port))
	}
	conn, err := p.dial(ctx, net.JoinHostPort(u.Hostname(), port))
	if errors.Is(err, errNoName) {
		p.complain("bad address '%s' (%s)", u.Hostname(), noNames)
		return 1
	}
	if err != nil {
		p.complain("can't connect to remote host (%s): %s", u.Hostname(), dialReason(err))
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		p.complain("%v", err)
		return 1
	}
	r.Header.Set("User-Agent", "Wget")
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

// dialReason is the end of a network error's text: "Connection refused".
func dialReason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return sentence(errors.New(text))
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
	if errors.Is(err, errNoName) {
		p.complain("bad address '%s' (%s)", args[0], noNames)
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

// nslookup asks /etc/hosts, and says that there is nobody else to ask.
func nslookup(ctx context.Context, p *Process) int {
	if len(p.Args) < 2 {
		p.complain("usage: nslookup NAME")
		return 1
	}
	name := p.Args[1]
	address, ok := p.resolve(ctx, name)
	if !ok {
		p.complain("can't resolve '%s' (%s)", name, noNames)
		return 1
	}
	fmt.Fprintf(p.Stdout, "Name:\t%s\nAddress: %s\n", name, address)
	return 0
}
