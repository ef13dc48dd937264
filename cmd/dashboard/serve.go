package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/content/notes"
	"github.com/kubestage/kubestage/sandbox"
	"github.com/kubestage/kubestage/server"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/cluster"
)

// source is what the page shows: a feeder of the log, and what the server
// needs to know of it.
type source struct {
	watch.Feeder
	name       string // sandbox or cluster
	dir        string // where the database is; removed at the end when ephemeral
	kubernetes string // version of the cluster; empty when nobody knows
	kubeconfig func() string
	controls   server.Controls // nil when the cluster is not ours
	ready      func() (bool, string)
	close      func() // gives back what was taken, when Run is never called
}

// serve runs the page and its source until ctx ends or one of them fails.
// The page is there first, so that a browser can watch the cluster boot.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return nil
	}
	if err != nil {
		return err
	}
	// What can be refused is refused before the sandbox takes its lock.
	listener, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	book, err := content.Load()
	if err != nil {
		return err
	}
	var course *content.Course
	if o.course != "" {
		if course, err = content.OpenCourse(o.course); err != nil {
			return err
		}
		if problem := course.Problem(); problem != nil {
			fmt.Fprintf(stderr, "the course has mistakes, which its pages show, too:\n%v\n", problem)
		}
	}
	var own *notes.Folder
	if o.notes != "" {
		if own, err = notes.Open(o.notes); err != nil {
			return err
		}
		defer own.Close()
	}
	src, err := openSource(o, stderr)
	if err != nil {
		return err
	}
	defer src.close()
	events := watch.NewLog(int(o.logMemory))
	if o.database == "" {
		o.database = filepath.Join(src.dir, "kubestage.db")
	}
	learners, err := store.Open(o.database)
	if err != nil {
		return err
	}
	defer learners.Close()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	pages, err := server.New(server.Config{
		Log:            events,
		Source:         src.name,
		Ready:          src.ready,
		Kubectl:        []string{executable, "component", kubectlRole},
		KubeconfigPath: src.kubeconfig,
		ReadOnly:       src.name != "sandbox",
		Kubernetes:     src.kubernetes,
		Controls:       src.controls,
		Store:          learners,
		Book:           book,
		Course:         course,
		Notes:          own,
		Version:        Version,
		Logf:           log.New(stderr, "", log.LstdFlags).Printf,
	})
	if err != nil {
		return err
	}
	link := pages.Link(listener.Addr())
	leave, err := announce(src.dir, link)
	if err != nil {
		return err
	}
	defer leave()
	fmt.Fprintf(stdout, "Kubestage is at %s\n", link)
	fmt.Fprintf(stdout, "It remembers the newest events in %s of memory (--log-memory)\n", o.logMemory)

	parts := []func(context.Context) error{
		func(ctx context.Context) error { return src.Run(ctx, events) },
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

// share lets others watch the pages, and returns what does so until its context
// ends.
func share(pages *server.Server, addr string, stdout io.Writer) (func(context.Context) error, error) {
	viewers, err := listen(addr)
	if err != nil {
		return nil, err
	}
	class := pages.Share(viewers)
	for _, link := range class.Links() {
		fmt.Fprintf(stdout, "Others can watch at %s\n", link)
	}
	fmt.Fprintln(stdout, "They see everything that the log holds, unencrypted, and can change nothing.")
	return func(ctx context.Context) error {
		defer viewers.Close()
		return class.Serve(ctx, viewers)
	}, nil
}

// together runs a source and its pages. Whichever ends first, ends the others: a
// page without a source would show nothing, and a source without a page is of no
// use to anybody.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	failures := make([]error, len(parts))
	for i, f := range parts {
		wg.Go(func() {
			defer cancel()
			failures[i] = f(ctx)
		})
	}
	wg.Wait()
	return errors.Join(failures...)
}

func openSource(o options, stderr io.Writer) (source, error) {
	if o.kubeconfig != "" {
		c, err := cluster.New(cluster.Options{Kubeconfig: o.kubeconfig, Context: o.context})
		if err != nil {
			return source{}, err
		}
		dir, err := sandbox.DefaultDataDir()
		if err != nil {
			return source{}, err
		}
		// Only what a learner has done is kept here; there is no cluster of ours.
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return source{}, fmt.Errorf("%w; set XDG_DATA_HOME to a directory you can write to", err)
		}
		return source{
			Feeder: c, name: "cluster", dir: dir,
			kubeconfig: func() string { return "" },
			ready:      func() (bool, string) { return true, c.Describe() },
			close:      func() {},
		}, nil
	}
	if !sandboxAvailable {
		return source{}, errors.New("this build has no cluster in it (-tags nosandbox): attach to one with --kubeconfig FILE")
	}
	s, err := sandbox.New(sandbox.Options{
		DataDir: o.dataDir, Ephemeral: o.ephemeral, Nodes: o.nodes, Version: Version, Stderr: stderr,
		Bare: o.noTracing,
	})
	if err != nil {
		return source{}, err
	}
	return source{
		Feeder: s, name: "sandbox", controls: controls{s}, dir: s.DataDir(), kubernetes: sandbox.Kubernetes, kubeconfig: s.Kubeconfig, close: s.Close,
		ready: func() (bool, string) {
			if s.Ready() {
				return true, "the cluster is ready"
			}
			return false, "the cluster is starting"
		},
	}, nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use, perhaps by another Kubestage: open http://%s, or choose another port with --addr 127.0.0.1:0", addr, addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: ports below 1024 need root: choose a higher one with --addr", addr)
	case err != nil:
		return nil, fmt.Errorf("--addr %s: %w", addr, err)
	}
	return l, nil
}
