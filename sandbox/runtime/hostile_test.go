package runtime

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestNothingOfTheHost tries every way a shell has to look at files, folders,
// users, processes, variables and addresses, and finds a container each time.
func TestNothingOfTheHost(t *testing.T) {
	secret := "host-secret-" + newID()[:8]
	t.Setenv("KUBESTAGE_TEST_SECRET", secret)
	host := t.TempDir()
	file := filepath.Join(host, "lib.sh")
	if err := os.WriteFile(file, []byte("echo "+secret+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	l := must[net.Listener](t)(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	touched := make(chan bool, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
			touched <- true
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port

	n := startNode(t)
	pod, config := n.pod("box")
	for i, script := range []string{
		"cat FILE", "cat <FILE", "echo $(<FILE)", "read x <FILE; echo $x", "mapfile x <FILE; echo ${x[0]}", ". FILE", "source FILE",
		"cd DIR && . ./lib.sh", "cd DIR && cat lib.sh", "PATH=DIR; lib.sh", "PATH=DIR . lib.sh", "PATH=DIR; type lib.sh", "PATH=DIR; command -v lib.sh",
		"FILE", "exec FILE", "sh FILE", "bash FILE", "eval '. FILE'", "trap '. FILE' EXIT", "command . FILE", "builtin source FILE",
		"alias x='. FILE'; shopt -s expand_aliases; eval x", "env FILE", "BASH_ENV=FILE sh -c :", "ENV=FILE sh -c :",
		"echo DIR/*", "echo DIR/lib.[s]h", "for f in DIR/*; do echo $f; done", "[ -e FILE ] && echo secret", "[ -f FILE ] && echo secret", "[ -d DIR ] && echo secret", "[[ -r FILE ]] && echo secret",
		"cd DIR && pwd && echo secret", "pwd -P", "cd ..; cd ../../..; cat ..FILE", "cat /../..FILE", "cat /dev/../FILE", "cat /dev/null/../../FILE",
		"echo x >DIR/new", "echo x >>FILE", "echo x >|DIR/new", ": >FILE", "echo x &>DIR/new", "exec >DIR/new; echo x", "exec 3>DIR/new",
		"echo x >TMP/sh-interp-test", "TMPDIR=TMP; echo x >TMP/sh-interp-test", "export TMPDIR=TMP; bash -c 'echo x >TMP/sh-interp-test'",
		"cat <(echo secret)", "echo secret > >(cat)", "eval 'cat <(echo secret)'", "eval 'eval \"cat <(echo secret)\"'", "trap 'cat <(echo secret)' EXIT",
		"env", "set", "export -p", "printenv KUBESTAGE_TEST_SECRET", "echo $KUBESTAGE_TEST_SECRET", "cat /proc/self/environ", "cat /proc/1/environ", "declare -p",
		"echo ~ ~root ~nobody ~daemon ~+ ~-", "unset HOME; cd; pwd; echo ~", "cat /etc/passwd /etc/hosts /etc/hostname /etc/resolv.conf", "echo /etc/* /home/* /root/* /proc/*",
		"echo >/dev/tcp/127.0.0.1/PORT", "cat </dev/tcp/127.0.0.1/PORT", "exec 5<>/dev/tcp/127.0.0.1/PORT",
		"kill -9 HOSTPID", "kill -0 HOSTPID && echo secret", "kill -9 -1", "ls DIR", "find DIR", "python3 -c 1", "/usr/bin/env", "busybox cat FILE",
	} {
		script = strings.NewReplacer("FILE", file, "DIR", host, "TMP", os.TempDir(), "HOSTPID", fmt.Sprint(os.Getpid()), "PORT", fmt.Sprint(port)).Replace(script)
		for _, sh := range []string{"sh", "bash"} {
			id := n.create(pod, config, &pb.ContainerConfig{
				Metadata: &pb.ContainerMetadata{Name: fmt.Sprintf("c%d%s", i, sh)}, Image: ref("busybox"), Command: []string{sh, "-c", script},
			})
			n.start(id)
			st := n.exited(id)
			log := strings.Join(readLog(t, st.LogPath), "\n")
			var said []string
			for _, line := range strings.Split(log, "\n") {
				// Messages may repeat what was asked for.
				if strings.HasPrefix(line, "stdout ") {
					said = append(said, line)
				}
			}
			out := strings.ReplaceAll(strings.Join(said, "\n"), "stdout "+host+"/*", "") // a glob that matches nothing stays
			out = strings.ReplaceAll(out, host+"/lib.[s]h", "")
			for _, leak := range []string{secret, host, "secret", "daemon:", os.Getenv("HOME") + "/", "uid="} {
				if leak != "/" && leak != "/root/" && strings.Contains(out, leak) {
					t.Errorf("%s -c %q lets %q out:\n%s", sh, script, leak, log)
				}
			}
		}
	}
	if entries, _ := os.ReadDir(host); len(entries) != 1 {
		t.Errorf("a container wrote into a folder of the host: %v", entries)
	}
	if data, _ := os.ReadFile(file); string(data) != "echo "+secret+"\n" {
		t.Errorf("a container wrote into a file of the host: %q", data)
	}
	if found, _ := filepath.Glob(filepath.Join(os.TempDir(), "sh-interp-*")); len(found) > 0 {
		t.Errorf("a container wrote into the host's folder for temporary files: %v", found)
	}
	select {
	case <-touched:
		t.Error("a container connected to a port of the host")
	default:
	}
}

// TestBombs shows that what would bring a machine down ends one container, or
// keeps it busy within its share, while others go on.
func TestBombs(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	deep := func(open, shut string, times int) string {
		return strings.Repeat(open, times) + "echo x" + strings.Repeat(shut, times)
	}
	for i, test := range []struct {
		script string
		says   string // on stderr; empty when it goes on until it is killed, or ends in any way
	}{
		{"f() { f | f & }; f; sleep 1000", ""},
		{":(){ :|:& };: ; sleep 1000", "Cannot fork"},
		{"while :; do sleep 1000 & done", "Cannot fork"},
		{"while :; do eval 'sleep 1000 &'; done", "Cannot fork"},
		{"f() { f | f; }; f", ""},
		{"f() { f; }; f", "Segmentation fault"},
		{"f() { eval f; }; f", "Segmentation fault"},
		{"f() { echo $(f); }; f", "Segmentation fault"},
		{"f() { (f); }; f", "Segmentation fault"},
		{"x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", "Out of space"},
		{"x=a; " + strings.Repeat("x=$x$x; ", 60), "Out of space"},
		{"x=a; while :; do x+=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$x; done", "Out of space"},
		{"x=$(while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done)", ""},
		{"echo {1..1000000000}", "Out of space"},
		{"eval 'echo {1..1000000000}'", "Out of space"},
		{"echo {1..1000}{1..1000}{1..1000}", "Out of space"},
		{"printf '%1000000000s' x", "Out of space"},
		{"trap 'kill -USR1 $$' USR1; kill -USR1 $$; while :; do :; done", ""},
		{"set -- a; while :; do set -- \"$@\" \"$@\"; done", "Out of space"},
		{"a=(x); while :; do a+=(\"${a[@]}\"); done", "Out of space"},
		{"x=x; echo $((x))", ""},
		{strings.Repeat("(", 120_000), "nested too deeply"},
		{"x='$[$[$[$[$[$[$[$['; for i in 1 2 3 4; do x=$x$x$x$x$x$x$x$x; done; eval \"$x\"", "Out of space"},
		{"x='$($($($($($($($('; for i in 1 2 3 4; do x=$x$x$x$x$x$x$x$x; done; alias \"y=$x\"", "Out of space"},
		{deep("(", ")", 20000), "nested too deeply"},
		{deep("{ ", "; }", 20000), "nested too deeply"},
		{deep("$(", ")", 20000), "nested too deeply"},
		{"echo " + strings.Repeat("$((", 10000) + "1" + strings.Repeat("))", 10000), ""},
		{strings.Repeat("if :; then ", 8000) + ":" + strings.Repeat("; fi", 8000), "nested too deeply"},
		{strings.Repeat("`", 60000), ""},
		{strings.Repeat("${x-", 20000) + strings.Repeat("}", 20000), "nested too deeply"},
		{strings.Repeat("! ", 60000) + ":", ""},
		{strings.Repeat("x && ", 25000) + ":", "nested too deeply"},
		{strings.Repeat("x | ", 30000) + ":", "nested too deeply"},
		{strings.Repeat("sleep 1000 | ", 130) + ":", "Cannot fork"},
	} {
		id := n.create(pod, config, &pb.ContainerConfig{
			Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("bash"), Command: []string{"bash", "-c", test.script},
		})
		n.start(id)
		name := test.script[:min(60, len(test.script))]
		began := time.Now()
		for time.Since(began) < 5*time.Second && test.says != "" || time.Since(began) < 500*time.Millisecond {
			if n.status(id).State == pb.ContainerState_CONTAINER_EXITED {
				break
			}
			time.Sleep(10 * time.Millisecond)
			if log, _ := os.ReadFile(filepath.Join(config.LogDirectory, fmt.Sprint("c", i), "0.log")); test.says != "" && strings.Contains(string(log), test.says) {
				break
			}
		}
		t.Logf("%q: %.60q after %s", name, readLog(t, filepath.Join(config.LogDirectory, fmt.Sprint("c", i), "0.log")), time.Since(began))
		began = time.Now()
		if _, err := n.StopContainer(n.ctx(), &pb.StopContainerRequest{ContainerId: id, Timeout: 0}); err != nil {
			buf := make([]byte, 1<<20)
			t.Fatalf("%q could not be killed: %v\n%s", name, err, buf[:goruntime.Stack(buf, true)])
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%q took %s to kill", name, took)
		}
		log := strings.Join(readLog(t, n.status(id).LogPath), "\n")
		if !strings.Contains(log, test.says) {
			t.Errorf("%q says %.300q, want %q", name, log, test.says)
		}
	}
	var m goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&m)
	t.Logf("heap after all: %d MiB, goroutines %d", m.HeapAlloc>>20, goruntime.NumGoroutine())
	if st, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: "after"}, Image: ref("busybox"), Command: []string{"echo", "fine"}}); st.ExitCode != 0 || log[0] != "stdout fine" {
		t.Errorf("after all that a container exits %d and says %q", st.ExitCode, log)
	}
}
