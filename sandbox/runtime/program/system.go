package program

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// stat describes files; -c takes the usual letters.
func stat(_ context.Context, p *Process) int {
	o, names, ok := p.options("c:Lft")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range names {
		look := p.Files.Lstat
		if o.has('L') {
			look = p.Files.Stat
		}
		info, err := look(p.path(name))
		if err != nil {
			p.complain("can't stat '%s': %s", name, reason(err))
			code = 1
			continue
		}
		owner := ownerOf(info)
		user, okUser := p.account(passwd, owner.UID)
		if !okUser {
			user = "UNKNOWN"
		}
		group, okGroup := p.account(groups, owner.GID)
		if !okGroup {
			group = "UNKNOWN"
		}
		mode := uint32(info.Mode().Perm())
		for i, bit := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
			if info.Mode()&bit != 0 {
				mode |= 0o1000 << i
			}
		}
		kind := map[byte]string{'d': "directory", 'l': "symbolic link", 'c': "character special file", '-': "regular file"}[modeLetters(info.Mode())[0]]
		if kind == "regular file" && info.Size() == 0 {
			kind = "regular empty file"
		}
		format := "  File: %n\n  Size: %s\t%F\nAccess: (%04a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\nModify: %y"
		if o.has('c') {
			format = o['c']
		}
		say(p.Stdout, strings.NewReplacer("%n", name, "%s", fmt.Sprint(info.Size()), "%F", kind, "%04a", fmt.Sprintf("%04o", mode), "%a", strconv.FormatUint(uint64(mode), 8), "%A", modeLetters(info.Mode()),
			"%u", fmt.Sprint(owner.UID), "%g", fmt.Sprint(owner.GID), "%U", user, "%G", group, "%y", info.ModTime().UTC().Format("2006-01-02 15:04:05.000000000 -0700"), "%Y", fmt.Sprint(info.ModTime().Unix()),
			`\n`, "\n", `\t`, "\t", "%%", "%").Replace(format))
	}
	return code
}

// mount shows what is mounted; nobody in a container may mount anything.
func mount(_ context.Context, p *Process) int {
	if len(p.Args) > 1 && p.Args[1] != "-l" {
		p.complain("permission denied (are you root?)")
		return 1
	}
	text, err := p.readFile("/proc/mounts")
	if err != nil {
		p.complain("%s", reason(err))
		return 1
	}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 3 {
			fmt.Fprintf(p.Stdout, "%s on %s type %s (%s)\n", f[0], f[1], f[2], f[3])
		}
	}
	return 0
}

// df lists file systems. What they hold is counted by du; how large they are
// is a bound of Kubestage's, not a disk.
func df(_ context.Context, p *Process) int {
	if _, _, ok := p.options("hkmPTai"); !ok {
		return 1
	}
	text, err := p.readFile("/proc/mounts")
	if err != nil {
		p.complain("%s", reason(err))
		return 1
	}
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Filesystem\tSize\tMounted on")
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 3 {
			fmt.Fprintf(w, "%s\t64M\t%s\n", f[0], f[1])
		}
	}
	w.Flush()
	return 0
}

// du adds up what files hold.
func du(ctx context.Context, p *Process) int {
	o, names, ok := p.options("shkamcd:")
	if !ok {
		return 1
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	show := func(bytes int64, name string) {
		text := fmt.Sprint((bytes + 1023) / 1024)
		if o.has('h') {
			text = human(bytes)
		}
		fmt.Fprintf(p.Stdout, "%s\t%s\n", text, name)
	}
	code := 0
	var walk func(name string, depth int) int64
	walk = func(name string, depth int) int64 {
		if p.meter.step(ctx, p.Used) != nil || depth > deepestWalk {
			return 0
		}
		info, err := p.Files.Lstat(p.path(name))
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
			return 0
		}
		total := info.Size()
		if !info.IsDir() {
			if o.has('a') {
				show(total, name)
			}
			return total
		}
		entries, err := p.Files.ReadDir(p.path(name))
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
		for _, e := range entries {
			total += walk(path.Join(name, e.Name()), depth+1)
		}
		if !o.has('s') && depth > 0 {
			show(total, name)
		}
		return total
	}
	for _, name := range names {
		show(walk(name, 0), name)
	}
	if ctx.Err() != nil {
		return 137
	}
	return code
}

func human(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1fM", float64(bytes)/(1<<20))
	case bytes >= 1024:
		return fmt.Sprintf("%.1fK", float64(bytes)/1024)
	}
	return fmt.Sprint(bytes)
}

// free shows the memory the container's programs hold by their own account.
func free(_ context.Context, p *Process) int {
	fmt.Fprintf(p.Stdout, "%-8s %12s\n%-8s %12d\n", "", "used", "Mem:", p.Memory.Used()>>10)
	return 0
}

// top shows once who runs; with no terminal to draw on, again and again is ps in a loop.
func top(ctx context.Context, p *Process) int {
	fmt.Fprintf(p.Stdout, "Mem: %dK used by this container's programs, CPU: %s computed since it started\n", p.Memory.Used()>>10, time.Duration(p.CPU.Load()).Round(time.Millisecond))
	return ps(ctx, p)
}

func uptime(_ context.Context, p *Process) int {
	fmt.Fprintf(p.Stdout, " %s up\n", time.Now().UTC().Format("15:04:05"))
	return 0
}

// timeout ends a command that takes too long: timeout [-s SIGNAL] SECONDS COMMAND…
func timeout(ctx context.Context, p *Process) int {
	o, args, ok := p.options("s:k:tv")
	if !ok {
		return 125
	}
	if len(args) < 2 {
		p.complain("missing operand")
		return 125
	}
	d, err := parseSleep(args[0])
	if err != nil {
		p.complain("invalid time interval '%s'", args[0])
		return 125
	}
	signal := SIGTERM
	if o.has('s') {
		if signal, ok = ParseSignal(o['s']); !ok {
			p.complain("%s: invalid signal", o['s'])
			return 125
		}
	}
	run, err := Find(p.Programs, p.Files, p.Dir, args[1])
	if err != nil {
		p.complain("can't execute '%s': No such file or directory", args[1])
		return 127
	}
	child := &Process{Args: args[1:], Env: p.Env, Dir: p.Dir, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr, Container: p.Container, Parent: p}
	over := make(chan struct{})
	timer := time.AfterFunc(d, func() {
		close(over)
		child.Signal(signal)
	})
	exit := child.Run(ctx, run)
	if !timer.Stop() {
		<-over
		if signal == SIGKILL {
			return 137
		}
		return 124
	}
	return exit.Code
}

func mktemp(_ context.Context, p *Process) int {
	o, args, ok := p.options("dqup:t")
	if !ok {
		return 1
	}
	form := "tmp.XXXXXX"
	if len(args) > 0 {
		form = args[0]
	} else if o.has('p') {
		form = path.Join(o['p'], form)
	} else {
		form = path.Join("/tmp", form)
	}
	var b [6]byte
	rand.Read(b[:])
	stem := strings.TrimRight(form, "X")
	name := stem + hex.EncodeToString(b[:])[:min(12, len(form)-len(stem))]
	var err error
	if o.has('d') {
		err = p.Files.Mkdir(p.path(name), 0o700)
	} else {
		err = p.writeFile(name, "", 0o600)
	}
	if err != nil {
		p.complain("%s: %s", name, reason(err))
		return 1
	}
	return p.ended(context.Background(), say(p.Stdout, name))
}

// truncate makes files so and so long.
func truncate(ctx context.Context, p *Process) int {
	o, names, ok := p.options("s:c")
	if !ok {
		return 1
	}
	var want size
	text := strings.ToUpper(o['s'])
	if strings.HasSuffix(text, "K") || strings.HasSuffix(text, "M") || strings.HasSuffix(text, "G") {
		text += "i"
	}
	if err := want.Set(text); err != nil {
		p.complain("invalid number '%s'", o['s'])
		return 1
	}
	code := 0
	for _, name := range names {
		f, err := p.Files.Open(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err == nil {
			zeros := make([]byte, 32<<10)
			for left := int64(want); left > 0 && err == nil; left -= int64(len(zeros)) {
				if err = p.meter.step(ctx, p.Used); err == nil {
					_, err = f.Write(zeros[:min(left, int64(len(zeros)))])
				}
			}
			f.Close()
		}
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// nohup and nice run a command as it is.
func nohup(ctx context.Context, p *Process) int {
	if len(p.Args) < 2 {
		p.complain("missing operand")
		return 125
	}
	run, err := Find(p.Programs, p.Files, p.Dir, p.Args[1])
	if err != nil {
		p.complain("can't execute '%s': No such file or directory", p.Args[1])
		return 127
	}
	return p.Exec(ctx, run, p.Args[1:], p.Env)
}
