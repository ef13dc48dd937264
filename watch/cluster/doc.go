// Package cluster is the room of the second source: any cluster that a
// kubeconfig reaches. It asks the apiserver what kinds of objects there are,
// lists and watches each of them, and tells the log what a watcher can know.
//
// That is less than a sandbox shows, and the difference is kept visible:
//
//   - An attached cluster shows states, not requests. Each change was asked
//     for by somebody; who did is concluded from managedFields, owners, node
//     names and Events (see rules), and told as a request event with inferred
//     evidence. Whom nothing names stays unknown.
//   - While a watch was broken for too long, changes are lost. The log says so
//     (a source event "gap") before it tells the difference between what was
//     known and what is there now; what is gone then is told as DELETED with
//     inferred evidence, because nobody saw it happen.
//   - What the person may not read is named (a source event "denied"), and
//     asked for again from time to time.
//
// Nothing here can change the cluster: every request passes a transport that
// lets GET through and nothing else. Secrets are asked for as metadata, so
// their values never reach this program.
package cluster
