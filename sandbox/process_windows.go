package sandbox

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps the console's Ctrl-C away from children. Windows hands no
// third file to a child, so there are no observations from components there.
func ownGroup(c *exec.Cmd) {
	c.ExtraFiles = nil
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate ends a child by the end of its standard input; there is no signal
// to ask with.
func (p *process) terminate() error { return p.life.Close() }

func (p *process) kill() error { return p.cmd.Process.Kill() }

func sweepGroup(int) {}

func widen(*os.File) {}

func stepBack() {}

func (p *process) freeze() error {
	return refused{
		"only on Linux does a frozen process end when its parent is killed: stop or kill it instead",
		"얼린 프로세스가 부모와 함께 끝나는 것은 Linux뿐입니다. 대신 멈추거나 강제로 끝내세요",
	}
}

func (p *process) thaw() error { return nil }
