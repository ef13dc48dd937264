//go:build !nosandbox

package kube

import (
	"os"
	"path/filepath"
	"testing"
)

// A kubelet that knows no path of a container's log must not take the directory
// it was started in for it.
func TestGlobNeedsAPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("precious", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := nodeOS{root: dir}
	if found, err := o.Glob("*"); err != nil || len(found) != 0 {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := o.Glob(filepath.Join(dir, "*")); err != nil || len(found) != 1 {
		t.Errorf("with a path: found %v, %v", found, err)
	}
}
