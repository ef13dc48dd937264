package rootfs

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// Entry is a file or folder of a template. Folders above it need no entry of
// their own.
type Entry struct {
	Path   string
	Mode   fs.FileMode // fs.ModeDir for folders, fs.ModeDevice for devices
	Owner  program.Owner
	Data   string
	Device func() io.ReadWriteCloser
}

// memory is the part of a container's files that lives in memory.
type memory struct {
	template    func() []Entry
	mountPoints []mountPoint
	quota       *Quota
	readOnly    bool
	made        time.Time
	linked      atomic.Bool // somebody made a symbolic link

	mu    sync.Mutex // guards all below, and all nodes
	root  *node      // nil until somebody looks
	shut  bool
	taken int64
}

type mountPoint struct {
	path   string
	folder bool
}

// node is a file or folder. A file that was removed while it is open keeps its
// data until it is closed.
type node struct {
	mode     fs.FileMode
	owner    program.Owner
	link     string // where a symbolic link leads to
	changed  time.Time
	data     []byte
	shared   bool // data belongs to the template
	free     bool // of the template: the entry took nothing
	children map[string]*node
	device   func() io.ReadWriteCloser
	open     int
	gone     bool
}

// entryCost is what an empty file or folder takes.
const entryCost = 512

func newMemory(template func() []Entry, q *Quota, readOnly bool) *memory {
	if q == nil {
		q = NewQuota(0, nil)
	}
	return &memory{template: template, quota: q, readOnly: readOnly, made: time.Now()}
}

func (m *memory) writable() bool { return !m.readOnly }

// take is called with mu held.
func (m *memory) take(n int64) error {
	if m.shut {
		return fs.ErrClosed
	}
	if err := m.quota.take(n); err != nil {
		return err
	}
	m.taken += n
	return nil
}

func (m *memory) give(n int64) {
	if !m.shut {
		m.quota.give(n)
		m.taken -= n
	}
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.give(m.taken)
	m.root, m.shut = nil, true
}

func (m *memory) build() {
	if m.root != nil {
		return
	}
	m.root = &node{mode: fs.ModeDir | 0o755, changed: m.made, children: map[string]*node{}}
	for _, e := range m.template() {
		dir := m.folder(path.Dir(path.Clean("/" + e.Path)))
		n := &node{mode: e.Mode, owner: e.Owner, changed: m.made, data: []byte(e.Data), shared: true, free: true, device: e.Device}
		if e.Mode.IsDir() {
			n = m.folder(path.Clean("/" + e.Path))
			n.mode, n.owner = e.Mode, e.Owner
			continue
		}
		dir.children[path.Base(e.Path)] = n
	}
	for _, at := range m.mountPoints {
		if at.folder {
			m.folder(at.path)
		} else if dir := m.folder(path.Dir(at.path)); dir.children[path.Base(at.path)] == nil {
			dir.children[path.Base(at.path)] = &node{mode: 0o644, changed: m.made, shared: true, free: true}
		}
	}
}

// folder makes the folders of a path of the template.
func (m *memory) folder(name string) *node {
	n := m.root
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if part == "" {
			continue
		}
		next := n.children[part]
		if next == nil || !next.mode.IsDir() {
			next = &node{mode: fs.ModeDir | 0o755, changed: m.made, free: true, children: map[string]*node{}}
			n.children[part] = next
		}
		n = next
	}
	return n
}

// find walks to a name; mu is held.
func (m *memory) find(name string) (*node, error) {
	if m.shut {
		return nil, fs.ErrClosed
	}
	m.build()
	n := m.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.mode.IsDir() {
			return nil, syscall.ENOTDIR
		}
		next := n.children[part]
		if next == nil {
			return nil, syscall.ENOENT
		}
		n = next
	}
	return n, nil
}

// parent is the folder a name is in, and its last part.
func (m *memory) parent(name string) (*node, string, error) {
	dir, err := m.find(path.Dir(name))
	if err == nil && !dir.mode.IsDir() {
		err = syscall.ENOTDIR
	}
	base := path.Base(name)
	if err == nil && len(base) > 255 {
		err = syscall.ENAMETOOLONG
	}
	return dir, base, err
}

func (m *memory) open(name string, flag int, perm fs.FileMode, as program.Owner) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	switch {
	case err == syscall.ENOENT && flag&os.O_CREATE != 0:
		dir, base, err := m.parent(name)
		if err != nil {
			return nil, err
		}
		if err := m.take(entryCost); err != nil {
			return nil, err
		}
		n = &node{mode: perm.Perm() &^ 0o022, owner: dir.heir(as), changed: time.Now()}
		dir.children[base], dir.changed = n, time.Now()
	case err != nil:
		return nil, err
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, syscall.EEXIST
	case n.mode.IsDir():
		return nil, syscall.EISDIR
	case n.device != nil:
		return n.device(), nil
	case flag&os.O_TRUNC != 0:
		m.release(n)
		n.data, n.shared, n.changed = nil, false, time.Now()
	}
	n.open++
	return &memoryFile{m: m, n: n, flag: flag}, nil
}

// release gives back the room of a file's data; mu is held.
func (m *memory) release(n *node) {
	if !n.shared {
		m.give(int64(len(n.data)))
	}
}

// memoryFile is an open file.
type memoryFile struct {
	m      *memory
	n      *node
	flag   int
	at     int
	closed bool
}

func (f *memoryFile) Read(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed || f.m.shut {
		return 0, fs.ErrClosed
	}
	if f.flag&os.O_WRONLY != 0 {
		return 0, syscall.EBADF
	}
	if f.at >= len(f.n.data) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[f.at:])
	f.at += n
	return n, nil
}

func (f *memoryFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed || f.m.shut {
		return 0, fs.ErrClosed
	}
	if f.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return 0, syscall.EBADF
	}
	n := f.n
	if f.flag&os.O_APPEND != 0 || f.at > len(n.data) {
		f.at = len(n.data)
	}
	if n.shared {
		if err := f.m.take(int64(len(n.data))); err != nil {
			return 0, err
		}
		n.data, n.shared = slices.Clone(n.data), false
	}
	if more := f.at + len(p) - len(n.data); more > 0 {
		if err := f.m.take(int64(more)); err != nil {
			return 0, err
		}
		n.data = append(n.data, make([]byte, more)...)
	}
	copy(n.data[f.at:], p)
	f.at += len(p)
	n.changed = time.Now()
	return len(p), nil
}

func (f *memoryFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	if f.n.open--; f.n.open == 0 && f.n.gone {
		f.m.release(f.n)
		f.n.data = nil
	}
	return nil
}

// nodeInfo describes a node as it was.
type nodeInfo struct {
	name    string
	size    int64
	mode    fs.FileMode
	changed time.Time
	owner   program.Owner
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return i.changed }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return i.owner }

func (n *node) info(name string) fs.FileInfo {
	size := int64(len(n.data))
	if n.mode.IsDir() {
		size = 4096
	}
	if n.link != "" {
		size = int64(len(n.link))
	}
	return nodeInfo{name, size, n.mode, n.changed, n.owner}
}

// heir is whose a new entry of a folder is: a folder with the setgid bit gives its group.
func (n *node) heir(as program.Owner) program.Owner {
	if n.mode&fs.ModeSetgid != 0 {
		as.GID = n.owner.GID
	}
	return as
}

func (m *memory) stat(name string, _ bool) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(name)), nil
}

func (m *memory) readlink(name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err == nil && n.link == "" {
		err = syscall.EINVAL
	}
	if err != nil {
		return "", err
	}
	return n.link, nil
}

func (m *memory) symlink(to, name string, as program.Owner) error {
	if to == "" || len(to) > 4096 {
		return syscall.ENAMETOOLONG
	}
	return m.enter(name, int64(len(to)), func(dir *node) *node {
		m.linked.Store(true)
		return &node{mode: fs.ModeSymlink | 0o777, owner: dir.heir(as), link: to, changed: time.Now()}
	})
}

func (m *memory) chown(name string, to program.Owner) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return err
	}
	n.owner = to
	return nil
}

func (m *memory) readDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return nil, err
	}
	if !n.mode.IsDir() {
		return nil, syscall.ENOTDIR
	}
	entries := make([]fs.DirEntry, 0, len(n.children))
	for base, child := range n.children {
		entries = append(entries, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func (m *memory) mkdir(name string, perm fs.FileMode, as program.Owner) error {
	return m.enter(name, 0, func(dir *node) *node {
		return &node{mode: fs.ModeDir | perm.Perm()&^0o022 | dir.mode&fs.ModeSetgid, owner: dir.heir(as), changed: time.Now(), children: map[string]*node{}}
	})
}

// enter makes a new entry of a folder.
func (m *memory) enter(name string, size int64, make func(dir *node) *node) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return err
	}
	if dir.children[base] != nil {
		return syscall.EEXIST
	}
	if strings.Count(name, "/") > mostFolders {
		return syscall.ENAMETOOLONG
	}
	if err := m.take(entryCost + size); err != nil {
		return err
	}
	dir.children[base] = make(dir)
	dir.changed = time.Now()
	return nil
}

// mostFolders is how many folders may lie within each other.
const mostFolders = 128

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return err
	}
	n := dir.children[base]
	if n == nil {
		return syscall.ENOENT
	}
	if len(n.children) > 0 {
		return syscall.ENOTEMPTY
	}
	m.drop(n)
	delete(dir.children, base)
	dir.changed = time.Now()
	return nil
}

// drop forgets a file or empty folder; mu is held.
func (m *memory) drop(n *node) {
	if !n.free {
		m.give(entryCost + int64(len(n.link)))
	}
	if n.gone = true; n.open == 0 {
		m.release(n)
		n.data = nil
	}
}

func (m *memory) rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(from)
	if err != nil {
		return err
	}
	n := dir.children[base]
	if n == nil {
		return syscall.ENOENT
	}
	toDir, toBase, err := m.parent(to)
	if err != nil {
		return err
	}
	if n.mode.IsDir() && (to == from || strings.HasPrefix(to, from+"/") || strings.Count(to, "/")+depth(n) > mostFolders) {
		return syscall.EINVAL
	}
	if over := toDir.children[toBase]; over != nil && over != n {
		switch {
		case over.mode.IsDir() && !n.mode.IsDir():
			return syscall.EISDIR
		case !over.mode.IsDir() && n.mode.IsDir():
			return syscall.ENOTDIR
		case len(over.children) > 0:
			return syscall.ENOTEMPTY
		}
		m.drop(over)
	}
	delete(dir.children, base)
	toDir.children[toBase] = n
	dir.changed, toDir.changed = time.Now(), time.Now()
	return nil
}

// depth is how many folders lie within each other under a node.
func depth(n *node) int {
	deepest := 0
	for _, child := range n.children {
		if child.mode.IsDir() {
			deepest = max(deepest, 1+depth(child))
		}
	}
	return deepest
}

func (m *memory) chmod(name string, mode fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return err
	}
	n.mode = n.mode&^fs.ModePerm | mode
	return nil
}

func (m *memory) chtimes(name string, t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return err
	}
	n.changed = t
	return nil
}
