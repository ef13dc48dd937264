package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/kubestage/kubestage/server"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
)

// options are the flags of `dashboard`.
type options struct {
	addr       string
	nodes      int
	dataDir    string
	ephemeral  bool
	kubeconfig string
	context    string
	logMemory  size
	database   string
	notes      string
	course     string
	share      string
	noTracing  bool // for measurements, and not in the usage: a stage without a log is empty
}

const defaultAddr = "127.0.0.1:7766"

// errHelp ends a command that was asked for its usage.
var errHelp = errors.New("help")

func parseOptions(args []string) (options, error) {
	o := options{logMemory: watch.DefaultLimit}
	f := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", defaultAddr, "")
	f.IntVar(&o.nodes, "nodes", 3, "")
	f.StringVar(&o.dataDir, "data-dir", "", "")
	f.BoolVar(&o.ephemeral, "ephemeral", false, "")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "")
	f.StringVar(&o.context, "context", "", "")
	f.StringVar(&o.database, "database", "", "")
	f.Var(&o.logMemory, "log-memory", "")
	f.StringVar(&o.notes, "notes", "", "")
	f.StringVar(&o.course, "course", "", "")
	f.StringVar(&o.share, "share", "", "")
	f.BoolVar(&o.noTracing, "no-tracing", false, "")
	if err := parse(f, args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is not expected here; flags start with --, see `dashboard help`", f.Arg(0))
	}
	return o, o.check()
}

func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return errHelp
	}
	if err != nil {
		return fmt.Errorf("%s; see `dashboard help`", strings.ReplaceAll(err.Error(), " -", " --"))
	}
	return nil
}

func (o options) check() error {
	if err := checkAddr(o.addr); err != nil {
		return err
	}
	if err := server.CheckShare(o.share); err != nil {
		return err
	}
	if o.nodes < 1 || o.nodes > 20 {
		return fmt.Errorf("--nodes %d: choose 1 to 20", o.nodes)
	}
	if o.ephemeral && o.dataDir != "" {
		return errors.New("--ephemeral keeps nothing, --data-dir says where to keep it: use one of them")
	}
	if o.context != "" && o.kubeconfig == "" {
		return errors.New("--context chooses among the clusters of a kubeconfig: add --kubeconfig FILE")
	}
	if o.database != "" && !store.IsURL(o.database) {
		return fmt.Errorf("--database %q is no URL, as in postgres://USER:PASSWORD@HOST/NAME; without the flag it is a file beside the cluster", o.database)
	}
	if o.kubeconfig != "" && (o.ephemeral || o.dataDir != "") {
		return errors.New("--kubeconfig attaches to another cluster, which has no data directory here: leave out --data-dir and --ephemeral")
	}
	return nil
}

func checkAddr(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("--addr %q is not HOST:PORT, as in 127.0.0.1:7766", addr)
	}
	return nil
}
