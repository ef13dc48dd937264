// Command dashboard is Kubestage: it starts a real Kubernetes out of its own
// binary, or attaches to one, and shows on a local web page what its
// components do. Run `dashboard help` for its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Version is the dashboard's own version.
const Version = "0.1.0"

func main() {
	// A child process of the sandbox is this same binary in another role. The
	// role comes before flags, logging and signals, which upstream's commands
	// set up for themselves, once a process.
	if len(os.Args) > 2 && os.Args[1] == "component" {
		os.Exit(playRole(os.Args[2], os.Args[3:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var status exitStatus
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case err != nil:
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// exitStatus ends the process quietly, after a child that has already said
// what went wrong.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

const usage = `Kubestage shows how Kubernetes works, on a real cluster of its own.

  dashboard [flags]            start the cluster and the page (or attach, or both)
  dashboard kubectl ARGS...    the real kubectl, against that cluster
  dashboard kubeconfig         print the path of that cluster's kubeconfig
  dashboard record [flags]     write what happened, or happens, to a file
  dashboard replay FILE        play such a file; needs no cluster
  dashboard export FILE        make a web page of it that plays anywhere, without Kubestage and offline
  dashboard content check DIR  say what is wrong with a course of your own
  dashboard reset              delete the cluster and its data
  dashboard version            print versions

Flags of dashboard:
  --addr HOST:PORT     where the page is (default 127.0.0.1:7766; port 0 picks a free one)
  --nodes N            nodes of the cluster, 1 to 20 (default 3)
  --data-dir DIR       where the cluster is kept (default: kubestage in the XDG data directory)
  --ephemeral          keep nothing: a new cluster that is deleted at the end
  --kubeconfig FILE    watch this cluster instead of starting one; read only
  --context NAME       which context of the kubeconfig
  --notes DIR          show your own Markdown notes beside the stage; they are only read
  --course DIR         chapters of your own beside the book's, read again when a file changes
  --share HOST:PORT    let others watch from their own devices, as in :7788; they join with a code and can change nothing
  --log-memory SIZE    memory for events, as in 256MiB (default 64MiB, about 300,000 events); the oldest go first
  --database URL       where progress and recordings are kept, as in postgres://USER@HOST/NAME (default: a file beside the cluster)
Flags of record, for a dashboard that runs:
  --story ID           one story and all that caused it
  --from SEQ --to SEQ  a range of events (default: all that the log keeps)
  --for 30s            what happens from now on
  --title TEXT         what the recording is called
  -o FILE              where to write it (default: named after title and time, here)
  --data-dir DIR, --page LINK   which dashboard
Flags of export: --lang ko, -o FILE, --title TEXT, and in place of FILE those of record. FILE may also be the
  name of a chapter, as in pod-birth, or the id of a recording that the dashboard that runs keeps.
Flags of replay: --addr HOST:PORT, --share HOST:PORT.
Flags of kubectl, kubeconfig and reset: --data-dir DIR, before other arguments.
`

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := "serve"
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	// What a dashboard holds (the log, its snapshots, stories) lives long and
	// changes little, so the garbage beside it may be collected sooner. The
	// components are processes of their own.
	debug.SetGCPercent(50)
	switch command {
	case "serve":
		return serve(ctx, args, stdout, stderr)
	case "kubectl":
		return kubectl(ctx, args)
	case "kubeconfig":
		return kubeconfig(args, stdout)
	case "record":
		return record(ctx, args, stdout, stderr)
	case "export":
		return export(ctx, args, stdout, stderr)
	case "replay":
		return replay(ctx, args, stdout, stderr)
	case "content":
		return checkContent(args, stdout)
	case "reset":
		return reset(args, stdout)
	case "version":
		printVersion(stdout)
		return nil
	case "help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	return fmt.Errorf("there is no command %q; `dashboard help` lists them", command)
}
