//go:build nosandbox

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// sandboxAvailable: this binary attaches to clusters but has none in it.
const sandboxAvailable = false

func playRole(role string, args []string) int {
	if role == kubectlRole {
		return runKubectl(args)
	}
	fmt.Fprintf(os.Stderr, "this build has no %s in it (it was built with -tags nosandbox)\n", role)
	return 2
}

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "Kubestage %s, without a sandbox (%s %s/%s)\n", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
