package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/kubestage/kubestage/sandbox"
)

// kubectlRole is the child process behind the page's console.
const kubectlRole = "kubectl"

// runKubectl is upstream's main (cmd/kubectl/kubectl.go). It reads its
// arguments from os.Args and ends the process itself when a command fails.
func runKubectl(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	_, _ = logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args))
	command := kubectlcmd.NewDefaultKubectlCommand()
	if err := cli.RunNoErrOutput(command); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

// kubectl runs the real kubectl against the sandbox.
func kubectl(_ context.Context, args []string) error {
	dir, args, err := dataDirFlag("kubectl", args)
	if err != nil {
		return err
	}
	path, err := kubeconfigPath(dir)
	if err != nil {
		return err
	}
	if err := os.Setenv("KUBECONFIG", path); err != nil {
		return err
	}
	if status := runKubectl(args); status != 0 {
		return exitStatus(status)
	}
	return nil
}

func kubeconfig(args []string, stdout io.Writer) error {
	dir, rest, err := dataDirFlag("kubeconfig", args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%q is not expected here; it is `dashboard kubeconfig [--data-dir DIR]`", rest[0])
	}
	path, err := kubeconfigPath(dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, path)
	return nil
}

func reset(args []string, stdout io.Writer) error {
	dir, rest, err := dataDirFlag("reset", args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%q is not expected here; it is `dashboard reset [--data-dir DIR]`", rest[0])
	}
	if err := sandbox.Reset(dir); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "The cluster in %s is deleted. The next start makes a new one.\n", dir)
	return nil
}

// dataDirFlag takes a leading --data-dir from args, so that everything after
// it is the command's own.
func dataDirFlag(command string, args []string) (dir string, rest []string, err error) {
	if dir, err = sandbox.DefaultDataDir(); err != nil {
		return "", nil, err
	}
	if len(args) == 0 || (args[0] != "--data-dir" && !hasFlag(args[0], "--data-dir=")) {
		return dir, args, nil
	}
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&dir, "data-dir", dir, "")
	n := 1
	if args[0] == "--data-dir" {
		n = min(2, len(args))
	}
	if err := parse(f, args[:n]); err != nil {
		return "", nil, err
	}
	return dir, args[n:], nil
}

func hasFlag(arg, prefix string) bool { return len(arg) >= len(prefix) && arg[:len(prefix)] == prefix }

// kubeconfigPath finds the learner's kubeconfig of a data directory whose
// cluster has been started at least once.
func kubeconfigPath(dir string) (string, error) {
	path := filepath.Join(dir, sandbox.KubeconfigFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no cluster in %s yet: start one with `dashboard`, or name another directory with --data-dir", dir)
	} else if err != nil {
		return "", err
	}
	return path, nil
}
