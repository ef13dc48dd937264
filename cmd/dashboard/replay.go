package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/server"
	"github.com/kubestage/kubestage/watch/recording"
)

// replay shows a recording on a page, without a cluster and without a place on
// the disk.
func replay(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	file, o, err := parseReplayOptions(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return nil
	}
	if err != nil {
		return err
	}
	tape, err := recording.Open(file)
	if err != nil {
		return err
	}
	listener, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	book, err := content.Load()
	if err != nil {
		return err
	}
	events := tape.Log()
	pages, err := server.New(server.Config{
		Log:        events,
		Source:     "recording",
		Ready:      func() (bool, string) { return true, "a recording: " + tape.Describe() },
		ReadOnly:   true,
		Kubernetes: tape.Kubernetes,
		Book:       book,
		Version:    Version,
		Logf:       log.New(stderr, "", log.LstdFlags).Printf,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Kubestage is at %s\n", pages.Link(listener.Addr()))
	fmt.Fprintf(stdout, "It plays %s: %s\n", file, tape.Describe())
	parts := []func(context.Context) error{
		func(ctx context.Context) error { return tape.Run(ctx, events) },
		func(ctx context.Context) error { return pages.Serve(ctx, listener) },
	}
	if o.share != "" {
		class, err := share(pages, o.share, stdout)
		if err != nil {
			return err
		}
		parts = append(parts, class)
	}
	return together(ctx, parts...)
}

func parseReplayOptions(args []string) (file string, o options, err error) {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", defaultAddr, "")
	f.StringVar(&o.share, "share", "", "")
	for len(args) > 0 { // the file may stand before or behind the flags
		if !strings.HasPrefix(args[0], "-") && file == "" {
			file, args = args[0], args[1:]
			continue
		}
		if err := parse(f, args); err != nil {
			return "", o, err
		}
		if args = f.Args(); len(args) > 0 && file != "" {
			return "", o, fmt.Errorf("%q is not expected here; it is `dashboard replay FILE [--addr HOST:PORT]`", args[0])
		}
	}
	if file == "" {
		return "", o, errors.New("which recording? It is `dashboard replay FILE [--addr HOST:PORT]`; `dashboard record` makes one")
	}
	return file, o, errors.Join(checkAddr(o.addr), server.CheckShare(o.share))
}
