//go:build !nosandbox

package kube

import (
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/volume"
)

// A link that a container left on the node's disk leads nowhere else.
func TestHostPathStaysOnTheNode(t *testing.T) {
	machine := t.TempDir()
	root := filepath.Join(machine, "root")
	if err := layNodeRoot(root); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(machine, "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"up": "../outside", "abs": outside} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Skip(err)
		}
	}
	setUp := func(path string, kind v1.HostPathType) (string, error) {
		spec := volume.NewSpecFromVolume(&v1.Volume{VolumeSource: v1.VolumeSource{HostPath: &v1.HostPathVolumeSource{Path: path, Type: &kind}}})
		m, err := hostPaths{root: root}.NewMounter(spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.GetPath(), m.SetUp(volume.MounterArgs{})
	}
	for _, path := range []string{"/up", "/abs", "/up/new", "/abs/new", "/a/../../outside", "../outside"} {
		for _, kind := range []v1.HostPathType{v1.HostPathUnset, v1.HostPathDirectoryOrCreate, v1.HostPathDirectory, v1.HostPathFileOrCreate} {
			if host, err := setUp(path, kind); err == nil {
				t.Errorf("%s of type %q is %s", path, kind, host)
			}
		}
	}
	if left, err := os.ReadDir(outside); len(left) > 0 || err != nil {
		t.Errorf("outside there is %v, %v", left, err)
	}
	for _, path := range []string{"/", "/var/log", "/srv/data"} {
		host, err := setUp(path, v1.HostPathDirectoryOrCreate)
		if err != nil {
			t.Error(err)
		}
		if want := filepath.Join(root, path); host != want {
			t.Errorf("%s is %s, want %s", path, host, want)
		}
	}
	if _, err := setUp("/srv/data", v1.HostPathFile); err == nil {
		t.Error("a directory is a file")
	}
	if _, err := setUp("/srv/file", v1.HostPathFileOrCreate); err != nil {
		t.Error(err)
	}
	if _, err := setUp("/srv/file", v1.HostPathDirectory); err == nil {
		t.Error("a file is a directory")
	}
}
