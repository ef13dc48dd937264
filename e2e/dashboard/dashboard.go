//go:build linux

package dashboard

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Binary is where the built program is: KUBESTAGE_BINARY. It is empty when
// that is not set, and then there is nothing to test.
func Binary() string {
	path := os.Getenv("KUBESTAGE_BINARY")
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Options say how the program is started.
type Options struct {
	Binary string
	Dir    string   // the data directory; empty means --ephemeral
	Args   []string // besides --addr and --data-dir or --ephemeral
	Env    []string // nil means ours
	UID    uint32   // of an unprivileged user, when this process is root's; 0 means ours
}

// Dashboard is one running program.
type Dashboard struct {
	URL   string // as its first line says, without a slash at the end
	Dir   string
	Began time.Time

	command *exec.Cmd
	stderr  text
	ended   chan struct{} // closed when it has ended
}

// Start returns when the program listens; its cluster is still booting then.
func Start(o Options) (*Dashboard, error) {
	args := append([]string{"--addr", "127.0.0.1:0"}, o.Args...)
	if o.Dir == "" {
		args = append(args, "--ephemeral")
	} else {
		args = append(args, "--data-dir", o.Dir)
	}
	return launch(o, args)
}

// Replay starts the program on a recording, and returns when it listens.
func Replay(o Options, file string) (*Dashboard, error) {
	return launch(o, append([]string{"replay", file, "--addr", "127.0.0.1:0"}, o.Args...))
}

func launch(o Options, args []string) (*Dashboard, error) {
	d := &Dashboard{Dir: o.Dir, command: exec.Command(o.Binary, args...), ended: make(chan struct{})}
	d.command.Env = o.Env
	d.command.Stderr = &d.stderr
	if o.UID != 0 {
		d.command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: o.UID, Gid: o.UID}}
	}
	stdout, err := d.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.Began = time.Now()
	if err := d.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	go func() {
		_ = d.command.Wait()
		close(d.ended)
	}()
	if err != nil {
		d.Kill()
		return nil, fmt.Errorf("the dashboard ended before it listened:\n%s", d.Stderr())
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "Kubestage is at ")
	if !ok {
		d.Kill()
		return nil, fmt.Errorf("the dashboard's first line is %q", line)
	}
	d.URL = url
	return d, nil
}

// Pid is the program's own process.
func (d *Dashboard) Pid() int { return d.command.Process.Pid }

// Stderr is what it wrote there so far.
func (d *Dashboard) Stderr() string { return d.stderr.String() }

// Ended reports whether the program has.
func (d *Dashboard) Ended() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// Stop ends the program as Ctrl-C does, and returns how long that took. It is
// an error when it had ended before, fails, or needs longer than 15 s.
func (d *Dashboard) Stop() (time.Duration, error) {
	if d.Ended() {
		return 0, fmt.Errorf("the dashboard had ended by itself (%s):\n%s", d.command.ProcessState, d.Stderr())
	}
	began := time.Now()
	if err := d.command.Process.Signal(os.Interrupt); err != nil {
		return 0, err
	}
	select {
	case <-d.ended:
	case <-time.After(15 * time.Second):
		d.Kill()
		return time.Since(began), fmt.Errorf("the dashboard did not stop within 15 s:\n%s", d.Stderr())
	}
	took := time.Since(began)
	if status := d.command.ProcessState; !status.Success() {
		return took, fmt.Errorf("the dashboard stopped with %s:\n%s", status, d.Stderr())
	}
	return took, nil
}

// Kill ends the program with SIGKILL and returns when it has gone. What it had
// started may be there a moment longer.
func (d *Dashboard) Kill() {
	_ = d.command.Process.Kill()
	<-d.ended
}

// Ready waits a minute for the cluster to be ready.
func (d *Dashboard) Ready(ctx context.Context) error { return d.ReadyWithin(ctx, time.Minute) }

// ReadyWithin waits longer, or less long.
func (d *Dashboard) ReadyWithin(ctx context.Context, patience time.Duration) error {
	err := Until(ctx, patience, "the cluster to be ready", func() (bool, string) {
		if d.Ended() {
			return false, "the dashboard has ended"
		}
		response, err := http.Get(d.URL + "/readyz")
		if err != nil {
			return false, err.Error()
		}
		defer response.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		return response.StatusCode == http.StatusOK, body.String()
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, d.Stderr())
	}
	return nil
}

// Kubeconfig is the learner's.
func (d *Dashboard) Kubeconfig() string { return filepath.Join(d.Dir, "kubeconfig") }

// Learner returns a client with the learner's rights.
func (d *Dashboard) Learner() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", d.Kubeconfig())
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(Unlimited(config))
}

// Unlimited takes away a client's own limit of requests a second: it would be
// measured, too.
func Unlimited(config *rest.Config) *rest.Config {
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	return config
}

// Outcome is how a program ended that was expected to end by itself.
type Outcome struct {
	Stdout, Stderr string
	Code           int // -1 when it had to be killed
}

// Run runs the program to its end, at most 30 s.
func Run(o Options, args ...string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, o.Binary, args...)
	command.Env = o.Env
	if o.UID != 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: o.UID, Gid: o.UID}}
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Outcome{}, err
	}
	return Outcome{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}, nil
}

// Until asks every 10 ms until the answer is yes; after patience it returns an
// error with the last answer.
func Until(ctx context.Context, patience time.Duration, what string, ask func() (ok bool, last string)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, last := ask()
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s; last: %s", patience, what, last)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last: %s", what, ctx.Err(), last)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// text collects what a process writes.
type text struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
