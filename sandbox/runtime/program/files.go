package program

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Files is the root file system of a container as its programs see it. Names
// are absolute and slash-separated. Errors are *fs.PathError.
type Files interface {
	Open(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error)
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	Readlink(name string) (string, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	Mkdir(name string, perm fs.FileMode) error
	Remove(name string) error // a file or an empty folder
	Rename(from, to string) error
	Chmod(name string, mode fs.FileMode) error
	Chown(name string, uid, gid int64) error // -1 leaves one as it is
	Symlink(to, name string) error
	Chtimes(name string, t time.Time) error
	Writable(name string) bool // false on what is mounted read-only
}

// Bare is a root file system with the usual folders, the programs in /bin and
// nothing else: nothing in it can be read but /dev/null and nothing can be
// written.
type Bare struct{ Programs Set }

var bareFolders = []string{"/", "/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sbin", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/var"}

// Open opens /dev/null.
func (b Bare) Open(name string, flag int, _ fs.FileMode) (io.ReadWriteCloser, error) {
	name = path.Clean(name)
	info, err := b.Stat(name)
	switch {
	case name == "/dev/null":
		return Null{}, nil
	case err == nil && info.IsDir() && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case err == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	case flag&os.O_CREATE != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: errReadOnlyFiles}
	}
	return nil, err
}

var (
	errReadOnlyFiles       = errors.New("read-only file system")
	errAcross        error = syscall.EXDEV // for Rename from one mount to another
)

// Stat describes a folder, a program or a device.
func (b Bare) Stat(name string) (fs.FileInfo, error) {
	name = path.Clean(name)
	if slices.Contains(bareFolders, name) {
		return info{path.Base(name), fs.ModeDir | 0o755}, nil
	}
	if name == "/dev/null" {
		return info{"null", fs.ModeDevice | fs.ModeCharDevice | 0o666}, nil
	}
	if path.Dir(name) == "/bin" && b.Programs[path.Base(name)] != nil {
		return info{path.Base(name), 0o755}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists a folder.
func (b Bare) ReadDir(name string) ([]fs.DirEntry, error) {
	name = path.Clean(name)
	if !slices.Contains(bareFolders, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	var entries []fs.DirEntry
	for _, f := range bareFolders {
		if f != "/" && path.Dir(f) == name {
			entries = append(entries, fs.FileInfoToDirEntry(info{path.Base(f), fs.ModeDir | 0o755}))
		}
	}
	switch name {
	case "/bin":
		for _, n := range b.Programs.Names() {
			entries = append(entries, fs.FileInfoToDirEntry(info{n, 0o755}))
		}
	case "/dev":
		entries = append(entries, fs.FileInfoToDirEntry(info{"null", fs.ModeDevice | fs.ModeCharDevice | 0o666}))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Lstat is Stat: there are no symbolic links.
func (b Bare) Lstat(name string) (fs.FileInfo, error) { return b.Stat(name) }

// Readlink fails.
func (b Bare) Readlink(name string) (string, error) {
	return "", &fs.PathError{Op: "readlink", Path: name, Err: syscall.EINVAL}
}

// Mkdir, Remove, Rename, and all else that changes anything fail.
func (b Bare) Mkdir(name string, _ fs.FileMode) error { return readOnly("mkdir", name) }
func (b Bare) Remove(name string) error               { return readOnly("remove", name) }
func (b Bare) Rename(from, _ string) error            { return readOnly("rename", from) }
func (b Bare) Chmod(name string, _ fs.FileMode) error { return readOnly("chmod", name) }
func (b Bare) Chown(name string, _, _ int64) error    { return readOnly("chown", name) }
func (b Bare) Symlink(_, name string) error           { return readOnly("symlink", name) }
func (b Bare) Chtimes(name string, _ time.Time) error { return readOnly("chtimes", name) }
func (b Bare) Writable(name string) bool              { return name == "/dev/null" }

func readOnly(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: errReadOnlyFiles} }

type info struct {
	name string
	mode fs.FileMode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

// Devices are what lies in /dev.
func Devices() map[string]func() io.ReadWriteCloser {
	return map[string]func() io.ReadWriteCloser{
		"null":    func() io.ReadWriteCloser { return Null{} },
		"zero":    func() io.ReadWriteCloser { return endless{} },
		"full":    func() io.ReadWriteCloser { return full{} },
		"random":  func() io.ReadWriteCloser { return noise{} },
		"urandom": func() io.ReadWriteCloser { return noise{} },
	}
}

// endless is /dev/zero.
type endless struct{ Null }

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// full is /dev/full.
type full struct{ endless }

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// noise is /dev/urandom.
type noise struct{ Null }

func (noise) Read(p []byte) (int, error) { return rand.Read(p) }

// Null is /dev/null.
type Null struct{}

func (Null) Read([]byte) (int, error)    { return 0, io.EOF }
func (Null) Write(p []byte) (int, error) { return len(p), nil }
func (Null) Close() error                { return nil }
