//go:build !nosandbox

package kube

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/volume"
)

// unowned is a volume plugin that gives no files away. For a pod whose
// containers run as one user the kubelet makes tokens that user's
// (pkg/volume/projected/projected.go:326), which only root can do, and without
// which the pod does not start. Here all files of a node are the same user's, and
// who owns them in a container is the runtime's to say; a token that is nobody's
// in particular keeps the mode that anyone in its pod can read.
type unowned struct{ volume.VolumePlugin }

func (p unowned) NewMounter(spec *volume.Spec, pod *v1.Pod) (volume.Mounter, error) {
	m, err := p.VolumePlugin.NewMounter(spec, pod)
	if err != nil {
		return nil, err
	}
	return unownedMounter{m}, nil
}

type unownedMounter struct{ volume.Mounter }

func (m unownedMounter) SetUp(args volume.MounterArgs) error {
	args.FsUser = nil
	return m.Mounter.SetUp(args)
}

func (m unownedMounter) SetUpAt(dir string, args volume.MounterArgs) error {
	args.FsUser = nil
	return m.Mounter.SetUpAt(dir, args)
}
