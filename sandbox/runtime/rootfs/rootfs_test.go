package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var template = []Entry{
	{Path: "/bin/sh", Mode: 0o755, Data: "built in\n"},
	{Path: "/etc/hostname", Mode: 0o644, Data: "box\n"},
	{Path: "/tmp", Mode: fs.ModeDir | 0o777},
}

func newFS(t *testing.T, c Config) *FS {
	t.Helper()
	c.Template = func() []Entry { return template }
	if c.Memory == nil {
		c.Memory = NewQuota(1<<20, nil)
	}
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func write(f *FS, name, text string, flag int) error {
	file, err := f.Open(name, os.O_WRONLY|flag, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	return errors.Join(err, file.Close())
}

func read(f *FS, name string) string {
	file, err := f.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func names(f *FS, dir string) string {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if e, ok := got.(error); ok {
		got = e.Error()
	}
	if got == nil {
		got = ""
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestMemory(t *testing.T) {
	f := newFS(t, Config{})
	expect(t, "root", names(f, "/"), "bin etc tmp")
	expect(t, "template", read(f, "/etc/hostname"), "box\n")
	expect(t, "missing", read(f, "/etc/nothing"), "open /etc/nothing: no such file or directory")
	expect(t, "no folder", write(f, "/no/x", "x", os.O_CREATE), "open /no/x: no such file or directory")
	expect(t, "below a file", write(f, "/etc/hostname/x", "x", os.O_CREATE), "open /etc/hostname/x: not a directory")
	expect(t, "create", write(f, "/tmp/a", "one", os.O_CREATE), "")
	expect(t, "append", write(f, "/tmp/a", " two", os.O_APPEND), "")
	expect(t, "read", read(f, "/tmp/../tmp/./a"), "one two")
	expect(t, "overwrite in place", write(f, "/tmp/a", "ONE", 0), "")
	expect(t, "read", read(f, "/tmp/a"), "ONE two")
	expect(t, "truncate", write(f, "/tmp/a", "x", os.O_TRUNC), "")
	expect(t, "read", read(f, "/tmp/a"), "x")
	expect(t, "exclusive", write(f, "/tmp/a", "x", os.O_CREATE|os.O_EXCL), "open /tmp/a: file exists")
	expect(t, "template is written", write(f, "/etc/hostname", "!", os.O_APPEND), "")
	expect(t, "template is written", read(f, "/etc/hostname"), "box\n!")
	expect(t, "folder", f.Mkdir("/tmp/d", 0o755), "")
	expect(t, "folder again", f.Mkdir("/tmp/d", 0o755), "mkdir /tmp/d: file exists")
	expect(t, "folder is no file", read(f, "/tmp/d"), "open /tmp/d: is a directory")
	expect(t, "move", f.Rename("/tmp/a", "/tmp/d/b"), "")
	expect(t, "move into itself", f.Rename("/tmp/d", "/tmp/d/e"), "rename /tmp/d: invalid argument")
	expect(t, "moved", read(f, "/tmp/d/b"), "x")
	expect(t, "remove full", f.Remove("/tmp/d"), "remove /tmp/d: directory not empty")
	expect(t, "remove", f.Remove("/tmp/d/b"), "")
	expect(t, "remove", f.Remove("/tmp/d"), "")
	expect(t, "removed", names(f, "/tmp"), "")
	expect(t, "remove root", f.Remove("/"), "remove /: device or resource busy")
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	expect(t, "times", f.Chtimes("/etc/hostname", when), "")
	expect(t, "mode", f.Chmod("/etc/hostname", 0o600), "")
	info, err := f.Stat("/etc/hostname")
	if err != nil || !info.ModTime().Equal(when) || info.Mode() != 0o600 || info.Size() != 5 || info.Name() != "hostname" {
		t.Errorf("stat: %v, %v", info, err)
	}
	other := newFS(t, Config{})
	expect(t, "another container's", read(other, "/etc/hostname"), "box\n")
}

func TestMemoryIsBounded(t *testing.T) {
	node := NewQuota(100<<10, nil)
	f := newFS(t, Config{Memory: NewQuota(64<<10, node)})
	big := strings.Repeat("x", 40<<10)
	expect(t, "room", write(f, "/tmp/a", big, os.O_CREATE), "")
	expect(t, "full", write(f, "/tmp/b", big, os.O_CREATE), "no space left on device")
	second := newFS(t, Config{Memory: NewQuota(64<<10, node)})
	expect(t, "the node's", write(second, "/tmp/a", strings.Repeat("x", 60<<10), os.O_CREATE), "no space left on device")

	open, err := f.Open("/tmp/a", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "remove while open", f.Remove("/tmp/a"), "")
	expect(t, "kept while open", write(f, "/tmp/b", big, 0), "no space left on device")
	open.Close()
	expect(t, "freed", write(f, "/tmp/b", big, 0), "")
	for i := 0; ; i++ {
		if err := write(f, fmt.Sprint("/tmp/f", i), "", os.O_CREATE); err != nil {
			expect(t, "entries", err, fmt.Sprintf("open /tmp/f%d: no space left on device", i))
			break
		}
	}
	f.Close()
	second.Close()
	expect(t, "given back", node.Used(), 0)
	expect(t, "after the end", read(f, "/tmp/b"), "open /tmp/b: file already closed")
}

func TestReadOnlyRoot(t *testing.T) {
	f := newFS(t, Config{ReadOnly: true})
	expect(t, "create", write(f, "/tmp/a", "x", os.O_CREATE), "open /tmp/a: read-only file system")
	expect(t, "write", write(f, "/etc/hostname", "x", 0), "open /etc/hostname: read-only file system")
	expect(t, "mkdir", f.Mkdir("/tmp/d", 0o755), "mkdir /tmp/d: read-only file system")
	expect(t, "remove", f.Remove("/etc/hostname"), "remove /etc/hostname: read-only file system")
	expect(t, "read", read(f, "/etc/hostname"), "box\n")
}

// podFolder makes what a kubelet makes for a pod.
func podFolder(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "pods", "uid")
	for _, d := range []string{"volumes/p/config/..2024", "volumes/p/data", "volumes/p/other", "containers/main"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"volumes/p/config/..2024/key": "value", "volumes/p/other/private": "private", "etc-hosts": "127.0.0.1 localhost\n",
		"containers/main/termination": "", "../../host-secret": "secret",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "..2024", filepath.Join(dir, "volumes/p/config/..data"))
	link(t, "..data/key", filepath.Join(dir, "volumes/p/config/key"))
	return dir
}

func link(t *testing.T, to, from string) {
	t.Helper()
	if err := os.Symlink(to, from); err != nil {
		t.Skip(err)
	}
}

func TestMounts(t *testing.T) {
	dir := podFolder(t)
	f := newFS(t, Config{PodDir: dir, Mounts: []Mount{
		{Path: "/etc/config", Host: dir + "/volumes/p/config", ReadOnly: true},
		{Path: "/data", Host: dir + "/volumes/p/data"},
		{Path: "/data/inner", Host: dir + "/volumes/p/config", ReadOnly: true},
		{Path: "/etc/hosts", Host: dir + "/etc-hosts"},
		{Path: "/dev/termination-log", Host: dir + "/containers/main/termination"},
	}})
	expect(t, "key", read(f, "/etc/config/key"), "value")
	expect(t, "list", names(f, "/etc/config"), "..2024 ..data key")
	to, err := f.Readlink("/etc/config/key")
	expect(t, "link", to, "..data/key")
	expect(t, "link", err, "")
	info, _ := f.Lstat("/etc/config/key")
	expect(t, "lstat", info.Mode().Type() == fs.ModeSymlink, true)
	info, _ = f.Stat("/etc/config/key")
	expect(t, "stat", info.Size(), 5)
	for what, err := range map[string]error{
		"create": write(f, "/etc/config/new", "x", os.O_CREATE), "write": write(f, "/etc/config/key", "x", 0), "truncate": write(f, "/etc/config/key", "", os.O_TRUNC),
		"mkdir": f.Mkdir("/etc/config/d", 0o755), "remove": f.Remove("/etc/config/key"), "rename": f.Rename("/etc/config/key", "/etc/config/k"), "chmod": f.Chmod("/etc/config/key", 0),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s in a read-only mount: %v", what, err)
		}
	}
	// The kubelet exchanges the link; a container sees the new content.
	if err := os.Mkdir(dir+"/volumes/p/config/..2025", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/volumes/p/config/..2025/key", []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	link(t, "..2025", dir+"/volumes/p/config/..data_tmp")
	if err := os.Rename(dir+"/volumes/p/config/..data_tmp", dir+"/volumes/p/config/..data"); err != nil {
		t.Fatal(err)
	}
	expect(t, "updated", read(f, "/etc/config/key"), "changed")

	expect(t, "create", write(f, "/data/a", "one", os.O_CREATE), "")
	second := newFS(t, Config{PodDir: dir, Mounts: []Mount{{Path: "/shared", Host: dir + "/volumes/p/data"}}})
	expect(t, "another container of the pod", read(second, "/shared/a"), "one")
	expect(t, "append", write(second, "/shared/a", " two", os.O_APPEND), "")
	expect(t, "both", read(f, "/data/a"), "one two")
	expect(t, "mkdir", f.Mkdir("/data/d", 0o755), "")
	expect(t, "move", f.Rename("/data/a", "/data/d/b"), "")
	expect(t, "move between", f.Rename("/data/d/b", "/tmp/b"), "rename /data/d/b: "+syscall.EXDEV.Error())
	expect(t, "list with a mount in it", names(f, "/data"), "d inner")
	expect(t, "mount in a mount", read(f, "/data/inner/key"), "changed")
	expect(t, "remove a mount", f.Remove("/data/inner"), "remove /data/inner: device or resource busy")
	expect(t, "rename above a mount", f.Rename("/etc", "/x"), "rename /etc: device or resource busy")
	expect(t, "remove", f.Remove("/data/d/b"), "")
	expect(t, "list", names(f, "/etc"), "config hostname hosts")
	expect(t, "file", read(f, "/etc/hosts"), "127.0.0.1 localhost\n")
	expect(t, "below a file", read(f, "/etc/hosts/x"), "open /etc/hosts/x: not a directory")
	expect(t, "termination message", write(f, "/dev/termination-log", "bye", os.O_CREATE|os.O_TRUNC), "")
	data, _ := os.ReadFile(dir + "/containers/main/termination")
	expect(t, "termination message", string(data), "bye")
}

// TestEscapes plants links and names that lead out of a mount.
func TestEscapes(t *testing.T) {
	dir := podFolder(t)
	data := dir + "/volumes/p/data"
	secret := filepath.Join(dir, "../../host-secret")
	link(t, secret, data+"/absolute")
	link(t, "../../../../../host-secret", data+"/relative")
	link(t, "../other", data+"/neighbour")
	link(t, "/", data+"/rootdir")
	link(t, "/proc/self", data+"/proc")
	link(t, "loop", data+"/loop")
	link(t, "../../../../../new", data+"/new")
	f := newFS(t, Config{PodDir: dir, Mounts: []Mount{{Path: "/data", Host: data}, {Path: "/file", Host: dir + "/etc-hosts"}}})
	for _, name := range []string{
		"/data/absolute", "/data/relative", "/data/neighbour/private", "/data/rootdir" + secret, "/data/proc/environ", "/data/loop", "/data/new",
		"/data/../../../../../../../.." + secret, "/data/x/../../" + secret, secret, "/proc/self/environ", "/proc/1/root" + secret, "/file/../etc-hosts", "/data/../other/private", "/data/\x00", "/data/..\\other\\private",
	} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND} {
			if file, err := f.Open(name, flag, 0o644); err == nil {
				file.Close()
				t.Errorf("open %q with %#x works", name, flag)
			} else if strings.Contains(strings.TrimPrefix(err.Error(), "open "+name), dir) || strings.Contains(err.Error(), "escapes") {
				t.Errorf("open %q tells of the host: %v", name, err)
			}
		}
		if info, err := f.Stat(name); err == nil {
			t.Errorf("stat %q works: %v", name, info)
		}
		if _, err := f.ReadDir(name); err == nil {
			t.Errorf("list %q works", name)
		}
		f.Chmod(name, 0)
		f.Chtimes(name, time.Time{})
	}
	for _, name := range []string{"/data/rootdir/tmp/x", "/data/neighbour/x", "/data/proc/x", "/data/new", "/data/relative"} {
		if err := write(f, name, "x", os.O_CREATE); err == nil {
			t.Errorf("create %q works", name)
		}
		if err := f.Mkdir(name, 0o755); err == nil {
			t.Errorf("mkdir %q works", name)
		}
	}
	if err := f.Rename("/data/neighbour/private", "/data/taken"); err == nil {
		t.Error("took a file of another volume")
	}
	if to, err := f.Readlink("/data/absolute"); err == nil {
		t.Errorf("a link tells a path of the host: %q", to)
	}
	for _, name := range []string{"absolute", "neighbour"} { // links themselves can go
		expect(t, "remove link", f.Remove("/data/"+name), "")
	}
	if text, _ := os.ReadFile(secret); string(text) != "secret" {
		t.Errorf("a file of the host was changed: %q", text)
	}
	if text, _ := os.ReadFile(dir + "/volumes/p/other/private"); string(text) != "private" {
		t.Errorf("a file of another volume was changed: %q", text)
	}
	if _, err := os.Stat(filepath.Join(dir, "../../new")); err == nil {
		t.Error("a file was made outside of the mount")
	}
}

func TestMountsOfOthersAreRefused(t *testing.T) {
	dir := podFolder(t)
	link(t, "/etc", dir+"/volumes/p/etc")
	pipe := dir + "/volumes/p/pipe"
	for _, m := range []Mount{
		{Path: "/x", Host: "/etc"}, {Path: "/x", Host: "/"}, {Path: "/x", Host: "/proc"}, {Path: "/x", Host: filepath.Dir(dir)}, {Path: "/x", Host: dir},
		{Path: "/x", Host: dir + "/../other-uid/volumes"}, {Path: "/x", Host: dir + "/volumes/../../../../host-secret"}, {Path: "/x", Host: "volumes/p/data"}, {Path: "/x", Host: ""},
		{Path: "/x", Host: dir + "/volumes/p/etc"}, {Path: "/x", Host: dir + "/nothing"}, {Path: "/", Host: dir + "/volumes/p/data"}, {Path: "x", Host: dir + "/volumes/p/data"},
		{Path: "/x", Host: dir + "-2/volumes"}, {Path: "/x", Host: pipe},
	} {
		if _, err := New(Config{Mounts: []Mount{m}, PodDir: dir}); err == nil {
			t.Errorf("mount %+v works", m)
		}
	}
	if _, err := New(Config{Mounts: []Mount{{Path: "/x", Host: "/etc"}}}); err == nil {
		t.Error("a mount without a pod's folder works")
	}
}

func TestVolumesAreBounded(t *testing.T) {
	dir := podFolder(t)
	shared := &Usages{}
	mounts := []Mount{{Path: "/data", Host: dir + "/volumes/p/data"}}
	f, second := newFS(t, Config{PodDir: dir, Mounts: mounts, Volumes: shared}), newFS(t, Config{PodDir: dir, Mounts: mounts, Volumes: shared})
	block := strings.Repeat("x", 1<<20)
	written := 0
	var err error
	for i := range 100 {
		if err = write([]*FS{f, second}[i%2], fmt.Sprint("/data/f", i%4), block, os.O_CREATE|os.O_APPEND); err != nil {
			break
		}
		written++
	}
	expect(t, "full", errors.Is(err, syscall.ENOSPC), true)
	if written < 60 || written > 64 {
		t.Errorf("%d MiB fit", written)
	}
	expect(t, "remove", f.Remove("/data/f0"), "")
	expect(t, "room again", write(second, "/data/f1", block, os.O_APPEND), "")

	var open []io.Closer
	for {
		file, err := f.Open("/data/f1", os.O_RDONLY, 0)
		if err != nil {
			expect(t, "open files", errors.Is(err, syscall.EMFILE), true)
			break
		}
		open = append(open, file)
	}
	expect(t, "open files", len(open), mostOpenFiles)
	f.Close()
	if _, err := open[0].(io.Reader).Read(make([]byte, 1)); err == nil {
		t.Error("a file is open after its container's end")
	}
	if i := slices.IndexFunc(open, func(c io.Closer) bool { return c.Close() == nil }); i >= 0 {
		t.Errorf("file %d was not closed", i)
	}
}
