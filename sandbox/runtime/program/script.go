package program

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strings"
)

// NotExecutableError says why a file that is there cannot be run.
type NotExecutableError struct {
	Name   string
	Reason error
}

func (e *NotExecutableError) Error() string { return `exec: "` + e.Name + `": ` + e.Reason.Error() }

var (
	errNoPermission = errors.New("permission denied")
	errFormat       = errors.New("exec format error")
)

// Find finds what a command runs: one of the programs, or a script among the
// container's files.
func Find(programs Set, files Files, dir, name string) (Program, error) {
	run, err := programs.Look(name)
	if err == nil || files == nil || !strings.Contains(name, "/") {
		return run, err
	}
	at := name
	if !path.IsAbs(at) {
		at = path.Join(dir, at)
	}
	info, statErr := files.Stat(at)
	switch {
	case statErr != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return nil, &NotExecutableError{name, errNoPermission}
	}
	interpreter, words, err := shebang(files, at)
	if err != nil {
		return nil, &NotExecutableError{name, err}
	}
	run, err = programs.Look(interpreter)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, p *Process) int {
		return p.Exec(ctx, run, append(append(words, at), p.Args[1:]...), p.Env)
	}, nil
}

// shebang reads a script's first line. A script without one is the shell's.
func shebang(files Files, at string) (interpreter string, words []string, err error) {
	f, err := files.Open(at, os.O_RDONLY, 0)
	if err != nil {
		return "", nil, errors.New(reason(err))
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 512)).ReadString('\n')
	if strings.HasPrefix(line, "\x7fELF") || strings.ContainsRune(line, 0) {
		return "", nil, errFormat
	}
	rest, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return "sh", []string{"sh"}, nil
	}
	words = strings.Fields(rest)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) == 0 {
		return "", nil, errFormat
	}
	return path.Base(words[0]), words, nil
}
