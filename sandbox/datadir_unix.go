//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// tryLock opens a file and locks it; the lock ends with the process, however
// that ends. Children do not inherit it.
func tryLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// ownedByOther returns an error when path belongs to another user, even for
// root: files that root leaves in a person's directory lock that person out,
// and a directory that another user owns is not a safe place for keys.
func ownedByOther(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return explainAccess(path, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() {
		return nil
	}
	owner := strconv.Itoa(int(st.Uid))
	if u, err := user.LookupId(owner); err == nil {
		owner = u.Username
	}
	return fmt.Errorf("the data directory %s belongs to the user %s: run the dashboard as that user, or choose another with --data-dir", path, owner)
}
