package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// command is a checked kubectl command with a place to run in.
type command struct {
	server     *Server
	understood understood
	input      string
	config     string // path of the kubeconfig
	namespace  string // instead of the kubeconfig's; "" leaves it
	lang       string
}

func (c *command) release() { <-c.server.running }

// Why a command was ended before its time.
var (
	errPrintsTooMuch = errors.New("prints too much")
	errTakesTooLong  = errors.New("takes too long")
)

// run runs the command and gives emit what it prints, in pieces of whole
// characters. It returns when the child and all its output are gone; the child
// is killed when ctx ends or emit fails.
func (c *command) run(ctx context.Context, emit func(stream, data string) error) (exit int, err error) {
	l := c.server.limits
	cmd, clean, err := c.child(c.understood.argv())
	if err != nil {
		return 0, err
	}
	defer clean()
	ctx, cancel := context.WithTimeoutCause(ctx, l.commandTime, errTakesTooLong)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start kubectl: %w", err)
	}
	stopKilling := context.AfterFunc(ctx, func() { killGroup(cmd) })
	defer stopKilling()

	var mu sync.Mutex // guards left and the order of emit
	left := l.commandBytes
	var readers sync.WaitGroup
	for _, from := range []struct {
		name string
		r    io.Reader
	}{{"stdout", c.masked(stdout)}, {"stderr", stderr}} {
		readers.Go(func() {
			copyText(from.r, func(text string) {
				mu.Lock()
				defer mu.Unlock()
				if left <= 0 {
					return
				}
				if left -= len(text); left <= 0 {
					end(errPrintsTooMuch)
					return
				}
				if err := emit(from.name, text); err != nil {
					left = 0
					end(err)
				}
			})
		})
	}
	readers.Wait()
	exit, note, err := c.verdict(ctx, cmd.Wait())
	if note != "" {
		emit("stderr", note)
	}
	return exit, err
}

// child is kubectl with arguments, in a directory of its own that clean removes.
func (c *command) child(args []string) (cmd *exec.Cmd, clean func(), err error) {
	root, err := c.server.jail.path()
	if err != nil {
		return nil, nil, err
	}
	home, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a directory for a command: %w", err)
	}
	clean = func() { os.RemoveAll(home) }
	config, err := c.kubeconfig(home)
	if err != nil {
		clean()
		return nil, nil, err
	}
	argv := append(append([]string{}, c.server.Kubectl...), args...)
	cmd = exec.Command(argv[0], argv[1:]...)
	cmd.Dir = home
	cmd.Env = environment(config, home, filepath.Join(root, "cache"))
	if c.input != "" {
		cmd.Stdin = strings.NewReader(c.input)
	}
	return cmd, clean, nil
}

// verdict is the exit code of a child that has been waited for, and what the
// console has to add when it was the console that ended it.
func (c *command) verdict(ctx context.Context, waited error) (exit int, note string, err error) {
	l := c.server.limits
	var status *exec.ExitError
	if waited != nil && !errors.As(waited, &status) && ctx.Err() == nil {
		return 0, "", fmt.Errorf("wait for kubectl: %w", waited)
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTakesTooLong):
		return 124, said{fmt.Sprintf("[the console ended this command after %s]\n", l.commandTime), fmt.Sprintf("[%s이 지나 콘솔이 이 명령을 끝냈습니다]\n", l.commandTime)}.in(c.lang), nil
	case errors.Is(cause, errPrintsTooMuch):
		return 137, said{fmt.Sprintf("[more than %d KiB: the console shows no more and ended the command]\n", l.commandBytes>>10), fmt.Sprintf("[%d KiB가 넘어 콘솔이 더 보여 주지 않고 명령을 끝냈습니다]\n", l.commandBytes>>10)}.in(c.lang), nil
	case errors.Is(cause, errStopping):
		return 137, said{"[Kubestage is stopping]\n", "[Kubestage가 끝나는 중입니다]\n"}.in(c.lang), nil
	case cause != nil:
		return 137, "", nil // nobody is listening
	}
	if status != nil {
		return status.ExitCode(), "", nil
	}
	return 0, "", nil
}

// kubeconfig is what the child finds in KUBECONFIG: the path of the cluster's, and
// before it, when the command has a namespace of its own, that of a small file with
// nothing but a context. With the flag --namespace instead, kubectl would refuse a
// manifest that names another one. Whoever shows a token is not the administrator
// as well: a client certificate would be looked at first.
func (c *command) kubeconfig(home string) (string, error) {
	_, token := c.understood.value("token")
	if c.namespace == "" && !token {
		return c.config, nil
	}
	text, err := os.ReadFile(c.config)
	if err != nil {
		return "", err
	}
	type context struct {
		Cluster   string `json:"cluster"`
		User      string `json:"user"`
		Namespace string `json:"namespace,omitempty"`
	}
	type named struct {
		Name    string  `json:"name"`
		Context context `json:"context"`
	}
	var theirs struct { // and not the keys
		Current  string  `json:"current-context"`
		Contexts []named `json:"contexts"`
	}
	if err := yaml.Unmarshal(text, &theirs); err != nil {
		return "", fmt.Errorf("read %s: %w", c.config, err)
	}
	ours := named{Name: "console", Context: context{Namespace: c.namespace}}
	for _, there := range theirs.Contexts {
		if there.Name == theirs.Current {
			ours.Context.Cluster = there.Context.Cluster
			if !token {
				ours.Context.User = there.Context.User
			}
		}
	}
	text, err = yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "Config", "current-context": ours.Name, "contexts": []named{ours}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(home, "kubeconfig")
	return path + string(os.PathListSeparator) + c.config, os.WriteFile(path, text, 0o600)
}

// environment is all that the child knows of this computer.
func environment(kubeconfig, home, cache string) []string {
	env := []string{
		"KUBECONFIG=" + kubeconfig,
		"HOME=" + home,
		"TMPDIR=" + home,
		"KUBECACHEDIR=" + cache, // shared: what the apiserver offers is asked for once
		"KUBECTL_KUBERC=false",
		"NO_PROXY=*",
		"LANG=C.UTF-8",
	}
	if runtime.GOOS == "windows" {
		env = append(env, "USERPROFILE="+home, "TEMP="+home, "TMP="+home, "SystemRoot="+os.Getenv("SystemRoot"))
	}
	return env
}

// copyText hands over what r says in pieces that do not split a character.
func copyText(r io.Reader, give func(string)) {
	buf := make([]byte, 32<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		n += kept
		whole := n
		if err == nil {
			whole = n - partial(buf[:n])
		}
		if whole > 0 {
			give(strings.ToValidUTF8(string(buf[:whole]), "\uFFFD"))
		}
		kept = copy(buf, buf[whole:n])
		if err != nil {
			return
		}
	}
}

// partial counts the bytes of an unfinished character at the end of b.
func partial(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if utf8.FullRune(b[len(b)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}

// describedToken is how describe prints the token of a ServiceAccount, the one
// Secret of which it shows more than the size.
var describedToken = regexp.MustCompile(`(?m)^(token:\s+)eyJ\S*`)

// masked is what the child prints without tokens of ServiceAccounts.
func (c *command) masked(r io.Reader) io.Reader {
	if c.understood.verb.name != "describe" {
		return r
	}
	// All of it at once: describe prints when it is done, and a token may be
	// cut at any place otherwise.
	return &lateReader{read: func() string {
		text, _ := io.ReadAll(io.LimitReader(r, int64(c.server.limits.commandBytes)))
		return describedToken.ReplaceAllString(string(text), "${1}"+said{"(a credential: not shown here)", "(자격 증명: 여기서는 보여 주지 않음)"}.in(c.lang))
	}}
}

// lateReader reads what a function returns, called at the first Read.
type lateReader struct {
	read func() string
	r    *strings.Reader
}

func (l *lateReader) Read(p []byte) (int, error) {
	if l.r == nil {
		l.r = strings.NewReader(l.read())
	}
	return l.r.Read(p)
}
