//go:build unix

package sandbox

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's Ctrl-C away from children: the supervisor
// stops them, in order.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(c.SysProcAttr)
}

func (p *process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

func (p *process) kill() error { return p.cmd.Process.Kill() }

// sweepGroup ends what a child that has just gone may have left behind.
func sweepGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
