//go:build !nosandbox

package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/kubernetes/pkg/volume/util/hostutil"
	"k8s.io/kubernetes/pkg/volume/util/subpath"
)

// nodeFiles answers what the kubelet asks about files, within the node's
// folder; elsewhere nothing exists.
type nodeFiles struct {
	*hostutil.FakeHostUtil
	root string
}

func (n nodeFiles) within(path string) bool {
	rel, err := filepath.Rel(n.root, path)
	return err == nil && filepath.IsLocal(rel)
}

func (n nodeFiles) PathExists(path string) (bool, error) {
	if !n.within(path) {
		return false, nil
	}
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (n nodeFiles) GetMode(path string) (os.FileMode, error) {
	if !n.within(path) {
		return 0, fmt.Errorf("%s is not of this node", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// subPaths prepares parts of volumes without mounting anything, which would
// need privileges. What upstream binds is found here by following the links
// within the volume, once. A file is then linked, so that it stays what it was
// even when the kubelet replaces the volume's content, just as a bind mount
// does: a ConfigMap mounted with subPath is not updated.
//
// Everything must be in the node's folder, wherever a link that a container
// left in a hostPath may point.
type subPaths struct{ root string }

var _ subpath.Interface = subPaths{}

// subPathLinks is the folder of a pod that upstream uses for the same purpose,
// and that the kubelet cleans up.
const subPathLinks = "volume-subpaths"

func (p subPaths) SafeMakeDir(subdir, base string, perm os.FileMode) error {
	node, err := os.OpenRoot(p.root)
	if err != nil {
		return err
	}
	defer node.Close()
	rel, err := filepath.Rel(p.root, base)
	if err != nil {
		return err
	}
	root, err := node.OpenRoot(rel)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Stat(subdir); err == nil {
		return nil
	}
	if err := root.MkdirAll(subdir, perm.Perm()); err != nil {
		return err
	}
	return root.Chmod(subdir, perm.Perm()) // whatever the umask left of it
}

func (p subPaths) PrepareSafeSubpath(s subpath.Subpath) (string, func(), error) {
	node, err := filepath.EvalSymlinks(p.root)
	if err != nil {
		return "", nil, err
	}
	volume, err := filepath.EvalSymlinks(s.VolumePath)
	if err != nil {
		return "", nil, err
	}
	if rel, err := filepath.Rel(node, volume); err != nil || !filepath.IsLocal(rel) {
		return "", nil, fmt.Errorf("volume %s leads out of the node", s.VolumeName)
	}
	target, err := filepath.EvalSymlinks(s.Path)
	if err != nil {
		return "", nil, err
	}
	rel, err := filepath.Rel(volume, target)
	if err != nil || !filepath.IsLocal(rel) {
		return "", nil, fmt.Errorf("subPath %s of volume %s leads out of the volume", s.Path, s.VolumeName)
	}
	info, err := os.Lstat(target)
	if err != nil {
		return "", nil, err
	}
	if info.IsDir() {
		return filepath.Join(s.VolumePath, rel), nil, nil
	}
	if !info.Mode().IsRegular() {
		return "", nil, fmt.Errorf("subPath %s of volume %s is neither a folder nor a regular file", s.Path, s.VolumeName)
	}
	dir := filepath.Join(s.PodDir, subPathLinks, s.VolumeName, s.ContainerName)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", nil, err
	}
	link := filepath.Join(dir, strconv.Itoa(s.VolumeMountIndex))
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	return link, nil, os.Link(target, link)
}

func (subPaths) CleanSubPaths(podDir, volume string) error {
	if err := os.RemoveAll(filepath.Join(podDir, subPathLinks, volume)); err != nil {
		return err
	}
	os.Remove(filepath.Join(podDir, subPathLinks)) // when it was the last
	return nil
}
