package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// Names of calls that guard puts into a script. They are handled before
// functions and commands, so a script cannot replace them.
const (
	tickCall   = "kubestage:tick"
	forkCall   = "kubestage:fork"
	jobCall    = "kubestage:job"
	jobbedCall = "kubestage:jobbed" // after the start of a job
	doneCall   = "kubestage:done"
	gone       = "kubestage:gone" // like done, of a job

	refusedCall = "kubestage:refused" // in place of text that guard refuses
)

var (
	errTooDeep  = errors.New("segmentation fault (functions call each other without end)")
	errTooLarge = errors.New("out of space (Kubestage's shell holds variables up to 1 MiB)")
	errNoFork   = errors.New("cannot fork: Resource temporarily unavailable")
)

// call sees every command before it runs.
func (sh *shell) call(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	if err := sh.step(ctx, hc, args); err != nil {
		return nil, sh.refuse(err)
	}
	switch args[0] {
	case refusedCall:
		return nil, sh.refuse(errTooLarge)
	case forkCall:
		return []string{":"}, sh.refuse(sh.fork(false))
	case jobCall:
		if err := sh.fork(true); err != nil {
			return nil, sh.refuse(err)
		}
		return sh.newJob(hc), nil
	case jobbedCall:
		return []string{"unset", jobVariable}, nil
	case doneCall, gone:
		sh.unfork(args[0] == gone)
		if args[0] == gone {
			sh.endJob(hc)
		}
		return []string{"exit", strconv.Itoa(hc.LastExitStatus)}, nil
	}
	if s := sh.killedJob(hc); s != 0 {
		return []string{"exit", strconv.Itoa(128 + int(s))}, nil
	}
	switch args[0] {
	case "wait":
		return sh.wait(ctx, hc, sh.jobNames(args))
	case "kill":
		return sh.killJobs(hc, args), nil
	case "trap":
		if sh.isMain(hc) {
			args = sh.trap(args)
		}
	case "exec":
		if len(args) > 1 && sh.isMain(hc) {
			sh.mu.Lock()
			sh.execing = true
			sh.mu.Unlock()
		}
	case "eval":
		args = []string{"eval", guardText(strings.Join(args[1:], " "))}
	case ".", "source":
		args = sh.source(hc, args)
	case "pwd":
		args = args[:1] // -P would look at the host; there are no symbolic links here
	case "type", "umask", "jobs", "ulimit":
		args = append([]string{"/bin/" + args[0]}, args[1:]...) // the interpreter's own look at the host, or are missing
	case "command":
		if len(args) > 1 && (args[1] == "-v" || args[1] == "-V") {
			args = append([]string{"/bin/type", args[1]}, args[2:]...)
		}
	case "alias":
		if tooNested(strings.Join(args, "")) {
			return nil, sh.refuse(errTooLarge)
		}
	case "printf":
		if len(args) > 1 && widePrintf(args[1]) {
			return nil, sh.refuse(errTooLarge)
		}
	}
	if sh.isMain(hc) {
		if code, ok := sh.pendingTrap(); ok {
			return sh.afterTrap(code, args), nil
		}
	}
	return args, nil
}

// refuse says on the shell's stderr why it, or one of its subshells, ends:
// the interpreter keeps the errors of subshells to itself.
func (sh *shell) refuse(err error) error {
	if err == errNoFork || err == errTooDeep || err == errTooLarge {
		fmt.Fprintf(sh.p.Stderr, "%s: %s\n", sh.name, sentence(err))
		return refused{err}
	}
	return err
}

// refused is an error that has been said.
type refused struct{ error }

// isMain tells the shell itself from its subshells, which share its handlers.
func (sh *shell) isMain(hc interp.HandlerContext) bool {
	f := reflect.ValueOf(hc).FieldByName("runner")
	return !f.IsValid() || f.Kind() != reflect.Pointer || f.Pointer() == sh.main
}

// step counts a step and enforces the limits that a kernel would.
func (sh *shell) step(ctx context.Context, hc interp.HandlerContext, args []string) error {
	if err := sh.p.meter.step(ctx, sh.p.Used); err != nil {
		return err
	}
	sh.mu.Lock()
	sh.calls++
	deep := sh.calls%64 == 0
	sh.mu.Unlock()
	if deep {
		var pc [1]uintptr
		if runtime.Callers(deepestStack, pc[:]) > 0 {
			return errTooDeep
		}
	}
	size := 0
	for _, a := range args {
		size += len(a) + 16
	}
	if size > 2*largestValue {
		return errTooLarge
	}
	if collected, ok := hc.Stdout.(interface{ Len() int }); ok && collected.Len() > largestText {
		return errTooLarge
	}
	return nil
}

// tick is a step of a loop or assignment. It leaves $? as it was.
func (sh *shell) tick(hc interp.HandlerContext, names []string) error {
	for _, name := range names {
		v := hc.Env.Get(name)
		size := len(v.Str)
		for _, e := range v.List {
			size += len(e) + 16
		}
		if size > largestValue {
			return sh.refuse(errTooLarge)
		}
	}
	if hc.LastExitStatus != 0 {
		return interp.ExitStatus(hc.LastExitStatus)
	}
	return nil
}

func (sh *shell) fork(job bool) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.forks >= mostForks {
		return errNoFork
	}
	sh.forks++
	if job {
		if sh.jobs++; sh.jobs == 1 {
			sh.jobsDone = make(chan struct{})
		}
	}
	return nil
}

func (sh *shell) unfork(job bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.forks > 0 {
		sh.forks--
	}
	if job && sh.jobs > 0 {
		if sh.jobs--; sh.jobs == 0 {
			close(sh.jobsDone)
			sh.jobsDone = nil
		}
	}
}

// wait waits for all jobs, or until a signal with a trap arrives, as POSIX
// wants. Waiting for one of several jobs cannot be interrupted.
func (sh *shell) wait(ctx context.Context, hc interp.HandlerContext, args []string) ([]string, error) {
	sh.mu.Lock()
	done, signals, jobs := sh.jobsDone, sh.signals, sh.jobs
	sh.mu.Unlock()
	if done == nil || !sh.isMain(hc) || len(args) > 1 && jobs > 1 {
		return args, nil
	}
	for {
		select {
		case <-done:
			return args, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case s := <-signals:
			if code, ok := sh.trapOf(s); ok {
				return []string{"eval", code + "\n(exit " + strconv.Itoa(128+int(s)) + ")"}, nil
			}
		}
	}
}

// source makes the interpreter look for the file in the container.
func (sh *shell) source(hc interp.HandlerContext, args []string) []string {
	if len(args) < 2 {
		return args
	}
	name := args[1]
	if !path.IsAbs(name) {
		name = path.Join(hc.Dir, name)
	}
	f, err := sh.p.Files.Open(name, os.O_RDONLY, 0)
	if err != nil {
		fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", sh.name, args[1], reason(err))
		return []string{"false"}
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, longestInput))
	return []string{"eval", guardText(string(text))}
}

// widePrintf finds widths that would make one printf fill the memory.
func widePrintf(format string) bool {
	digits := 0
	for i := 0; i < len(format); i++ {
		if c := format[i]; c >= '0' && c <= '9' {
			if digits++; digits > 6 {
				return true
			}
		} else {
			digits = 0
		}
	}
	return false
}
