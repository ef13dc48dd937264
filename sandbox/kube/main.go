//go:build !nosandbox

package kube

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// Available reports that this binary has the sandbox's components in it.
const Available = true

var roles = map[string]func(args []string) int{
	"etcd":                    runEtcd,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": func([]string) int { return cli.Run(quiet(controllermanager.NewControllerManagerCommand())) },
	"kube-scheduler":          runScheduler,
	"kubelet":                 runKubelet,
}

// Main plays a component's role and returns the process's exit status. The
// component ends with its parent: standard input is a pipe that the supervisor
// holds open and never writes to, so its end means that the supervisor is
// gone, however it went.
func Main(role string, args []string) int {
	play, ok := roles[role]
	if !ok {
		names := make([]string, 0, len(roles))
		for name := range roles {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "there is no component %q; there are %s\n", role, strings.Join(names, ", "))
		return 2
	}
	dieWithParent()
	startGenerously()
	// The first argument names the client: user agents, and with them the
	// managers in managedFields, are made from it (client-go/rest/config.go,
	// DefaultKubernetesUserAgent). Real components have real names.
	os.Args = append([]string{role}, args...)
	if err := setVersion(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return play(args)
}

func dieWithParent() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		fmt.Fprintln(os.Stderr, "the dashboard has gone, and this component with it")
		os.Exit(3)
	}()
}

func quiet(c *cobra.Command) *cobra.Command {
	c.SilenceUsage = true
	return c
}
