// Package rootfs is the root file system of one container: a tree in memory,
// built from a template and the container's own, with the volumes that the
// kubelet prepared mounted into it.
//
// Nothing of the host can be reached through it. What is in memory has no host
// behind it; each mount is opened as an os.Root, so that neither a name nor a
// symbolic link leads out of it; and a mount is taken only from the folder of
// the pod it belongs to, or from the folder that is the node's disk. Everything that can be written has a bound.
package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// Config describes the root file system of a container.
type Config struct {
	Template func() []Entry // asked for when somebody first looks
	Mounts   []Mount
	PodDir   string // host folder of the pod's volumes
	HostDir  string // host folder of what hostPath volumes show; all mounts must be in one of the two
	ReadOnly bool   // of everything that is not mounted
	Memory   *Quota // for what is written to memory
	Volumes  *Usages
	Parts    []Part
	As       Identity
	FSGroup  int64 // whose the volumes are that the kubelet prepared for a group
}

// Part is a file system in memory at a path of the container.
type Part struct {
	Path     string
	Template func() []Entry
	ReadOnly bool
	Memory   *Quota
}

// Mount shows a folder or file of the host at a path of the container.
type Mount struct {
	Path     string // in the container
	Host     string
	ReadOnly bool
}

// FS is the root file system of one container.
type FS struct {
	memory *memory
	parts  []part
	mounts []*mount // those with the longest paths first
	as     Identity
}

type part struct {
	path string
	*memory
}

// layer is a part of the file system. Names are relative to it, "." is the
// part itself, and the errors' names are replaced by FS.
type layer interface {
	open(name string, flag int, perm fs.FileMode, as program.Owner) (io.ReadWriteCloser, error)
	stat(name string, follow bool) (fs.FileInfo, error)
	readlink(name string) (string, error)
	readDir(name string) ([]fs.DirEntry, error)
	mkdir(name string, perm fs.FileMode, as program.Owner) error
	symlink(to, name string, as program.Owner) error
	chown(name string, to program.Owner) error
	remove(name string) error
	rename(from, to string) error
	chmod(name string, mode fs.FileMode) error
	chtimes(name string, t time.Time) error
	writable() bool
}

// New checks the mounts. The tree in memory is built when it is first needed.
func New(c Config) (*FS, error) {
	f := &FS{memory: newMemory(c.Template, c.Memory, c.ReadOnly), as: c.As}
	for _, p := range c.Parts {
		f.parts = append(f.parts, part{path.Clean(p.Path), newMemory(p.Template, p.Memory, p.ReadOnly)})
		f.memory.mountPoints = append(f.memory.mountPoints, mountPoint{path.Clean(p.Path), true})
	}
	for _, m := range c.Mounts {
		at, err := newMount(m, c.PodDir, c.HostDir, c.Volumes, c.FSGroup)
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Path, err)
		}
		f.mounts = append(f.mounts, at)
	}
	slices.SortStableFunc(f.mounts, func(a, b *mount) int { return cmp.Compare(len(b.path), len(a.path)) })
	for _, m := range f.mounts {
		f.memory.mountPoints = append(f.memory.mountPoints, mountPoint{m.path, m.file == ""})
	}
	return f, nil
}

// Close gives back what the container wrote and closes what it left open.
func (f *FS) Close() {
	f.memory.close()
	for _, p := range f.parts {
		p.close()
	}
	for _, m := range f.mounts {
		m.close()
	}
}

// Written is how many bytes the container's own files take.
func (f *FS) Written() int64 { return f.memory.quota.Used() }

// find returns the part of the file system that a name is in.
func (f *FS) find(name string) (l layer, rel string) {
	name = path.Clean("/" + name)
	for _, m := range f.mounts {
		if name == m.path {
			return m, "."
		}
		if m.file == "" && strings.HasPrefix(name, m.path+"/") {
			return m, name[len(m.path)+1:]
		}
	}
	for _, p := range f.parts {
		if name == p.path {
			return p.memory, "."
		}
		if strings.HasPrefix(name, p.path+"/") {
			return p.memory, name[len(p.path)+1:]
		}
	}
	if name == "/" {
		return f.memory, "."
	}
	return f.memory, name[1:]
}

// mountedIn reports whether a mount is at or under a name.
func (f *FS) mountedIn(name string) bool {
	name = path.Clean("/" + name)
	within := func(at string) bool { return at == name || strings.HasPrefix(at, strings.TrimSuffix(name, "/")+"/") }
	return slices.ContainsFunc(f.mounts, func(m *mount) bool { return within(m.path) }) ||
		slices.ContainsFunc(f.parts, func(p part) bool { return within(p.path) })
}

// fail gives an error the name that the container knows. What only a host
// could explain, such as a link that leads out of a mount, is a refusal.
func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var no syscall.Errno
	switch {
	case errors.As(err, &no):
		err = no
	case errors.Is(err, fs.ErrNotExist):
		err = syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		err = syscall.EEXIST
	case errors.Is(err, fs.ErrClosed):
		err = fs.ErrClosed
	default:
		err = syscall.EACCES
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

const writing = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREATE | os.O_TRUNC

// Open opens a file. Folders are read by ReadDir only.
func (f *FS) Open(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	at, err := f.resolve(name, true)
	if err == nil {
		err = f.opens(at, flag)
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	l, rel := f.find(at)
	if flag&writing != 0 && !l.writable() {
		info, err := l.stat(rel, true)
		if err == nil && info.Mode()&fs.ModeDevice == 0 || err != nil && flag&os.O_CREATE != 0 {
			return nil, fail("open", name, syscall.EROFS)
		}
	}
	file, err := l.open(rel, flag, perm, f.as.Owner)
	return file, fail("open", name, err)
}

// Stat describes what a name leads to.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.describe("stat", name, true) }

// Lstat describes a name, without following it when it is a symbolic link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.describe("lstat", name, false) }

func (f *FS) describe(op, name string, follow bool) (fs.FileInfo, error) {
	at, err := f.resolve(name, follow)
	if err == nil {
		err = f.reach(at, 0)
	}
	if err != nil {
		return nil, fail(op, name, err)
	}
	l, rel := f.find(at)
	info, err := l.stat(rel, follow)
	if err != nil {
		return nil, fail(op, name, err)
	}
	return named{info, path.Base(path.Clean("/" + name))}, nil
}

type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

// Sys is the owner; what else a host says is too much.
func (n named) Sys() any {
	o, _ := n.FileInfo.Sys().(program.Owner)
	return o
}

// Readlink tells where a symbolic link points to.
func (f *FS) Readlink(name string) (string, error) {
	at, err := f.resolve(name, false)
	if err == nil {
		err = f.reach(at, 0)
	}
	if err != nil {
		return "", fail("readlink", name, err)
	}
	l, rel := f.find(at)
	to, err := l.readlink(rel)
	return to, fail("readlink", name, err)
}

// ReadDir lists a folder, with what is mounted in it.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	clean, err := f.resolve(name, true)
	if err == nil {
		err = f.reach(clean, toRead)
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	l, rel := f.find(clean)
	entries, err := l.readDir(rel)
	if err != nil {
		return nil, fail("open", name, err)
	}
	mounted := func(at string, info fs.FileInfo, err error) {
		if at == "/" || path.Dir(at) != clean || err != nil {
			return
		}
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == path.Base(at) })
		entries = append(entries, fs.FileInfoToDirEntry(named{info, path.Base(at)}))
	}
	for _, p := range f.parts {
		info, err := p.stat(".", true)
		mounted(p.path, info, err)
	}
	for _, m := range f.mounts {
		if path.Dir(m.path) == clean {
			info, err := m.stat(".", true)
			mounted(m.path, info, err)
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// change runs an operation on a name that must be writable and no mount itself.
func (f *FS) change(op, name string, last bool, check func(name string) error, do func(l layer, rel string) error) error {
	at, err := f.resolve(name, last)
	if err == nil {
		err = check(at)
	}
	if err != nil {
		return fail(op, name, err)
	}
	l, rel := f.find(at)
	if rel == "." {
		return fail(op, name, syscall.EBUSY)
	}
	if !l.writable() {
		if _, err := l.stat(rel, false); err != nil && op != "mkdir" && op != "symlink" {
			return fail(op, name, err)
		}
		return fail(op, name, syscall.EROFS)
	}
	return fail(op, name, do(l, rel))
}

// Mkdir makes a folder.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	if _, err := f.Lstat(name); err == nil {
		return fail("mkdir", name, syscall.EEXIST)
	}
	return f.change("mkdir", name, false, f.alter, func(l layer, rel string) error { return l.mkdir(rel, perm, f.as.Owner) })
}

// Symlink makes a symbolic link. In a mount it must not lead out of it.
func (f *FS) Symlink(to, name string) error {
	if _, err := f.Lstat(name); err == nil {
		return fail("symlink", name, syscall.EEXIST)
	}
	return f.change("symlink", name, false, f.alter, func(l layer, rel string) error { return l.symlink(to, rel, f.as.Owner) })
}

// Remove removes a file or an empty folder.
func (f *FS) Remove(name string) error {
	if f.mountedIn(name) {
		return fail("remove", name, syscall.EBUSY)
	}
	return f.change("remove", name, false, f.alter, layer.remove)
}

// Rename moves a file or folder within one part of the file system.
func (f *FS) Rename(from, to string) error {
	if f.mountedIn(from) || f.mountedIn(to) {
		return fail("rename", from, syscall.EBUSY)
	}
	target, err := f.resolve(to, false)
	if err == nil {
		err = f.alter(target)
	}
	if err != nil {
		return fail("rename", to, err)
	}
	l, rel := f.find(target)
	return f.change("rename", from, false, f.alter, func(source layer, old string) error {
		if source != l {
			return syscall.EXDEV
		}
		return l.rename(old, rel)
	})
}

// Chmod changes permissions, which the owner may.
func (f *FS) Chmod(name string, mode fs.FileMode) error {
	return f.change("chmod", name, true, f.own, func(l layer, rel string) error { return l.chmod(rel, mode.Perm()) })
}

// Chown gives a file to somebody, which only those may who pass over
// permissions; an owner may change to a group of his own. -1 leaves one as it is.
func (f *FS) Chown(name string, uid, gid int64) error {
	return f.change("chown", name, true, f.own, func(l layer, rel string) error {
		info, err := l.stat(rel, true)
		if err != nil {
			return err
		}
		to, _ := info.Sys().(program.Owner)
		if !f.as.Override && (uid >= 0 && uid != to.UID || gid >= 0 && gid != f.as.GID && !slices.Contains(f.as.Groups, gid)) {
			return syscall.EPERM
		}
		if uid >= 0 {
			to.UID = uid
		}
		if gid >= 0 {
			to.GID = gid
		}
		return l.chown(rel, to)
	})
}

// own checks that a file is the identity's.
func (f *FS) own(name string) error {
	if err := f.reach(name, 0); err != nil {
		return err
	}
	l, rel := f.find(name)
	if info, err := l.stat(rel, true); err == nil && !f.as.owns(info) {
		return syscall.EPERM
	}
	return nil
}

// Chtimes changes the time of the last change.
func (f *FS) Chtimes(name string, t time.Time) error {
	return f.change("chtimes", name, true, func(at string) error { return f.reach(at, toWrite) }, func(l layer, rel string) error { return l.chtimes(rel, t) })
}

// Writable reports whether anything can be written at a name.
func (f *FS) Writable(name string) bool {
	at, err := f.resolve(name, true)
	l, _ := f.find(at)
	return err == nil && l.writable() && f.reach(at, toWrite) == nil
}

// closers are the open files of a mount: as many as a container may have, and
// closed when it ends, whatever its programs left open.
type closers struct {
	mu   sync.Mutex // guards all below
	open map[io.Closer]struct{}
	shut bool
}

const mostOpenFiles = 128

func (c *closers) add(f io.Closer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.shut:
		return fs.ErrClosed
	case len(c.open) >= mostOpenFiles:
		return syscall.EMFILE
	case c.open == nil:
		c.open = map[io.Closer]struct{}{}
	}
	c.open[f] = struct{}{}
	return nil
}

func (c *closers) remove(f io.Closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, f)
}

func (c *closers) close() {
	c.mu.Lock()
	open := c.open
	c.open, c.shut = nil, true
	c.mu.Unlock()
	for f := range open {
		f.Close()
	}
}

// Inside reports the path of host within dir, both as the host writes them.
func inside(dir, host string) (string, bool) {
	if dir == "" || !filepath.IsAbs(host) {
		return "", false
	}
	rel, err := filepath.Rel(dir, host)
	return rel, err == nil && filepath.IsLocal(rel)
}
