//go:build unix && !linux

package sandbox

import (
	"os"
	"syscall"
)

// dieWithParent has nothing to do here: standard input is the life line.
func dieWithParent(*syscall.SysProcAttr) {}

func widen(*os.File) {}

// stepBack: priorities belong to whole processes here, and ours is not the one
// to change.
func stepBack() {}

func (p *process) freeze() error {
	return refused{
		"only on Linux does a frozen process end when its parent is killed: stop or kill it instead",
		"얼린 프로세스가 부모와 함께 끝나는 것은 Linux뿐입니다. 대신 멈추거나 강제로 끝내세요",
	}
}

func (p *process) thaw() error { return nil }
