//go:build !nosandbox

package kube

import (
	"os"
	"path/filepath"

	"k8s.io/cri-client/pkg/fake"

	"github.com/kubestage/kubestage/sandbox"
)

// serveEmptyRuntime serves the runtime that upstream measures its control plane
// with: every container runs at once, because none does. It is what ours is
// measured against, and no part of a sandbox.
func serveEmptyRuntime(c sandbox.NodeConfig) (endpoint string, err error) {
	socket := filepath.Join(filepath.Dir(c.RuntimeSocket), "empty.sock")
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	endpoint = "unix://" + socket
	runtime := fake.NewFakeRemoteRuntime()
	runtime.ImageService.SetFakeImageSize(1) // the kubelet takes an image without a size for none
	return endpoint, runtime.Start(endpoint)
}
