package program

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// ls lists folders.
func ls(ctx context.Context, p *Process) int {
	o, names, ok := p.options("1aAlhdRrtFCinpSL")
	if !ok {
		return 1
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	l := &listing{ctx: ctx, p: p, o: o, names: map[string]string{}}
	if o.has('n') {
		o['l'] = ""
	}
	var folders []string
	for _, name := range names {
		info, err := p.Files.Lstat(p.path(name))
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && !o.has('d') && (!o.has('l') || strings.HasSuffix(name, "/")) {
			info, err = p.Files.Stat(p.path(name))
		}
		switch {
		case err != nil:
			p.complain("%s: %s", name, reason(err))
			l.code = 1
		case info.IsDir() && !o.has('d'):
			folders = append(folders, name)
		default:
			l.line(name, p.path(name), info)
			l.said = true
		}
	}
	for _, name := range folders {
		l.folder(name, len(names) > 1 || o.has('R'), 0)
	}
	return l.code
}

type listing struct {
	ctx  context.Context
	p    *Process
	o    options
	code int
	said bool

	names map[string]string // of owners
}

func (l *listing) folder(name string, titled bool, depth int) {
	if l.p.meter.step(l.ctx, l.p.Used) != nil || depth > deepestWalk {
		return
	}
	entries, err := l.p.Files.ReadDir(l.p.path(name))
	if err != nil {
		l.p.complain("%s: %s", name, reason(err))
		l.code = 1
		return
	}
	if titled {
		if l.said {
			fmt.Fprintln(l.p.Stdout)
		}
		fmt.Fprintf(l.p.Stdout, "%s:\n", name)
	}
	l.said = true
	if !l.o.has('a') && !l.o.has('A') {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	}
	infos := make([]fs.FileInfo, 0, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && l.o.has('L') {
			info, err = l.p.Files.Stat(path.Join(l.p.path(name), e.Name()))
		}
		if err == nil {
			infos = append(infos, info)
		}
	}
	if l.o.has('t') {
		slices.SortStableFunc(infos, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	}
	if l.o.has('S') {
		slices.SortStableFunc(infos, func(a, b fs.FileInfo) int { return int(b.Size() - a.Size()) })
	}
	if l.o.has('r') {
		slices.Reverse(infos)
	}
	if l.o.has('l') {
		fmt.Fprintf(l.p.Stdout, "total %d\n", 4*len(infos))
	}
	if l.o.has('a') {
		for _, dots := range []string{".", ".."} {
			if info, err := l.p.Files.Stat(path.Join(l.p.path(name), dots)); err == nil {
				l.line(dots, path.Join(l.p.path(name), dots), info)
			}
		}
	}
	for _, info := range infos {
		l.line(info.Name(), path.Join(l.p.path(name), info.Name()), info)
	}
	if l.o.has('R') {
		for _, info := range infos {
			if info.IsDir() {
				l.folder(path.Join(name, info.Name()), true, depth+1)
			}
		}
	}
}

// deepestWalk is how many folders a command goes down.
const deepestWalk = 256

// line shows one entry.
func (l *listing) line(shown, name string, info fs.FileInfo) {
	if l.o.has('F') || l.o.has('p') {
		if info.IsDir() {
			shown += "/"
		}
	}
	if !l.o.has('l') {
		fmt.Fprintln(l.p.Stdout, shown)
		return
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if to, err := l.p.Files.Readlink(name); err == nil {
			shown += " -> " + to
		}
	}
	size := fmt.Sprint(info.Size())
	if l.o.has('h') && info.Size() >= 1024 {
		size = fmt.Sprintf("%.1fK", float64(info.Size())/1024)
		if info.Size() >= 1<<20 {
			size = fmt.Sprintf("%.1fM", float64(info.Size())/(1<<20))
		}
	}
	links := 1
	if info.IsDir() {
		links = 2
	}
	stamp := info.ModTime().UTC().Format("Jan _2 15:04")
	if time.Since(info.ModTime()) > 180*24*time.Hour {
		stamp = info.ModTime().UTC().Format("Jan _2  2006")
	}
	owner := ownerOf(info)
	fmt.Fprintf(l.p.Stdout, "%s %4d %-8s %-8s %9s %s %s\n", modeLetters(info.Mode()), links, l.account(passwd, owner.UID), l.account(groups, owner.GID), size, stamp, shown)
}

// account is the name of an owner, looked up once.
func (l *listing) account(file string, id int64) string {
	if l.o.has('n') {
		return fmt.Sprint(id)
	}
	key := fmt.Sprint(file, id)
	if l.names[key] == "" {
		name, ok := l.p.account(file, id)
		if !ok {
			name = fmt.Sprint(id)
		}
		l.names[key] = name
	}
	return l.names[key]
}

// modeLetters shows a mode as ls does: drwxr-xr-x.
func modeLetters(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	}
	letters := []byte(kind + m.Perm().String()[1:])
	for _, special := range []struct {
		bit    fs.FileMode
		at     int
		letter byte
	}{{fs.ModeSetuid, 3, 's'}, {fs.ModeSetgid, 6, 's'}, {fs.ModeSticky, 9, 't'}} {
		if m&special.bit == 0 {
			continue
		}
		if letters[special.at] == '-' {
			special.letter -= 'a' - 'A'
		}
		letters[special.at] = special.letter
	}
	return string(letters)
}

// find walks folders: -name, -type, -maxdepth, -print and -delete.
func find(ctx context.Context, p *Process) int {
	args, roots := p.Args[1:], []string{}
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "!" && args[0] != "(" {
		roots, args = append(roots, args[0]), args[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	name, kind, deepest, remove := "", "", deepestWalk, false
	for len(args) > 0 {
		value := ""
		if len(args) > 1 {
			value = args[1]
		}
		switch args[0] {
		case "-name":
			name, args = value, args[1:]
		case "-type":
			kind, args = value, args[1:]
		case "-maxdepth":
			if _, err := fmt.Sscan(value, &deepest); err != nil {
				p.complain("invalid number '%s'", value)
				return 1
			}
			args = args[1:]
		case "-delete":
			remove = true
		case "-print":
		default:
			p.complain("%s is not built into Kubestage's find", args[0])
			return 1
		}
		if len(args) > 0 {
			args = args[1:]
		}
	}
	if _, err := path.Match(name, ""); err != nil {
		p.complain("bad pattern '%s'", name)
		return 1
	}
	code := 0
	var walk func(shown string, depth int)
	walk = func(shown string, depth int) {
		if p.meter.step(ctx, p.Used) != nil {
			return
		}
		info, err := p.Files.Lstat(p.path(shown))
		if err != nil {
			p.complain("%s: %s", shown, reason(err))
			code = 1
			return
		}
		matches := name == ""
		if !matches {
			matches, _ = path.Match(name, path.Base(shown))
		}
		switch kind {
		case "f":
			matches = matches && info.Mode().IsRegular()
		case "d":
			matches = matches && info.IsDir()
		case "l":
			matches = matches && info.Mode()&fs.ModeSymlink != 0
		}
		if matches && !remove {
			fmt.Fprintln(p.Stdout, shown)
		}
		if info.IsDir() && depth < min(deepest, deepestWalk) {
			entries, err := p.Files.ReadDir(p.path(shown))
			if err != nil {
				p.complain("%s: %s", shown, reason(err))
				code = 1
			}
			for _, e := range entries {
				walk(strings.TrimSuffix(shown, "/")+"/"+e.Name(), depth+1)
			}
		}
		if matches && remove && shown != "." {
			if err := p.Files.Remove(p.path(shown)); err != nil {
				p.complain("%s: %s", shown, reason(err))
				code = 1
			}
		}
	}
	for _, root := range roots {
		walk(root, 0)
	}
	if ctx.Err() != nil {
		return 137
	}
	return code
}
