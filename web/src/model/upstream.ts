// Where in Kubernetes' own source stands what an event tells of. A test looks
// the lines up in the modules this is built with, and fails when a release
// moves them.
import type { KubeEvent } from "../wire/event.ts";
import { actorOf } from "./actor.ts";

export const VERSION = "v1.36.3";

export interface Place {
  path: string;
  line: number;
  func: string;
  url: string;
}

/**
 * By what happens: "by ACTOR VERB RESOURCE" for who did it, as precise as it is
 * known; "request VERB" and "code N" for what the kube-apiserver made of it.
 */
const places: Record<string, readonly [path: string, line: number, func: string]> = {
  "by deployment-controller replicasets": ["pkg/controller/deployment/sync.go", 146, "getNewReplicaSet"],
  "by deployment-controller deployments/status": ["pkg/controller/deployment/sync.go", 480, "syncDeploymentStatus"],
  "by deployment-controller": ["pkg/controller/deployment/deployment_controller.go", 589, "syncDeployment"],
  "by replicaset-controller pods": ["pkg/controller/replicaset/replica_set.go", 649, "manageReplicas"],
  "by replicaset-controller replicasets/status": [
    "pkg/controller/replicaset/replica_set_utils.go",
    41,
    "updateReplicaSetStatus",
  ],
  "by replicaset-controller": ["pkg/controller/replicaset/replica_set.go", 755, "syncReplicaSet"],
  "by replication-controller": ["pkg/controller/replicaset/replica_set.go", 755, "syncReplicaSet"],
  "by statefulset-controller": ["pkg/controller/statefulset/stateful_set_control.go", 86, "UpdateStatefulSet"],
  "by daemon-set-controller": ["pkg/controller/daemon/daemon_controller.go", 1267, "syncDaemonSet"],
  "by daemon-set-controller pods": ["pkg/controller/daemon/daemon_controller.go", 1031, "syncNodes"],
  "by job-controller": ["pkg/controller/job/job_controller.go", 911, "syncJob"],
  "by job-controller pods": ["pkg/controller/job/job_controller.go", 1775, "manageJob"],
  "by cronjob-controller": ["pkg/controller/cronjob/cronjob_controllerv2.go", 426, "syncCronJob"],
  "by endpointslice-controller": ["pkg/controller/endpointslice/endpointslice_controller.go", 368, "syncService"],
  "by endpoint-controller": ["pkg/controller/endpoint/endpoints_controller.go", 348, "syncService"],
  "by endpointslicemirroring-controller": [
    "pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go",
    288,
    "syncEndpoints",
  ],
  "by generic-garbage-collector": ["pkg/controller/garbagecollector/garbagecollector.go", 503, "attemptToDeleteItem"],
  "by namespace-controller": ["pkg/controller/namespace/deletion/namespaced_resources_deleter.go", 98, "Delete"],
  "by node-controller nodes": ["pkg/controller/nodelifecycle/node_lifecycle_controller.go", 653, "monitorNodeHealth"],
  "by node-controller pods": ["pkg/controller/tainteviction/taint_eviction.go", 129, "addConditionAndDeletePod"],
  "by node-controller update pods/status": ["pkg/controller/util/node/controller_utils.go", 121, "MarkPodsNotReady"],
  "by node-controller patch pods/status": [
    "pkg/controller/tainteviction/taint_eviction.go",
    129,
    "addConditionAndDeletePod",
  ],
  "by node-controller": ["pkg/controller/nodelifecycle/node_lifecycle_controller.go", 653, "monitorNodeHealth"],
  "by service-account-controller": [
    "pkg/controller/serviceaccount/serviceaccounts_controller.go",
    192,
    "syncNamespace",
  ],
  "by root-ca-cert-publisher": ["pkg/controller/certificates/rootcacertpublisher/publisher.go", 189, "syncNamespace"],
  "by ttl-controller": ["pkg/controller/ttl/ttl_controller.go", 295, "updateNodeIfNeeded"],
  "by ttl-after-finished-controller": [
    "pkg/controller/ttlafterfinished/ttlafterfinished_controller.go",
    206,
    "processJob",
  ],
  "by disruption-controller": ["pkg/controller/disruption/disruption.go", 730, "trySync"],
  "by horizontal-pod-autoscaler": ["pkg/controller/podautoscaler/horizontal.go", 773, "reconcileAutoscaler"],
  "by resourcequota-controller": [
    "pkg/controller/resourcequota/resource_quota_controller.go",
    367,
    "syncResourceQuota",
  ],
  "by clusterrole-aggregation-controller": [
    "pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go",
    85,
    "syncClusterRole",
  ],
  "by pod-garbage-collector": ["pkg/controller/podgc/gc_controller.go", 117, "gc"],
  "by persistent-volume-binder": ["pkg/controller/volume/persistentvolume/pv_controller.go", 238, "syncClaim"],
  "by service-cidrs-controller": ["pkg/controller/servicecidrs/servicecidrs_controller.go", 286, "sync"],
  "by validatingadmissionpolicy-status-controller": [
    "pkg/controller/validatingadmissionpolicystatus/controller.go",
    147,
    "reconcile",
  ],
  "by kube-scheduler pods/binding": ["pkg/scheduler/framework/plugins/defaultbinder/default_binder.go", 51, "Bind"],
  "by kube-scheduler pods/status": ["pkg/scheduler/schedule_one.go", 1200, "handleSchedulingFailure"],
  "by kube-scheduler pods": ["pkg/scheduler/framework/preemption/executor.go", 167, "actuatePodPreemption"],
  "by kube-scheduler leases": [
    "staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go",
    432,
    "tryAcquireOrRenew",
  ],
  "by kube-controller-manager leases": [
    "staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go",
    432,
    "tryAcquireOrRenew",
  ],
  schedule: ["pkg/scheduler/schedule_one.go", 570, "schedulePod"],
  "by kubelet pods/status": ["pkg/kubelet/status/status_manager.go", 1151, "syncPod"],
  "by kubelet pods": ["pkg/kubelet/status/status_manager.go", 1151, "syncPod"],
  "by kubelet nodes/status": ["pkg/kubelet/kubelet_node_status.go", 489, "tryUpdateNodeStatus"],
  "by kubelet nodes": ["pkg/kubelet/kubelet_node_status.go", 90, "tryRegisterWithAPIServer"],
  "by kubelet leases": ["staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go", 151, "sync"],
  "by kubelet serviceaccounts/token": ["pkg/kubelet/token/token_manager.go", 104, "GetServiceAccountToken"],
  "cri RunPodSandbox": ["pkg/kubelet/kuberuntime/kuberuntime_sandbox.go", 38, "createPodSandbox"],
  "cri PullImage": ["pkg/kubelet/images/image_manager.go", 164, "EnsureImageExists"],
  "cri ImageStatus": ["pkg/kubelet/images/image_manager.go", 164, "EnsureImageExists"],
  "cri CreateContainer": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 200, "startContainer"],
  "cri StartContainer": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 200, "startContainer"],
  "cri StopContainer": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 861, "killContainer"],
  "cri RemoveContainer": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 1381, "removeContainer"],
  "cri StopPodSandbox": ["pkg/kubelet/kuberuntime/kuberuntime_manager.go", 1953, "killPodWithSyncResult"],
  "cri RemovePodSandbox": ["pkg/kubelet/kuberuntime/kuberuntime_gc.go", 175, "removeSandbox"],
  "cri ExecSync": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 1366, "RunInContainer"],
  "cri UpdateContainerResources": ["pkg/kubelet/kuberuntime/kuberuntime_container.go", 410, "updateContainerResources"],
  probe: ["pkg/kubelet/prober/prober.go", 83, "probe"],
  "etcd create": ["staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go", 274, "Create"],
  "etcd put": ["staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go", 463, "GuaranteedUpdate"],
  "etcd delete": ["staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go", 361, "conditionalDelete"],
  watch: ["staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go", 978, "dispatchEvent"],
  "code 401": ["staging/src/k8s.io/apiserver/pkg/endpoints/filters/authentication.go", 50, "withAuthentication"],
  "code 403": ["staging/src/k8s.io/apiserver/pkg/endpoints/filters/authorization.go", 57, "withAuthorization"],
  "code 409": ["staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go", 463, "GuaranteedUpdate"],
  "request create": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go", 53, "createHandler"],
  "request update": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/update.go", 51, "UpdateResource"],
  "request patch": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go", 68, "PatchResource"],
  "request delete": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go", 58, "DeleteResource"],
  "request deletecollection": [
    "staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go",
    211,
    "DeleteCollection",
  ],
  "request get": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/get.go", 54, "getResourceHandler"],
  "request list": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/get.go", 168, "ListResource"],
  "request watch": ["staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go", 72, "serveWatchHandler"],
};

function place(...keys: (string | false)[]): Place | undefined {
  for (const key of keys) {
    const found = key && places[key];
    if (!found) continue;
    const [path, line, func] = found;
    return { path, line, func, url: `https://github.com/kubernetes/kubernetes/blob/${VERSION}/${path}#L${line}` };
  }
  return undefined;
}

/** The code that did it, and the code that answered. */
export function upstream(e: KubeEvent): Place[] {
  return placesOf(e).filter((p): p is Place => p !== undefined);
}

function placesOf(e: KubeEvent): (Place | undefined)[] {
  const o = e.object;
  const resource = o ? `${o.resource}${o.subresource ? `/${o.subresource}` : ""}` : "";
  const actor = actorOf(e.from);
  switch (e.kind) {
    case "request":
      return [
        place(
          `by ${actor.name} ${e.verb} ${resource}`,
          `by ${actor.name} ${resource}`,
          // A controller's writes come from its one loop; of others, what is not known is not guessed.
          actor.role === "controllers" && resource !== "events" && `by ${actor.name}`,
        ),
        place(`request ${e.verb}`),
        place(
          e.code === 401 && "code 401",
          e.code === 403 && e.detail?.decision === "forbid" && "code 403",
          e.code === 409 && String(e.detail?.message ?? "").includes("has been modified") && "code 409",
        ),
      ];
    case "etcd":
      if (e.verb === "range") return [];
      return [place(e.verb === "put" && e.detail?.version === 1 && "etcd create", `etcd ${e.verb}`)];
    case "cri":
      return [place(`cri ${e.verb}`)];
    case "watch":
    case "schedule":
    case "probe":
      return [place(e.kind)];
    default:
      return [];
  }
}
