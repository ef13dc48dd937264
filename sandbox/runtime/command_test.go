package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestCommands runs containers to their end: what was said in the pod's spec,
// and the exit code and log that follow.
func TestCommands(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	sh := func(script string) []string { return []string{"sh", "-c", script} }
	out := func(lines ...string) []string {
		for i, l := range lines {
			lines[i] = "stdout " + l
		}
		return lines
	}
	for _, test := range []struct {
		name    string
		image   string // busybox when empty
		command []string
		args    []string
		env     map[string]string
		code    int32
		log     []string
	}{
		{name: "echo", command: []string{"echo", "hello", "world"}, log: out("hello world")},
		{name: "echo -n leaves an unfinished line", command: []string{"echo", "-n", "hi"}, log: out(`hi\c`)},
		{name: "args replace the image's command", args: []string{"echo", "hi"}, log: out("hi")},
		{name: "an image with a shell and no command ends at once", log: nil},
		{name: "args of an image with an entry point that name a command", image: "nginx", args: []string{"echo", "hi"}, log: out("hi")},
		{name: "true", command: []string{"true"}},
		{name: "false", command: []string{"false"}, code: 1},
		{name: "full path", command: []string{"/bin/echo", "x"}, log: out("x")},
		{name: "exit", command: []string{"exit", "42"}, code: 42},
		{name: "sleep", command: []string{"sleep", "0.01"}},
		{name: "sleep of nothing", command: []string{"sleep", "soon"}, code: 1, log: []string{"stderr sleep: invalid time interval 'soon'"}},
		{name: "hostname", command: []string{"hostname"}, log: out("box")},
		{name: "address", command: []string{"hostname", "-i"}, log: out("10.244.1.2")},
		{name: "env", command: []string{"env"}, env: map[string]string{"GREETING": "hi"},
			log: out("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "HOME=/root", "GREETING=hi")},
		{name: "printenv", command: []string{"printenv", "GREETING", "NONE"}, env: map[string]string{"GREETING": "hi"}, code: 1, log: out("hi")},
		{name: "date", command: []string{"date", "-u", "+%Y"}, log: out(time.Now().UTC().Format("2006"))},

		{name: "crash loop", command: sh("echo hi; sleep 0.01; exit 3"), code: 3, log: out("hi")},
		{name: "streams", command: sh("echo one; echo two >&2"), log: []string{"stdout one", "stderr two"}},
		{name: "while", command: sh("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done"), log: out("0", "1", "2")},
		{name: "until", command: sh("i=3; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i"), log: out("0")},
		{name: "for", command: sh("for x in a b c; do echo -n $x; done; echo"), log: out("abc")},
		{name: "for with seq", command: sh("for i in $(seq 1 3); do echo n$i; done"), log: out("n1", "n2", "n3")},
		{name: "break and continue", command: sh("for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done"), log: out("1", "3")},
		{name: "function", command: sh(`f() { echo "got $1"; return 4; }; f x; echo $?`), log: out("got x", "4")},
		{name: "case", command: sh(`case "$A" in h*) echo yes;; *) echo no;; esac`), env: map[string]string{"A": "hi"}, log: out("yes")},
		{name: "environment reaches commands", command: sh("export A=1; B=2; C=3 printenv A B C"), code: 1, log: out("1", "3")},
		{name: "command substitution", command: sh(`echo "on $(hostname)"`), log: out("on box")},
		{name: "exit code of the last command", command: sh("false"), code: 1},
		{name: "set -e", command: sh("set -e; echo a; false; echo b"), code: 1, log: out("a")},
		{name: "sh -e", command: []string{"sh", "-ec", "false; echo b"}, code: 1},
		{name: "status after a loop's condition", command: sh(`(exit 7); until [ $? = 7 ]; do (exit 7); done; echo ok`), log: out("ok")},
		{name: "status in an assignment", command: sh(`(exit 7); rc=$?; x=$rc; echo $x`), log: out("7")},
		{name: "status in an until body", command: sh(`until false; do :; break; done; echo $?`), log: out("0")},
		{name: "arguments", command: []string{"sh", "-c", `echo $0 $1 $# "$@"`, "me", "a", "b"}, log: out("me a 2 a b")},
		{name: "not found", command: sh("nosuch; echo $?"), log: []string{"stderr sh: nosuch: not found", "stdout 127"}},
		{name: "not found ends the shell with 127", command: sh("nosuch"), code: 127, log: []string{"stderr sh: nosuch: not found"}},
		{name: "syntax error", command: sh("if true"), code: 2, log: []string{`stderr sh: syntax error: line 1: ` + "`if <cond>` must be followed by `then`"}},
		{name: "pipe", command: sh("printf 'b\\na\\n' | while read l; do echo \"<$l>\"; done"), log: out("<b>", "<a>")},
		{name: "pipe to a command", command: sh("echo through | cat"), log: out("through")},
		{name: "the right side of a pipe is a subshell", command: sh("x=1; echo | x=2; echo $x"), log: out("1")},
		{name: "status of a pipe", command: sh("true | false"), code: 1},
		{name: "three in a pipe", command: sh("echo a | cat | cat"), log: out("a")},
		{name: "a reader that leaves early", command: sh("seq 1 100000 | (read x; echo $x)"), log: out("1")},
		{name: "here document", command: sh("cat <<E\none $HOME\nE"), log: out("one /root")},
		{name: "dev null", command: sh("echo gone >/dev/null; echo e >/dev/null 2>&1; cat </dev/null; echo kept"), log: out("kept")},
		{name: "dev stderr", command: sh("echo e >/dev/stderr"), log: []string{"stderr e"}},
		{name: "background and wait", command: sh("sleep 0.05 && echo later & echo now; wait; echo done"), log: out("now", "later", "done")},
		{name: "status of a job", command: sh("(exit 6) & wait $!; echo $?"), log: out("6")},
		{name: "kill a job", command: sh("sleep 1000 & kill $!; wait $!; echo $?"), log: out("143")},
		{name: "kill a loop", command: sh("while :; do sleep 0.01; done & p=$!; kill -0 $p && echo runs; kill -9 $p; wait $p; echo $?; kill $p 2>/dev/null || echo gone"), log: out("runs", "137", "gone")},
		{name: "kill one job of two", command: sh("sleep 1000 & a=$!; sleep 0.05 && echo second & kill %1; wait; echo done"), log: out("second", "done")},
		{name: "a job's id", command: sh("sleep 1000 & sleep 0.1; ps | grep -c \"^ *$! .*sleep 1000$\"; kill $!; echo $(( $! > 1 ))"), log: out("1", "1")},
		{name: "jobs in a function", command: sh("f() { sleep 1000 & }; f; f; kill $!; kill %1; wait; echo ended"), log: out("ended")},
		{name: "exit trap", command: sh("trap 'echo bye' EXIT; echo hi; exit 5"), code: 5, log: out("hi", "bye")},
		{name: "trap on a signal to itself", command: sh("trap 'echo caught' USR1; kill -USR1 $$; echo after"), log: out("caught", "after")},
		{name: "process 1 is immune to its own kill", command: sh("kill $$; kill -9 1; echo alive"), log: out("alive")},
		{name: "exec", command: sh("echo a; exec echo b; echo c"), log: out("a", "b")},
		{name: "exec keeps the exit code", command: sh("exec sh -c 'exit 9'"), code: 9},
		{name: "nested shell", command: sh(`sh -c 'echo in; exit 2'; echo $?`), log: out("in", "2")},
		{name: "eval", command: sh(`c="echo x"; eval "$c"; eval 'for i in 1 2; do echo $i; done'`), log: out("x", "1", "2")},
		{name: "eval of everything", command: sh("eval 'echo a | cat; sleep 0.01 & wait; x=1; x=$x$x; echo $x; while [ $x -gt 10 ]; do x=$((x-1)); done; echo $x'"), log: out("a", "11", "10")},
		{name: "eval of a here document", command: sh("eval 'cat <<E | cat\nin $HOME\nE\necho after'"), log: out("in /root", "after")},
		{name: "eval of a function", command: sh("eval 'f() { echo f$1; }'; f 1"), log: out("f1")},
		{name: "recursion", command: sh("fib() { if [ $1 -lt 2 ]; then echo $1; else echo $(( $(fib $(($1-1))) + $(fib $(($1-2))) )); fi; }; fib 10"), log: out("55")},
		{name: "errexit in a function in a pipe", command: sh("set -e; f() { false; echo no; }; f | cat; echo on"), log: out("on")},
		{name: "exit in a pipe ends only its side", command: sh("echo a | (read x; exit 3); echo $?"), log: out("3")},
		{name: "exit in a job", command: sh("exit 3 & wait $!; echo $?"), log: out("3")},
		{name: "negation in a job", command: sh("! true & wait $!; echo $?"), log: out("1")},
		{name: "test of files", command: sh("[ -d /tmp ] && [ -c /dev/null ] && [ ! -e /nosuch ] && [ -x /bin/sh ] && echo yes"), log: out("yes")},
		{name: "command -v", command: sh("command -v sleep; command -v nosuch || echo none"), log: out("/bin/sleep", "none")},
		{name: "ids", command: sh("echo $$ $PPID; sh -c 'echo $$'"), log: out("1 0", "2")},
		{name: "globs", command: sh("echo /ro* /nosuch*"), log: out("/root /nosuch*")},
		{name: "cd and pwd", command: sh("cd /tmp; pwd; cd /nosuch || pwd -P"),
			log: []string{"stdout /tmp", `stderr cd: no such file or directory: "/nosuch"`, "stdout /tmp"}},
		{name: "long lines are cut into parts", command: sh("x=$(seq 1 9000); echo $x | cat"), log: out(joined(9000))},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &pb.ContainerConfig{
				Metadata: &pb.ContainerMetadata{Name: strings.Map(word, test.name)},
				Image:    ref("busybox"), Command: test.command, Args: test.args,
			}
			if test.image != "" {
				c.Image = ref(test.image)
			}
			for k, v := range test.env {
				c.Envs = append(c.Envs, &pb.KeyValue{Key: k, Value: []byte(v)})
			}
			st, log := n.run(pod, config, c)
			if st.ExitCode != test.code {
				t.Errorf("exit code is %d, want %d", st.ExitCode, test.code)
			}
			if reason := map[bool]string{true: "Completed", false: "Error"}[test.code == 0]; st.Reason != reason {
				t.Errorf("reason is %q, want %q", st.Reason, reason)
			}
			if st.StartedAt == 0 || st.FinishedAt < st.StartedAt {
				t.Errorf("started at %d, finished at %d", st.StartedAt, st.FinishedAt)
			}
			// The two streams are pipes of their own: only the order within each is certain.
			if !slices.Equal(byStream(log), byStream(test.log)) {
				t.Errorf("log is\n %q\nwant\n %q", log, test.log)
			}
		})
	}
}

// TestStandIns checks that what is told to run is what runs.
func TestStandIns(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	for i, test := range []struct {
		image   string
		command []string
		says    string
	}{
		{"nginx", nil, httpStandIn},
		{"example.com/app", nil, httpStandIn},
		{"nginx", []string{"sleep", "0"}, "Kubestage's built-in sleep, not the image's"},
		{"busybox", nil, "Kubestage's built-in sh, not the image's"},
		{"busybox", []string{"/bin/sh", "-c", ":"}, "Kubestage's built-in sh, not the image's"},
		{"registry.k8s.io/pause:3.10.1", nil, pauseStandIn},
		{"busybox", []string{"nosuch"}, "nothing: no built-in program fits this command"},
	} {
		id := n.create(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref(test.image), Command: test.command})
		if c := n.call("CreateContainer", id); c.StandIn != test.says {
			t.Errorf("image %s, command %q: %q is said to run, want %q", test.image, test.command, c.StandIn, test.says)
		}
	}
}

func byStream(lines []string) []string {
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(a, b string) int { return strings.Compare(a[:6], b[:6]) })
	return sorted
}

func word(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return '-'
}

func joined(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, " %d", i)
	}
	return b.String()[1:]
}
