package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestTools runs the smaller commands as people chain them.
func TestTools(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	for i, test := range []struct{ script, out, err string }{
		{"printf 'a:b:c\\nd\\n' | cut -d: -f1,3; printf 'a:b\\nd\\n' | cut -s -d: -f2-; echo abcdef | cut -c2-3,5; echo x | cut -f0", "a:c|d|b|bce", "cut: invalid range '0'"},
		{"echo Hello | tr a-z A-Z; echo a1b2 | tr -d '[:digit:]'; echo aabbcc | tr -s ab; echo 'x y' | tr ' ' '\\n'; echo abc1 | tr -cd 'a-z'; echo; echo hi | tr x", "HELLO|ab|abcc|x|y|abc", "tr: missing operand"},
		{"seq 5 | sed -n '2,3p;$p'; seq 3 | sed 2d; echo 'a/b a' | sed 's|a|x|g;s/b/[&]/'; echo abc | sed -E 's/(a)(b)/\\2\\1/'; printf 'x\\ny\\n' | sed '/x/!d'; seq 9 | sed 3q | tail -1; seq 2 | sed '1i top'; echo A | sed s/a/b/I; seq 4 | sed '/2/,/3/s/$/!/'",
			"2|3|5|1|3|x/[b] x|bac|x|3|top|1|2|b|1|2!|3!|4", ""},
		{"echo 'k=1' >/tmp/f; sed -i 's/1/2/' /tmp/f; cat /tmp/f; sed x /tmp/f; sed 's/a/b' /tmp/f", "k=2", "sed: unsupported command x|sed: unterminated `s' command"},
		{"printf 'a b\\nc\\n' | xargs echo; printf 'a b c' | xargs -n 2 echo; printf 'a\\nb\\n' | xargs -I{} echo '<{}>'; echo | xargs -r echo none; printf 'x\\0y z' | xargs -0 -n1 echo; echo 1 | xargs false; echo $?; echo a | xargs nosuch; echo $?", "a b c|a b|c|<a>|<b>|x|y z|123|127", "xargs: nosuch: No such file or directory"},
		{"echo -n abc | md5sum; echo -n abc | sha1sum; echo -n abc | sha256sum | cut -c1-16; echo -n abc | sha512sum | cut -c1-16; echo x >/tmp/c; sha256sum /tmp/c >/tmp/s; sha256sum -c /tmp/s; echo y >/tmp/c; sha256sum -c /tmp/s",
			"900150983cd24fb0d6963f7d28e17f72  -|a9993e364706816aba3e25717850c26c9cd0d89d  -|ba7816bf8f01cfea|ddaf35a193617aba|/tmp/c: OK|/tmp/c: FAILED", "sha256sum: WARNING: 1 of the checksums did NOT match"},
		{"echo hello | base64; echo aGVsbG8K | base64 -d; seq 40 | base64 -w 0 | wc -l; echo '!' | base64 -d", "aGVsbG8K|hello|0", "base64: -: Invalid input"},
		{"seq 3 | tac; echo abc | rev; printf 'a\\n\\nb\\n' | nl; yes | head -n 2; yes no | head -n 1", "3|2|1|cba|     1\ta||     2\tb|y|y|no", ""},
		{"dd if=/dev/zero of=/tmp/z bs=1K count=3 2>/tmp/said; stat -c '%s %F %a' /tmp/z; head -n 1 /tmp/said; truncate -s 2M /tmp/t; ls -lh /tmp/t | tr -s ' ' | cut -d' ' -f5; du -h /tmp/t; dd if=/nosuch", "3072 regular file 644|3+0 records in|2.0M|2.0M\t/tmp/t", "dd: if=/nosuch: No such file or directory"},
		{"head -c 8 /dev/urandom | wc -c; ls -l /dev/null | cut -c1-10; which sh nosuch; timeout 0.05 sleep 10; echo $?; timeout 10 true; echo $?; x=$(mktemp); [ -f $x ] && stat -c %a $x; y=$(mktemp -d); [ -d $y ] && echo d; nohup echo on", "8|crw-rw-rw-|/bin/sh|124|0|600|d|on", ""},
		{"mount | head -n 2; df | wc -l; free | wc -l; top | head -n 1 | cut -c1-4; uptime | grep -c up; mount -t tmpfs x /tmp", "kubestage on / type kubestage (rw)|shm on /dev/shm type tmpfs (rw,size=65536k)|3|2|Mem:|1", "mount: permission denied (are you root?)"},
		{"cd /tmp; ln -s /etc e; ls e/hostname; ls -ld e | cut -c1; rm e; mkdir -p a/b; ln -s ../a/b a/c; cd a/c && touch f; ls /tmp/a/b; ln x y; ln -s t1 link; ln -sf t2 link; readlink link; find /tmp -type l | sort", "e/hostname|l|f|t2|/tmp/a/b/link|/tmp/a/c", "ln: hard links are not built into Kubestage; use ln -s"},
	} {
		st, log := n.run(pod, config, &pb.ContainerConfig{Metadata: &pb.ContainerMetadata{Name: fmt.Sprint("c", i)}, Image: ref("busybox"), Command: []string{"sh", "-c", test.script}})
		var want []string
		for line := range strings.SplitSeq(test.out, "|") {
			want = append(want, "stdout "+line)
		}
		for line := range strings.SplitSeq(test.err, "|") {
			if line != "" {
				want = append(want, "stderr "+line)
			}
		}
		if got := byStream(log); !slices.Equal(got, byStream(want)) {
			t.Errorf("%s (exit %d)\nsays\n %q\nwant\n %q", test.script, st.ExitCode, got, byStream(want))
		}
	}
}
