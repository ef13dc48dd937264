package program

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

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
