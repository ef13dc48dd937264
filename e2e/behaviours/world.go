package behaviours

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// kinds are what expressions can speak of, by the name they use.
var kinds = map[string]schema.GroupVersionResource{
	"pods":         {Version: "v1", Resource: "pods"},
	"nodes":        {Version: "v1", Resource: "nodes"},
	"services":     {Version: "v1", Resource: "services"},
	"claims":       {Version: "v1", Resource: "persistentvolumeclaims"},
	"quotas":       {Version: "v1", Resource: "resourcequotas"},
	"deployments":  {Group: "apps", Version: "v1", Resource: "deployments"},
	"replicasets":  {Group: "apps", Version: "v1", Resource: "replicasets"},
	"statefulsets": {Group: "apps", Version: "v1", Resource: "statefulsets"},
	"daemonsets":   {Group: "apps", Version: "v1", Resource: "daemonsets"},
	"jobs":         {Group: "batch", Version: "v1", Resource: "jobs"},
	"cronjobs":     {Group: "batch", Version: "v1", Resource: "cronjobs"},
	"budgets":      {Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
	"slices":       {Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	"leases":       {Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
}

var eventsResource = schema.GroupVersionResource{Version: "v1", Resource: "events"}

// world is the cluster as watched: one watch for each kind serves all cases.
type world struct {
	mu      sync.Mutex // guards all below
	now     map[string]map[string]map[string]map[string]any
	events  map[string]map[string]map[string]any
	pods    map[string][]map[string]any // every version, in order
	changes map[string]int              // of each namespace; "" is that of what has none
}

func watchWorld(ctx context.Context, client dynamic.Interface) (*world, error) {
	w := &world{
		now:     map[string]map[string]map[string]map[string]any{},
		events:  map[string]map[string]map[string]any{},
		pods:    map[string][]map[string]any{},
		changes: map[string]int{},
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	follow := func(resource schema.GroupVersionResource, see func(namespace, name string, object map[string]any)) error {
		handle := func(o any, there bool) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			u := o.(*unstructured.Unstructured)
			w.mu.Lock()
			defer w.mu.Unlock()
			if there {
				see(u.GetNamespace(), u.GetName(), u.Object)
			} else {
				see(u.GetNamespace(), u.GetName(), nil)
			}
			w.changes[u.GetNamespace()]++
		}
		_, err := factory.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { handle(o, true) },
			UpdateFunc: func(_, o any) { handle(o, true) },
			DeleteFunc: func(o any) { handle(o, false) },
		})
		return err
	}
	for name, resource := range kinds {
		w.now[name] = map[string]map[string]map[string]any{}
		err := follow(resource, func(namespace, object string, value map[string]any) {
			keep(w.now[name], namespace, object, value)
			if name == "pods" && object == "pod" && value != nil {
				w.pods[namespace] = append(w.pods[namespace], value)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	err := follow(eventsResource, func(namespace, name string, value map[string]any) {
		if value != nil {
			keep(w.events, namespace, name, value)
		}
	})
	if err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	for resource, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return nil, fmt.Errorf("%s cannot be watched", resource)
		}
	}
	return w, nil
}

func keep(all map[string]map[string]map[string]any, namespace, name string, value map[string]any) {
	if all[namespace] == nil {
		all[namespace] = map[string]map[string]any{}
	}
	if value == nil {
		delete(all[namespace], name)
	} else {
		all[namespace][name] = value
	}
}

// about is what an expression sees from a namespace.
func (w *world) about(namespace string, saved map[string]any) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]any{"saved": saved, "here": namespace}
	for kind, all := range w.now {
		byName := map[string]any{}
		for name, object := range all[place(kind, namespace)] {
			byName[name] = object
		}
		seen[kind] = byName
	}
	if pod, ok := w.now["pods"][namespace]["pod"]; ok {
		seen["pod"] = pod
	}
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(w.events[namespace])) {
		list = append(list, w.events[namespace][name])
	}
	seen["events"] = list
	return seen
}

const leasesOfNodes = "kube-node-lease"

// place is where objects of a kind are that a case in a namespace sees.
func place(kind, namespace string) string {
	switch kind {
	case "nodes":
		return ""
	case "leases":
		return leasesOfNodes
	}
	return namespace
}

// change is a number that grows when something changes that a namespace sees.
func (w *world) change(namespace string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes[namespace] + w.changes[""] + w.changes[leasesOfNodes]
}

// versions are all versions of the pod so far.
func (w *world) versions(namespace string) []map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pods[namespace])
}

// until waits for an expression to be true.
func (w *world) until(ctx context.Context, namespace string, saved map[string]any, expression string, patience time.Duration) error {
	program, err := compile(expression)
	if err != nil {
		return err
	}
	change, last := -1, ""
	return again(ctx, patience, func() (bool, string, error) {
		latest := w.change(namespace)
		if latest == change {
			return false, last, nil
		}
		change = latest
		var ok bool
		ok, last, err = holds(program, w.about(namespace, saved))
		return ok, last, err
	})
}

// again asks until the answer is yes.
func again(ctx context.Context, patience time.Duration, ask func() (ok bool, last string, err error)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, last, err := ask()
		if err != nil || ok {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s; last: %s", patience, last)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %s", context.Cause(ctx), last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
