package program

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"time"
)

// The programs of this file are in the images kubestage/crasher,
// kubestage/memory-eater, kubestage/slow-starter and kubestage/job: they do on
// purpose what one usually hopes not to see.

// flags reads options like -name value or --name=value.
func (p *Process) flags(define func(f *flag.FlagSet)) (rest []string, code int, ok bool) {
	f := flag.NewFlagSet(path.Base(p.Args[0]), flag.ContinueOnError)
	f.SetOutput(p.Stderr)
	define(f)
	switch err := f.Parse(p.Args[1:]); err {
	case nil:
		return f.Args(), 0, true
	case flag.ErrHelp:
		return nil, 0, false
	default:
		return nil, 2, false
	}
}

// crasher works for a while and then fails.
func crasher(ctx context.Context, p *Process) int {
	after, code, message := time.Second, 1, "something went wrong, on purpose"
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.DurationVar(&after, "after", after, "how long to work before failing")
		f.IntVar(&code, "code", code, "exit code")
		f.StringVar(&message, "message", message, "last words, on stderr and as termination message")
	})
	if !ok {
		return bad
	}
	fmt.Fprintf(p.Stdout, "working for %s\n", after)
	if !Wait(ctx, after) {
		return 137
	}
	fmt.Fprintln(p.Stderr, message)
	p.lastWords(message)
	return code
}

// lastWords writes the message that becomes part of the container's state.
func (p *Process) lastWords(message string) {
	p.writeFile("/dev/termination-log", message+"\n", 0o644)
}

// memoryEater takes more and more memory, and keeps it.
func memoryEater(ctx context.Context, p *Process) int {
	step, total, every := size(1<<20), size(0), 50*time.Millisecond
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.Var(&step, "step", "how much to take at a time, like 1Mi")
		f.Var(&total, "total", "how much to take in all; 0 means until it is stopped")
		f.DurationVar(&every, "every", every, "how long to wait between steps")
	})
	if !ok {
		return bad
	}
	held := blocks{p: p}
	defer held.free()
	for eaten := size(0); total == 0 || eaten < total; {
		n := max(step, 4096)
		if total > 0 {
			n = min(n, total-eaten)
		}
		if !held.grow(int64(n)) {
			return 137
		}
		eaten += n
		fmt.Fprintf(p.Stdout, "holding %.1f MiB\n", float64(eaten)/(1<<20))
		if !Wait(ctx, every) {
			return 137
		}
	}
	<-ctx.Done()
	return 137
}

// size is a number of bytes that is written like 64Mi, 150M or 1024.
type size int64

var sizeForm = regexp.MustCompile(`^([0-9]{1,12})([KMG]?)(i?)B?$`)

func (s *size) String() string { return fmt.Sprint(int64(*s)) }

// Set reads a number of bytes.
func (s *size) Set(text string) error {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("not a number of bytes: write it like 64Mi")
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	unit := int64(1000)
	if m[3] == "i" {
		unit = 1024
	}
	for range map[string]int{"": 0, "K": 1, "M": 2, "G": 3}[m[2]] {
		n *= unit
	}
	if n > 1<<40 {
		return fmt.Errorf("too much")
	}
	*s = size(n)
	return nil
}

// slowStarter needs a while until it serves, and a while longer until it is ready.
func slowStarter(ctx context.Context, p *Process) int {
	delay, warm, port := 20*time.Second, time.Duration(0), 8080
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.DurationVar(&delay, "delay", delay, "how long nothing listens")
		f.DurationVar(&warm, "warm", warm, "how long /ready then answers 503")
		f.IntVar(&port, "port", port, "port to listen on")
	})
	if !ok {
		return bad
	}
	signals := p.Notify(SIGTERM, SIGINT)
	fmt.Fprintf(p.Stdout, "starting; this takes %s\n", delay)
	select {
	case <-time.After(delay):
	case <-signals:
		fmt.Fprintln(p.Stdout, "stopped before it had started")
		return 0
	case <-ctx.Done():
		return 137
	}
	started := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "started\n") })
	mux.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {
		if left := warm - time.Since(started); left > 0 {
			http.Error(w, "not ready for another "+left.Round(time.Millisecond).String(), http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})
	s, err := p.openSite(ctx, mux, port)
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	fmt.Fprintf(p.Stdout, "started, listening on port %d\n", port)
	return s.until(ctx, p, signals)
}
