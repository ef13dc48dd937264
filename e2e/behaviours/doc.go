// Package behaviours holds a table of what Kubernetes promises about pods and
// what is around them, and tries every row of it on one real sandbox.
//
// A row is a case: a promise in our own words, the manifests it is about, and
// the steps that show whether it is kept. Cases are data (cases/*.yaml), so that
// they read like a specification:
//
//	name: crash-waits
//	promise: A container that keeps ending is started again, each time after a longer wait.
//	given:
//	- kind: Pod                         # named pod, its container main, of image busybox,
//	  spec:                             # unless it says otherwise; sh is short for a command
//	    containers: [{sh: exit 1}]      # that runs a script
//	steps:
//	- until: container(pod, "main").state.waiting.reason == "CrashLoopBackOff"
//	- event: BackOff
//
// Each case has a namespace of its own, written <namespace> where a name is
// needed that is unique in the cluster. Steps come one after the other:
//
//	until: EXPRESSION     waits for it to be true of the cluster as watched
//	holds: EXPRESSION     it is true now and for SECONDS more (for: SECONDS)
//	ever: EXPRESSION      it was true of some version of the pod so far
//	never: EXPRESSION     it was true of no version of the pod so far
//	event: REASON         an Event with this reason exists (about, message, type, times)
//	told: EXPRESSION      the causal log has an event e of this namespace for which it is true
//	log: CONTAINER        what a container wrote (previous: true for the one before)
//	exec: SCRIPT          a script run in a container (in: POD/CONTAINER, tty: true)
//	kubectl: COMMAND      the real kubectl, in the case's namespace and a folder
//	                      of its own (stdin, exit)
//	forward: PORT         what the pod's port answers to an HTTP request through
//	                      kubectl port-forward; exit 1 when it does not
//	apply: MANIFESTS      more objects
//	remember: {n: EXPR}   keeps a value for later, as saved.n in expressions and
//	                      <saved.n> in commands
//
// Those that get a text compare it: prints (all of it), has (these lines or
// parts), lacks, matches (a regular expression). What only looks (log, exec) is
// asked again until it fits.
//
// Expressions are in CEL. They see pod (the Pod of that name), pods, jobs,
// services, nodes … by name, events (a list), saved, here (the namespace) and
// container(pod, NAME), condition(object, TYPE), seconds(FROM, TO).
//
// What fails beside the others is tried once more, alone, and the table says
// so: the promises are about what happens, not about how soon on a busy machine.
//
// A case that is known to differ says why (differs), and fails when it does not.
package behaviours
