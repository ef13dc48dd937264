package rootfs

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// Identity is who uses a file system. Override is what root usually has, the
// capability to pass over permissions.
type Identity struct {
	program.Owner
	Groups   []int64
	Override bool
}

// Root is the same files, used by the runtime itself.
func (f *FS) Root() *FS {
	g := *f
	g.as = Identity{Override: true}
	return &g
}

// What a permission lets one do.
const (
	toRead  fs.FileMode = 4
	toWrite fs.FileMode = 2
	toEnter fs.FileMode = 1 // or to run a file
)

// may reports whether the identity has permissions on what info describes.
func (i Identity) may(info fs.FileInfo, want fs.FileMode) bool {
	o, _ := info.Sys().(program.Owner)
	mode := info.Mode().Perm()
	switch {
	case i.Override:
		return true
	case o.UID == i.UID:
		mode >>= 6
	case o.GID == i.GID || slices.Contains(i.Groups, o.GID):
		mode >>= 3
	}
	return mode&want == want
}

func (i Identity) owns(info fs.FileInfo) bool {
	o, _ := info.Sys().(program.Owner)
	return i.Override || o.UID == i.UID
}

// reach checks that the folders above a name may be entered, and the name
// itself used; want 0 asks for the folders only. Like a kernel, it has nothing
// to say about what is not there.
func (f *FS) reach(name string, want fs.FileMode) error {
	if f.as.Override {
		return nil
	}
	name = path.Clean("/" + name)
	for at := 1; at < len(name); at++ {
		if name[at] != '/' && at != 1 {
			continue
		}
		above := name[:at]
		if at == 1 {
			above = "/"
		}
		if err := f.allow(above, toEnter); err != nil {
			return err
		}
	}
	if want == 0 {
		return nil
	}
	return f.allow(name, want)
}

func (f *FS) allow(name string, want fs.FileMode) error {
	l, rel := f.find(name)
	info, err := l.stat(rel, true)
	switch {
	case err != nil:
		return nil
	case want&toEnter != 0 && !info.IsDir():
		return syscall.ENOTDIR
	case !f.as.may(info, want):
		return syscall.EACCES
	}
	return nil
}

// alter checks that entries of the folder a name is in may be made and removed.
func (f *FS) alter(name string) error {
	if f.as.Override {
		return nil
	}
	name = path.Clean("/" + name)
	folder := path.Dir(name)
	if err := f.reach(folder, toWrite|toEnter); err != nil {
		return err
	}
	l, rel := f.find(folder)
	info, err := l.stat(rel, true)
	if err != nil || info.Mode()&fs.ModeSticky == 0 || f.as.owns(info) {
		return nil
	}
	l, rel = f.find(name)
	if info, err := l.stat(rel, false); err == nil && !f.as.owns(info) {
		return syscall.EPERM
	}
	return nil
}

// opens checks what opening a file needs.
func (f *FS) opens(name string, flag int) error {
	if f.as.Override {
		return nil
	}
	l, rel := f.find(name)
	if _, err := l.stat(rel, true); err != nil && flag&os.O_CREATE != 0 {
		return f.alter(name)
	}
	want := toRead
	switch {
	case flag&os.O_RDWR != 0:
		want |= toWrite
	case flag&os.O_WRONLY != 0:
		want = toWrite
	}
	return f.reach(name, want)
}

// resolve replaces symbolic links in memory by where they lead to; those in
// mounts are resolved within their mount.
func (f *FS) resolve(name string, last bool) (string, error) {
	name = path.Clean("/" + name)
	if !f.memory.linked.Load() {
		return name, nil
	}
	for range mostLinks {
		to, ok := f.firstLink(name, last)
		if !ok {
			return name, nil
		}
		name = to
	}
	return name, syscall.ELOOP
}

const mostLinks = 40

// firstLink expands the first link of a path.
func (f *FS) firstLink(name string, last bool) (string, bool) {
	for at := 1; at <= len(name); at++ {
		if at < len(name) && name[at] != '/' || at == len(name) && !last {
			continue
		}
		l, rel := f.find(name[:at])
		to, err := l.readlink(rel)
		if err != nil || l != layer(f.memory) {
			continue
		}
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(name[:at]), to)
		}
		return path.Clean(to + name[at:]), true
	}
	return name, false
}
