//go:build !nosandbox

package kube

import (
	"strings"
	_ "unsafe" // for linkname

	_ "k8s.io/client-go/pkg/version"
	"k8s.io/component-base/version"
)

// Release is the Kubernetes release in this binary. It is bumped together with
// every k8s.io module in go.mod.
const Release = "v1.36.3"

// A release build sets these with -ldflags -X (see the Makefile). `go install`
// and `go run` cannot, and then every component would call itself
// v0.0.0-master; version.SetDynamicVersion alone refuses to change major and
// minor (component-base@v0.36.3/version/dynamic.go:54).
//
//go:linkname gitVersion k8s.io/component-base/version.gitVersion
var gitVersion string

//go:linkname gitMajor k8s.io/component-base/version.gitMajor
var gitMajor string

//go:linkname gitMinor k8s.io/component-base/version.gitMinor
var gitMinor string

//go:linkname gitCommit k8s.io/component-base/version.gitCommit
var gitCommit string

// client-go has a copy of its own, from which user agents are made.
//
//go:linkname clientVersion k8s.io/client-go/pkg/version.gitVersion
var clientVersion string

//go:linkname clientCommit k8s.io/client-go/pkg/version.gitCommit
var clientCommit string

func setVersion() error {
	if !strings.HasPrefix(clientVersion, "v1.") {
		clientVersion = Release
	}
	if strings.HasPrefix(clientCommit, "$Format") {
		clientCommit = "kubestage"
	}
	if strings.HasPrefix(gitVersion, "v1.") {
		return nil
	}
	number := strings.Split(strings.TrimPrefix(Release, "v"), ".")
	gitVersion, gitMajor, gitMinor = Release, number[0], number[1]
	if strings.HasPrefix(gitCommit, "$Format") {
		gitCommit = ""
	}
	return version.SetDynamicVersion(Release)
}
