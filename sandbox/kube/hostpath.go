//go:build !nosandbox

package kube

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/validation"
)

// hostPaths are hostPath volumes of a node that has no disk of its own: its
// root directory is a folder of the data directory, and no path, link or ".."
// leads out of it. The rest is upstream's plugin; its mounter would look at
// the paths of this machine (pkg/volume/hostpath/host_path.go:262).
type hostPaths struct {
	volume.VolumePlugin
	root string
}

const hostPathPlugin = "kubernetes.io/host-path"

// layNodeRoot makes what every node has in its root directory.
func layNodeRoot(root string) error {
	for _, dir := range []string{manifestsDir, podLogsDir, legacyLogs, "/etc", "/tmp", "/var/lib", "/mnt"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.FromSlash(dir)), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// Folders of a node, where they are on a real one.
const (
	manifestsDir = "/etc/kubernetes/manifests"
	podLogsDir   = "/var/log/pods"
)

func (h hostPaths) NewMounter(spec *volume.Spec, _ *v1.Pod) (volume.Mounter, error) {
	m := &hostPathMounter{root: h.root}
	var source *v1.HostPathVolumeSource
	switch {
	case spec.Volume != nil && spec.Volume.HostPath != nil:
		source = spec.Volume.HostPath
	case spec.PersistentVolume != nil && spec.PersistentVolume.Spec.HostPath != nil:
		source = spec.PersistentVolume.Spec.HostPath
	default:
		return nil, errors.New("the volume has no hostPath")
	}
	m.path, m.readOnly = source.Path, spec.ReadOnly
	if source.Type != nil {
		m.kind = *source.Type
	}
	return m, nil
}

// NewUnmounter has nothing to undo: upstream's does nothing either.
func (h hostPaths) NewUnmounter(string, types.UID) (volume.Unmounter, error) {
	return &hostPathMounter{root: h.root}, nil
}

type hostPathMounter struct {
	volume.MetricsNil
	root, path string
	kind       v1.HostPathType
	readOnly   bool
}

func (m *hostPathMounter) GetAttributes() volume.Attributes {
	return volume.Attributes{ReadOnly: m.readOnly}
}

func (m *hostPathMounter) rel() string {
	return filepath.FromSlash(cmp.Or(path.Clean("/" + m.path)[1:], "."))
}

// GetPath is where the kubelet finds the volume.
func (m *hostPathMounter) GetPath() string { return filepath.Join(m.root, m.rel()) }

// SetUp checks the path for the type that the volume asks for, and makes what
// it may. A path without a type that is not there is made by container
// runtimes, as a folder.
func (m *hostPathMounter) SetUp(volume.MounterArgs) error {
	if err := validation.ValidatePathNoBacksteps(m.path); err != nil {
		return fmt.Errorf("invalid HostPath `%s`: %w", m.path, err)
	}
	node, err := os.OpenRoot(m.root)
	if err != nil {
		return err
	}
	defer node.Close()
	info, err := node.Stat(m.rel())
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("hostPath %s cannot be used: a node of the sandbox has the files under %s and no others: %w", m.path, m.root, err)
	}
	mode := fs.FileMode(0)
	if !missing {
		mode = info.Mode()
	}
	wrong := func(what string) error {
		return fmt.Errorf("hostPath type check failed: %s is not %s", m.path, what)
	}
	switch m.kind {
	case v1.HostPathUnset, v1.HostPathDirectoryOrCreate:
		if missing {
			return node.MkdirAll(m.rel(), 0o755)
		}
		if m.kind != v1.HostPathUnset && !mode.IsDir() {
			return wrong("a directory")
		}
	case v1.HostPathDirectory:
		if !mode.IsDir() {
			return wrong("a directory")
		}
	case v1.HostPathFileOrCreate:
		if missing {
			f, err := node.OpenFile(m.rel(), os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				return err
			}
			return f.Close()
		}
		fallthrough
	case v1.HostPathFile:
		if !mode.IsRegular() {
			return wrong("a file")
		}
	case v1.HostPathSocket:
		if mode&fs.ModeSocket == 0 {
			return wrong("a socket file")
		}
	case v1.HostPathCharDev:
		if mode&fs.ModeCharDevice == 0 {
			return wrong("a character device")
		}
	case v1.HostPathBlockDev:
		if mode&fs.ModeDevice == 0 || mode&fs.ModeCharDevice != 0 {
			return wrong("a block device")
		}
	default:
		return fmt.Errorf("%s is an invalid volume type", m.kind)
	}
	return nil
}

func (m *hostPathMounter) SetUpAt(string, volume.MounterArgs) error {
	return errors.New("a hostPath is where it is")
}
func (m *hostPathMounter) TearDown() error         { return nil }
func (m *hostPathMounter) TearDownAt(string) error { return nil }
