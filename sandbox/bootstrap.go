package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// bootstrap gives the learner, and the apiserver towards kubelets, their
// rights, as kubeadm does, keeps hostPath volumes inside the nodes, and puts
// the add-ons into the cluster.
func bootstrap(ctx context.Context, c *client, server string, addons []addon) error {
	all := []addon{
		binding("kubeadm:cluster-admins", "cluster-admin", "Group", adminGroup),
		binding("kubestage:apiserver-kubelet-client", "system:kubelet-api-admin", "User", kubeletClientUser),
	}
	all = append(all, hostPathPolicy()...)
	for _, a := range append(all, addons...) {
		if err := a.ensure(ctx, c, server); err != nil {
			return fmt.Errorf("make %s: %w", a.name, err)
		}
	}
	return nil
}

// addon is an object that Kubestage puts into the cluster.
type addon struct {
	path, name string
	doc        object
	current    func(found []byte) bool // nil when any object of that name will do
}

// ensure asks first, so that a restart shows no failed request that nobody
// needs to wonder about.
func (a addon) ensure(ctx context.Context, c *client, server string) error {
	found, err := c.do(ctx, http.MethodGet, server+a.path+"/"+a.name, "", nil)
	var answer *answerError
	switch {
	case err == nil && (a.current == nil || a.current(found)):
		return nil
	case err == nil:
		_, err = c.do(ctx, http.MethodPatch, server+a.path+"/"+a.name, "application/merge-patch+json", a.doc)
	case errors.As(err, &answer) && answer.code == http.StatusNotFound:
		_, err = c.do(ctx, http.MethodPost, server+a.path, "application/json", a.doc)
		if errors.As(err, &answer) && answer.code == http.StatusConflict {
			err = nil
		}
	}
	return err
}

func binding(name, role, kind, subject string) addon {
	return addon{path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", name: name, doc: object{
		"apiVersion": "rbac.authorization.k8s.io/v1",
		"kind":       "ClusterRoleBinding",
		"metadata":   object{"name": name},
		"roleRef":    object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects":   []object{{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": subject}},
	}}
}

// hostPathPolicy refuses PersistentVolumes with a hostPath that are deleted
// with their claim. A node's paths are folders of the data directory, but the
// controller-manager, which knows nothing of nodes' disks, would delete the
// folder of that name under /tmp of this machine
// (pkg/volume/hostpath/host_path.go:340).
func hostPathPolicy() []addon {
	const name, group = "kubestage-hostpath-volumes", "admissionregistration.k8s.io/v1"
	policy := func(kind, path string, spec object) addon {
		return addon{path: "/apis/" + group + "/" + path, name: name, doc: object{
			"apiVersion": group, "kind": kind, "metadata": object{"name": name}, "spec": spec,
		}}
	}
	return []addon{
		policy("ValidatingAdmissionPolicy", "validatingadmissionpolicies", object{
			"matchConstraints": object{"resourceRules": []object{{
				"apiGroups": []string{""}, "apiVersions": []string{"v1"}, "resources": []string{"persistentvolumes"},
				"operations": []string{"CREATE", "UPDATE"},
			}}},
			"validations": []object{{
				"expression": "!has(object.spec.hostPath) || !has(object.spec.persistentVolumeReclaimPolicy) || object.spec.persistentVolumeReclaimPolicy != 'Delete'",
				"message":    "Kubestage refuses hostPath volumes with persistentVolumeReclaimPolicy Delete: the controller-manager would delete the folder of that name on your own machine. Use Retain.",
			}},
		}),
		policy("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", object{
			"policyName": name, "validationActions": []string{"Deny"},
		}),
	}
}

// freeLease takes a Lease away from a leader that is known to be gone. Its
// successor would otherwise wait until the Lease runs out, which takes 15 s:
// in a cluster nobody can know that a silent leader is dead, but here its
// supervisor has seen it exit.
func freeLease(ctx context.Context, c *client, server, name string) error {
	_, err := c.do(ctx, http.MethodPatch, server+"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/"+name,
		"application/merge-patch+json", object{"spec": object{"holderIdentity": nil}})
	var answer *answerError
	if errors.As(err, &answer) && answer.code == http.StatusNotFound {
		return nil // it never led
	}
	return err
}

// pollNodes reports the nodes on the board until ctx ends, where there is no
// tap that tells them.
func pollNodes(ctx context.Context, c *client, server string, b *board) {
	for ctx.Err() == nil {
		if answer, err := c.do(ctx, http.MethodGet, server+"/api/v1/nodes", "", nil); err == nil {
			var list struct {
				Items []json.RawMessage `json:"items"`
			}
			if json.Unmarshal(answer, &list) == nil {
				for _, n := range list.Items {
					b.node(n)
				}
			}
		}
		every := 50 * time.Millisecond
		if b.ready() {
			every = 2 * time.Second
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
}
