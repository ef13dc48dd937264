// Command bench measures Kubestage on the machine it runs on, beside the same
// components without it:
//
//   - start: from the command to three Ready nodes and to the first running
//     pod, of the whole program and of its components started bare, one after
//     the other, the way a script does it;
//   - restart: the same with yesterday's data;
//   - pods: from POST to Running, with tracing and without, in turn;
//   - tracing: a hundred pods with everything traced and with --no-tracing, and
//     how long each process computed for them;
//   - nodes: 110 pods on one node and 330 on three, with our container runtime
//     and with upstream's empty one; what idle pods cost, and whether anything
//     is left of them when they are gone;
//   - memory: the proportional set size of all processes, with 0 and 30 pods;
//   - frames: from the commit in etcd to the websocket, with 1 and 200 clients
//     while 100 pods start, and whether any client misses an event or gets one
//     twice;
//   - followers: how far apart 200 pages are that follow a presenter, and what
//     each of them costs;
//   - replay: the size of a recording, and from the command to the first event of
//     one with 100,000; what it costs to remember those, and how long it takes
//     to tell what there was at any of them;
//   - reading: a search over the whole book, and a section's page until a
//     browser has painted it;
//   - stage: what drawing costs in a browser, from a fixed recording and from a
//     crowd made of its events: what the main thread computes for a frame beside
//     bare painters, scrubbing in every view, frames at rest, the heap, the first
//     visit.
//
// `make bench` runs all of it; `go run ./e2e/bench -only start -runs 1` a part.
package main
