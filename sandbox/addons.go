package sandbox

import (
	"encoding/json"
	"slices"
)

// explained is the annotation in which an object of ours says what it stands for.
const explained = "kubestage/explanation"

// dnsAddon is the Service kube-dns. In most clusters the pods of CoreDNS are
// behind it; here it is a server on each node, and as with NodeLocal DNSCache a
// program asks the one on its own node.
func dnsAddon(nodes []node) []addon {
	labels := object{"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS", "app.kubernetes.io/managed-by": "kubestage"}
	why := "Answered by Kubestage on each node, out of the cluster's Services and EndpointSlices. There are no pods of CoreDNS behind it."
	endpoints := []object{}
	var addresses []string
	for _, n := range nodes {
		endpoints = append(endpoints, object{"addresses": []string{n.address}, "nodeName": n.name, "zone": n.zone, "conditions": object{"ready": true}})
		addresses = append(addresses, n.address)
	}
	return []addon{
		{path: "/api/v1/namespaces/kube-system/services", name: "kube-dns", doc: object{
			"apiVersion": "v1", "kind": "Service",
			"metadata": object{"name": "kube-dns", "namespace": "kube-system", "labels": labels, "annotations": object{explained: why}},
			"spec": object{
				"clusterIP": dnsAddress, "internalTrafficPolicy": "Local",
				"ports": []object{{"name": "dns", "port": 53, "protocol": "UDP"}},
			},
		}},
		sliceOf("kube-dns", why, endpoints, []object{{"name": "dns", "port": 53, "protocol": "UDP"}}, addresses),
	}
}

// metricsAddon registers metrics.k8s.io with the apiserver, and lets those read
// it who may read the rest (metrics-server's own roles).
func metricsAddon(ca *authority) []addon {
	why := "Served by Kubestage itself, out of what the kubelets say. There are no pods of metrics-server behind it."
	labels := object{"k8s-app": metricsName, "app.kubernetes.io/managed-by": "kubestage"}
	return []addon{
		{path: "/apis/rbac.authorization.k8s.io/v1/clusterroles", name: "system:aggregated-metrics-reader", doc: object{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
			"metadata": object{"name": "system:aggregated-metrics-reader", "labels": object{
				"app.kubernetes.io/managed-by":                 "kubestage",
				"rbac.authorization.k8s.io/aggregate-to-admin": "true", "rbac.authorization.k8s.io/aggregate-to-edit": "true", "rbac.authorization.k8s.io/aggregate-to-view": "true",
			}},
			"rules": []object{{"apiGroups": []string{metricsGroup}, "resources": []string{"pods", "nodes"}, "verbs": []string{"get", "list", "watch"}}},
		}},
		{path: "/api/v1/namespaces/kube-system/services", name: metricsName, doc: object{
			"apiVersion": "v1", "kind": "Service",
			"metadata": object{"name": metricsName, "namespace": "kube-system", "labels": labels, "annotations": object{explained: why}},
			"spec":     object{"ports": []object{{"name": "https", "port": 443, "protocol": "TCP", "targetPort": metricsPort}}},
		}},
		sliceOf(metricsName, why, []object{{"addresses": []string{controlPlaneAddress}, "conditions": object{"ready": true}}},
			[]object{{"name": "https", "port": metricsPort, "protocol": "TCP"}}, []string{controlPlaneAddress}),
		{path: "/apis/apiregistration.k8s.io/v1/apiservices", name: "v1beta1." + metricsGroup, doc: object{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
			"metadata": object{"name": "v1beta1." + metricsGroup, "labels": labels, "annotations": object{explained: why}},
			"spec": object{
				"group": metricsGroup, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
				"service": object{"name": metricsName, "namespace": "kube-system", "port": 443}, "caBundle": ca.certPEM,
			},
		}},
	}
}

// sliceOf says what is behind a Service in kube-system that selects no pods.
func sliceOf(service, why string, endpoints, ports []object, addresses []string) addon {
	name := service + "-kubestage"
	return addon{path: "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", name: name,
		doc: object{
			"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
			"metadata": object{
				"name": name, "namespace": "kube-system", "annotations": object{explained: why},
				"labels": object{"kubernetes.io/service-name": service, "endpointslice.kubernetes.io/managed-by": "kubestage"},
			},
			"endpoints": endpoints, "ports": ports,
		},
		current: func(found []byte) bool {
			var slice struct {
				Endpoints []struct{ Addresses []string }
			}
			var there []string
			if json.Unmarshal(found, &slice) == nil {
				for _, e := range slice.Endpoints {
					there = append(there, e.Addresses...)
				}
			}
			return slices.Equal(there, addresses)
		},
	}
}
