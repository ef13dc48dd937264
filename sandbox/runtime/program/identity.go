package program

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// User is who a container's processes are, as far as anything shows it: no
// permission is enforced.
type User struct {
	UID, GID int64
	Groups   []int64
}

func (u User) name() string {
	if u.UID == 0 {
		return "root"
	}
	return fmt.Sprint(u.UID)
}

func id(_ context.Context, p *Process) int {
	o, _, ok := p.options("ugGn")
	if !ok {
		return 1
	}
	named := func(n int64) string {
		if n == 0 {
			return "0(root)"
		}
		return fmt.Sprint(n)
	}
	groups := []string{named(p.User.GID)}
	for _, g := range p.User.Groups {
		if g != p.User.GID {
			groups = append(groups, named(g))
		}
	}
	switch {
	case o.has('u') && o.has('n'):
		fmt.Fprintln(p.Stdout, p.User.name())
	case o.has('u'):
		fmt.Fprintln(p.Stdout, p.User.UID)
	case o.has('g'):
		fmt.Fprintln(p.Stdout, p.User.GID)
	case o.has('G'):
		fmt.Fprintln(p.Stdout, strings.ReplaceAll(strings.Join(groups, " "), "(root)", ""))
	default:
		fmt.Fprintf(p.Stdout, "uid=%s gid=%s groups=%s\n", named(p.User.UID), named(p.User.GID), strings.Join(groups, ","))
	}
	return 0
}

func whoami(_ context.Context, p *Process) int {
	if p.User.UID != 0 {
		p.complain("unknown uid %d", p.User.UID)
		return 1
	}
	fmt.Fprintln(p.Stdout, "root")
	return 0
}

// ps shows the processes of the container.
func ps(_ context.Context, p *Process) int {
	fmt.Fprintln(p.Stdout, "PID   USER     TIME  COMMAND")
	for _, q := range p.Processes() {
		fmt.Fprintf(p.Stdout, "%5d %-8s  0:00 %s\n", q.PID(), p.User.name(), q.commandLine())
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

// Processes are those that run now, by their ids.
func (c *Container) Processes() []*Process {
	c.running.Lock()
	defer c.running.Unlock()
	list := make([]*Process, 0, len(c.processes))
	for _, p := range c.processes {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Process) int { return a.PID() - b.PID() })
	return list
}

func (c *Container) began(pid int, p *Process) {
	c.running.Lock()
	defer c.running.Unlock()
	if c.processes == nil {
		c.processes = map[int]*Process{}
	}
	if c.processes[pid] == nil {
		c.processes[pid] = p
	}
}

func (c *Container) finished(pid int, p *Process) {
	c.running.Lock()
	defer c.running.Unlock()
	if c.processes[pid] == p {
		delete(c.processes, pid)
	}
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
