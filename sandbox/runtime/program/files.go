package program

import (
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
	ReadDir(name string) ([]fs.DirEntry, error)
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
		return null{}, nil
	case err == nil && info.IsDir() && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case err == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	case flag&os.O_CREATE != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: errReadOnlyFiles}
	}
	return nil, err
}

var errReadOnlyFiles = errors.New("read-only file system")

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

// null is /dev/null.
type null struct{}

func (null) Read([]byte) (int, error)    { return 0, io.EOF }
func (null) Write(p []byte) (int, error) { return len(p), nil }
func (null) Close() error                { return nil }
