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
	"strings"
	"sync"

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
	byPID    map[int]*shellJob
	started  int // jobs of the shell itself
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
		interp.StatHandler(func(_ context.Context, name string, follow bool) (fs.FileInfo, error) {
			if follow {
				return sh.p.Files.Stat(name)
			}
			return sh.p.Files.Lstat(name)
		}),
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
