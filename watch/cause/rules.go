package cause

import (
	"slices"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

// rule says where the causes of some acts are looked for. The first rule that
// fits counts.
type rule struct {
	name  string
	kind  watch.Kind
	who   func(*act) bool
	verbs string // separated by spaces; empty for all that are not reads
	what  string // kinds of objects, separated by spaces; empty for all
	why   []source
}

func (r *rule) fits(a *act) bool {
	return r.kind == a.kind && (r.who == nil || r.who(a)) &&
		(r.verbs == "" && !slices.Contains(reads, a.verb) || slices.Contains(strings.Fields(r.verbs), a.verb)) &&
		(r.what == "" || slices.Contains(strings.Fields(r.what), a.what()))
}

// Who acts.
func isKubelet(a *act) bool { return strings.HasPrefix(a.actor, kubelet) }
func is(names ...string) func(*act) bool {
	return func(a *act) bool { return slices.Contains(names, a.actor) || slices.Contains(names, a.controller()) }
}
func anyController(a *act) bool { return a.controls() }
func component(a *act) bool {
	return isKubelet(a) || a.controls() || a.actor == scheduler || a.actor == "system:apiserver" || a.actor == watch.Kubestage
}

// rules are all there is to know about why.
var rules = []rule{
	// Heartbeats and what a component does on starting come from a clock in
	// its own process.
	{"lease", watch.Request, component, "", "leases", all(process)},
	{"node heartbeat", watch.Request, isKubelet, "create update patch", "nodes nodes/status csinodes", all(process)},
	{"address of a Service", watch.Request, is("system:apiserver"), "create delete", "ipaddresses", nil}, // of one whose request is not answered yet
	{"apiserver's own", watch.Request, is("system:apiserver", watch.Kubestage), "", "", all(process)},
	{"controller accounts", watch.Request, is(controllerManager), "create", "serviceaccounts serviceaccounts/token", all(process)},

	// An Event tells of something its author has just done or seen.
	{"Event", watch.Request, component, "create update patch", "events", all(reported)},

	{"scheduling cycle", watch.Schedule, nil, "schedule", "", all(scheduled)},
	{"binding", watch.Request, is(scheduler), "create", "pods/binding", all(cycle)},
	{"unschedulable", watch.Request, is(scheduler), "patch update", "pods/status", all(first(victim, cycle))},
	{"preemption", watch.Request, is(scheduler), "delete", "pods", all(preemptor)},

	{"kubelet: Pod status", watch.Request, isKubelet, "patch update", "pods/status", all(podStatus)},
	{"kubelet: Pod has ended", watch.Request, isKubelet, "delete", "pods", all(lastStatus, ending)},
	{"kubelet: mirror Pod", watch.Request, isKubelet, "create", "pods", all(first(mirrorDeleted, process))},

	{"sandbox", watch.CRI, isKubelet, "RunPodSandbox", "", all(first(sandboxBefore, podNews, manifest, listed))},
	{"pull", watch.CRI, isKubelet, "PullImage", "", all(needsImage)},
	{"create container", watch.CRI, isKubelet, "CreateContainer", "", all(first(call("ContainerExited", sameName), call("PullImage RunPodSandbox", samePod)))},
	{"start container", watch.CRI, isKubelet, "StartContainer", "", all(call("CreateContainer", sameContainer))},
	{"stop container", watch.CRI, isKubelet, "StopContainer", "", all(first(ending, failedProbe, newsSinceStart))},
	{"container exited", watch.CRI, nil, "ContainerExited", "", all(first(asked, call("StartContainer", sameContainer)))},
	// Of each container the last that ended is kept; it goes when the next ends,
	// or with its Pod (pkg/kubelet/kubelet.go, cleanUpContainersInPod).
	{"remove container", watch.CRI, isKubelet, "RemoveContainer", "", all(exitOrEnding(samePod))},
	{"stop sandbox", watch.CRI, isKubelet, "StopPodSandbox", "", all(first(call("StopPodSandbox", sameSandbox), exitOrEnding(sameSandbox)))},
	{"remove sandbox", watch.CRI, isKubelet, "RemovePodSandbox", "", all(call("StopPodSandbox", sameSandbox))},
	{"resize", watch.CRI, isKubelet, "UpdateContainerResources", "", all(podNews)},
	{"exec probe", watch.CRI, isKubelet, "ExecSync", "", all(call("StartContainer", sameContainer))},
	{"probe", watch.Probe, nil, "httpGet tcpSocket grpc", "", all(call("StartContainer", sameName))},
	// Which of a Pod's programs connected is not known, only whose network it was.
	{"connection", watch.Net, nil, "connect lookup", "", all(call("RunPodSandbox", samePod))},

	// The lease of a node that is cut off is not renewed: nothing happens, and
	// that is the cause (pkg/controller/nodelifecycle/node_lifecycle_controller.go,
	// monitorNodeHealth). The account is shared by five controllers.
	{"node is silent", watch.Request, is("node-controller"), "patch update", "nodes/status", all(silence)},
	{"Pods of a silent node", watch.Request, is("node-controller"), "patch update", "pods/status", all(first(taint, silent))},
	{"eviction by taint", watch.Request, is("node-controller"), "delete", "pods", all(taint)},
	{"node", watch.Request, is("node-controller"), "patch update", "nodes", all(nodeNews)},

	{"first endpoints", watch.Request, is("endpointslice-controller", "endpoint-controller"), "create", "endpointslices endpoints", all(service, targets)},
	{"endpoints", watch.Request, is("endpointslice-controller", "endpoint-controller", "endpointslicemirroring-controller"), "create update", "endpointslices endpoints", all(first(targets, service), version)},
	{"namespace", watch.Request, is("namespace-controller"), "", "", all(namespace)},
	{"namespace's own", watch.Request, is("root-ca-cert-publisher", "service-account-controller"), "create update", "configmaps serviceaccounts", all(first(lost, namespace))},
	{"garbage", watch.Request, is("generic-garbage-collector"), "delete patch", "", all(first(orphaned, dependents))},
	{"aggregated roles", watch.Request, is("clusterrole-aggregation-controller"), "", "clusterroles", all(first(news(itself), listed))},

	{"Pods of a DaemonSet", watch.Request, is("daemon-set-controller"), "create delete", "pods", all(first(freed, replaced), first(news(owners), listed))},
	{"made for its owner", watch.Request, anyController, "create", "", all(replaced, first(news(owners), listed))},
	{"deleted for its owner", watch.Request, is("replicaset-controller", "replication-controller", "statefulset-controller", "job-controller"), "delete", "pods", all(first(news(owners), news(itself)))},
	{"ReplicaSets", watch.Request, is("deployment-controller"), "", "replicasets", all(news(owners, siblings), version)},
	{"status of what is counted", watch.Request, is("deployment-controller", "replicaset-controller"), "update", "deployments/status replicasets/status", all(counted, version)},
	{"disruption budget", watch.Request, is("disruption-controller"), "update patch", "poddisruptionbudgets/status", all(fresh(selected, itself), version)},
	{"autoscaling", watch.Request, is("horizontal-pod-autoscaler"), "update patch", "deployments/scale replicasets/scale statefulsets/scale replicationcontrollers/scale", all(news(scalers))},
	{"anything else", watch.Request, anyController, "", "", all(first(newsOrDeed, listed), version)},
}
