package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// hire makes a keeper for each component.
func (s *Sandbox) hire(f *forker, w *witnesses, kube, etcd *client) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.server()
	for _, c := range s.plan {
		d, err := openDiary(filepath.Join(s.dir.path, logsEntry, strings.ReplaceAll(c.name, ":", "-")+".log"))
		if err != nil {
			return fmt.Errorf("open a log file: %w", err)
		}
		k := &keeper{
			component: c, board: s.board, forker: f, diary: d,
			launch: launch{
				path: s.o.Executable, args: append([]string{"component", c.role}, c.args...),
				env: childEnv(os.Environ(), s.dir.path), stdout: d.write, stderr: d.write,
			},
			prepare: func(context.Context) error { return nil },
			ask:     func(ctx context.Context) error { return kube.ask(ctx, c.probe) },
			tell:    w.tell,
			say:     s.say,
			quit:    make(chan struct{}),
			done:    make(chan struct{}),
			orders:  newOrders(),
		}
		if c.probe.etcd {
			k.ask = func(ctx context.Context) error { return etcd.ask(ctx, c.probe) }
			k.prepare = func(context.Context) error {
				return writeConfig(s.paths.etcdConfig(), etcdConfig(s.paths, s.creds, s.ports, s.dir.ephemeral, w.lastRevision()))
			}
		}
		if c.audits {
			k.launch.stdout = func(line []byte) {
				if isAudit(line) {
					w.audit(line)
				} else {
					d.write(line)
				}
			}
			k.gone = w.auditor.reset
		}
		if c.tells && goruntime.GOOS != "windows" {
			k.launch.witness = w.observed
		}
		if c.node != "" {
			// A runtime that was killed leaves its socket, and its successor
			// would be dialled before it listens.
			k.prepare = func(context.Context) error {
				for _, socket := range []string{s.paths.runtimeSocket(c.node), s.paths.networkSocket(c.node)} {
					if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
						return err
					}
				}
				return nil
			}
		}
		if c.elects != "" {
			led := !s.dir.fresh
			k.prepare = func(ctx context.Context) error {
				if !led {
					led = true
					return nil
				}
				soon, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				if err := freeLease(soon, kube, server, c.elects); err != nil {
					d.write(fmt.Appendf(nil, "kubestage: its lease could not be freed, so it waits until that runs out: %v", err))
				}
				return nil
			}
		}
		s.keepers = append(s.keepers, k)
	}
	return nil
}

// childEnv is what components inherit. Proxy settings and credentials of the
// person who started the dashboard must not change how a cluster behaves.
func childEnv(ours []string, home string) []string {
	keep := []string{"PATH", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "SYSTEMROOT", "GOTRACEBACK", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOCOVERDIR"}
	env := []string{"HOME=" + home}
	for _, e := range ours {
		if name, _, ok := strings.Cut(e, "="); ok && slices.Contains(keep, name) {
			env = append(env, e)
		}
	}
	return env
}

// etcdVersion reads which etcd is built into this binary.
func etcdVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "go.etcd.io/etcd/server/v3" {
			return m.Version
		}
	}
	return ""
}
