// Package sandbox runs a real Kubernetes cluster out of the dashboard's own
// binary, as an ordinary user, and feeds a watch.Log with what it witnesses.
//
// Read it in this order:
//
//   - plan.go says which components there are: each is data (a name, what it
//     needs, its arguments, how one knows that it is ready).
//   - process.go is one running child, as a small value: start, stop, exited.
//   - keeper.go keeps one component alive: starts it, waits until it is ready,
//     starts it again with back-off when it exits, and tells the log.
//   - board.go is what is known of all of them at this moment.
//   - sandbox.go is the whole: New locks and checks the data directory, Run
//     starts everything, waits, and stops everything in reverse order; hire.go
//     ties each component of the plan to its keeper.
//
// Around that: datadir.go (the directory, its lock and its version), pki.go
// and certificates.go (one certificate authority per trust domain), ports.go,
// files.go (configuration files), link.go (each client's way to the apiserver),
// egress.go (the apiserver's way to nodes and pods), fabric.go (the way from
// node to node), bootstrap.go (the rights of the first users), addons.go (what
// else a new cluster has), metrics.go (the add-on that serves metrics.k8s.io).
// And what the components tell: witnesses.go takes it, audit.go turns the audit
// log into observations, frames.go what passes a link.
//
// The children are the same binary with the arguments "component ROLE ...";
// what a role does is not known here but in sandbox/kube, the only package
// that compiles Kubernetes in.
package sandbox
