package rootfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// mount is a folder or file of the host as a part of a container's files. It
// holds no descriptor while nothing is open: it is found anew each time, from
// the pod's folder, so that what the kubelet exchanges is seen.
type mount struct {
	path     string // in the container
	dir      string // of the pod, or of the node's disk
	rel      string // of the folder within dir
	file     string // name in that folder, when a single file is mounted
	readOnly bool
	usage    *usage
	group    int64 // of what the kubelet prepared
	closers
}

// newMount refuses what does not belong to the pod or the node.
func newMount(m Mount, podDir, hostDir string, volumes *Usages, fsGroup int64) (*mount, error) {
	at := path.Clean(m.Path)
	if !path.IsAbs(m.Path) || at == "/" {
		return nil, errors.New("not a path that something can be mounted at")
	}
	dir := podDir
	rel, ok := inside(podDir, filepath.Clean(m.Host))
	if !ok || rel == "." {
		dir = hostDir
		if rel, ok = inside(hostDir, filepath.Clean(m.Host)); !ok {
			return nil, errors.New("only what the kubelet prepared for this pod and what is on the node's disk can be mounted, nothing else of the host")
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(rel)
	if err != nil {
		return nil, err
	}
	n := &mount{path: at, dir: dir, rel: rel, readOnly: m.ReadOnly}
	switch {
	case info.Mode().IsRegular():
		n.rel, n.file = filepath.Dir(rel), filepath.Base(rel)
	case !info.IsDir():
		return nil, errors.New("neither a folder nor a regular file")
	}
	if volumes == nil {
		volumes = &Usages{}
	}
	n.usage = volumes.of(filepath.Join(dir, volumeOf(rel)))
	// Who prepares a volume for a group without being root can set its mode but
	// not its group (pkg/volume/volume_linux.go:149): the setgid bit says that it wanted to.
	if info, err := root.Stat(volumeOf(rel)); dir == podDir && err == nil && info.Mode()&fs.ModeSetgid != 0 {
		n.group = fsGroup
	}
	return n, nil
}

// volumeOf is the part of a path in a pod's folder that is one volume:
// volumes/PLUGIN/NAME, or the path itself.
func volumeOf(rel string) string {
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if len(parts) > 3 && parts[0] == "volumes" {
		parts = parts[:3]
	}
	return filepath.Join(parts...)
}

// owned is a file of the host with the owner it has in containers.
type owned struct {
	fs.FileInfo
	owner program.Owner
}

func (o owned) Sys() any { return o.owner }

// key names a file of the mount among those of its volume.
func (m *mount) key(name string) string {
	if m.file != "" {
		name = m.file
	}
	return filepath.Join(m.rel, filepath.FromSlash(name))
}

func (m *mount) owner(name string) program.Owner {
	if o, ok := m.usage.owners.Load(m.key(name)); ok {
		return o.(program.Owner)
	}
	return program.Owner{GID: m.group}
}

// made notes whose a new file is. On the host, all are the same user's.
func (m *mount) made(root *os.Root, name string, as program.Owner) {
	if info, err := root.Stat(filepath.Dir(name)); err == nil && info.Mode()&fs.ModeSetgid != 0 {
		as.GID = m.owner(filepath.Dir(name)).GID
	}
	m.usage.owners.Store(m.key(name), as)
}

func (m *mount) writable() bool { return !m.readOnly }

// at opens the mount's root for one operation. For a mounted file, the root is
// the folder it is in and the name its own.
func (m *mount) at(name string, do func(root *os.Root, name string) error) error {
	if m.file != "" {
		name = m.file
	}
	pod, err := os.OpenRoot(m.dir)
	if err != nil {
		return err
	}
	defer pod.Close()
	root, err := pod.OpenRoot(m.rel)
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root, filepath.FromSlash(name))
}

func (m *mount) open(name string, flag int, perm fs.FileMode, as program.Owner) (file io.ReadWriteCloser, err error) {
	err = m.at(name, func(root *os.Root, name string) error {
		info, err := root.Stat(name)
		isNew := errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0
		switch {
		case isNew:
			if err := m.usage.take(0, 1); err != nil {
				return err
			}
		case err != nil:
			return err
		case info.IsDir():
			return syscall.EISDIR
		case !info.Mode().IsRegular():
			return syscall.EACCES // a pipe or device would block or lead elsewhere
		case flag&os.O_TRUNC != 0:
			m.usage.take(-info.Size(), 0)
		}
		f, err := root.OpenFile(name, flag, perm.Perm()|0o600)
		if err != nil {
			return err
		}
		if err := m.add(f); err != nil {
			f.Close()
			return err
		}
		if isNew {
			m.made(root, name, as)
		}
		file = &mountedFile{f: f, m: m}
		return nil
	})
	return file, err
}

// mountedFile is an open file of a mount. Writing is done under the volume's
// bound, a part at a time.
type mountedFile struct {
	f    *os.File
	m    *mount
	once sync.Once
}

func (f *mountedFile) Read(p []byte) (int, error) {
	n, err := f.f.Read(p)
	if err != nil && err != io.EOF {
		err = fail("read", f.m.path, err)
	}
	return n, err
}

func (f *mountedFile) Write(p []byte) (int, error) {
	f.m.usage.mu.Lock()
	defer f.m.usage.mu.Unlock()
	if err := f.m.usage.takeLocked(int64(len(p)), 0); err != nil { // overwriting counts until it is measured again
		return 0, fail("write", f.m.path, err)
	}
	n, err := f.f.Write(p)
	return n, fail("write", f.m.path, err)
}

func (f *mountedFile) Close() error {
	err := fs.ErrClosed
	f.once.Do(func() {
		f.m.closers.remove(f.f)
		err = f.f.Close()
	})
	return err
}

func (m *mount) stat(name string, follow bool) (info fs.FileInfo, err error) {
	err = m.at(name, func(root *os.Root, name string) error {
		if follow || name == m.file {
			info, err = root.Stat(name)
		} else {
			info, err = root.Lstat(name)
		}
		if err == nil {
			info = owned{info, m.owner(name)}
		}
		return err
	})
	return info, err
}

func (m *mount) readlink(name string) (to string, err error) {
	err = m.at(name, func(root *os.Root, name string) error {
		to, err = root.Readlink(name)
		if err == nil && filepath.IsAbs(to) {
			return syscall.EACCES // a path of the host
		}
		return err
	})
	return to, err
}

func (m *mount) readDir(name string) (entries []fs.DirEntry, err error) {
	if m.file != "" {
		return nil, syscall.ENOTDIR
	}
	err = m.at(name, func(root *os.Root, name string) error {
		info, err := root.Stat(name)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return syscall.ENOTDIR
		}
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		// Infos are read while the root is open; they are the links' own.
		list, err := f.ReadDir(2 * mostVolumeEntries)
		if err != nil && err != io.EOF {
			return err
		}
		for _, e := range list {
			if info, err := root.Lstat(filepath.Join(name, e.Name())); err == nil {
				entries = append(entries, fs.FileInfoToDirEntry(named{owned{info, m.owner(filepath.Join(name, e.Name()))}, e.Name()}))
			}
		}
		return nil
	})
	return entries, err
}

func (m *mount) mkdir(name string, perm fs.FileMode, as program.Owner) error {
	if strings.Count(name, "/") > mostFolders {
		return syscall.ENAMETOOLONG
	}
	return m.at(name, func(root *os.Root, name string) error {
		if err := m.usage.take(0, 1); err != nil {
			return err
		}
		err := root.Mkdir(name, perm.Perm()|0o700)
		if err == nil {
			m.made(root, name, as)
		}
		return err
	})
}

// symlink makes links that stay in the mount: what others of the host follow
// must not lead anywhere else.
func (m *mount) symlink(to, name string, as program.Owner) error {
	if m.file != "" || path.IsAbs(to) || !filepath.IsLocal(filepath.Join(filepath.FromSlash(path.Dir(name)), filepath.FromSlash(to))) {
		return syscall.EPERM
	}
	return m.at(name, func(root *os.Root, name string) error {
		if err := m.usage.take(0, 1); err != nil {
			return err
		}
		err := root.Symlink(filepath.FromSlash(to), name)
		if err == nil {
			m.usage.owners.Store(m.key(name), as)
		}
		return err
	})
}

func (m *mount) chown(name string, to program.Owner) error {
	m.usage.owners.Store(m.key(name), to)
	return nil
}

func (m *mount) remove(name string) error {
	return m.at(name, func(root *os.Root, name string) error {
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if err := root.Remove(name); err != nil {
			return err
		}
		m.usage.owners.Delete(m.key(name))
		size := int64(0)
		if info.Mode().IsRegular() {
			size = info.Size()
		}
		return m.usage.take(-size, -1)
	})
}

func (m *mount) rename(from, to string) error {
	return m.at(from, func(root *os.Root, name string) error {
		err := root.Rename(name, filepath.FromSlash(to))
		if err == nil {
			m.usage.moveOwners(m.key(from), m.key(to))
		}
		return err
	})
}

func (m *mount) chmod(name string, mode fs.FileMode) error {
	return m.at(name, func(root *os.Root, name string) error {
		info, err := root.Stat(name)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return root.Chmod(name, mode|0o700) // the kubelet has to be able to remove it
		}
		return root.Chmod(name, mode|0o600)
	})
}

func (m *mount) chtimes(name string, t time.Time) error {
	return m.at(name, func(root *os.Root, name string) error { return root.Chtimes(name, t, t) })
}
