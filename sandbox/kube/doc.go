//go:build !nosandbox

// Package kube is the room where Kubernetes lives: the only package that
// imports k8s.io/kubernetes and etcd's server. Each file is one role a child
// process of the dashboard can play; Main looks the role up and plays it until
// the process ends.
//
// One role a process is not a choice. Upstream's command constructors install
// a process-wide signal handler that panics the second time
// (apiserver@v0.36.3/pkg/server/signal.go:32), logging can be applied once,
// feature gates are global and components call os.Exit.
//
// What a role sees that the audit log does not (etcd's revisions, scheduling
// cycles, CRI calls) it writes as watch.Observations, one JSON object a line,
// to file descriptor 3, which the supervisor reads.
package kube
