package program

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// curl asks HTTP servers: the options that examples use.
func curl(ctx context.Context, p *Process) int {
	c := &curling{p: p, method: http.MethodGet, header: http.Header{}}
	urls, ok := c.options()
	if !ok {
		return 2
	}
	if len(urls) == 0 {
		fmt.Fprintln(p.Stdout, "Usage: curl [options...] <url> (Kubestage's built-in stand-in for curl)\n -d -f -H -I -i -k -L -m -o -O -s -S -v -w -X --cacert --connect-timeout --resolve")
		return 0
	}
	if c.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.limit)
		defer cancel()
	}
	code := 0
	for _, u := range urls {
		code = c.get(ctx, u)
	}
	return code
}

type curling struct {
	p      *Process
	method string
	header http.Header
	data   *string

	fail, head, include, insecure, follow, silent, showErrors, verbose, remoteName bool

	output, format, cacert string
	limit                  time.Duration
	resolve                map[string]string
}

func (c *curling) options() (urls []string, ok bool) {
	short := map[byte]string{
		'd': "data", 'f': "fail", 'H': "header", 'I': "head", 'i': "include", 'k': "insecure", 'L': "location", 'm': "max-time", 'o': "output",
		'O': "remote-name", 's': "silent", 'S': "show-error", 'v': "verbose", 'w': "write-out", 'X': "request", 'g': "globoff", '4': "ipv4", 'A': "user-agent",
	}
	valued := []string{"data", "data-raw", "header", "max-time", "output", "write-out", "request", "cacert", "connect-timeout", "resolve", "user-agent", "retry"}
	args := c.p.Args[1:]
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		var names []string
		rest := ""
		switch {
		case strings.HasPrefix(a, "--"):
			names = []string{a[2:]}
		case len(a) > 1 && a[0] == '-':
			for i := 1; i < len(a); i++ {
				name, known := short[a[i]]
				if !known {
					c.p.complain("option -%c: is unknown", a[i])
					return nil, false
				}
				names = append(names, name)
				if slices.Contains(valued, name) {
					rest = a[i+1:]
					break
				}
			}
		default:
			urls = append(urls, a)
			continue
		}
		for _, name := range names {
			value := ""
			if slices.Contains(valued, name) {
				if value = rest; value == "" {
					if len(args) == 0 {
						c.p.complain("option %s: requires parameter", a)
						return nil, false
					}
					value, args = args[0], args[1:]
				}
			}
			if !c.set(name, value) {
				c.p.complain("option --%s: is unknown", name)
				return nil, false
			}
		}
	}
	return urls, true
}

func (c *curling) set(name, value string) bool {
	switch name {
	case "data", "data-raw":
		if text, isFile := strings.CutPrefix(value, "@"); isFile && name == "data" {
			value, _ = c.p.readFile(text)
		}
		if c.data != nil {
			value = *c.data + "&" + value
		}
		if c.data = &value; c.method == http.MethodGet {
			c.method = http.MethodPost
		}
	case "header":
		key, text, _ := strings.Cut(value, ":")
		c.header.Add(strings.TrimSpace(key), strings.TrimSpace(text))
	case "user-agent":
		c.header.Set("User-Agent", value)
	case "head":
		c.head, c.method = true, http.MethodHead
	case "request":
		c.method = value
	case "max-time", "connect-timeout":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || seconds <= 0 || seconds > 3600 {
			return false
		}
		c.limit = time.Duration(seconds * float64(time.Second))
	case "resolve": // host:port:address
		parts := strings.SplitN(value, ":", 3)
		if len(parts) != 3 {
			return false
		}
		if c.resolve == nil {
			c.resolve = map[string]string{}
		}
		c.resolve[parts[0]+":"+parts[1]] = parts[2] + ":" + parts[1]
	case "output":
		c.output = value
	case "write-out":
		c.format = value
	case "cacert":
		c.cacert = value
	case "fail":
		c.fail = true
	case "include":
		c.include = true
	case "insecure":
		c.insecure = true
	case "location":
		c.follow = true
	case "silent":
		c.silent = true
	case "show-error":
		c.showErrors = true
	case "verbose":
		c.verbose = true
	case "remote-name":
		c.remoteName = true
	case "globoff", "ipv4", "compressed", "no-progress-meter", "http1.1", "no-buffer", "retry":
	default:
		return false
	}
	return true
}

// failed says what went wrong, with the exit code that curl has for it.
func (c *curling) failed(code int, format string, args ...any) int {
	if !c.silent || c.showErrors {
		fmt.Fprintf(c.p.Stderr, "curl: (%d) %s\n", code, fmt.Sprintf(format, args...))
	}
	return code
}

func (c *curling) get(ctx context.Context, target string) int {
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" {
		return c.failed(3, "URL rejected: %s", target)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return c.failed(1, "Protocol %q not supported", u.Scheme)
	}
	client, code := c.client()
	if client == nil {
		return code
	}
	defer client.CloseIdleConnections()
	var body io.Reader
	if c.data != nil {
		body = strings.NewReader(*c.data)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return c.failed(3, "%v", err)
	}
	r.Header.Set("User-Agent", "curl/8.0 (kubestage stand-in)")
	r.Header.Set("Accept", "*/*")
	if c.data != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for key, values := range c.header {
		r.Header[key] = values
	}
	if host := c.header.Get("Host"); host != "" {
		r.Host = host
	}
	began := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return c.explain(ctx, u, err)
	}
	defer resp.Body.Close()
	if c.verbose {
		fmt.Fprintf(c.p.Stderr, "> %s %s HTTP/1.1\n> Host: %s\n< %s %s\n", c.method, u.RequestURI(), r.Host, resp.Proto, resp.Status)
	}
	if c.fail && resp.StatusCode >= 400 {
		return c.failed(22, "The requested URL returned error: %d", resp.StatusCode)
	}
	out, code := c.to(u)
	if out == nil {
		return code
	}
	if c.include || c.head {
		fmt.Fprintf(out, "%s %s\r\n", resp.Proto, resp.Status)
		resp.Header.Write(out)
		io.WriteString(out, "\r\n")
	}
	n, err := c.p.transfer(ctx, out, resp.Body)
	if closer, ok := out.(io.Closer); ok && (c.output != "" || c.remoteName) {
		closer.Close()
	}
	if err != nil {
		return c.explain(ctx, u, err)
	}
	if c.format != "" {
		io.WriteString(c.p.Stdout, strings.NewReplacer(`\n`, "\n", `\t`, "\t", "%{http_code}", strconv.Itoa(resp.StatusCode), "%{response_code}", strconv.Itoa(resp.StatusCode),
			"%{size_download}", strconv.FormatInt(n, 10), "%{time_total}", fmt.Sprintf("%.6f", time.Since(began).Seconds()), "%{url_effective}", target).Replace(c.format))
	}
	return 0
}

func (c *curling) client() (*http.Client, int) {
	client := c.p.httpClient()
	client.Timeout = 0
	t := client.Transport.(*http.Transport)
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.insecure} //nolint:gosec // -k asks for it
	t.TLSClientConfig.RootCAs = x509.NewCertPool()                  // none of the host's
	if c.cacert != "" {
		pem, err := c.p.readFile(c.cacert)
		if err != nil || !t.TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, c.failed(77, "error setting certificate file: %s", c.cacert)
		}
	}
	if c.resolve != nil {
		dial := t.DialContext
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if to, ok := c.resolve[address]; ok {
				address = to
			}
			return dial(ctx, network, address)
		}
	}
	if !c.follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client, 0
}

// to is where the answer goes.
func (c *curling) to(u *url.URL) (io.Writer, int) {
	name := c.output
	if c.remoteName {
		name = path.Base(u.Path)
	}
	switch name {
	case "", "-":
		return c.p.Stdout, 0
	case "/dev/null":
		return io.Discard, 0
	}
	f, err := c.p.Files.Open(c.p.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, c.failed(23, "Failure writing output to destination: %s", reason(err))
	}
	return f, 0
}

func (c *curling) explain(ctx context.Context, u *url.URL, err error) int {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	var unknown x509.UnknownAuthorityError
	switch text := err.Error(); {
	case isNoName(err), strings.Contains(text, "no such host"):
		return c.failed(6, "Could not resolve host: %s", u.Hostname())
	case ctx.Err() != nil, strings.Contains(text, "timed out"), strings.Contains(text, "deadline exceeded"):
		return c.failed(28, "Operation timed out")
	case errors.As(err, &unknown):
		return c.failed(60, "SSL certificate problem: unable to get local issuer certificate")
	case strings.Contains(text, "refused"), strings.Contains(text, "no route"):
		return c.failed(7, "Failed to connect to %s port %s: %s", u.Hostname(), port, dialReason(err))
	case strings.Contains(text, "tls:"), strings.Contains(text, "x509:"), strings.Contains(text, "HTTPS client"):
		return c.failed(35, "TLS connect error: %v", err)
	default:
		return c.failed(52, "Empty reply from server")
	}
}
