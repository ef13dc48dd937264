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
