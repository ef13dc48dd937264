//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// bare is the cluster's components without Kubestage around them: a list of
// commands with the very flags that Kubestage uses, less the audit log. They
// have no file descriptor 3, so nothing in them tells anything.
type bare struct {
	dir      string
	commands []command
	running  []*exec.Cmd
	lives    []io.Closer
}

type command struct {
	role      string
	argv, env []string
}

// learnBare starts Kubestage once, without the links through which it sees its
// components' connections, reads from /proc what it has started, and stops it.
// Certificates, configuration files and ports stay.
func learnBare(ctx context.Context, b *bench, dir string) (*bare, error) {
	d, err := dashboard.Start(dashboard.Options{Binary: b.binary, Dir: dir, Args: []string{"--no-tracing"}})
	if err != nil {
		return nil, err
	}
	defer d.Stop()
	if err := d.Ready(ctx); err != nil {
		return nil, err
	}
	l := &bare{dir: dir}
	for _, p := range d.Family() {
		if p.Pid == d.Pid() {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.Pid))
		if err != nil {
			return nil, err
		}
		l.commands = append(l.commands, command{
			role: p.Role(),
			argv: slices.DeleteFunc(p.Args, func(arg string) bool { return strings.HasPrefix(arg, "--audit-") }),
			env:  strings.Split(strings.TrimSuffix(string(env), "\x00"), "\x00"),
		})
	}
	if len(l.commands) != 7 {
		return nil, fmt.Errorf("a cluster of three nodes has 7 processes, this one %d", len(l.commands))
	}
	return l, nil
}

// forget removes the cluster's state but not its certificates.
func (l *bare) forget() error {
	err := os.RemoveAll(filepath.Join(l.dir, "etcd"))
	nodes, globErr := filepath.Glob(filepath.Join(l.dir, "nodes", "*"))
	err = errors.Join(err, globErr)
	for _, dir := range nodes {
		err = errors.Join(err, os.RemoveAll(dir), os.Mkdir(dir, 0o700))
	}
	return err
}

// start runs the commands the way a script does: etcd, wait until it is
// healthy, the apiserver, wait until it is ready, then all others.
func (l *bare) start(ctx context.Context) error {
	for _, step := range []struct{ role, path string }{{"etcd", "/health"}, {"kube-apiserver", "/readyz"}} {
		i := slices.IndexFunc(l.commands, func(c command) bool { return c.role == step.role })
		if err := l.launch(l.commands[i]); err != nil {
			return err
		}
		address, err := l.address(l.commands[i])
		if err != nil {
			return err
		}
		if err := l.healthy(ctx, address+step.path); err != nil {
			return err
		}
	}
	for _, c := range l.commands {
		if c.role != "etcd" && c.role != "kube-apiserver" {
			if err := l.launch(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// address finds where a component listens: in a flag, or in etcd's file.
func (l *bare) address(c command) (string, error) {
	if c.role == "kube-apiserver" {
		return "https://127.0.0.1:" + flagOf(c, "--secure-port="), nil
	}
	text, err := os.ReadFile(c.argv[len(c.argv)-1])
	if err != nil {
		return "", err
	}
	_, rest, ok := bytes.Cut(text, []byte(`"ClientURL": "`))
	if !ok {
		return "", fmt.Errorf("no address of %s in %s", c.role, text)
	}
	url, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(url), nil
}

// healthy asks with the certificate by which etcd knows the apiserver; the
// apiserver answers everybody whether it is ready.
func (l *bare) healthy(ctx context.Context, url string) error {
	pki := filepath.Join(l.dir, "pki", "apiserver-etcd-client")
	cert, err := tls.LoadX509KeyPair(pki+".crt", pki+".key")
	if err != nil {
		return err
	}
	h := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // this is a stopwatch, and the other end is our own child
		Certificates:       []tls.Certificate{cert},
	}}}
	defer h.CloseIdleConnections()
	return dashboard.Until(ctx, time.Minute, url, func() (bool, string) {
		response, err := h.Get(url)
		if err != nil {
			return false, err.Error()
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK, response.Status
	})
}

func flagOf(c command, name string) string {
	for _, arg := range c.argv {
		if value, ok := strings.CutPrefix(arg, name); ok {
			return value
		}
	}
	return ""
}

func (l *bare) launch(c command) error {
	process := exec.Command(c.argv[0], c.argv[1:]...)
	process.Dir = l.dir
	process.Env = c.env
	life, err := process.StdinPipe() // components end with their standard input
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.role, err)
	}
	l.running = append(l.running, process)
	l.lives = append(l.lives, life)
	return nil
}

// stop ends all, the last started first.
func (l *bare) stop() {
	for i, process := range slices.Backward(l.running) {
		_ = process.Process.Signal(os.Interrupt)
		force := time.AfterFunc(3*time.Second, func() { _ = process.Process.Kill() })
		l.lives[i].Close()
		_ = process.Wait()
		force.Stop()
	}
	l.running, l.lives = nil, nil
}
