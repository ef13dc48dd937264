package store

import "syscall"

// endWithUs lets the server end also when this test is killed.
func endWithUs(as *syscall.SysProcAttr) { as.Pdeathsig = syscall.SIGINT }
