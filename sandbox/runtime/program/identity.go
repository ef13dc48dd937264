package program

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// User is who a container's processes are.
type User struct {
	UID, GID int64
	Groups   []int64
	Home     string
}

// account looks a number up in /etc/passwd or /etc/group.
func (p *Process) account(file string, id int64) (name string, ok bool) {
	text, err := p.readFile(file)
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(text) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) > 2 && fields[2] == fmt.Sprint(id) {
			return fields[0], true
		}
	}
	return "", false
}

// numberOf looks a name up, or reads a number.
func (p *Process) numberOf(file, name string) (int64, bool) {
	if n, err := strconv.ParseInt(name, 10, 32); err == nil {
		return n, true
	}
	text, _ := p.readFile(file)
	for line := range strings.Lines(text) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) > 2 && fields[0] == name {
			n, err := strconv.ParseInt(fields[2], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

const (
	passwd = "/etc/passwd"
	groups = "/etc/group"
)

func id(_ context.Context, p *Process) int {
	o, _, ok := p.options("ugGn")
	if !ok {
		return 1
	}
	shown := func(file string, n int64) string {
		name, ok := p.account(file, n)
		switch {
		case o.has('n') && ok:
			return name
		case o.has('u') || o.has('g') || o.has('G') || !ok:
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%d(%s)", n, name)
	}
	all := []string{shown(groups, p.User.GID)}
	for _, g := range p.User.Groups {
		if g != p.User.GID {
			all = append(all, shown(groups, g))
		}
	}
	switch {
	case o.has('u'):
		fmt.Fprintln(p.Stdout, shown(passwd, p.User.UID))
	case o.has('g'):
		fmt.Fprintln(p.Stdout, all[0])
	case o.has('G'):
		fmt.Fprintln(p.Stdout, strings.Join(all, " "))
	default:
		fmt.Fprintf(p.Stdout, "uid=%s gid=%s groups=%s\n", shown(passwd, p.User.UID), all[0], strings.Join(all, ","))
	}
	return 0
}

func whoami(_ context.Context, p *Process) int {
	name, ok := p.account(passwd, p.User.UID)
	if !ok {
		p.complain("unknown uid %d", p.User.UID)
		return 1
	}
	fmt.Fprintln(p.Stdout, name)
	return 0
}

// ps shows the processes of the container, or of the pod when its containers share them.
func ps(_ context.Context, p *Process) int {
	fmt.Fprintln(p.Stdout, "PID   USER     TIME  COMMAND")
	for _, q := range p.PIDs.Processes() {
		user, ok := p.account(passwd, q.User.UID)
		if !ok {
			user = fmt.Sprint(q.User.UID)
		}
		fmt.Fprintf(p.Stdout, "%5d %-8s  0:00 %s\n", q.PID(), user, q.commandLine())
	}
	return 0
}

func (p *Process) commandLine() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.became != nil {
		return p.became.commandLine()
	}
	line := strings.Join(p.shown, " ")
	if len(line) > 256 {
		line = line[:256]
	}
	return line
}

func basename(_ context.Context, p *Process) int {
	if len(p.Args) < 2 {
		p.complain("missing operand")
		return 1
	}
	name := path.Base(p.Args[1])
	if len(p.Args) > 2 && name != p.Args[2] {
		name = strings.TrimSuffix(name, p.Args[2])
	}
	fmt.Fprintln(p.Stdout, name)
	return 0
}

func dirname(_ context.Context, p *Process) int {
	if len(p.Args) < 2 {
		p.complain("missing operand")
		return 1
	}
	fmt.Fprintln(p.Stdout, path.Dir(p.Args[1]))
	return 0
}

func pwd(_ context.Context, p *Process) int {
	fmt.Fprintln(p.Stdout, p.Dir)
	return 0
}

func uname(_ context.Context, p *Process) int {
	if o, _, ok := p.options("asnrvm"); !ok {
		return 1
	} else if o.has('a') {
		fmt.Fprintf(p.Stdout, "Linux %s kubestage-stand-in\n", p.Hostname)
	} else if o.has('n') {
		fmt.Fprintln(p.Stdout, p.Hostname)
	} else if o.has('r') || o.has('v') || o.has('m') {
		fmt.Fprintln(p.Stdout, "kubestage-stand-in")
	} else {
		fmt.Fprintln(p.Stdout, "Linux")
	}
	return 0
}

// ofShell runs a word of the shell as a command of its own, as exec probes
// call test and [.
func ofShell(ctx context.Context, p *Process) int {
	name := path.Base(p.Args[0])
	return p.Exec(ctx, Shell, append([]string{"sh", "-c", name + ` "$@"`, name}, p.Args[1:]...), p.Env)
}
