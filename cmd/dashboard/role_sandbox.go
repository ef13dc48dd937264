//go:build !nosandbox

package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/kubestage/kubestage/sandbox/kube"
)

// sandboxAvailable: this binary has the cluster in it.
const sandboxAvailable = true

func playRole(role string, args []string) int {
	if role == kubectlRole {
		return runKubectl(args)
	}
	return kube.Main(role, args)
}

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "Kubestage %s, with Kubernetes %s (%s %s/%s)\n", Version, kube.Release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
