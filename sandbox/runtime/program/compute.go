package program

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// compute calls work again and again until it returns false, within the
// container's share of the processor. A turn of work has to be short.
func (p *Process) compute(ctx context.Context, work func() bool) bool {
	for work() {
		if p.meter.step(ctx, p.Used) != nil {
			return false
		}
	}
	return ctx.Err() == nil
}

// job counts primes for a while, and ends.
func job(ctx context.Context, p *Process) int {
	duration, code := 5*time.Second, 0
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.DurationVar(&duration, "for", duration, "how long to compute")
		f.IntVar(&code, "code", code, "exit code")
	})
	if !ok {
		return bad
	}
	which := ""
	if index := p.Getenv("JOB_COMPLETION_INDEX"); index != "" {
		which = " as index " + index
	}
	fmt.Fprintf(p.Stdout, "counting primes for %s%s\n", duration, which)
	end := time.Now().Add(duration)
	n, primes := 1, 0
	if !p.compute(ctx, func() bool {
		n++
		if prime(n) {
			primes++
		}
		return time.Now().Before(end)
	}) {
		return 137
	}
	fmt.Fprintf(p.Stdout, "%d primes up to %d\n", primes, n)
	return code
}

func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

var (
	perlPi    = regexp.MustCompile(`^\s*print\s+bpi\((\d{1,5})\)\s*;?\s*$`)
	perlPrint = regexp.MustCompile(`^\s*print\s+(?:"([^"$@\\]*)(\\n)?"|(\d+))\s*;?\s*$`)
)

// perl knows the one program that the documentation of Jobs is about, pi to
// some thousand places, and how to print a text.
func perl(ctx context.Context, p *Process) int {
	code, newline := "", ""
	for i, a := range p.Args[1:] {
		switch a {
		case "-v":
			fmt.Fprintln(p.Stdout, "This is no perl: Kubestage's built-in stand-in for it")
			return 0
		case "-e", "-E", "-le", "-wle", "-lwe", "-we":
			if a != "-e" && a != "-we" {
				newline = "\n"
			}
			if i+2 < len(p.Args) {
				code = p.Args[i+2]
			}
		}
	}
	if m := perlPi.FindStringSubmatch(code); m != nil {
		digits, _ := strconv.Atoi(m[1])
		text, ok := pi(ctx, p, digits)
		if !ok {
			return 137
		}
		io.WriteString(p.Stdout, text+newline)
		return 0
	}
	if m := perlPrint.FindStringSubmatch(code); m != nil {
		if m[2] != "" {
			m[2] = "\n"
		}
		io.WriteString(p.Stdout, m[1]+m[2]+m[3]+newline)
		return 0
	}
	p.complain(`no perl is built into Kubestage, only: perl -Mbignum=bpi -wle 'print bpi(2000)', and -e 'print "some text\n"'`)
	return 255
}

// pi is computed by Machin's formula, 16 atan(1/5) - 4 atan(1/239), in whole
// numbers; digits counts the 3, as bpi does.
func pi(ctx context.Context, p *Process, digits int) (string, bool) {
	digits = max(digits, 1)
	const guard = 10
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits+guard)), nil)
	atan := func(x int64) (*big.Int, bool) { // of 1/x
		term := new(big.Int).Quo(unit, big.NewInt(x))
		sum, square, k := new(big.Int).Set(term), big.NewInt(x*x), int64(1)
		ok := p.compute(ctx, func() bool {
			term.Quo(term, square)
			k += 2
			part := new(big.Int).Quo(term, big.NewInt(k))
			if k%4 == 3 {
				sum.Sub(sum, part)
			} else {
				sum.Add(sum, part)
			}
			return term.Sign() != 0
		})
		return sum, ok
	}
	a, ok := atan(5)
	if !ok {
		return "", false
	}
	b, ok := atan(239)
	if !ok {
		return "", false
	}
	value := a.Mul(a, big.NewInt(16))
	value.Sub(value, b.Mul(b, big.NewInt(4)))
	half := new(big.Int).Exp(big.NewInt(10), big.NewInt(guard+1), nil)
	value.Quo(value.Add(value, new(big.Int).Quo(half, big.NewInt(2))), half) // rounded to digits-1 places
	text := value.String()
	if digits == 1 {
		return text, true
	}
	return text[:1] + "." + text[1:], true
}

// phpApache is the server of the documentation's HorizontalPodAutoscaler
// example: a million square roots for each request.
func phpApache(ctx context.Context, p *Process) int {
	signals := p.Notify(SIGTERM, SIGINT, SIGWINCH)
	s, err := p.openSite(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, i := 0.0001, 0
		if p.compute(r.Context(), func() bool {
			for range 1000 {
				x += math.Sqrt(x)
			}
			i += 1000
			return i < 1_000_000
		}) {
			io.WriteString(w, "OK!")
		}
	}), 80)
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	fmt.Fprintf(p.Stdout, "kubestage stand-in for %s: a million square roots for each request on port 80\n", p.Image)
	return s.until(ctx, p, signals)
}

// stress uses what it is told to use, as the program of that name does.
func stress(ctx context.Context, p *Process) int {
	workers, cpu, bytes, hang, timeout := 0, 0, size(256_000_000), -1, ""
	if len(p.Args) < 2 {
		p.Args = append(p.Args, "--help")
	}
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		for _, name := range []string{"cpu", "c", "cpus"} {
			f.IntVar(&cpu, name, 0, "workers that compute")
		}
		for _, name := range []string{"vm", "m"} {
			f.IntVar(&workers, name, 0, "workers that take memory")
		}
		f.Var(&bytes, "vm-bytes", "memory per worker")
		f.IntVar(&hang, "vm-hang", hang, "seconds to keep it before giving it back; 0 is for ever")
		f.Bool("vm-keep", false, "keep it")
		for _, name := range []string{"timeout", "t"} {
			f.StringVar(&timeout, name, "", "seconds until the end")
		}
		f.Bool("v", false, "verbose")
		f.Bool("verbose", false, "verbose")
	})
	if !ok {
		return bad
	}
	if timeout != "" {
		d, err := parseSleep(timeout)
		if err != nil {
			p.complain("unrecognized timeout: %s", timeout)
			return 1
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	fmt.Fprintf(p.Stdout, "stress: info: [%d] dispatching hogs: %d cpu, 0 io, %d vm, 0 hdd\n", p.PID(), cpu, workers)
	var hogs sync.WaitGroup
	for range min(cpu, 16) {
		hogs.Go(func() {
			x := 1.0
			p.compute(ctx, func() bool {
				for range 1000 {
					x = math.Sqrt(x + 1)
				}
				return true
			})
		})
	}
	for range min(workers, 16) {
		hogs.Go(func() {
			held := blocks{p: p}
			defer held.free()
			for {
				for left := int64(bytes); left > 0; left -= 1 << 20 {
					if !held.grow(min(left, 1<<20)) || p.meter.step(ctx, p.Used) != nil {
						return
					}
				}
				pause := time.Duration(hang) * time.Second
				if hang == 0 {
					pause = forever
				}
				if !Wait(ctx, max(pause, 10*time.Millisecond)) {
					return
				}
				held.free()
			}
		})
	}
	hogs.Wait()
	if timeout != "" {
		fmt.Fprintf(p.Stdout, "stress: info: [%d] successful run completed\n", p.PID())
		return 0
	}
	return 137
}
