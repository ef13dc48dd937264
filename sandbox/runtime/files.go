package runtime

import (
	"cmp"
	"fmt"
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
	as, fsGroup := k.identity(k.as)
	c := rootfs.Config{
		As:       as,
		FSGroup:  fsGroup,
		Parts:    []rootfs.Part{{Path: "/dev/shm", Template: shared, Memory: rootfs.NewQuota(sharedBytes, programMemory{k})}},
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
	if s.config.HostDir != "" {
		dir, err := filepath.Abs(s.config.HostDir)
		if err != nil {
			return nil, err
		}
		c.HostDir = dir
	}
	for _, m := range k.config.GetMounts() {
		at := path.Clean(m.GetContainerPath())
		if at == "/etc/hosts" && k.sandbox.inHostNetwork() {
			continue // the kubelet would show what names this machine has
		}
		if name := m.GetImage().GetImage(); name != "" {
			part, err := s.imageVolume(name, at, m.GetImageSubPath())
			if err != nil {
				return nil, err
			}
			c.Parts = append(c.Parts, part)
			continue
		}
		c.Mounts = append(c.Mounts, rootfs.Mount{Path: at, Host: m.GetHostPath(), ReadOnly: m.GetReadonly()})
	}
	return rootfs.New(c)
}

// sharedBytes is how large /dev/shm is, which lies in the container's memory.
const sharedBytes = 64 << 20

func shared() []rootfs.Entry {
	return []rootfs.Entry{{Path: "/", Mode: fs.ModeDir | fs.ModeSticky | 0o777}}
}

// programMemory is the account of a container's programs as a budget for files.
type programMemory struct{ k *container }

func (m programMemory) Take(n int64) bool { return m.k.world != nil && m.k.world.Memory.Take(n) }
func (m programMemory) Give(n int64) {
	if m.k.world != nil {
		m.k.world.Memory.Give(n)
	}
}

// imageVolume shows what the catalogue knows of an image as a read-only
// folder: its programs, and a word on where they come from.
func (s *Server) imageVolume(name, at, sub string) (rootfs.Part, error) {
	m := s.images.find(name)
	if m == nil {
		return rootfs.Part{}, fmt.Errorf("mount %s: image %q is not on the node", at, name)
	}
	entries := []rootfs.Entry{{Path: "/etc/os-release", Mode: 0o644, Data: m.osRelease()}}
	entries = append(entries, programEntries(s.sets[m.recipe])...)
	if dir := m.recipe.docroot; dir != "" {
		entries = append(entries, rootfs.Entry{Path: path.Join(dir, "index.html"), Mode: 0o644, Data: "A page of Kubestage's stand-in for " + m.Reference + ".\n"})
	}
	if sub = path.Clean("/" + sub); sub != "/" {
		var inside []rootfs.Entry
		for _, e := range entries {
			if rest, ok := strings.CutPrefix(e.Path, sub+"/"); ok {
				e.Path = "/" + rest
				inside = append(inside, e)
			}
		}
		if inside == nil {
			return rootfs.Part{}, fmt.Errorf("mount %s: image %s has no folder %s", at, m.Reference, sub)
		}
		entries = inside
	}
	return rootfs.Part{Path: at, Template: func() []rootfs.Entry { return entries }, ReadOnly: true}, nil
}

func (m *image) osRelease() string {
	return fmt.Sprintf("NAME=\"Kubestage stand-in\"\nID=kubestage\nVERSION_ID=%s\nPRETTY_NAME=\"Kubestage stand-in for %s (built-in programs, none of the image's files)\"\n", Version, m.Reference)
}

func programEntries(set program.Set) []rootfs.Entry {
	var entries []rootfs.Entry
	for _, name := range set.Names() {
		if !path.IsAbs(name) {
			name = "/bin/" + name
		}
		entries = append(entries, rootfs.Entry{Path: name, Mode: 0o755, Data: "A program built into Kubestage.\n"})
	}
	return entries
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
			k.files.Root().Mkdir(at, 0o755) // is there already, or cannot be: the program will notice
		}
	}
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
	entries = append(entries, programEntries(s.programs(k))...)
	for name, device := range program.Devices() {
		entries = append(entries, rootfs.Entry{Path: "/dev/" + name, Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Device: device})
	}
	for _, a := range k.image.recipe.accounts {
		entries = append(entries, rootfs.Entry{Path: "/home/" + a.name, Mode: fs.ModeDir | 0o755, Owner: program.Owner{UID: a.uid, GID: a.gid}})
	}
	name := k.sandbox.hostname(s.config.Node)
	file("/etc/hostname", name+"\n")
	hosts := "127.0.0.1\tlocalhost\n"
	if ip := k.sandbox.net.Address(); ip != "" {
		hosts += ip + "\t" + name + "\n"
	}
	file("/etc/hosts", hosts)
	file("/etc/resolv.conf", k.sandbox.resolvConf())
	file("/etc/os-release", k.image.osRelease())
	file("/etc/passwd", k.passwd())
	file("/etc/group", k.group())
	file("/proc/mounts", k.mountTable())
	for _, pid := range []string{"1", "self"} {
		file("/proc/"+pid+"/status", k.procStatus(k.as))
		file("/proc/"+pid+"/mounts", k.mountTable())
	}
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
