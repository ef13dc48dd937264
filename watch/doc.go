// Package watch holds the words of Kubestage and the one log everything is
// told in. It imports the standard library only; every other package uses
// these words and no synonyms.
//
//   - An Event is one thing that happened: a request that was answered, a
//     revision etcd stored, a notification a watcher received, a scheduling
//     cycle, a CRI call, a container that exited, a component that started.
//   - An actor is who did it: the exact user name of the apiserver's audit log
//     ("system:kube-scheduler", "system:node:node-1", "kubernetes-admin"), or,
//     for parts that have no user, their name ("kube-apiserver", "etcd",
//     "runtime:node-1", "kubestage").
//   - An Object is what it was done to: group, version, resource, namespace,
//     name and uid.
//   - A revision is etcd's: the number of the write. An object's
//     resourceVersion is the revision of its last write. It is an opaque string
//     here and is never lost or compared as a number by a reader.
//   - A Cause names an earlier event and how the connection is known.
//   - Evidence says whether an event was observed or inferred, and where to
//     look it up: an audit ID, an etcd key at a revision, a CRI call.
//   - A Story is all that grew out of one root event: what a person asked for,
//     a component that started or failed. See watch/story.
//   - The Log is the one ordered list of events. Sequence numbers are given
//     in one place, have no holes, and start at 1 for each log ID.
//   - A Source feeds a log: the sandbox, an attached cluster, a recording.
//   - An Observation is an event on its way into the log, before it has a
//     sequence number; the Joiner puts observations of several witnesses (audit
//     log, etcd, scheduler, runtime) into an order in which no event comes
//     before its cause, and turns shared keys into causes.
package watch
