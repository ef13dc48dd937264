package program

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
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
