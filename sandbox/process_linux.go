package sandbox

import (
	"os"
	"syscall"
)

// dieWithParent is the second of two life lines: a child that hangs, and so
// does not see the end of its standard input, dies by the kernel's hand.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// freeze takes the processor away from a child and what it has started; it
// notices nothing. Elsewhere than on Linux nothing would end a frozen child
// when we are killed.
func (p *process) freeze() error { return syscall.Kill(-p.pid, syscall.SIGSTOP) }

func (p *process) thaw() error { return syscall.Kill(-p.pid, syscall.SIGCONT) }

// widen lets a child write on for a while when we are busy: 1 MiB instead of
// 64 KiB, if the user's limit allows it.
func widen(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	const setPipeSize = 1031 // F_SETPIPE_SZ
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20)
	})
}

// stepBack makes the calling thread, and with it the children it starts, a
// little less urgent than the rest of us: when a hundred Pods start on two
// cores, the page still gets each event in time. On a machine with nothing
// else to do it changes nothing. Linux keeps priorities by thread
// (setpriority(2), "C library/kernel differences").
func stepBack() {
	const by = 8
	if is, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err == nil { // 20 less the nice value
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-is+by, 19))
	}
}
