package program

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// options are the options a command was called with: the letter of each, with
// its value when it takes one.
type options map[byte]string

func (o options) has(letter byte) bool { _, ok := o[letter]; return ok }

// options reads "-ab", "-n 5" and "-n5". In letters, one that takes a value
// has a colon after it. ok is false after a complaint about an unknown one.
func (p *Process) options(letters string) (o options, rest []string, ok bool) {
	o = options{}
	args := p.Args[1:]
	for len(args) > 0 {
		a := args[0]
		if a == "--" {
			args = args[1:]
			break
		}
		if len(a) < 2 || a[0] != '-' {
			break
		}
		args = args[1:]
		for i := 1; i < len(a); i++ {
			at := strings.IndexByte(letters, a[i])
			if at < 0 || a[i] == ':' {
				p.complain("unrecognized option: %s", a[i:])
				return nil, nil, false
			}
			if at+1 == len(letters) || letters[at+1] != ':' {
				o[a[i]] = ""
				continue
			}
			value := a[i+1:]
			if value == "" {
				if len(args) == 0 {
					p.complain("option requires an argument: %c", a[i])
					return nil, nil, false
				}
				value, args = args[0], args[1:]
			}
			o[a[i]] = value
			break
		}
	}
	return o, args, true
}

// complain writes a message the way commands do.
func (p *Process) complain(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "%s: %s\n", path.Base(p.Args[0]), fmt.Sprintf(format, args...))
}

// path makes a name absolute.
func (p *Process) path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(p.Dir, name)
}

func exists(f Files, name string) bool { _, err := f.Lstat(name); return err == nil }

func isFolder(f Files, name string) bool {
	info, err := f.Stat(name)
	return err == nil && info.IsDir()
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
