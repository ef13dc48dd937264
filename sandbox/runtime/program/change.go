package program

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

func mkdir(_ context.Context, p *Process) int {
	o, names, ok := p.options("pvm:")
	if !ok {
		return 1
	}
	if len(names) == 0 {
		p.complain("missing operand")
		return 1
	}
	code := 0
	for _, name := range names {
		var err error
		if o.has('p') {
			err = makeFolders(p.Files, p.path(name))
		} else {
			err = p.Files.Mkdir(p.path(name), 0o755)
		}
		if err != nil {
			p.complain("can't create directory '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// makeFolders makes a folder and those above it.
func makeFolders(f Files, name string) error {
	name = path.Clean(name)
	if isFolder(f, name) {
		return nil
	}
	if name != "/" && !exists(f, path.Dir(name)) {
		if strings.Count(name, "/") > deepestWalk {
			return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrInvalid}
		}
		if err := makeFolders(f, path.Dir(name)); err != nil {
			return err
		}
	}
	return f.Mkdir(name, 0o755)
}

func rmdir(_ context.Context, p *Process) int {
	_, names, ok := p.options("p")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range names {
		if info, err := p.Files.Lstat(p.path(name)); err == nil && !info.IsDir() {
			p.complain("'%s': Not a directory", name)
			code = 1
		} else if err := p.Files.Remove(p.path(name)); err != nil {
			p.complain("'%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func rm(ctx context.Context, p *Process) int {
	o, names, ok := p.options("rRfiv")
	if !ok {
		return 1
	}
	if len(names) == 0 && !o.has('f') {
		p.complain("missing operand")
		return 1
	}
	code := 0
	for _, name := range names {
		if path.Clean(p.path(name)) == "/" {
			p.complain("it is dangerous to operate recursively on '/'")
			code = 1
			continue
		}
		if err := p.remove(ctx, p.path(name), o.has('r') || o.has('R'), 0); err != nil && !(o.has('f') && notThere(err)) {
			p.complain("can't remove '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// remove removes a file, or a folder with all that is in it. It goes on after
// an error and returns the first.
func (p *Process) remove(ctx context.Context, name string, all bool, depth int) error {
	if err := p.meter.step(ctx, p.Used); err != nil {
		return err
	}
	info, err := p.Files.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return p.Files.Remove(name)
	}
	if !all {
		return &fs.PathError{Op: "remove", Path: name, Err: errIsFolder}
	}
	entries, err := p.Files.ReadDir(name)
	if err != nil {
		return err
	}
	var first error
	for _, e := range entries {
		if depth < deepestWalk {
			err = p.remove(ctx, path.Join(name, e.Name()), true, depth+1)
		}
		if err != nil && first == nil {
			first = err
		}
	}
	if first != nil {
		return first
	}
	return p.Files.Remove(name)
}

type plainError string

func (e plainError) Error() string { return string(e) }

const errIsFolder = plainError("is a directory")

func touch(_ context.Context, p *Process) int {
	o, names, ok := p.options("camt:d:")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range names {
		err := p.Files.Chtimes(p.path(name), time.Now())
		if notThere(err) && !o.has('c') {
			var f io.Closer
			if f, err = p.Files.Open(p.path(name), os.O_WRONLY|os.O_CREATE, 0o644); err == nil {
				err = f.Close()
			}
		}
		if err != nil && !notThere(err) || notThere(err) && !o.has('c') {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func chmod(_ context.Context, p *Process) int {
	args := p.Args[1:]
	if len(args) > 0 && (args[0] == "-R" || args[0] == "-v" || args[0] == "-f") {
		args = args[1:]
	}
	if len(args) < 2 {
		p.complain("missing operand")
		return 1
	}
	code := 0
	for _, name := range args[1:] {
		info, err := p.Files.Stat(p.path(name))
		if err == nil {
			mode, ok := changeMode(info.Mode().Perm(), args[0])
			if !ok {
				p.complain("invalid mode '%s'", args[0])
				return 1
			}
			err = p.Files.Chmod(p.path(name), mode)
		}
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// chown gives files to others: chown USER[:GROUP], and chgrp GROUP.
func chown(ctx context.Context, p *Process) int {
	o, args, ok := p.options("Rvfh")
	if !ok {
		return 1
	}
	if len(args) < 2 {
		p.complain("missing operand")
		return 1
	}
	user, group, both := strings.Cut(args[0], ":")
	if path.Base(p.Args[0]) == "chgrp" {
		user, group, both = "", args[0], true
	}
	uid, gid := int64(-1), int64(-1)
	if user != "" {
		if uid, ok = p.numberOf(passwd, user); !ok {
			p.complain("unknown user %s", user)
			return 1
		}
	}
	if both && group != "" {
		if gid, ok = p.numberOf(groups, group); !ok {
			p.complain("unknown group %s", group)
			return 1
		}
	}
	code := 0
	var give func(name string, depth int)
	give = func(name string, depth int) {
		if p.meter.step(ctx, p.Used) != nil || depth > deepestWalk {
			return
		}
		if err := p.Files.Chown(p.path(name), uid, gid); err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
			return
		}
		if !o.has('R') {
			return
		}
		entries, _ := p.Files.ReadDir(p.path(name)) // a file has none
		for _, e := range entries {
			give(path.Join(name, e.Name()), depth+1)
		}
	}
	for _, name := range args[1:] {
		give(name, 0)
	}
	return code
}

// ln makes symbolic links. There is no other kind here.
func ln(_ context.Context, p *Process) int {
	o, names, ok := p.options("sfnTv")
	if !ok {
		return 1
	}
	if !o.has('s') {
		p.complain("hard links are not built into Kubestage; use ln -s")
		return 1
	}
	if len(names) == 1 {
		names = append(names, path.Base(names[0]))
	}
	if len(names) < 2 {
		p.complain("missing file operand")
		return 1
	}
	code, last := 0, names[len(names)-1]
	for _, to := range names[:len(names)-1] {
		at := last
		if isFolder(p.Files, p.path(last)) && !o.has('n') && !o.has('T') {
			at = path.Join(last, path.Base(to))
		}
		if o.has('f') && exists(p.Files, p.path(at)) {
			p.Files.Remove(p.path(at)) // what cannot be removed is in the way, and said so
		}
		if err := p.Files.Symlink(to, p.path(at)); err != nil {
			p.complain("%s: %s", at, reason(err))
			code = 1
		}
	}
	return code
}

// changeMode reads 755, +x, u=rw and the like.
func changeMode(mode fs.FileMode, change string) (fs.FileMode, bool) {
	if n, err := strconv.ParseUint(change, 8, 12); err == nil {
		return fs.FileMode(n).Perm(), true
	}
	for clause := range strings.SplitSeq(change, ",") {
		at := strings.IndexAny(clause, "+-=")
		if at < 0 {
			return 0, false
		}
		var who, what fs.FileMode
		for _, c := range clause[:at] {
			m, ok := map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[c]
			if !ok {
				return 0, false
			}
			who |= m
		}
		if at == 0 {
			who = 0o777
		}
		for _, c := range clause[at+1:] {
			m, ok := map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111, 'X': 0o111}[c]
			if !ok {
				return 0, false
			}
			what |= m
		}
		switch clause[at] {
		case '+':
			mode |= who & what
		case '-':
			mode &^= who & what
		default:
			mode = mode&^who | who&what
		}
	}
	return mode, true
}

func cp(ctx context.Context, p *Process) int {
	o, names, ok := p.options("rRafpvTLHPd")
	if !ok {
		return 1
	}
	return p.toTarget(names, func(from, to string) error {
		return p.copy(ctx, p.path(from), p.path(to), o.has('r') || o.has('R') || o.has('a'), 0)
	})
}

func mv(ctx context.Context, p *Process) int {
	_, names, ok := p.options("fvn")
	if !ok {
		return 1
	}
	return p.toTarget(names, func(from, to string) error {
		from, to = p.path(from), p.path(to)
		err := p.Files.Rename(from, to)
		if err == nil || !isAcross(err) {
			return err
		}
		if err := p.copy(ctx, from, to, true, 0); err != nil {
			return err
		}
		return p.remove(ctx, from, true, 0)
	})
}

// toTarget calls do for each source with its destination.
func (p *Process) toTarget(names []string, do func(from, to string) error) int {
	if len(names) < 2 {
		p.complain("missing file operand")
		return 1
	}
	sources, target := names[:len(names)-1], names[len(names)-1]
	into := isFolder(p.Files, p.path(target))
	if len(sources) > 1 && !into {
		p.complain("target '%s' is not a directory", target)
		return 1
	}
	code := 0
	for _, from := range sources {
		to := target
		if into {
			to = path.Join(target, path.Base(p.path(from)))
			if !strings.HasPrefix(target, "/") && !strings.HasPrefix(to, ".") {
				to = path.Join(".", to)
			}
		}
		if err := do(from, to); err != nil {
			p.complain("can't %s '%s': %s", map[string]string{"cp": "copy", "mv": "rename"}[path.Base(p.Args[0])], from, reason(err))
			code = 1
		}
	}
	return code
}

// copy copies a file, or a folder with all that is in it. Links are followed.
func (p *Process) copy(ctx context.Context, from, to string, all bool, depth int) error {
	if err := p.meter.step(ctx, p.Used); err != nil {
		return err
	}
	info, err := p.Files.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if !all {
			return &fs.PathError{Op: "copy", Path: from, Err: plainError("omitting directory")}
		}
		if path.Clean(to) == path.Clean(from) || strings.HasPrefix(path.Clean(to)+"/", strings.TrimSuffix(path.Clean(from), "/")+"/") || depth > deepestWalk {
			return &fs.PathError{Op: "copy", Path: from, Err: plainError("recursion detected")}
		}
		entries, err := p.Files.ReadDir(from)
		if err != nil {
			return err
		}
		if err := makeFolders(p.Files, to); err != nil {
			return err
		}
		for _, e := range entries {
			if err := p.copy(ctx, path.Join(from, e.Name()), path.Join(to, e.Name()), true, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if path.Clean(from) == path.Clean(to) {
		return &fs.PathError{Op: "copy", Path: from, Err: plainError("source and destination are the same file")}
	}
	in, err := p.Files.Open(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := p.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = p.transfer(ctx, out, in)
	if err2 := out.Close(); err == nil {
		err = err2
	}
	return err
}

// transfer is io.Copy for a process: it ends when the process does, and large
// amounts count as computing.
func (p *Process) transfer(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	buf := make([]byte, 32<<10)
	var total int64
	for {
		n, err := from.Read(buf)
		if n > 0 {
			m, err := to.Write(buf[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		if n == len(buf) {
			err = p.meter.step(ctx, p.Used)
		} else {
			err = ctx.Err()
		}
		if err != nil {
			return total, err
		}
	}
}

func isAcross(err error) bool { return reason(err) == sentence(errAcross) }

// tee copies its input to its output and to files.
func tee(ctx context.Context, p *Process) int {
	o, names, ok := p.options("ai")
	if !ok {
		return 1
	}
	mode := os.O_TRUNC
	if o.has('a') {
		mode = os.O_APPEND
	}
	writers, code := []io.Writer{p.Stdout}, 0
	for _, name := range names {
		f, err := p.Files.Open(p.path(name), os.O_WRONLY|os.O_CREATE|mode, 0o644)
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
			continue
		}
		defer f.Close()
		writers = append(writers, f)
	}
	if _, err := p.transfer(ctx, io.MultiWriter(writers...), p.Stdin); err != nil {
		if ctx.Err() != nil {
			return 137
		}
		p.complain("%s", reason(err))
		return 1
	}
	return code
}

func readlink(_ context.Context, p *Process) int {
	o, names, ok := p.options("fnev")
	if !ok || len(names) == 0 {
		return 1
	}
	code := 0
	for _, name := range names {
		at := p.path(name)
		to, err := p.Files.Readlink(at)
		for i := 0; o.has('f') && err == nil && i < 40; i++ {
			if !path.IsAbs(to) {
				to = path.Join(path.Dir(at), to)
			}
			at = to
			to, err = p.Files.Readlink(at)
		}
		switch {
		case o.has('f'):
			fmt.Fprintln(p.Stdout, path.Clean(at))
		case err != nil:
			code = 1
		default:
			fmt.Fprintln(p.Stdout, to)
		}
	}
	return code
}
