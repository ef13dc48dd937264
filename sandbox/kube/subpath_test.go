//go:build !nosandbox

package kube

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/kubernetes/pkg/volume/util/subpath"
)

func TestSubPaths(t *testing.T) {
	pod := t.TempDir()
	volume := filepath.Join(pod, "volumes", "v")
	for _, dir := range []string{volume + "/..1", filepath.Join(pod, "other")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"..data": "..1", "key": "..data/key", "out": "../../other", "etc": "/etc"} {
		if err := os.Symlink(to, filepath.Join(volume, link)); err != nil {
			t.Skip(err)
		}
	}
	if err := os.WriteFile(volume+"/..1/key", []byte("value"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := subPaths{filepath.Dir(pod)}
	prepare := func(sub string) (string, error) {
		host, _, err := s.PrepareSafeSubpath(subpath.Subpath{VolumeMountIndex: 2, Path: filepath.Join(volume, sub), VolumeName: "v", VolumePath: volume, PodDir: pod, ContainerName: "c"})
		return host, err
	}
	for range 2 { // again when the container restarts
		host, err := prepare("key")
		if err != nil {
			t.Fatal(err)
		}
		os.RemoveAll(volume + "/..1")
		if text, err := os.ReadFile(host); string(text) != "value" {
			t.Errorf("a file is %q after the volume changed, %v", text, err)
		}
		os.Mkdir(volume+"/..1", 0o755)
		os.WriteFile(volume+"/..1/key", []byte("value"), 0o644)
	}
	if err := s.SafeMakeDir("a/b", volume, 0o777); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(volume + "/a/b"); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("made %v, %v", info, err)
	}
	if host, err := prepare("a/b"); err != nil || host != volume+"/a/b" {
		t.Errorf("a folder is at %s, %v", host, err)
	}
	for _, sub := range []string{"out", "etc", "etc/passwd", "nothing"} {
		if host, err := prepare(sub); err == nil {
			t.Errorf("%s is at %s", sub, host)
		}
	}
	for _, sub := range []string{"out/x", "etc/x", "../x"} {
		if err := s.SafeMakeDir(sub, volume, 0o777); err == nil {
			t.Errorf("made %s", sub)
		}
	}
	if err := s.CleanSubPaths(pod, "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(pod, subPathLinks)); err == nil {
		t.Error("something is left")
	}
	files := nodeFiles{root: pod}
	if ok, err := files.PathExists(volume); !ok || err != nil {
		t.Error("a volume does not exist", err)
	}
	if ok, _ := files.PathExists("/etc"); ok {
		t.Error("the host's files exist")
	}
	if _, err := files.GetMode("/etc"); err == nil {
		t.Error("the host's files have modes")
	}
}
