package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func asUser(uid int64) *pb.LinuxContainerSecurityContext {
	return &pb.LinuxContainerSecurityContext{RunAsUser: &pb.Int64Value{Value: uid}}
}

// TestUsers runs containers as this and that user, and looks at what they may.
func TestUsers(t *testing.T) {
	n := startNode(t)
	pod, config := n.pod("box")
	data := n.volume("box", "data", map[string]string{"secret": "s", "open": "o"})
	group := n.volume("box", "group", map[string]string{"shared": "x"})
	for _, err := range []error{
		os.Chmod(filepath.Join(data, "secret"), 0o600), os.Chmod(data, 0o777),
		os.Chmod(group, os.ModeSetgid|0o775), os.Chmod(filepath.Join(group, "shared"), 0o660), // as the kubelet does for an fsGroup
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	mounts := []*pb.Mount{{ContainerPath: "/data", HostPath: data}, {ContainerPath: "/group", HostPath: group}}
	alice := func(change func(*pb.LinuxContainerSecurityContext)) *pb.LinuxContainerSecurityContext {
		c := asUser(1000)
		c.RunAsGroup = &pb.Int64Value{Value: 3000}
		if change != nil {
			change(c)
		}
		return c
	}
	for name, test := range map[string]struct {
		image    string
		security *pb.LinuxContainerSecurityContext
		script   string
		code     int32
		log      []string
	}{
		"root":       {script: "id; whoami; echo $HOME; touch /x; ls -ld /tmp | cut -c1-10", log: out("uid=0(root) gid=0(root) groups=0(root)", "root", "/root", "drwxrwxrwt")},
		"a number":   {security: alice(nil), script: "id; whoami; echo $HOME $UID", code: 0, log: append(out("uid=1000 gid=3000 groups=3000", "/ 1000"), "stderr whoami: unknown uid 1000")},
		"groups":     {security: alice(func(c *pb.LinuxContainerSecurityContext) { c.SupplementalGroups = []int64{2000, 4000} }), script: "id; id -G; ls -ld /group | cut -c1-33; echo y >>/group/shared; echo new >/group/mine; ls -ln /group/mine | cut -c1-33", log: out("uid=1000 gid=3000 groups=3000,2000,4000", "3000 2000 4000", "drwxrwsr-x    2 root     2000    ", "-rw-r--r--    1 1000     2000    ")},
		"no rights":  {security: alice(nil), script: "cat /data/secret; echo x >/etc/new; rm /etc/passwd; mkdir /root/x; echo x >>/data/open; chown 0 /data/open; chmod 777 /etc; cat /data/open; kill 99", code: 1, log: append(out(`o\c`), "stderr cat: /data/secret: Permission denied", "stderr sh: can't create /etc/new: Permission denied", "stderr rm: can't remove '/etc/passwd': Permission denied", "stderr mkdir: can't create directory '/root/x': Permission denied", "stderr sh: can't create /data/open: Permission denied", "stderr chown: /data/open: Operation not permitted", "stderr chmod: /etc: Operation not permitted", "stderr kill: can't kill pid 99: No such process")},
		"rights":     {security: alice(nil), script: "echo a >/tmp/f; chmod 600 /tmp/f; cat /tmp/f; ls -l /tmp/f | cut -c1-33; mkdir /data/mine; echo b >/data/mine/f; rm -r /data/mine; [ -w /tmp/f ] && [ ! -w /etc ] && echo yes", log: out("a", "-rw-------    1 1000     3000    ", "yes")},
		"sticky":     {security: alice(nil), script: "rm /tmp/nothing; touch /tmp/own && rm /tmp/own && echo gone", log: append(out("gone"), "stderr rm: can't remove '/tmp/nothing': No such file or directory")},
		"root drops": {security: &pb.LinuxContainerSecurityContext{Capabilities: &pb.Capability{DropCapabilities: []string{"ALL"}}}, script: "grep CapEff /proc/1/status; chown 1000 /etc/hostname; cat /data/secret; echo", log: append(out("CapEff:\t0000000000000000", "s"), "stderr chown: /etc/hostname: Operation not permitted")},
		"usual caps": {script: "grep CapPrm /proc/1/status; grep NoNew /proc/self/status", log: out("CapPrm:\t00000000a80425fb", "NoNewPrivs:\t0")},
		"more caps":  {security: &pb.LinuxContainerSecurityContext{Capabilities: &pb.Capability{AddCapabilities: []string{"NET_ADMIN", "SYS_TIME"}}, NoNewPrivs: true}, script: "grep CapPrm /proc/1/status; grep NoNew /proc/self/status", log: out("CapPrm:\t00000000aa0435fb", "NoNewPrivs:\t1")},
		"nobody":     {security: alice(nil), script: "grep CapEff /proc/1/status", log: out("CapEff:\t0000000000000000")},
		"image's":    {image: "curlimages/curl", script: "id; whoami; echo $HOME; pwd; echo x >f && cat f", log: out("uid=100(curl_user) gid=101(curl_user) groups=101(curl_user)", "curl_user", "/home/curl_user", "/home/curl_user", "x")},
		"give away":  {script: "touch /tmp/f; chown nobody:1000 /tmp/f; ls -ln /tmp/f | cut -c1-33; chgrp root /tmp/f; stat -c '%u %g %a' /tmp/f", log: out("-rw-r--r--    1 65534    1000    ", "65534 0 644")},
		"links":      {script: "ln -s /etc/hostname /tmp/l; cat /tmp/l; readlink /tmp/l; ln -s l /tmp/m; cat /tmp/m; ln -s /nosuch /tmp/n; cat /tmp/n; ln -s loop /tmp/loop; cat /tmp/loop; ln -s /etc /tmp/e; cat /tmp/e/hostname; cp /tmp/l /tmp/c; rm /tmp/l; cat /etc/hostname /tmp/c; ls -l /tmp/n | grep -c -- '-> /nosuch'", log: append(out("box", "/etc/hostname", "box", "box", "box", "box", "1"), "stderr cat: /tmp/n: No such file or directory", "stderr cat: /tmp/loop: Too many levels of symbolic links")},
		"links out":  {script: "ln -s /etc/passwd /data/l; ln -s ../../../../x /data/l; ln -s open /data/ok && cat /data/ok", log: append(out(`o\c`), "stderr ln: /data/l: Operation not permitted", "stderr ln: /data/l: Operation not permitted")},
		"shared":     {script: "echo x >/dev/shm/f; cat /dev/shm/f; ls /dev; grep shm /proc/mounts", log: out("x", "full", "null", "random", "shm", "urandom", "zero", "shm /dev/shm tmpfs rw,size=65536k 0 0")},
	} {
		t.Run(name, func(t *testing.T) {
			image := test.image
			if image == "" {
				image = "busybox"
			}
			c := &pb.ContainerConfig{
				Metadata: &pb.ContainerMetadata{Name: strings.Map(word, name)}, Image: ref(image), Command: []string{"sh", "-c", test.script}, Mounts: mounts,
				Linux: &pb.LinuxContainerConfig{SecurityContext: test.security},
			}
			st, log := n.run(pod, config, c)
			if st.ExitCode != test.code || !slices.Equal(byStream(log), byStream(test.log)) {
				t.Errorf("exits with %d and says\n %q\nwant %d and\n %q", st.ExitCode, byStream(log), test.code, byStream(test.log))
			}
			if test.security.GetRunAsUser() != nil && (st.User.GetLinux().GetUid() != 1000 || st.User.GetLinux().GetSupplementalGroups()[0] != 3000) {
				t.Errorf("its status has user %v", st.User)
			}
		})
	}
	if names, _ := filepath.Glob(filepath.Join(data, "l*")); len(names) > 0 {
		t.Errorf("links out of a volume were made: %v", names)
	}
	pulled := must[*pb.PullImageResponse](t)(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref("busybox")}))
	_, err := n.CreateContainer(n.ctx(), &pb.CreateContainerRequest{PodSandboxId: pod, Config: &pb.ContainerConfig{
		Metadata: &pb.ContainerMetadata{Name: "who"}, Image: ref(pulled.ImageRef), Linux: &pb.LinuxContainerConfig{SecurityContext: &pb.LinuxContainerSecurityContext{RunAsUsername: "who"}},
	}})
	if err == nil || !strings.Contains(err.Error(), "unable to find user who: no matching entries in passwd file") {
		t.Errorf("a user that the image does not have: %v", err)
	}
	for image, want := range map[string]string{"busybox": `value:0 ""`, "curlimages/curl": ` "curl_user"`, "kubestage/job": `value:1000 ""`, "nginxinc/nginx-unprivileged": `value:101 ""`} {
		n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref(image)})
		m := must[*pb.ImageStatusResponse](t)(n.images.ImageStatus(n.ctx(), &pb.ImageStatusRequest{Image: ref(image)})).Image
		uid := ""
		if m.Uid != nil {
			uid = fmt.Sprint("value:", m.Uid.Value)
		}
		if got := fmt.Sprintf("%s %q", uid, m.Username); got != want {
			t.Errorf("%s runs as %s, want %s", image, got, want)
		}
	}
}
