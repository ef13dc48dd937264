//go:build !nosandbox

package kube

import (
	"fmt"
	"testing"
)

func TestAllowedBy(t *testing.T) {
	for reason, want := range map[string]string{
		`RBAC: allowed by ClusterRoleBinding "kubeadm:cluster-admins" of ClusterRole "cluster-admin" to Group "kubeadm:cluster-admins"`: `{ClusterRoleBinding  kubeadm:cluster-admins} {ClusterRole  cluster-admin} {Group  kubeadm:cluster-admins}`,
		`RBAC: allowed by RoleBinding "little-reads/default" of Role "reader" to ServiceAccount "little/default"`:                       `{RoleBinding default little-reads} {Role default reader} {ServiceAccount default little}`,
		`RBAC: allowed by RoleBinding "system::leader-locking/kube-system" of ClusterRole "view" to User "of \"to\" a"`:                 `{RoleBinding kube-system system::leader-locking} {ClusterRole  view} {User  of "to" a}`,
		`RBAC: allowed by something else`: ``,
		`RBAC: role "x" not found`:        ``,
		``:                                ``,
	} {
		got := ""
		if binding, role, subject, ok := allowedBy(reason); ok {
			got = fmt.Sprintf("%v %v %v", *binding, *role, *subject)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", reason, got, want)
		}
	}
}
