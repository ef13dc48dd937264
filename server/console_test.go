package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// standInForKubectl is what the console runs in these tests. What it does is
// decided by the command it is given.
func standInForKubectl(args []string) int {
	line := strings.Join(args, " ")
	switch {
	case strings.HasPrefix(line, "apply"):
		text, _ := io.ReadAll(os.Stdin)
		fmt.Printf("%s", text)
	case strings.HasPrefix(line, "explain"): // tells about its surroundings
		dir, _ := os.Getwd()
		files, _ := os.ReadDir(".")
		input, _ := io.ReadAll(os.Stdin)
		fmt.Printf("dir=%s files=%d stdin=%d\n", dir, len(files), len(input))
		for _, e := range os.Environ() {
			fmt.Println("env " + e)
		}
	case strings.HasPrefix(line, "get --watch=true"):
		fmt.Println("first")
		for range 600 {
			time.Sleep(100 * time.Millisecond)
		}
	case strings.HasPrefix(line, "exec"): // a shell, as far as a terminal is concerned
		fmt.Print("# ")
		for in := bufio.NewScanner(os.Stdin); in.Scan() && in.Text() != "exit"; fmt.Print("# ") {
			if in.Text() == "tty" {
				info, _ := os.Stdin.Stat()
				rows, cols, err := pty.Getsize(os.Stdin)
				fmt.Println(info.Mode()&os.ModeCharDevice != 0, cols, rows, err, os.Getenv("TERM"))
			}
		}
		return 7
	case strings.HasPrefix(line, "__complete"):
		if strings.HasSuffix(line, " cre") {
			fmt.Println("create\tMake something\ncreated\tNo command\n_activeHelp_ a word of help")
		} else {
			fmt.Printf("%s\tas asked\nweb-1\nother\n", args[len(args)-1])
		}
		fmt.Println(":4")
	case strings.HasPrefix(line, "logs flood"):
		for {
			if _, err := fmt.Println(strings.Repeat("쿠버네티스", 1000)); err != nil {
				return 1
			}
		}
	case strings.HasPrefix(line, "logs korean"):
		for _, b := range []byte("쿠버네티스 🙂 끝") {
			os.Stdout.Write([]byte{b})
			time.Sleep(time.Millisecond)
		}
		os.Stdout.Write([]byte("\xff\n"))
	case strings.HasPrefix(line, "describe"):
		fmt.Print("Name: x\nData\n====\nca.crt:     570 bytes\ntoken:      eyJhbGciOi.part.signature\nother:  5 bytes\n")
	case strings.HasPrefix(line, "delete"):
		fmt.Fprintln(os.Stderr, "Error from server (NotFound)")
		return 1
	default:
		fmt.Println(line)
	}
	return 0
}

// console runs a command in the console and returns what it printed.
func console(t *testing.T, s *served, command, stdin string) (stdout, stderr string, exit int) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"command": command, "stdin": stdin})
	res, answer := do(t, request(t, "POST", s.url("/api/kubectl"), string(body), "Content-Type: application/json"))
	if res.StatusCode != 200 {
		t.Fatalf("%s: %s", res.Status, answer)
	}
	exit = -1
	for _, line := range strings.Split(strings.TrimSpace(answer), "\n") {
		m := decode[struct {
			Stream, Data string
			Exit         *int
		}](t, []byte(line))
		switch {
		case exit != -1:
			t.Errorf("a line after the exit: %s", line)
		case m.Exit != nil:
			exit = *m.Exit
		case m.Stream == "stdout":
			stdout += m.Data
		default:
			stderr += m.Data
		}
	}
	return stdout, stderr, exit
}

func TestConsole(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ command, stdin, stdout, stderr string }{
		{"kubectl get pods -A -l app=web", "", "get --all-namespaces=true --selector=app=web pods\n", ""},
		{"kubectl apply -f -", "kind: Pod\n", "kind: Pod\n", ""},
		{"kubectl logs korean", "", "쿠버네티스 🙂 끝\uFFFD\n", ""},
		{"kubectl describe secret x", "", "Name: x\nData\n====\nca.crt:     570 bytes\ntoken:      (a credential: not shown here)\nother:  5 bytes\n", ""},
	} {
		stdout, stderr, exit := console(t, s, c.command, c.stdin)
		if stdout != c.stdout || stderr != c.stderr || exit != 0 {
			t.Errorf("%s: exit %d\n got %q %q\nwant %q %q", c.command, exit, stdout, stderr, c.stdout, c.stderr)
		}
	}
	if _, stderr, exit := console(t, s, "kubectl delete pod x", ""); exit != 1 || !strings.Contains(stderr, "NotFound") {
		t.Errorf("a failing command: exit %d, %s", exit, stderr)
	}
}

// Whatever gets past the policy finds nothing.
func TestConsoleChildHasNothing(t *testing.T) {
	t.Setenv("KUBESTAGE_TEST_SECRET", "1")
	s := serve(t)
	stdout, _, _ := console(t, s, "kubectl explain pods", "")
	first, rest, _ := strings.Cut(stdout, "\n")
	if !strings.Contains(first, "files=0 stdin=0") {
		t.Errorf("got %s", first)
	}
	var names []string
	for _, line := range strings.Split(strings.TrimSpace(rest), "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "env "), "=")
		names = append(names, name)
		if name == "HOME" {
			if _, err := os.Stat(value); err == nil {
				t.Errorf("%s is still there after the command", value)
			}
		}
	}
	if got := strings.Join(names, " "); got != "KUBECONFIG HOME TMPDIR KUBECACHEDIR KUBECTL_KUBERC NO_PROXY LANG" {
		t.Errorf("the child's environment has %s", got)
	}
}

func TestConsoleEndsEndlessCommands(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) {
		l.commandTime = 300 * time.Millisecond
		l.commandBytes = 200 << 10
	})
	if _, stderr, exit := console(t, s, "kubectl get pods -w", ""); exit != 124 || !strings.Contains(stderr, "300ms") {
		t.Errorf("too long: exit %d, %s", exit, stderr)
	}
	stdout, stderr, exit := console(t, s, "kubectl logs flood", "")
	if exit != 137 || !strings.Contains(stderr, "200 KiB") || len(stdout) > 200<<10 || len(stdout) < 100<<10 {
		t.Errorf("too much: exit %d, %d bytes, %s", exit, len(stdout), stderr)
	}
}

func TestConsoleChildEndsWithItsRequest(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) { l.commands = 1 })
	ctx, abort := context.WithCancel(t.Context())
	r := request(t, "POST", s.url("/api/kubectl"), `{"command":"kubectl get -w pods"}`, "Content-Type: application/json").WithContext(ctx)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(res.Body).ReadString('\n')
	second, body := do(t, request(t, "POST", s.url("/api/kubectl"), `{"command":"kubectl get nodes","lang":"ko"}`, "Content-Type: application/json"))
	if second.StatusCode != http.StatusTooManyRequests || !strings.Contains(body, "이미 명령 1개") {
		t.Errorf("a second command: %s %s", second.Status, body)
	}
	abort()
	// Its place is free only when the child is gone.
	deadline := time.After(10 * time.Second)
	select {
	case s.running <- struct{}{}:
		<-s.running
	case <-deadline:
		t.Fatal("the child outlives its request")
	}
	left, _ := filepath.Glob(filepath.Join(s.jail.dir, "run-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConsoleBeforeAndWithoutACluster(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) { c.KubeconfigPath = func() string { return "/nonexistent/kubeconfig" } })
	res, body := do(t, request(t, "POST", s.url("/api/kubectl"), `{"command":"kubectl get nodes"}`, "Content-Type: application/json"))
	if res.StatusCode != 503 || !strings.Contains(body, "few seconds") {
		t.Errorf("while starting: %s %s", res.Status, body)
	}
	s = serve(t, func(c *Config, _ *limits) { c.ReadOnly = true })
	res, body = do(t, request(t, "POST", s.url("/api/kubectl"), `{"command":"kubectl get nodes"}`, "Content-Type: application/json"))
	if res.StatusCode != 403 || !strings.Contains(body, "only watched") {
		t.Errorf("of an attached cluster: %s %s", res.Status, body)
	}
	s = serve(t, func(c *Config, _ *limits) { c.Kubectl = []string{"/nonexistent/dashboard"} })
	_, stderr, exit := console(t, s, "kubectl get nodes", "")
	if exit != 125 || strings.Contains(stderr, "nonexistent") || !strings.Contains(s.log(), "nonexistent") {
		t.Errorf("without a program: exit %d, told %q, logged %q", exit, stderr, s.log())
	}
}
