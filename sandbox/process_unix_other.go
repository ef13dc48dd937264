//go:build unix && !linux

package sandbox

import (
	"errors"
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
	return errors.New("only Linux lets a process be frozen that ends when its parent is killed: stop or kill it instead")
}

func (p *process) thaw() error { return nil }
