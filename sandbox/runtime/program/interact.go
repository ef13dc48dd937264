package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// interact is the shell at a terminal: it prompts, survives errors, and an
// interrupt ends the command that runs instead of the shell.
func (sh *shell) interact(ctx context.Context, in io.Reader) int {
	var mu sync.Mutex // guards cancel
	var cancel context.CancelFunc
	interrupts := sh.p.Notify(SIGINT)
	passed := make(chan Signal, cap(interrupts))
	sh.mu.Lock()
	sh.passed = passed
	sh.mu.Unlock()
	go func() { // ends with the process
		for {
			select {
			case s := <-interrupts:
				if s != SIGINT {
					select {
					case passed <- s:
					default: // as many wait already as a process can have
					}
					continue
				}
				mu.Lock()
				if cancel != nil {
					cancel()
				} else {
					sh.prompt(false)
				}
				mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	}()
	run := func(stmts []*syntax.Stmt) (code int, exited bool) {
		line, end := context.WithCancel(ctx)
		mu.Lock()
		cancel = end
		mu.Unlock()
		defer func() {
			mu.Lock()
			cancel = nil
			mu.Unlock()
			end()
		}()
		for _, stmt := range stmts {
			err := sh.runner.Run(line, stmt)
			if line.Err() != nil && ctx.Err() == nil {
				return 130, false
			}
			code = sh.finish(ctx, err)
			if sh.runner.Exited() && !errors.As(err, new(refused)) {
				return code, true
			}
		}
		return code, false
	}

	code := 0
	sh.prompt(false)
	parser := sh.parser()
	for {
		more := false
		for stmts, err := range parser.InteractiveSeq(&nesting{r: &sip{r: in, ended: true}}) { // what is typed ahead belongs to the commands
			if ctx.Err() != nil {
				return 137
			}
			if err == nil && parser.Incomplete() {
				sh.prompt(true)
				continue
			}
			for _, stmt := range stmts {
				if err == nil {
					err = guard(stmt)
				}
			}
			if err != nil {
				fmt.Fprintf(sh.p.Stderr, "%s: syntax error: %s\n", sh.name, syntaxMessage(err))
				code, more = 2, true // a parser that failed starts anew
				sh.prompt(false)
				break
			}
			var exited bool
			if code, exited = run(stmts); exited {
				return code
			}
			sh.prompt(false)
		}
		if !more {
			return code
		}
	}
}

// prompt shows where the shell is and that it waits.
func (sh *shell) prompt(incomplete bool) {
	if incomplete {
		io.WriteString(sh.p.Stderr, "> ")
		return
	}
	sign := "#"
	if sh.p.User.UID != 0 {
		sign = "$"
	}
	fmt.Fprintf(sh.p.Stderr, "%s %s ", sh.runner.Dir, sign)
}
