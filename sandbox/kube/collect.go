//go:build !nosandbox

package kube

import (
	"os"
	"runtime/debug"
	"time"
)

// While it starts, a component allocates as never again, and collecting that
// garbage as it comes is a tenth of the work of starting. So it is left until
// the start is over, and then given back at once: a cluster at rest holds
// less memory than without this.
const (
	startingPercent = 400 // of GOGC
	startingTime    = 10 * time.Second
)

// startGenerously puts off the collection of garbage, unless the person who
// started us has said how it is to be.
func startGenerously() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	usual := debug.SetGCPercent(startingPercent)
	time.AfterFunc(startingTime, func() {
		debug.SetGCPercent(usual)
		debug.FreeOSMemory()
	})
}
