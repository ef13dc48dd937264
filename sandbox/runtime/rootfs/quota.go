package rootfs

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Quota bounds what is kept. A quota within another one takes from both.
type Quota struct {
	used   atomic.Int64
	most   int64
	within Budget
}

// Budget is where a quota gets from what it gives.
type Budget interface {
	Take(n int64) bool
	Give(n int64)
}

// NewQuota makes a quota of bytes; within may be nil.
func NewQuota(most int64, within Budget) *Quota { return &Quota{most: most, within: within} }

// Used is how many bytes are taken.
func (q *Quota) Used() int64 { return q.used.Load() }

// take fails as a full disk does.
func (q *Quota) take(n int64) error {
	if q.used.Add(n) > q.most {
		q.used.Add(-n)
		return syscall.ENOSPC
	}
	if q.within != nil && !q.within.Take(n) {
		q.used.Add(-n)
		return syscall.ENOSPC
	}
	return nil
}

func (q *Quota) give(n int64) {
	q.used.Add(-n)
	if q.within != nil {
		q.within.Give(n)
	}
}

// Take and Give make a quota the budget of others.
func (q *Quota) Take(n int64) bool { return q.take(n) == nil }
func (q *Quota) Give(n int64)      { q.give(n) }

// Usages are what the volumes of a pod hold. Containers of the pod share it.
type Usages struct {
	mu  sync.Mutex // guards all
	all map[string]*usage
}

func (u *Usages) of(volume string) *usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = map[string]*usage{}
	}
	if u.all[volume] == nil {
		u.all[volume] = &usage{dir: volume}
	}
	return u.all[volume]
}

// usage bounds one volume on the host's disk. Others write to it too (the
// kubelet), so it is measured anew when some time has passed.
type usage struct {
	dir string

	mu       sync.Mutex // guards all below, and every write
	measured time.Time
	bytes    int64
	entries  int

	owners sync.Map // program.Owner by path, of what containers made or were given
}

// moveOwners follows a file, or a folder with all that is in it, to its new name.
func (u *usage) moveOwners(from, to string) {
	u.owners.Range(func(k, o any) bool {
		at := k.(string)
		if rest, ok := strings.CutPrefix(at, from); ok && (rest == "" || rest[0] == filepath.Separator) {
			u.owners.Delete(k)
			u.owners.Store(to+rest, o)
		}
		return true
	})
}

const (
	mostVolumeBytes   = 64 << 20
	mostVolumeEntries = 4096
)

// take reserves room; entries counts new files and folders.
func (u *usage) take(bytes int64, entries int) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.takeLocked(bytes, entries)
}

func (u *usage) takeLocked(bytes int64, entries int) error {
	if time.Since(u.measured) > time.Second {
		u.bytes, u.entries = 0, 0
		filepath.WalkDir(u.dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // removed meanwhile
			}
			u.entries++
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				u.bytes += info.Size()
			}
			return nil
		})
		u.measured = time.Now()
	}
	if bytes > 0 && u.bytes+bytes > mostVolumeBytes || entries > 0 && u.entries+entries > mostVolumeEntries {
		return syscall.ENOSPC
	}
	u.bytes += bytes
	u.entries += entries
	return nil
}
