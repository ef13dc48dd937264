package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// exec runs a command that is neither function nor builtin.
func (sh *shell) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	if args[0] == tickCall {
		return sh.tick(hc, args[1:])
	}
	var run Program
	switch path.Base(args[0]) {
	case "type":
		run = sh.typeCommand(hc)
	case "umask":
		run = func(context.Context, *Process) int { fmt.Fprintln(hc.Stdout, "0022"); return 0 }
	case "jobs", "ulimit":
		run = func(context.Context, *Process) int { return 0 }
	default:
		found, err := Find(sh.p.Programs, sh.p.Files, hc.Dir, args[0])
		if err != nil {
			if no := new(NotExecutableError); errors.As(err, &no) {
				fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", sh.name, args[0], sentence(no.Reason))
				return interp.ExitStatus(126)
			}
			if sh.name == "bash" {
				fmt.Fprintf(hc.Stderr, "bash: line %d: %s: command not found\n", hc.Pos.Line(), args[0])
			} else {
				fmt.Fprintf(hc.Stderr, "%s: %s: not found\n", sh.name, args[0])
			}
			return interp.ExitStatus(127)
		}
		run = found
	}
	sh.mu.Lock()
	replace := sh.execing
	sh.execing = false
	sh.mu.Unlock()
	child := &Process{
		Args: args, Env: exported(hc.Env), Dir: hc.Dir,
		Stdin: hc.Stdin, Stdout: hc.Stdout, Stderr: hc.Stderr,
		Container: sh.p.Container, Parent: sh.p,
	}
	if f, ok := child.Stdin.(*os.File); ok {
		child.Stdin = &interruptible{ctx, f}
	}
	sh.enterJob(hc, child)
	if replace {
		sh.p.become(child) // signals for the shell now reach the program it became
	}
	exit := child.Run(ctx, run)
	if exit.Code != 0 {
		return interp.ExitStatus(exit.Code)
	}
	return nil
}

// interruptible is a pipe whose reader can be killed.
type interruptible struct {
	ctx context.Context
	f   *os.File
}

func (i *interruptible) Read(b []byte) (int, error) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(i.ctx, func() {
		i.f.SetReadDeadline(time.Now())
		close(interrupted)
	})
	n, err := i.f.Read(b)
	if !stop() {
		<-interrupted
		i.f.SetReadDeadline(time.Time{}) // others may read on
	}
	return n, err
}

// typeCommand is type and command -v, for what the container has.
func (sh *shell) typeCommand(hc interp.HandlerContext) Program {
	return func(_ context.Context, p *Process) int {
		names, terse := p.Args[1:], false
		if len(names) > 0 && (names[0] == "-v" || names[0] == "-V") {
			names, terse = names[1:], names[0] == "-v"
		}
		code := 0
		for _, name := range names {
			_, lookErr := p.Programs.Look(name)
			switch {
			case interp.IsBuiltin(name) && terse:
				fmt.Fprintln(hc.Stdout, name)
			case interp.IsBuiltin(name):
				fmt.Fprintf(hc.Stdout, "%s is a shell builtin\n", name)
			case lookErr == nil && terse:
				fmt.Fprintln(hc.Stdout, path.Join("/bin", path.Base(name)))
			case lookErr == nil:
				fmt.Fprintf(hc.Stdout, "%s is %s\n", name, path.Join("/bin", path.Base(name)))
			default:
				if !terse {
					fmt.Fprintf(hc.Stderr, "%s: not found\n", name)
				}
				code = 127
			}
		}
		return code
	}
}

// exported are the variables a command inherits.
func exported(env expand.Environ) []string {
	var list []string
	env.Each(func(name string, v expand.Variable) bool {
		if v.Exported && v.Kind == expand.String && v.IsSet() {
			list = append(list, name+"="+v.Str)
		}
		return true
	})
	return lastOfEach(list)
}
