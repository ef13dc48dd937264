//go:build !nosandbox

package kube

import (
	goruntime "runtime"
	"syscall"
)

// processorTime is the processor time this process has used, in nanoseconds.
func processorTime() uint64 {
	var created, exited, kernel, user syscall.Filetime
	self, err := syscall.GetCurrentProcess()
	if err != nil || syscall.GetProcessTimes(self, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	// Unlike a time of day, a duration has no epoch to take off.
	span := func(f syscall.Filetime) uint64 { return (uint64(f.HighDateTime)<<32 | uint64(f.LowDateTime)) * 100 }
	return span(kernel) + span(user)
}

// residentMemory is the memory this process occupies, in bytes, as far as its
// runtime knows.
func residentMemory() uint64 {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
