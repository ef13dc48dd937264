package program

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// cat copies files, or its input, to its output.
func cat(ctx context.Context, p *Process) int {
	_, names, ok := p.options("u")
	if !ok {
		return 1
	}
	return p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		_, err := p.transfer(ctx, p.Stdout, in)
		return err
	})
}

// seq prints numbers, one a line.
func seq(ctx context.Context, p *Process) int {
	args := p.Args[1:]
	numbers := make([]int64, len(args))
	for i, a := range args {
		n, err := strconv.ParseInt(a, 10, 64)
		if err != nil {
			fmt.Fprintf(p.Stderr, "seq: invalid number '%s'\n", a)
			return 1
		}
		numbers[i] = n
	}
	first, step, last := int64(1), int64(1), int64(0)
	switch len(numbers) {
	case 1:
		last = numbers[0]
	case 2:
		first, last = numbers[0], numbers[1]
	case 3:
		first, step, last = numbers[0], numbers[1], numbers[2]
	default:
		fmt.Fprintln(p.Stderr, "usage: seq [first [step]] last")
		return 1
	}
	if step == 0 {
		fmt.Fprintln(p.Stderr, "seq: step must not be 0")
		return 1
	}
	w := bufio.NewWriter(p.Stdout)
	for i, n := first, 0; step > 0 && i <= last || step < 0 && i >= last; i, n = i+step, n+1 {
		if n%1000 == 0 && p.meter.step(ctx, p.Used) != nil {
			return 137
		}
		if _, err := fmt.Fprintln(w, i); err != nil {
			return 1
		}
	}
	if w.Flush() != nil {
		return 1
	}
	return 0
}

// kill sends a signal to a process of the container.
func kill(_ context.Context, p *Process) int {
	s, args := SIGTERM, p.Args[1:]
	if len(args) > 0 && args[0] == "-l" {
		fmt.Fprintln(p.Stdout, "HUP INT QUIT KILL USR1 USR2 PIPE TERM")
		return 0
	}
	name := ""
	switch {
	case len(args) > 1 && args[0] == "-s":
		name, args = args[1], args[2:]
	case len(args) > 0 && strings.HasPrefix(args[0], "-") && len(args[0]) > 1:
		name, args = args[0][1:], args[1:]
	}
	if name == "0" {
		s = 0
	} else if name != "" {
		var ok bool
		if s, ok = ParseSignal(name); !ok {
			fmt.Fprintf(p.Stderr, "kill: bad signal name '%s'\n", name)
			return 1
		}
	}
	if len(args) == 0 {
		fmt.Fprintln(p.Stderr, "kill: you need to specify whom to kill")
		return 1
	}
	code := 0
	for _, a := range args {
		target := p.find(a)
		if target == nil {
			fmt.Fprintf(p.Stderr, "kill: can't kill pid %s: No such process\n", a)
			code = 1
			continue
		}
		if p.User.UID != 0 && target.User.UID != p.User.UID {
			fmt.Fprintf(p.Stderr, "kill: can't kill pid %s: Operation not permitted\n", a)
			code = 1
			continue
		}
		// A kernel protects process 1 of a pid namespace from its own processes' SIGKILL.
		if s != 0 && !(s == SIGKILL && target.Init) {
			target.Signal(s)
		}
	}
	return code
}

// find looks a process up by its id: itself, those above it, or any other of its namespace.
func (p *Process) find(id string) *Process {
	for q := p; q != nil; q = q.Parent {
		if strconv.Itoa(q.PID()) == id {
			return q
		}
	}
	for _, q := range p.PIDs.Processes() {
		if strconv.Itoa(q.PID()) == id {
			return q
		}
	}
	return nil
}
