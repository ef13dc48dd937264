package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Kubernetes is the version of the components in this binary.
const Kubernetes = "v1.36.3"

// layout is the number of the arrangement of files below. It changes when an
// older dashboard could not use a directory that a newer one has touched.
const layout = 1

// The entries of a data directory that belong to the sandbox. Reset deletes
// these and nothing else, so that what other parts of the dashboard keep
// beside them (reading progress) survives.
const (
	lockEntry      = "lock"
	stampEntry     = "kubestage.json"
	etcdEntry      = "etcd"
	pkiEntry       = "pki"
	configEntry    = "config"
	nodesEntry     = "nodes"
	logsEntry      = "logs"
	runEntry       = "run"
	portsEntry     = "ports.json"
	KubeconfigFile = "kubeconfig"
)

// stampEntry is not among these: it goes last, so that a Reset that was
// interrupted can be started again.
var clusterEntries = []string{etcdEntry, configEntry, nodesEntry, logsEntry, runEntry, portsEntry, KubeconfigFile, pkiEntry}

// dataDir is a locked directory with one cluster in it.
type dataDir struct {
	path      string
	ephemeral bool
	fresh     bool // no cluster has been in it
	lock      *os.File
	sockets   string // where unix sockets go; not below path when that is too long
}

// stamp says who wrote a data directory.
type stamp struct {
	Layout     int       `json:"layout"`
	Kubernetes string    `json:"kubernetes"`
	Kubestage  string    `json:"kubestage"`
	Created    time.Time `json:"created"`
	Ephemeral  bool      `json:"ephemeral,omitempty"`
}

// DefaultDataDir returns the directory for a person's data, by the custom of
// the operating system, with "kubestage" at its end.
func DefaultDataDir() (string, error) {
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "kubestage"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return "", errors.New("no home directory to keep the cluster in: say where with --data-dir, or use --ephemeral")
	}
	switch runtime.GOOS {
	case "windows":
		if d := os.Getenv("LocalAppData"); d != "" {
			return filepath.Join(d, "kubestage"), nil
		}
		return filepath.Join(home, "AppData", "Local", "kubestage"), nil
	case "darwin", "ios":
		return filepath.Join(home, "Library", "Application Support", "kubestage"), nil
	}
	return filepath.Join(home, ".local", "share", "kubestage"), nil
}

// openDataDir makes, locks and checks a data directory. On an error it has
// changed nothing that was there before.
func openDataDir(path, version string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := usable(path); err != nil {
		return nil, err
	}
	d := &dataDir{path: path}
	if d.lock, err = lockDir(path, time.Second); err != nil {
		return nil, err
	}
	if err := d.check(version); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// openEphemeral makes a data directory that close removes.
func openEphemeral(version string) (*dataDir, error) {
	sweepEphemeral()
	path, err := os.MkdirTemp("", "kubestage-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary data directory: %w; set TMPDIR to a directory that can be written to, or use --data-dir", err)
	}
	d := &dataDir{path: path, ephemeral: true, fresh: true}
	if d.lock, err = lockDir(path, 0); err == nil {
		err = d.prepare(version)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// sweepEphemeral removes what ephemeral dashboards left that were killed: a
// directory of ours, stamped as ephemeral, whose lock nobody holds.
func sweepEphemeral() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "kubestage-*"))
	for _, path := range left {
		if ownedByOther(path) != nil {
			continue
		}
		if s, err := readStamp(path); err != nil || s == nil || !s.Ephemeral {
			continue
		}
		if lock, err := lockDir(path, 0); err == nil {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}

// usable makes path a directory of ours that can be written to, or says why
// it is none.
func usable(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return explainAccess(path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return explainAccess(path, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("the data directory %s is a file: choose another with --data-dir", path)
	}
	if err := ownedByOther(path); err != nil {
		return err
	}
	probe, err := os.CreateTemp(path, ".probe-")
	if err != nil {
		return explainAccess(path, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

func explainAccess(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("cannot write to the data directory %s (%w): choose another with --data-dir, or use --ephemeral", path, err)
}

// lockDir takes the directory's lock, waiting a little for a dashboard that is
// going away.
func lockDir(path string, patience time.Duration) (*os.File, error) {
	name := filepath.Join(path, lockEntry)
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		f, err := tryLock(name)
		if err == nil {
			// Whoever deleted the directory's content held the lock of a file
			// that has no name any more.
			held, err1 := f.Stat()
			named, err2 := os.Stat(name)
			if err1 == nil && err2 == nil && os.SameFile(held, named) {
				err := f.Truncate(0)
				if err == nil {
					_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
				}
				if err != nil {
					f.Close()
					return nil, explainAccess(path, err)
				}
				return f, nil
			}
			f.Close()
			continue
		}
		if !errors.Is(err, errLocked) {
			return nil, explainAccess(path, err)
		}
		if !time.Now().Before(deadline) {
			by := ""
			if b, err := os.ReadFile(name); err == nil {
				if pid := strings.TrimSpace(string(b)); pid != "" {
					by = " by process " + pid
				}
			}
			return nil, fmt.Errorf("the data directory %s is in use%s: stop that dashboard first, or choose another with --data-dir or --ephemeral", path, by)
		}
	}
}

// errLocked is what tryLock returns when another process holds the lock.
var errLocked = errors.New("locked by another process")

func readStamp(path string) (*stamp, error) {
	b, err := os.ReadFile(filepath.Join(path, stampEntry))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explainAccess(path, err)
	}
	var s stamp
	if err := json.Unmarshal(b, &s); err != nil || s.Layout == 0 {
		return nil, fmt.Errorf("%s is damaged, so it is not known what is in this data directory; nothing was changed. %s",
			filepath.Join(path, stampEntry), wayOut(path))
	}
	return &s, nil
}

// wayOut is the last sentence of errors about a directory that cannot be used.
func wayOut(path string) string {
	return fmt.Sprintf("Choose another directory with --data-dir, or delete the cluster in this one with: dashboard reset --data-dir %s", path)
}

// check looks at what is in a locked directory.
func (d *dataDir) check(version string) error {
	s, err := readStamp(d.path)
	if err != nil {
		return err
	}
	if s == nil {
		if err := foreign(d.path); err != nil {
			return err
		}
		d.fresh = true
		return d.prepare(version)
	}
	if s.Layout != layout || !kubernetesCanRead(s.Kubernetes) {
		return fmt.Errorf("the cluster in %s was made by Kubestage %s with Kubernetes %s, and this is Kubestage %s with Kubernetes %s, which cannot use it; nothing was changed. Use that version, or: %s",
			d.path, s.Kubestage, s.Kubernetes, version, Kubernetes, wayOut(d.path))
	}
	if err := checkEtcd(filepath.Join(d.path, etcdEntry)); err != nil {
		return fmt.Errorf("%w; nothing was changed. %s", err, wayOut(d.path))
	}
	d.fresh = !exists(filepath.Join(d.path, etcdEntry))
	return d.prepare(version)
}

// foreign returns an error when a directory without a stamp holds anything
// but databases, which other parts of the dashboard may have put there first.
func foreign(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return explainAccess(path, err)
	}
	for _, e := range entries {
		name := e.Name()
		if name == lockEntry || (e.Type().IsRegular() && strings.Contains(name, ".db")) {
			continue
		}
		return fmt.Errorf("%s holds something else (%s), not a Kubestage data directory: choose another with --data-dir; nothing was changed", path, name)
	}
	return nil
}

// kubernetesCanRead says whether the components in this binary may use data
// of another version: the same minor version, or the one before.
func kubernetesCanRead(version string) bool {
	theirs, ok := minor(version)
	ours, _ := minor(Kubernetes)
	return ok && (theirs == ours || theirs == ours-1)
}

func minor(version string) (int, bool) {
	parts := strings.Split(version, ".")
	if len(parts) < 3 || parts[0] != "v1" {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil
}

// prepare writes the stamp and makes the directories.
func (d *dataDir) prepare(version string) error {
	for _, name := range []string{pkiEntry, configEntry, nodesEntry, logsEntry, runEntry} {
		if err := privateDir(filepath.Join(d.path, name)); err != nil {
			return explainAccess(d.path, err)
		}
	}
	s, err := readStamp(d.path)
	if err != nil {
		return err
	}
	if s == nil {
		s = &stamp{Created: time.Now().UTC().Truncate(time.Second)}
	}
	s.Layout, s.Kubernetes, s.Kubestage, s.Ephemeral = layout, Kubernetes, version, d.ephemeral
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(d.path, stampEntry), append(b, '\n'), true); err != nil {
		return explainAccess(d.path, err)
	}
	return d.makeSocketDir()
}

// maxSocketPath is the shortest limit among the systems we run on (macOS: 104
// bytes with the final zero). The longest name of a socket of ours, and of one
// that a kubelet makes in its root directory, come behind the directory.
const (
	maxSocketPath     = 103
	longestSocket     = len("/node-100/runtime.sock")
	longestInNodeRoot = len("/node-100/root/device-plugins/kubelet.sock")
)

// makeSocketDir chooses where unix sockets live: in the data directory, or,
// when its path is too long for them, in a private temporary directory whose
// name is kept so that it can be removed even after a kill.
func (d *dataDir) makeSocketDir() error {
	run := filepath.Join(d.path, runEntry)
	note := filepath.Join(run, "elsewhere")
	if b, err := os.ReadFile(note); err == nil {
		if old := string(b); strings.HasPrefix(filepath.Base(old), "kubestage.") && ownedByOther(old) == nil {
			os.RemoveAll(old)
		}
		os.Remove(note)
	}
	if len(run)+max(longestSocket, longestInNodeRoot) <= maxSocketPath {
		d.sockets = run
		return nil
	}
	var errs []error
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if len(parent)+len("/kubestage.1234567890")+longestInNodeRoot > maxSocketPath {
			errs = append(errs, fmt.Errorf("%s is too long as well", parent))
			continue
		}
		short, err := os.MkdirTemp(parent, "kubestage.")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.sockets = short
		return replaceFile(note, []byte(short), false)
	}
	return fmt.Errorf("the path %s is too long for unix sockets, and there is no shorter place for them (%w): choose a --data-dir of at most %d bytes",
		d.path, errors.Join(errs...), maxSocketPath-longestInNodeRoot-len("/"+runEntry))
}

// close gives the directory back.
func (d *dataDir) close() {
	if d.sockets != "" && d.sockets != filepath.Join(d.path, runEntry) {
		os.RemoveAll(d.sockets)
		os.Remove(filepath.Join(d.path, runEntry, "elsewhere"))
	}
	if d.ephemeral {
		os.RemoveAll(d.path)
	}
	if d.lock != nil {
		d.lock.Close()
		d.lock = nil
	}
}

// Reset deletes the cluster in a data directory, and nothing that is not of
// the cluster. It refuses when a dashboard uses the directory, or when it is
// no data directory.
func Reset(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := ownedByOther(path); err != nil {
		return err
	}
	if !exists(filepath.Join(path, stampEntry)) {
		return foreign(path)
	}
	lock, err := lockDir(path, 0)
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, name := range append(append([]string(nil), clusterEntries...), stampEntry) {
		if err := os.RemoveAll(filepath.Join(path, name)); err != nil {
			return fmt.Errorf("delete the cluster in %s: %w", path, err)
		}
	}
	// The lock's name goes while the lock is held; see lockDir. On Windows an
	// open file cannot be deleted; an empty lock file does no harm.
	os.Remove(filepath.Join(path, lockEntry))
	os.Remove(path) // if nothing else is in it
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// privateDir makes a directory nobody else can look into, also when it was
// there with other permissions.
func privateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o700)
}

// replaceFile writes a private file so that a reader, or a start after a power
// cut, finds either the old content or the new.
func replaceFile(path string, content []byte, sync bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && sync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// checkEtcd looks whether etcd's database file can be one: bbolt keeps two
// copies of its first page, each with a magic number and a checksum, and one
// of them must be right. What is wrong further inside only etcd can tell.
func checkEtcd(dir string) error {
	path := filepath.Join(dir, "member", "snap", "db")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if exists(filepath.Join(dir, "member")) {
			return fmt.Errorf("etcd's database %s is missing", path)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("etcd's database cannot be read: %w", err)
	}
	defer f.Close()
	for _, pageSize := range []int64{4096, 16384, 65536, 8192, 32768} {
		for _, page := range []int64{0, pageSize} {
			if metaPage(f, page) {
				return nil
			}
		}
	}
	return fmt.Errorf("etcd's database %s is damaged", path)
}

// metaPage reports whether a bbolt meta page with a right checksum is at the
// offset: a 16 byte page header, then magic, version, page size and so on up
// to the FNV-1a sum of the 56 bytes before it.
func metaPage(r io.ReaderAt, offset int64) bool {
	var b [16 + 64]byte
	if _, err := r.ReadAt(b[:], offset); err != nil {
		return false
	}
	meta := b[16:]
	sum := fnv.New64a()
	sum.Write(meta[:56])
	return binary.NativeEndian.Uint32(meta) == 0xED0CDAED && binary.NativeEndian.Uint64(meta[56:]) == sum.Sum64()
}
