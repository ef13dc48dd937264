package program

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// agnhost is the test program of Kubernetes' own end-to-end tests, which its
// documentation uses too. Upstream's packages (test/images/agnhost) listen,
// read files and run commands through packages net and os, which in this
// process are the host's; so its subcommands are written again here, for the
// container's network and files, with upstream's flags, paths and words.
func agnhost(ctx context.Context, p *Process) int {
	name := "help"
	if len(p.Args) > 1 {
		name = p.Args[1]
	}
	run := map[string]Program{
		"netexec": netexec, "serve-hostname": serveHostname, "liveness": liveness, "pause": agnhostPause,
		"entrypoint-tester": entrypointTester, "connect": connectTester, "dns-suffix": dnsList("search", ","), "dns-server-list": dnsList("nameserver", ","),
		"etc-hosts": etcHosts, "logs-generator": logsGenerator, "mounttest": mounttest, "port-forward-tester": portForwardTester,
		"grpc-health-checking": grpcHealth, "test-webserver": testWebserver, "porter": porter, "webhook": webhook,
	}[name]
	if run == nil {
		fmt.Fprintf(p.Stderr, "Error: unknown command %q for \"app\" (Kubestage has: connect, dns-server-list, dns-suffix, entrypoint-tester, etc-hosts, grpc-health-checking, liveness, logs-generator, mounttest, netexec, pause, port-forward-tester, porter, serve-hostname, test-webserver, webhook)\n", name)
		return 1
	}
	if name == "entrypoint-tester" {
		return run(ctx, p)
	}
	return p.Exec(ctx, run, p.Args[1:], p.Env)
}

func entrypointTester(_ context.Context, p *Process) int {
	fmt.Fprintf(p.Stdout, "%v\n", p.Args)
	return 0
}

// agnhostPause waits, and says in its last words which signal ended it.
func agnhostPause(ctx context.Context, p *Process) int {
	fmt.Fprintln(p.Stdout, "Paused")
	signals := p.Notify(SIGINT, SIGTERM)
	fmt.Fprintln(p.Stdout, "Signals registered")
	select {
	case s := <-signals:
		word, code := "terminated", 2
		if s == SIGINT {
			word, code = "interrupt", 1
		}
		message := fmt.Sprintf("exiting because of signal %q\n", word)
		at := p.Getenv("TERMINATION_MESSAGE_PATH")
		if at == "" {
			at = "/dev/termination-log"
		}
		p.writeFile(at, message, 0o644)
		io.WriteString(p.Stdout, message)
		return code
	case <-ctx.Done():
		return 137
	}
}

func (p *Process) writeFile(name, text string, mode fs.FileMode) error {
	f, err := p.Files.Open(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// readFile reads what is not larger than a configuration usually is.
func (p *Process) readFile(name string) (string, error) {
	f, err := p.Files.Open(p.path(name), os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return string(data), err
}

// liveness is well for ten seconds, and then is not.
func liveness(ctx context.Context, p *Process) int {
	started := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("/started", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, time.Since(started).String()) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if d := time.Since(started); d > 10*time.Second {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "error: %v", d.Seconds())
			return
		}
		io.WriteString(w, "ok")
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		to, err := url.QueryUnescape(r.URL.Query().Get("loc"))
		if err != nil {
			http.Error(w, fmt.Sprintf("invalid redirect: %q", r.URL.Query().Get("loc")), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	return p.serveForever(ctx, mux, 8080)
}

// serveForever serves until a signal ends the process, as a program does that
// handles none: as process 1 it goes on through SIGTERM.
func (p *Process) serveForever(ctx context.Context, handler http.Handler, ports ...int) int {
	s, err := p.openSite(ctx, handler, ports...)
	if err != nil {
		p.logger().Print(err)
		return 1
	}
	return s.forever(ctx, p)
}

func serveHostname(ctx context.Context, p *Process) int {
	port, tcp, shut := 9376, false, false
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.IntVar(&port, "port", port, "Port number.")
		f.BoolVar(&tcp, "tcp", false, "Serve raw over TCP.")
		f.Bool("http", true, "Serve HTTP.")
		f.BoolVar(&shut, "close", false, "Close connection per each HTTP request.")
	})
	if !ok {
		return bad
	}
	say := p.logger()
	signals := p.Notify(SIGTERM)
	if tcp {
		l, err := p.Network.Listen(port)
		if err != nil {
			say.Printf("Error from net.Listen(): %s", err)
			return 1
		}
		defer l.Close()
		go func() { // ends with the listener
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				say.Printf("TCP request from %s", conn.RemoteAddr())
				io.WriteString(conn, p.Hostname)
				conn.Close()
			}
		}()
	} else {
		s, err := p.openSite(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			say.Printf("HTTP request from %s", r.RemoteAddr)
			if shut {
				w.Header().Set("Connection", "close")
			}
			io.WriteString(w, p.Hostname)
		}), port)
		if err != nil {
			say.Print(err)
			return 1
		}
		defer s.close()
	}
	say.Printf("Serving on port %d.\n", port)
	select {
	case <-signals:
		say.Print("Shutting down after receiving signal: terminated.\n")
		say.Print("Awaiting pod deletion.\n")
		if Wait(ctx, time.Minute) {
			return 0
		}
	case <-ctx.Done():
	}
	return 137
}

// netexec serves many small answers. UDP and SCTP are not built in.
func netexec(ctx context.Context, p *Process) int {
	port, delay := 8080, 0
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.IntVar(&port, "http-port", port, "HTTP Listen Port")
		f.IntVar(&delay, "delay-shutdown", 0, "Number of seconds to delay shutdown when receiving SIGTERM.")
		for _, name := range []string{"udp-port", "sctp-port"} {
			f.Int(name, -1, "not built into Kubestage")
		}
		f.String("udp-listen-addresses", "", "not built into Kubestage")
	})
	if !ok {
		return bad
	}
	n := &netexecSite{p: p, port: port, say: p.logger(), exit: make(chan exitOrder, 1)}
	signals := p.Notify(SIGTERM)
	s, err := p.openSite(ctx, n.routes(), port)
	if err != nil {
		n.say.Print(err)
		return 1
	}
	defer s.close()
	n.say.Printf("Started HTTP server on port %d", port)
	select {
	case <-signals:
		n.ending.Store(true)
		if delay > 0 {
			n.say.Printf("Sleeping %d seconds before terminating...", delay)
			if !Wait(ctx, time.Duration(delay)*time.Second) {
				return 137
			}
		}
		return 0
	case order := <-n.exit:
		if order.timeout > 0 {
			patience, cancel := context.WithTimeout(ctx, order.timeout)
			defer cancel()
			n.say.Printf("Graceful shutdown completed with: %v", s.server.Shutdown(patience))
		}
		return order.code
	case err := <-s.failed:
		n.say.Print(err)
		return 1
	case <-ctx.Done():
		return 137
	}
}

type netexecSite struct {
	p      *Process
	port   int
	say    *log.Logger
	exit   chan exitOrder
	ending atomic.Bool
}

type exitOrder struct {
	code    int
	timeout time.Duration
}

func (n *netexecSite) routes() http.Handler {
	mux := http.NewServeMux()
	route := func(at string, answer http.HandlerFunc) {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			n.say.Printf("GET %s", r.URL.RequestURI())
			answer(w, r)
		})
	}
	route("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "NOW: %v", time.Now().UTC()) })
	route("/clientip", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
	route("/serverport", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, n.port) })
	route("/hostname", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, n.p.Hostname) })
	route("/hostName", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, n.p.Hostname) })
	route("/healthz", func(w http.ResponseWriter, r *http.Request) {})
	route("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if n.ending.Load() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok")
	})
	route("/header", func(w http.ResponseWriter, r *http.Request) {
		if key := r.FormValue("key"); key != "" {
			io.WriteString(w, r.Header.Get(key))
			return
		}
		json.NewEncoder(w).Encode(r.Header)
	})
	route("/echo", func(w http.ResponseWriter, r *http.Request) {
		if text := r.FormValue("code"); text != "" {
			code, err := strconv.Atoi(text)
			if err != nil || code < 100 || code > 999 {
				fmt.Fprintf(w, "argument 'code' must be an integer or empty, got %q\n", text)
				return
			}
			w.WriteHeader(code)
		}
		io.WriteString(w, r.FormValue("msg"))
	})
	route("/redirect", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.FormValue("code"))
		if err != nil || code < 300 || code > 399 {
			code = http.StatusFound
		}
		http.Redirect(w, r, r.FormValue("location"), code)
	})
	route("/exit", func(w http.ResponseWriter, r *http.Request) {
		wait, err1 := duration(r.FormValue("wait"))
		timeout, err2 := duration(r.FormValue("timeout"))
		code, err3 := 0, error(nil)
		if text := r.FormValue("code"); text != "" {
			code, err3 = strconv.Atoi(text)
		}
		if err := errors.Join(err1, err2, err3); err != nil {
			fmt.Fprintln(w, err)
			return
		}
		n.say.Printf("Will begin shutdown in %s, allowing %s for connections to close, then will exit with %d", wait, timeout, code)
		if Wait(r.Context(), wait) {
			n.order(exitOrder{code, timeout})
		}
	})
	route("/shutdown", func(w http.ResponseWriter, r *http.Request) { n.order(exitOrder{}) })
	route("/shell", n.shell)
	route("/dial", n.dial)
	return mux
}

func (n *netexecSite) order(o exitOrder) {
	select {
	case n.exit <- o:
	default: // it ends already
	}
}

func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// shell runs a command of the container.
func (n *netexecSite) shell(w http.ResponseWriter, r *http.Request) {
	cmd := r.FormValue("shellCommand")
	if cmd == "" {
		cmd = r.FormValue("cmd")
	}
	var out ending
	out.most = 64 << 10
	child := &Process{
		Args: []string{"sh", "-c", cmd}, Env: n.p.Env, Dir: n.p.Dir, Stdout: &out, Stderr: &out,
		Container: n.p.Container, Parent: n.p,
	}
	exit := child.Run(r.Context(), Shell)
	answer := map[string]string{}
	if len(out.b) > 0 {
		answer["output"] = string(out.b)
	}
	if exit.Code != 0 {
		answer["error"] = fmt.Sprintf("exit status %d", exit.Code)
		w.WriteHeader(http.StatusExpectationFailed)
	}
	json.NewEncoder(w).Encode(answer)
}

// dial asks another server, several times if need be.
func (n *netexecSite) dial(w http.ResponseWriter, r *http.Request) {
	tries := 1
	if text := r.FormValue("tries"); text != "" {
		var err error
		if tries, err = strconv.Atoi(text); err != nil || tries > 1000 {
			http.Error(w, "tries parameter is invalid.", http.StatusBadRequest)
			return
		}
	}
	if r.FormValue("request") == "" {
		http.Error(w, "request parameter not specified.", http.StatusBadRequest)
		return
	}
	if protocol := r.FormValue("protocol"); protocol != "" && protocol != "http" {
		http.Error(w, "unsupported protocol. "+protocol, http.StatusBadRequest)
		return
	}
	client := n.p.httpClient()
	defer client.CloseIdleConnections()
	answer := map[string][]string{}
	var err error
	for range tries {
		var resp *http.Response
		at := "http://" + net.JoinHostPort(r.FormValue("host"), r.FormValue("port")) + "/" + r.FormValue("request")
		var ask *http.Request
		if ask, err = http.NewRequestWithContext(r.Context(), http.MethodGet, at, nil); err == nil {
			if resp, err = client.Do(ask); err == nil {
				text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
				resp.Body.Close()
				answer["responses"] = append(answer["responses"], string(text))
				continue
			}
		}
		answer["errors"] = append(answer["errors"], err.Error())
	}
	if err != nil {
		w.WriteHeader(http.StatusExpectationFailed)
	}
	json.NewEncoder(w).Encode(answer)
}

// httpClient reaches what the pod reaches, and nothing else.
func (p *Process) httpClient() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return p.dial(ctx, address) },
			DisableKeepAlives: true,
		},
	}
}

// connectTester tries to connect, and says why it could not in words that tests look for.
func connectTester(ctx context.Context, p *Process) int {
	timeout, protocol := time.Duration(0), "tcp"
	args, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.DurationVar(&timeout, "timeout", 0, "Maximum time before returning an error")
		f.StringVar(&protocol, "protocol", protocol, "The protocol to use to perform the connection")
	})
	if !ok {
		return bad
	}
	if len(args) == 2 && strings.HasPrefix(args[1], "--timeout=") { // upstream takes options after the address too
		timeout, _ = time.ParseDuration(strings.TrimPrefix(args[1], "--timeout="))
		args = args[:1]
	}
	if len(args) != 1 || protocol != "tcp" {
		fmt.Fprintln(p.Stderr, "UNKNOWN: give one host:port, for tcp")
		return 1
	}
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := p.dial(ctx, args[0])
	switch {
	case err == nil:
		conn.Close()
		return 0
	case isNoName(err), strings.Contains(err.Error(), "no such host"):
		fmt.Fprintf(p.Stderr, "DNS: %v\n", err)
	case ctx.Err() != nil:
		fmt.Fprintln(p.Stderr, "TIMEOUT")
	case strings.Contains(err.Error(), "refused"):
		fmt.Fprintln(p.Stderr, "REFUSED")
	default:
		fmt.Fprintf(p.Stderr, "OTHER: %v\n", err)
	}
	return 1
}

// dnsList prints a word's values of /etc/resolv.conf.
func dnsList(word, between string) Program {
	return func(_ context.Context, p *Process) int {
		text, err := p.readFile("/etc/resolv.conf")
		if err != nil {
			fmt.Fprintln(p.Stderr, reason(err))
			return 1
		}
		for line := range strings.Lines(text) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == word {
				fmt.Fprint(p.Stdout, strings.Join(fields[1:], between))
				return 0
			}
		}
		fmt.Fprintln(p.Stderr, "Could not find DNS search list!")
		return 2
	}
}

func etcHosts(_ context.Context, p *Process) int {
	text, err := p.readFile("/etc/hosts")
	if err != nil {
		fmt.Fprintln(p.Stderr, reason(err))
		return 1
	}
	io.WriteString(p.Stdout, text)
	return 0
}

// logsGenerator writes lines evenly over a time.
func logsGenerator(ctx context.Context, p *Process) int {
	total, over := 0, time.Duration(0)
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		for _, name := range []string{"log-lines-total", "t"} {
			f.IntVar(&total, name, 0, "Total lines that should be generated by the end of the run")
		}
		for _, name := range []string{"run-duration", "d"} {
			f.DurationVar(&over, name, 0, "Total duration of the run")
		}
	})
	if !ok {
		return bad
	}
	if total <= 0 || over <= 0 {
		fmt.Fprintf(p.Stderr, "Invalid total number of lines: %d, or duration: %v\n", total, over)
		return 255
	}
	say := log.New(p.Stderr, "", log.LstdFlags|log.Lmicroseconds|log.LUTC)
	pick := func(words ...string) string { return words[rand.IntN(len(words))] }
	for id := range total {
		say.Printf("%d %s /api/v1/namespaces/%s/pods/%s %d", id, pick("GET", "POST", "PUT"), pick("kube-system", "default", "ns"),
			pick("bq7", "f4xn", "kzt", "9wd"), 200+rand.IntN(400))
		if !Wait(ctx, over/time.Duration(total)) {
			return 137
		}
	}
	return 0
}

// mounttest makes files and tells what it finds, in upstream's order.
func mounttest(ctx context.Context, p *Process) int {
	names := []string{"fs_type", "new_file_0644", "new_file_0666", "new_file_0660", "new_file_0777", "file_mode", "file_perm", "file_owner", "file_content", "file_content_in_loop"}
	values := make([]string, len(names))
	retry, once := 180, true
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		for i, name := range names {
			f.StringVar(&values[i], name, "", "path")
		}
		f.IntVar(&retry, "retry_time", retry, "seconds to read in the loop")
		f.BoolVar(&once, "break_on_expected_content", once, "end the loop when the content is what new files have")
	})
	if !ok {
		return bad
	}
	const content = "mount-tester new file\n"
	code := 0
	check := func(what, name string, err error) bool {
		if err != nil {
			fmt.Fprintf(p.Stdout, "error %s %q: %v\n", what, name, reason(err))
			code = 1
		}
		return err == nil
	}
	show := func(name string) string {
		text, err := p.readFile(name)
		if check("reading file content for", name, err) {
			fmt.Fprintf(p.Stdout, "content of file %q: %v\n", name, text)
		}
		return text
	}
	for i, kind := range names {
		name := values[i]
		if name == "" {
			continue
		}
		info, err := p.Files.Lstat(p.path(name))
		switch {
		case strings.HasPrefix(kind, "new_file_"):
			mode, _ := strconv.ParseUint(strings.TrimPrefix(kind, "new_file_"), 8, 12)
			err := p.writeFile(name, content, fs.FileMode(mode))
			if err == nil {
				err = p.Files.Chmod(p.path(name), fs.FileMode(mode)) // upstream clears its umask
			}
			if check("writing new file", name, err) {
				show(name)
			}
		case kind == "file_content":
			show(name)
		case kind == "file_content_in_loop":
			for end := time.Now().Add(time.Duration(retry) * time.Second); time.Now().Before(end); {
				if show(name) == content && once {
					break
				}
				if !Wait(ctx, 2*time.Second) {
					return 137
				}
			}
		case !check("lstat", name, err):
		case kind == "fs_type":
			fmt.Fprintf(p.Stdout, "mount type of %q: kubestage\n", name)
		case kind == "file_mode":
			fmt.Fprintf(p.Stdout, "mode of file %q: %v\n", name, info.Mode())
		case kind == "file_perm":
			fmt.Fprintf(p.Stdout, "perms of file %q: %v\n", name, info.Mode().Perm())
		case kind == "file_owner":
			o := ownerOf(info)
			fmt.Fprintf(p.Stdout, "owner UID of %q: %d\nowner GID of %q: %d\n", name, o.UID, name, o.GID)
		}
	}
	return code
}

// portForwardTester sends chunks of x to one client.
func portForwardTester(ctx context.Context, p *Process) int {
	number := func(name string) int {
		n, err := strconv.Atoi(p.Getenv(name))
		if err != nil || n < 0 || n > 1<<20 {
			return -1
		}
		return n
	}
	port, chunks, size, interval := number("BIND_PORT"), number("CHUNKS"), number("CHUNK_SIZE"), number("CHUNK_INTERVAL")
	l, err := p.Network.Listen(port)
	if err != nil {
		fmt.Fprintf(p.Stdout, "Error listening: %v\n", err)
		return 1
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	conn, err := l.Accept()
	if err != nil {
		fmt.Fprintf(p.Stdout, "Error accepting connection: %v\n", err)
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	fmt.Fprintln(p.Stdout, "Accepted client connection")
	if want := p.Getenv("EXPECTED_CLIENT_DATA"); want != "" {
		got := make([]byte, len(want))
		if n, err := io.ReadFull(conn, got); err != nil {
			fmt.Fprintf(p.Stdout, "Expected to read %d bytes from client, but got %d instead. err=%v\n", len(want), n, err)
			return 2
		}
		if string(got) != want {
			fmt.Fprintf(p.Stdout, "Expect to read %q, but got %q. err=%v\n", want, got, nil)
			return 3
		}
		fmt.Fprintln(p.Stdout, "Received expected client data")
	}
	if min(chunks, size, interval) < 0 {
		fmt.Fprintln(p.Stdout, "Error parsing CHUNKS, CHUNK_SIZE or CHUNK_INTERVAL")
		return 1
	}
	data := strings.Repeat("x", size)
	for i := range chunks {
		if _, err := io.WriteString(conn, data); err != nil {
			fmt.Fprintf(p.Stdout, "Write err: %v\n", err)
			return 4
		}
		if i+1 < chunks && !Wait(ctx, time.Duration(interval)*time.Millisecond) {
			return 137
		}
	}
	fmt.Fprintln(p.Stdout, "Shutting down connection")
	conn.Close()
	fmt.Fprintln(p.Stdout, "Done")
	return 0
}

// grpcHealth answers the health protocol that gRPC probes speak.
func grpcHealth(ctx context.Context, p *Process) int {
	h := &healthServer{say: p.logger(), started: time.Now()}
	port, httpPort := 5000, 8080
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.IntVar(&port, "port", port, "Port number.")
		f.IntVar(&httpPort, "http-port", httpPort, "Port number for the /make-serving and /make-not-serving.")
		f.IntVar(&h.delay, "delay-unhealthy-sec", -1, "Number of seconds to delay before start reporting NOT_SERVING, negative value indicates never.")
		f.StringVar(&h.service, "service", "", "Service name to register the health check for.")
	})
	if !ok {
		return bad
	}
	l, err := p.Network.Listen(port)
	if err != nil {
		h.say.Printf("Error while starting the listening service %v", err)
		return 1
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, h)
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(l) })
	defer serving.Wait()
	defer server.Stop()
	h.say.Printf("gRPC server starting to listen on :%d", port)
	mux := http.NewServeMux()
	for at, healthy := range map[string]bool{"/make-serving": true, "/make-not-serving": false} {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			h.forced.Store(&healthy)
			io.WriteString(w, time.Since(h.started).String())
		})
	}
	return p.serveForever(ctx, mux, httpPort)
}

type healthServer struct {
	grpc_health_v1.UnimplementedHealthServer
	say     *log.Logger
	started time.Time
	delay   int
	service string
	forced  atomic.Pointer[bool]
}

// Check says how the service is.
func (h *healthServer) Check(_ context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	h.say.Printf("Serving the Check request for health check, started at %v", h.started.UTC())
	if r.GetService() != h.service {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	healthy := h.delay < 0 || time.Since(h.started) < time.Duration(h.delay)*time.Second
	if forced := h.forced.Load(); forced != nil {
		healthy = *forced && healthy
	}
	if !healthy {
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// testWebserver serves the files of the container.
func testWebserver(ctx context.Context, p *Process) int {
	port := 80
	if _, bad, ok := p.flags(func(f *flag.FlagSet) { f.IntVar(&port, "port", port, "Port number.") }); !ok {
		return bad
	}
	return p.serveForever(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Clean("/" + r.URL.Path)
		if entries, err := p.Files.ReadDir(name); err == nil {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			for _, e := range entries {
				fmt.Fprintln(w, e.Name())
			}
			return
		}
		f, err := p.Files.Open(name, os.O_RDONLY, 0)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		p.transfer(r.Context(), w, f)
	}), port)
}

// porter serves the text of each variable SERVE_PORT_number on that port.
func porter(ctx context.Context, p *Process) int {
	var ports []int
	for _, e := range p.Env {
		name, _, _ := strings.Cut(e, "=")
		if text, ok := strings.CutPrefix(name, "SERVE_PORT_"); ok {
			if port, err := strconv.Atoi(text); err == nil && !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	var sites []*site
	defer func() {
		for _, s := range sites {
			s.close()
		}
	}()
	for _, port := range ports {
		text := p.Getenv(fmt.Sprint("SERVE_PORT_", port))
		s, err := p.openSite(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }), port)
		if err != nil {
			p.logger().Print(err)
			return 1
		}
		sites = append(sites, s)
	}
	<-ctx.Done()
	return 137
}
