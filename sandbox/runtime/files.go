package runtime

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
	"github.com/kubestage/kubestage/sandbox/runtime/rootfs"
)

// What containers can write outside of volumes lies in memory: so much each,
// and so much all containers of a node together.
const (
	containerBytes = 64 << 20
	nodeBytes      = 256 << 20
)

// nodeMemory is what the programs of a node may hold together, whatever the
// node says that it has: they hold it for real, in this machine.
const nodeMemory = 512 << 20

// newFiles makes a container's root file system with what the kubelet mounts.
func (s *Server) newFiles(k *container) (*rootfs.FS, error) {
	c := rootfs.Config{
		Template: func() []rootfs.Entry { return s.template(k) },
		ReadOnly: k.config.GetLinux().GetSecurityContext().GetReadonlyRootfs(),
		Memory:   rootfs.NewQuota(containerBytes, s.memory),
		Volumes:  &k.sandbox.volumes,
	}
	if uid := k.sandbox.config.GetMetadata().GetUid(); s.config.PodsDir != "" && uid != "" && uid == filepath.Base(uid) && filepath.IsLocal(uid) {
		dir, err := filepath.Abs(s.config.PodsDir)
		if err != nil {
			return nil, err
		}
		c.PodDir = filepath.Join(dir, uid)
	}
	for _, m := range k.config.GetMounts() {
		at := path.Clean(m.GetContainerPath())
		if at == "/etc/hosts" && k.sandbox.inHostNetwork() {
			continue // the kubelet would show what names this machine has
		}
		if m.GetImage().GetImage() != "" {
			return nil, fmt.Errorf("mount %s: images have no files here that a volume could show", at)
		}
		c.Mounts = append(c.Mounts, rootfs.Mount{Path: at, Host: m.GetHostPath(), ReadOnly: m.GetReadonly()})
	}
	return rootfs.New(c)
}

// rootFiles are the files of a container that still has any.
func (k *container) rootFiles(s *Server) program.Files {
	if k.files == nil {
		return program.Bare{Programs: s.programs(k)}
	}
	return k.files
}

func (k *container) workingDir() string {
	return cmp.Or(k.config.GetWorkingDir(), k.image.recipe.dir, "/")
}

// makeWorkingDir makes the folder that process 1 starts in, as runtimes do.
func (k *container) makeWorkingDir() {
	at := ""
	for part := range strings.SplitSeq(strings.Trim(path.Clean(k.workingDir()), "/"), "/") {
		if at += "/" + part; at != "/" {
			k.files.Mkdir(at, 0o755) // is there already, or cannot be: the program will notice
		}
	}
}

// user is who the spec wants the processes to be.
func (k *container) user() program.User {
	c := k.config.GetLinux().GetSecurityContext()
	return program.User{UID: c.GetRunAsUser().GetValue(), GID: c.GetRunAsGroup().GetValue(), Groups: c.GetSupplementalGroups()}
}

// template is what a container finds when it starts: the folders people know,
// the programs, and the few files that say where it is.
func (s *Server) template(k *container) []rootfs.Entry {
	var entries []rootfs.Entry
	folder := func(mode fs.FileMode, names ...string) {
		for _, n := range names {
			entries = append(entries, rootfs.Entry{Path: n, Mode: fs.ModeDir | mode})
		}
	}
	file := func(name, text string) {
		entries = append(entries, rootfs.Entry{Path: name, Mode: 0o644, Data: text})
	}
	folder(0o755, "/bin", "/dev", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys",
		"/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/var/cache", "/var/lib", "/var/log", "/var/run")
	folder(0o777|fs.ModeSticky, "/tmp", "/var/tmp")
	for _, name := range s.programs(k).Names() {
		at := name
		if !path.IsAbs(name) {
			at = "/bin/" + name
		}
		entries = append(entries, rootfs.Entry{Path: at, Mode: 0o755, Data: "A program built into Kubestage.\n"})
	}
	entries = append(entries, rootfs.Entry{Path: "/dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Device: func() io.ReadWriteCloser { return program.Null{} }})
	name := k.sandbox.hostname(s.config.Node)
	file("/etc/hostname", name+"\n")
	hosts := "127.0.0.1\tlocalhost\n"
	if ip := k.sandbox.net.Address(); ip != "" {
		hosts += ip + "\t" + name + "\n"
	}
	file("/etc/hosts", hosts)
	file("/etc/resolv.conf", k.sandbox.resolvConf())
	file("/etc/os-release", fmt.Sprintf("NAME=\"Kubestage stand-in\"\nID=kubestage\nVERSION_ID=%s\nPRETTY_NAME=\"Kubestage stand-in for %s (built-in programs, none of the image's files)\"\n", Version, k.image.Reference))
	if dir := k.image.recipe.docroot; dir != "" && k.world != nil {
		file(path.Join(dir, "index.html"), k.world.Greeting())
	}
	return entries
}

// resolvConf is what the kubelet wants names to be looked up with.
func (b *sandbox) resolvConf() string {
	var text strings.Builder
	dns := b.config.GetDnsConfig()
	if len(dns.GetSearches()) > 0 {
		fmt.Fprintf(&text, "search %s\n", strings.Join(dns.GetSearches(), " "))
	}
	for _, server := range dns.GetServers() {
		fmt.Fprintf(&text, "nameserver %s\n", server)
	}
	if len(dns.GetOptions()) > 0 {
		fmt.Fprintf(&text, "options %s\n", strings.Join(dns.GetOptions(), " "))
	}
	return text.String()
}
