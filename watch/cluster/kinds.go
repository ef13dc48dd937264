package cluster

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/kubestage/kubestage/watch"
)

// kind is a kind of object the apiserver can list and watch.
type kind struct {
	schema.GroupVersionResource
	Kind       string
	Namespaced bool
}

// name does not hold the version: all versions are the same objects.
func (k kind) name() string { return k.GroupResource().String() }

// secret reports whether values of this kind must not reach us at all.
func (k kind) secret() bool { return k.Group == "" && k.Resource == "secrets" }

// definesKinds reports whether a change of this kind may change what kinds
// there are.
func (k kind) definesKinds() bool {
	return k.name() == "customresourcedefinitions.apiextensions.k8s.io" || k.name() == "apiservices.apiregistration.k8s.io"
}

func (k kind) object() *watch.Object {
	return &watch.Object{Group: k.Group, Version: k.Version, Resource: k.Resource}
}

// discoverKinds returns what can be listed and watched, in the version the
// server prefers, and the groups that exist but could not be read. An error
// means that nothing could be read.
func discoverKinds(d *discovery.DiscoveryClient) (kinds []kind, troubled map[string]string, err error) {
	lists, err := d.ServerPreferredResources()
	if failed, partly := discovery.GroupDiscoveryFailedErrorGroups(err); partly {
		troubled = map[string]string{}
		for gv, why := range failed {
			troubled[gv.Group] = why.Error()
		}
	} else if err != nil {
		return nil, nil, err
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if k := (kind{gv.WithResource(r.Name), r.Kind, r.Namespaced}); followable(k, r) {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds, troubled, nil
}

func followable(k kind, r metav1.APIResource) bool {
	if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "watch") {
		return false
	}
	// The same stored Events are served under two groups; once is enough.
	return k.name() != "events.events.k8s.io"
}
