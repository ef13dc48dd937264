package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubestage/kubestage/watch"
)

// Names of programs in managedFields: the first word of their user agent
// (apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent).
const (
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kubelet           = "kubelet"
	apiserver         = "kube-apiserver"
	kubectl           = "kubectl"
)

const schedulerUser = "system:kube-scheduler"

// accounts are the service accounts in kube-system. A controller has one of
// its own if kube-controller-manager runs with
// --use-service-account-credentials, as kubeadm and the sandbox do. Then it is
// there, since the controller-manager makes it before its first use.
type accounts map[string]bool

// controller returns the user name of a controller.
func (a accounts) controller(name string) string {
	if a[name] {
		return "system:serviceaccount:kube-system:" + name
	}
	return "system:kube-controller-manager"
}

// controllersOf says which controller writes a kind of object. All of them
// have one name in managedFields, that of their program.
var controllersOf = map[string]string{ // by resource
	"clusterroles.rbac.authorization.k8s.io": "clusterrole-aggregation-controller",
	"configmaps":                             "root-ca-cert-publisher",
	"cronjobs.batch":                         "cronjob-controller",
	"daemonsets.apps":                        "daemon-set-controller",
	"deployments.apps":                       "deployment-controller",
	"endpoints":                              "endpoint-controller",
	"endpointslices.discovery.k8s.io":        "endpointslice-controller",
	"horizontalpodautoscalers.autoscaling":   "horizontal-pod-autoscaler",
	"jobs.batch":                             "job-controller",
	"namespaces":                             "namespace-controller",
	"nodes":                                  "node-controller",
	"persistentvolumeclaims":                 "persistent-volume-binder",
	"persistentvolumes":                      "persistent-volume-binder",
	"poddisruptionbudgets.policy":            "disruption-controller",
	"replicasets.apps":                       "replicaset-controller",
	"replicationcontrollers":                 "replication-controller",
	"resourcequotas":                         "resourcequota-controller",
	"serviceaccounts":                        "service-account-controller",
	"servicecidrs.networking.k8s.io":         "service-cidrs-controller",
	"statefulsets.apps":                      "statefulset-controller",
	"validatingadmissionpolicies.admissionregistration.k8s.io": "validatingadmissionpolicy-status-controller",
}

// controllersFor says which controller makes the objects that such an owner
// controls, and writes to them other than to their status.
var controllersFor = map[string]string{ // by kind of owner
	"CronJob":               "cronjob-controller",
	"DaemonSet":             "daemon-set-controller",
	"Deployment":            "deployment-controller",
	"Job":                   "job-controller",
	"ReplicaSet":            "replicaset-controller",
	"ReplicationController": "replication-controller",
	"StatefulSet":           "statefulset-controller",
}

// reporters are components that call themselves in Events other than their
// account is called.
var reporters = map[string]string{
	"cronjob-controller":          "cronjob-controller",
	"daemonset-controller":        "daemon-set-controller",
	"endpoint-slice-controller":   "endpointslice-controller",
	"persistentvolume-controller": "persistent-volume-binder",
	// Evicting has been a controller of its own since v1.29, and still borrows
	// this account (cmd/kube-controller-manager/app/core.go, startTaintEvictionController).
	"taint-eviction-controller": "node-controller",
}

// disruptors are those who end a pod and say why in its condition
// DisruptionTarget (k8s.io/api/core/v1/types.go, PodReason…).
var disruptors = map[string]string{
	"DeletionByTaintManager": "node-controller",
	"DeletionByPodGC":        "pod-garbage-collector",
}

// reporter returns the user of a component that calls itself so in an Event.
func (a accounts) reporter(component, host string) string {
	switch component {
	case kubelet:
		if host != "" {
			return "system:node:" + host
		}
	case "default-scheduler":
		return schedulerUser
	case controllerManager:
		return "system:kube-controller-manager"
	case "apiserver":
		return "system:apiserver"
	}
	if name, ok := reporters[component]; ok {
		return a.controller(name)
	}
	if a[component] {
		return a.controller(component)
	}
	return watch.Unknown
}

// user returns the user behind a writer, as the audit log would name it, and
// which evidence beside managedFields decided. Whom nothing names stays
// unknown; of kubectl the program is known and the person is not.
func (a accounts) user(w writer, c *change) (name, source string) {
	switch w.Manager {
	case kubelet:
		return nodeUser(c), "managedFields"
	case scheduler:
		return schedulerUser, "managedFields"
	case apiserver:
		return "system:apiserver", "managedFields"
	case controllerManager:
		return a.controllerUser(w, c)
	}
	if w.Manager == kubectl || strings.HasPrefix(w.Manager, kubectl+"-") {
		return watch.Kubectl, "managedFields"
	}
	return watch.Unknown, "managedFields"
}

// nodeUser returns the kubelet that has to do with an object.
func nodeUser(c *change) string {
	node := ""
	switch o := c.is(); c.Resource {
	case "pods":
		node = text(o, "spec", "nodeName")
	case "nodes", "csinodes":
		node = o.GetName()
	case "leases":
		if o.GetNamespace() == "kube-node-lease" {
			node = o.GetName()
		}
	case "events":
		node = reportingHost(o)
	}
	if node == "" {
		return watch.Unknown
	}
	return "system:node:" + node
}

func (a accounts) controllerUser(w writer, c *change) (name, source string) {
	o := c.is()
	switch {
	case c.Resource == "events":
		return a.reporter(reportingComponent(o), reportingHost(o)), "events"
	case c.Resource == "leases", c.Resource == "serviceaccounts" && o.GetNamespace() == "kube-system":
		// Its own lease, and the accounts it makes for its controllers.
		return "system:kube-controller-manager", "managedFields"
	case c.pod() && w.Subresource == "status":
		if who, ok := disruptors[condition(o, "DisruptionTarget")]; ok && condition(c.was(), "DisruptionTarget") == "" {
			return a.controller(who), "managedFields"
		}
		return a.controller("node-controller"), "managedFields" // marks pods of a lost node as not ready
	case c.Resource == "nodes" && annotation(c.was(), ttl) != annotation(o, ttl):
		return a.controller("ttl-controller"), "managedFields"
	case c.Resource == "endpointslices" && o.GetLabels()["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io":
		return a.controller("endpointslicemirroring-controller"), "managedFields"
	case w.Subresource == "scale":
		return a.controller("horizontal-pod-autoscaler"), "managedFields"
	}
	if w.Subresource == "" {
		for _, owner := range o.GetOwnerReferences() {
			if who, ok := controllersFor[owner.Kind]; ok && owner.Controller != nil && *owner.Controller {
				return a.controller(who), "ownerReference"
			}
		}
	}
	if who, ok := controllersOf[c.name()]; ok {
		return a.controller(who), "managedFields"
	}
	return watch.Unknown, "managedFields"
}

const ttl = "node.alpha.kubernetes.io/ttl"

func annotation(o *unstructured.Unstructured, key string) string { return o.GetAnnotations()[key] }

// An Event says who reports it in two ways, of which the newer is not always used.
func reportingComponent(o *unstructured.Unstructured) string {
	if c := text(o, "source", "component"); c != "" {
		return c
	}
	return text(o, "reportingComponent")
}

func reportingHost(o *unstructured.Unstructured) string {
	if h := text(o, "source", "host"); h != "" {
		return h
	}
	return text(o, "reportingInstance")
}

// patched are the kinds that the components of Kubernetes change by patches.
// Others they update. managedFields call both "Update".
var patched = []string{"pods", "nodes", "events", "clusterroles", "servicecidrs", "flowschemas", "prioritylevelconfigurations"}

// verbOf returns how a writer wrote, as far as it is known of its program.
func verbOf(w writer, c *change) (verb string, sure bool) {
	switch {
	case w.Operation == "Apply":
		return "patch", true // server-side apply is, also when it creates
	case c.verb == added:
		return "create", true
	case w.Manager == "kubectl-replace":
		return "update", true
	case w.Manager == kubectl, strings.HasPrefix(w.Manager, kubectl+"-"):
		return "patch", true
	case slices.Contains([]string{controllerManager, scheduler, kubelet, apiserver}, w.Manager):
		if slices.Contains(patched, c.Resource) {
			return "patch", true
		}
		return "update", true
	}
	return "update", false
}
