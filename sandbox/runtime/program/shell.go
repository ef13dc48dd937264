package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// Shell is sh, ash and bash: mvdan.cc/sh's interpreter behind handlers that
// give it this package's programs instead of executables and the container's
// files instead of the host's.
//
// What a kernel would limit is limited here: loops rest (meter), processes are
// counted (forks), recursion and variables have a ceiling. An expansion that
// multiplies large variables within one word is not bounded.
func Shell(ctx context.Context, p *Process) int {
	sh := &shell{p: p, name: path.Base(p.Args[0]), traps: map[Signal]string{}}
	script, code, ok := sh.options()
	if !ok {
		return code
	}
	defer sh.close()
	if err := sh.prepare(script); err != nil {
		fmt.Fprintf(p.Stderr, "%s: %v\n", sh.name, err)
		return 2
	}
	if script.text == nil {
		return sh.runInput(ctx)
	}
	return sh.runText(ctx, script)
}

type shell struct {
	p      *Process
	name   string
	runner *interp.Runner
	main   uintptr // identifies runner among its subshells
	stdin  *os.File
	feed   *os.File

	mu       sync.Mutex // guards all below; subshells run concurrently
	traps    map[Signal]string
	signals  <-chan Signal
	passed   <-chan Signal // instead of signals, at a terminal
	forks    int
	jobs     int           // of forks, those started with &
	jobsDone chan struct{} // closed when jobs becomes 0; nil when it is
	calls    int
	execing  bool
}

const (
	mostForks    = 128      // processes of one shell
	deepestStack = 10_000   // Go frames; far below what would end the whole process
	largestValue = 1 << 20  // bytes of a variable
	largestText  = 16 << 20 // bytes a command substitution may collect
	longestInput = 128 << 10
)

// script is what to run: text of -c, or the input when text is nil.
type script struct {
	text   *string
	name   string // $0
	params []string
	flags  []string // for set
}

// options reads the command line; ok is false when there is nothing to run.
func (sh *shell) options() (s script, code int, ok bool) {
	args := sh.p.Args[1:]
	s.name = sh.p.Args[0]
	command := false
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		if a == "--login" || a == "--norc" || a == "--noprofile" || a == "--posix" {
			continue
		}
		if a[1] == '-' {
			fmt.Fprintf(sh.p.Stderr, "%s: %s: invalid option\n", sh.name, a)
			return s, 2, false
		}
		for _, c := range a[1:] {
			switch c {
			case 'c':
				command = true
			case 'l', 'i', 's':
			case 'e', 'u', 'x', 'f', 'a', 'n':
				s.flags = append(s.flags, string(a[0])+string(c))
			case 'o':
				if len(args) > 0 {
					s.flags = append(s.flags, string(a[0])+"o", args[0])
					args = args[1:]
				}
			default:
				fmt.Fprintf(sh.p.Stderr, "%s: Illegal option -%c\n", sh.name, c)
				return s, 2, false
			}
		}
	}
	if !command {
		if len(args) > 0 {
			return sh.scriptFile(s, args)
		}
		return s, 0, sh.p.HasStdin()
	}
	if len(args) == 0 {
		fmt.Fprintf(sh.p.Stderr, "%s: -c requires an argument\n", sh.name)
		return s, 2, false
	}
	s.text = &args[0]
	if len(args) > 1 {
		s.name, s.params = args[1], args[2:]
	}
	return s, 0, true
}

func (sh *shell) scriptFile(s script, args []string) (script, int, bool) {
	f, err := sh.p.Files.Open(path.Join(sh.p.Dir, args[0]), os.O_RDONLY, 0)
	if path.IsAbs(args[0]) {
		f, err = sh.p.Files.Open(args[0], os.O_RDONLY, 0)
	}
	if err != nil {
		fmt.Fprintf(sh.p.Stderr, "%s: 0: cannot open %s: %s\n", sh.name, args[0], reason(err))
		return s, 127, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestInput))
	if err != nil {
		fmt.Fprintf(sh.p.Stderr, "%s: %s: %s\n", sh.name, args[0], reason(err))
		return s, 2, false
	}
	t := string(text)
	s.text, s.name, s.params = &t, args[0], args[1:]
	return s, 0, true
}

// reason is the last part of a file error, as C programs print it.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "No such file or directory"
	}
	return sentence(err)
}

// sentence is an error as programs print it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// prepare builds the interpreter without anything of the host in it.
func (sh *shell) prepare(s script) error {
	env := newShellEnviron(sh.p)
	var in io.Reader
	if sh.p.HasStdin() {
		f, ok := sh.p.Stdin.(*os.File)
		if !ok {
			// The interpreter reads from a file; feed it one.
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			sh.stdin, sh.feed = r, w
			f = r
		}
		in = f
	}
	runner, err := interp.New(
		func(r *interp.Runner) error { r.Dir = sh.p.Dir; return nil }, // interp.Dir would look for it on the host
		interp.Env(env),
		interp.StdIO(in, sh.p.Stdout, sh.p.Stderr),
		interp.Params(append(append(s.flags, "--"), s.params...)...),
		interp.CallHandler(sh.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return sh.exec }),
		interp.OpenHandler(sh.open),
		interp.ReadDirHandler2(func(_ context.Context, name string) ([]fs.DirEntry, error) { return sh.p.Files.ReadDir(name) }),
		interp.StatHandler(func(_ context.Context, name string, _ bool) (fs.FileInfo, error) { return sh.p.Files.Stat(name) }),
		interp.AccessHandler(sh.access),
	)
	if err != nil {
		return err
	}
	runner.Reset()
	env.seal()
	sh.runner, sh.main = runner, reflect.ValueOf(runner).Pointer()
	return nil
}

func (sh *shell) close() {
	if sh.stdin != nil {
		sh.stdin.Close()
		sh.feed.Close()
	}
}

// startFeed copies the process's input into the pipe the interpreter reads.
func (sh *shell) startFeed(ctx context.Context) {
	if sh.feed == nil {
		return
	}
	go func() { // ends when the process does: then its input and the pipe end too
		io.Copy(sh.feed, sh.p.Stdin)
		sh.feed.Close()
	}()
	context.AfterFunc(ctx, func() { sh.feed.Close() })
}

func (sh *shell) parser() *syntax.Parser { return syntax.NewParser(syntax.Variant(syntax.LangBash)) }

// runText runs the text of -c or of a file.
func (sh *shell) runText(ctx context.Context, s script) int {
	if len(*s.text) > longestInput {
		fmt.Fprintf(sh.p.Stderr, "%s: Argument list too long\n", s.name)
		return 126
	}
	file, err := sh.parser().Parse(&nesting{r: strings.NewReader(*s.text)}, s.name)
	if err == nil {
		err = guard(file)
	}
	if err == errTooLarge {
		sh.refuse(err)
		return 2
	}
	if err != nil {
		fmt.Fprintf(sh.p.Stderr, "%s: syntax error: %s\n", sh.name, syntaxMessage(err))
		return 2
	}
	sh.startFeed(ctx)
	return sh.finish(ctx, sh.runner.Run(ctx, file))
}

// runInput runs what comes in, a line at a time.
func (sh *shell) runInput(ctx context.Context) int {
	sh.startFeed(ctx)
	in := io.Reader(sh.stdin)
	if sh.stdin == nil {
		in = sh.p.Stdin
	}
	if sh.p.Terminal {
		return sh.interact(ctx, in)
	}
	code := 0
	parser := sh.parser()
	for stmts, err := range parser.InteractiveSeq(&nesting{r: &sip{r: in}}) {
		if ctx.Err() != nil {
			return 137
		}
		if err == nil && parser.Incomplete() {
			continue
		}
		for _, stmt := range stmts {
			if err == nil {
				err = guard(stmt)
			}
			if err != nil {
				break
			}
			code = sh.finish(ctx, sh.runner.Run(ctx, stmt))
			if sh.runner.Exited() {
				return code
			}
		}
		if err != nil {
			fmt.Fprintf(sh.p.Stderr, "%s: syntax error: %s\n", sh.name, syntaxMessage(err))
			return 2
		}
	}
	return code
}

func syntaxMessage(err error) string {
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		return fmt.Sprintf("line %d: %s", pe.Pos.Line(), pe.Text)
	}
	return err.Error()
}

// finish turns the interpreter's answer into an exit code.
func (sh *shell) finish(ctx context.Context, err error) int {
	var code interp.ExitStatus
	var said refused
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return 137
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &said):
		if said.error == errTooDeep {
			return 128 + 11 // SIGSEGV
		}
		return 2
	}
	fmt.Fprintf(sh.p.Stderr, "%s: %v\n", sh.name, err)
	return 2
}

// Names of calls that guard puts into a script. They are handled before
// functions and commands, so a script cannot replace them.
const (
	tickCall = "kubestage:tick"
	forkCall = "kubestage:fork"
	jobCall  = "kubestage:job"
	doneCall = "kubestage:done"
	gone     = "kubestage:gone" // like done, of a job

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
	case forkCall, jobCall:
		return []string{":"}, sh.refuse(sh.fork(args[0] == jobCall))
	case doneCall, gone:
		sh.unfork(args[0] == gone)
		return []string{"exit", strconv.Itoa(hc.LastExitStatus)}, nil
	case "wait":
		return sh.wait(ctx, hc, args)
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
	case "type", "kill", "umask", "jobs", "ulimit":
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
		found, err := sh.p.Programs.Look(args[0])
		if err != nil {
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

// open opens a file of the container.
func (sh *shell) open(ctx context.Context, name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	if !path.IsAbs(name) {
		name = path.Join(hc.Dir, name)
	}
	switch path.Clean(name) {
	case "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "/proc/1/fd/1":
		return outputFile{hc.Stdout}, nil
	case "/dev/stderr", "/proc/self/fd/2", "/dev/fd/2", "/proc/1/fd/2":
		return outputFile{hc.Stderr}, nil
	}
	f, err := sh.p.Files.Open(name, flag, perm)
	if err != nil {
		verb := "can't open"
		if flag&os.O_CREATE != 0 {
			verb = "can't create"
		}
		return nil, &fs.PathError{Op: sh.name + ": " + verb, Path: name, Err: errors.New(reason(err))}
	}
	return f, nil
}

type outputFile struct{ io.Writer }

func (outputFile) Read([]byte) (int, error) { return 0, io.EOF }
func (outputFile) Close() error             { return nil }

func (sh *shell) access(_ context.Context, name string, mode interp.AccessMode) error {
	info, err := sh.p.Files.Stat(name)
	if err != nil {
		return err
	}
	if mode&interp.AccessWrite != 0 && name != "/dev/null" || mode&interp.AccessExec != 0 && info.Mode()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
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
