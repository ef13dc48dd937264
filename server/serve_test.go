package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/watch"
)

// The test binary plays other programs too: kubectl in the console, and a
// client of another user.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "stand-in-for-kubectl":
			os.Exit(standInForKubectl(os.Args[2:]))
		case "client-of-another-user":
			os.Exit(clientOfAnotherUser(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// served is a server that answers on a real socket until its test ends.
type served struct {
	*Server
	addr string
	stop func() error // ends Serve and returns its error

	mu     sync.Mutex // guards logged
	logged []string
}

func (s *served) url(path string) string { return "http://" + s.addr + path }

func (s *served) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.logged, "\n")
}

func serve(t testing.TB, change ...func(*Config, *limits)) *served {
	t.Helper()
	book, err := content.Load()
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &served{}
	c := Config{
		Log:            watch.NewLog(0),
		Source:         "sandbox",
		Ready:          func() (bool, string) { return true, "the cluster is ready" },
		Kubectl:        []string{os.Args[0], "stand-in-for-kubectl"},
		KubeconfigPath: func() string { return kubeconfig },
		Book:           book,
		Logf: func(format string, args ...any) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logged = append(s.logged, fmt.Sprintf(format, args...))
		},
	}
	l := defaultLimits()
	for _, f := range change {
		f(&c, &l)
	}
	if s.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	s.setLimits(l)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// write appends n events to the log.
func write(log *watch.Log, n int) {
	for i := range n {
		log.Append(watch.Event{Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: "put",
			Start: time.Now(), End: time.Now(), Evidence: watch.Observed("etcd", fmt.Sprintf("/registry/pods/default/p%d@%d", i, i))})
	}
}

func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func request(t *testing.T, method, url, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	return r
}

// TestScripts plays testdata/*.txt: requests and what their answers must be.
//
//	GET /path                  begins a case; a # begins a comment
//	> Name: value              a header of the request
//	| text                     a line of its body
//	404                        the status
//	< Name: value              a header of the answer contains value
//	* text                     the body contains text
//	! text                     the body does not
//	= text                     the body, without space around it, is text
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	s := serve(t)
	s.Log.Append(watch.Event{Kind: watch.Component, From: watch.Kubestage, To: "etcd", Verb: "starting", Evidence: watch.Observed("supervisor", "1")})
	s.Log.Append(watch.Event{Kind: watch.Component, From: watch.Kubestage, To: "kube-apiserver", Verb: "starting", Evidence: watch.Observed("supervisor", "2")})
	s.Log.Append(watch.Event{Kind: watch.Component, From: watch.Kubestage, To: "etcd", Verb: "ready", Evidence: watch.Observed("supervisor", "1")})
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\n\n") {
			runCase(t, s, file, strings.Split(strings.TrimSpace(c), "\n"))
		}
	}
}

func runCase(t *testing.T, s *served, file string, lines []string) {
	for len(lines) > 0 && (strings.HasPrefix(lines[0], "#") || lines[0] == "") {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return
	}
	method, path, _ := strings.Cut(lines[0], " ")
	t.Run(lines[0], func(t *testing.T) {
		var headers, body []string
		for _, line := range lines[1:] {
			if h, ok := strings.CutPrefix(line, "> "); ok {
				headers = append(headers, h)
			} else if b, ok := strings.CutPrefix(line, "| "); ok {
				body = append(body, b)
			}
		}
		res, got := do(t, request(t, method, s.url(path), strings.Join(body, "\n"), headers...))
		for _, line := range lines[1:] {
			mark, want, _ := strings.Cut(line+" ", " ")
			want = strings.TrimSuffix(want, " ")
			ok, what := true, got
			switch mark {
			case ">", "|", "#":
			case "<":
				name, value, _ := strings.Cut(want, ": ")
				what = name + ": " + res.Header.Get(name)
				ok = strings.Contains(res.Header.Get(name), value)
			case "*":
				ok = strings.Contains(got, want)
			case "!":
				ok = !strings.Contains(got, want)
			case "=":
				ok = strings.TrimSpace(got) == want
			default:
				what = res.Status + " " + got
				ok = fmt.Sprint(res.StatusCode) == line
			}
			if !ok {
				t.Errorf("%s: %s\nwant %s\ngot  %s", file, lines[0], line, what)
			}
		}
	})
}

func TestReadyzBeforeReady(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) {
		c.Ready = func() (bool, string) { return false, "the cluster is starting" }
	})
	res, body := do(t, request(t, "GET", s.url("/readyz"), ""))
	if res.StatusCode != 503 || !strings.Contains(body, `"ok":false`) || !strings.Contains(body, "starting") {
		t.Errorf("got %s %s", res.Status, body)
	}
}

func TestServeEndsWithinASecond(t *testing.T) {
	s := serve(t)
	// A command that never ends, a stream, and an idle connection.
	running := make(chan struct{})
	ended := make(chan string, 1)
	go func() {
		res, err := http.DefaultClient.Post(s.url("/api/kubectl"), "application/json", strings.NewReader(`{"command":"kubectl get pods -w"}`))
		if err != nil {
			ended <- err.Error()
			close(running)
			return
		}
		lines := bufio.NewScanner(res.Body)
		lines.Scan()
		close(running)
		all := lines.Text()
		for lines.Scan() {
			all += lines.Text()
		}
		ended <- all
	}()
	conn := dial(t, s, 0)
	readMessage(t, conn) // hello
	<-running
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Serve took %s to end", took)
	}
	if got := <-ended; !strings.Contains(got, "stopping") || !strings.Contains(got, `{"exit":137}`) {
		t.Errorf("the command's last words: %s", got)
	}
	if _, err := os.Stat(s.jail.dir); s.jail.dir != "" && err == nil {
		t.Errorf("%s is still there", s.jail.dir)
	}
}

func TestLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"":                                "en",
		"ko":                              "ko",
		"ko-KR,ko;q=0.9,en-US;q=0.8":      "ko",
		"en-US,en;q=0.9,ko;q=0.8":         "en",
		"de,fr;q=0.5":                     "en",
		"de,ko;q=0.1":                     "ko",
		"en;q=0.3, ko;q=0.7":              "ko",
		"ko;q=0, en;q=0.1":                "en",
		"*":                               "en",
		"ko;q=abc":                        "en",
		strings.Repeat("x,", 5000) + "ko": "ko",
	} {
		if got := preferred(header); got != want {
			t.Errorf("%.40q: got %s, want %s", header, got, want)
		}
	}
}

func TestPanicsAreOurErrors(t *testing.T) {
	s := serve(t)
	h := s.recoverPanics(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	defer srv.Close()
	res, body := do(t, request(t, "GET", "http://"+l.Addr().String()+"/", ""))
	if res.StatusCode != 500 || strings.Contains(body, "secret detail") {
		t.Errorf("got %s %s", res.Status, body)
	}
	if !strings.Contains(s.log(), "secret detail") {
		t.Errorf("the log does not say what happened: %s", s.log())
	}
}

func decode[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
