// Package rootfs is the root file system of one container: a tree in memory,
// built from a template and the container's own, with the volumes that the
// kubelet prepared mounted into it.
//
// Nothing of the host can be reached through it. What is in memory has no host
// behind it; each mount is opened as an os.Root, so that neither a name nor a
// symbolic link leads out of it; and a mount is taken only from the folder of
// the pod it belongs to. Everything that can be written has a bound.
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
)

// Config describes the root file system of a container.
type Config struct {
	Template func() []Entry // asked for when somebody first looks
	Mounts   []Mount
	PodDir   string // host folder that all mounts must be in; without one nothing can be mounted
	ReadOnly bool   // of everything that is not mounted
	Memory   *Quota // for what is written to memory
	Volumes  *Usages
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
	mounts []*mount // those with the longest paths first
}

// layer is a part of the file system. Names are relative to it, "." is the
// part itself, and the errors' names are replaced by FS.
type layer interface {
	open(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error)
	stat(name string, follow bool) (fs.FileInfo, error)
	readlink(name string) (string, error)
	readDir(name string) ([]fs.DirEntry, error)
	mkdir(name string, perm fs.FileMode) error
	remove(name string) error
	rename(from, to string) error
	chmod(name string, mode fs.FileMode) error
	chtimes(name string, t time.Time) error
	writable() bool
}

// New checks the mounts. The tree in memory is built when it is first needed.
func New(c Config) (*FS, error) {
	f := &FS{memory: newMemory(c.Template, c.Memory, c.ReadOnly)}
	for _, m := range c.Mounts {
		at, err := newMount(m, c.PodDir, c.Volumes)
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
	if name == "/" {
		return f.memory, "."
	}
	return f.memory, name[1:]
}

// mountedIn reports whether a mount is at or under a name.
func (f *FS) mountedIn(name string) bool {
	name = path.Clean("/" + name)
	return slices.ContainsFunc(f.mounts, func(m *mount) bool {
		return m.path == name || strings.HasPrefix(m.path, strings.TrimSuffix(name, "/")+"/")
	})
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
	l, rel := f.find(name)
	if flag&writing != 0 && !l.writable() {
		if _, err := l.stat(rel, true); err == nil || flag&os.O_CREATE != 0 {
			return nil, fail("open", name, syscall.EROFS)
		}
	}
	file, err := l.open(rel, flag, perm)
	return file, fail("open", name, err)
}

// Stat describes what a name leads to.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	l, rel := f.find(name)
	info, err := l.stat(rel, true)
	if err != nil {
		return nil, fail("stat", name, err)
	}
	return named{info, path.Base(path.Clean("/" + name))}, nil
}

// Lstat describes a name, without following it when it is a symbolic link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	l, rel := f.find(name)
	info, err := l.stat(rel, false)
	if err != nil {
		return nil, fail("lstat", name, err)
	}
	return named{info, path.Base(path.Clean("/" + name))}, nil
}

type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }
func (n named) Sys() any     { return nil } // says too much of the host

// Readlink tells where a symbolic link points to.
func (f *FS) Readlink(name string) (string, error) {
	l, rel := f.find(name)
	to, err := l.readlink(rel)
	return to, fail("readlink", name, err)
}

// ReadDir lists a folder, with what is mounted in it.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	l, rel := f.find(name)
	entries, err := l.readDir(rel)
	if err != nil {
		return nil, fail("open", name, err)
	}
	clean := path.Clean("/" + name)
	for _, m := range f.mounts {
		if m.path == "/" || path.Dir(m.path) != clean {
			continue
		}
		info, err := m.stat(".", true)
		if err != nil {
			continue
		}
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == path.Base(m.path) })
		entries = append(entries, fs.FileInfoToDirEntry(named{info, path.Base(m.path)}))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// change runs an operation on a name that must be writable and no mount itself.
func (f *FS) change(op, name string, do func(l layer, rel string) error) error {
	l, rel := f.find(name)
	if rel == "." {
		return fail(op, name, syscall.EBUSY)
	}
	if !l.writable() {
		if _, err := l.stat(rel, false); err != nil && op != "mkdir" {
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
	return f.change("mkdir", name, func(l layer, rel string) error { return l.mkdir(rel, perm) })
}

// Remove removes a file or an empty folder.
func (f *FS) Remove(name string) error {
	if f.mountedIn(name) {
		return fail("remove", name, syscall.EBUSY)
	}
	return f.change("remove", name, layer.remove)
}

// Rename moves a file or folder within one part of the file system.
func (f *FS) Rename(from, to string) error {
	if f.mountedIn(from) || f.mountedIn(to) {
		return fail("rename", from, syscall.EBUSY)
	}
	l, rel := f.find(to)
	return f.change("rename", from, func(source layer, old string) error {
		if source != l {
			return syscall.EXDEV
		}
		return l.rename(old, rel)
	})
}

// Chmod changes permissions. They are shown, and not enforced: every process here is root.
func (f *FS) Chmod(name string, mode fs.FileMode) error {
	return f.change("chmod", name, func(l layer, rel string) error { return l.chmod(rel, mode.Perm()) })
}

// Chtimes changes the time of the last change.
func (f *FS) Chtimes(name string, t time.Time) error {
	return f.change("chtimes", name, func(l layer, rel string) error { return l.chtimes(rel, t) })
}

// Writable reports whether anything can be written at a name.
func (f *FS) Writable(name string) bool {
	l, _ := f.find(name)
	return l.writable()
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
