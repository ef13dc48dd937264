//go:build !nosandbox

package kube

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/apis/core"
)

func TestChanges(t *testing.T) {
	pod := func(change func(*core.Pod)) runtime.Object {
		p := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: core.PodSpec{Containers: []core.Container{{
			Name: "a", Resources: core.ResourceRequirements{Limits: core.ResourceList{"memory": resource.MustParse("1Gi")}},
		}}}}
		if change != nil {
			change(p)
		}
		return p
	}
	written := func(at time.Time) runtime.Object {
		return pod(func(p *core.Pod) { p.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: at}}} })
	}
	custom := func(size int64) runtime.Object {
		return &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "c"}, "spec": map[string]any{"size": size}}}
	}
	for name, c := range map[string]struct {
		before, after runtime.Object
		want          []string
	}{
		"nothing": {pod(nil), pod(nil), nil},
		"a field, a list and a label": {pod(nil), pod(func(p *core.Pod) {
			p.Spec.ServiceAccountName = "default"
			p.Spec.Volumes = []core.Volume{{Name: "token"}}
			p.Labels = map[string]string{"a": "b"}
		}), []string{"metadata.labels", "spec.serviceAccountName", "spec.volumes"}},
		"in a container": {pod(nil), pod(func(p *core.Pod) {
			p.Spec.Containers[0].VolumeMounts = []core.VolumeMount{{Name: "token"}}
		}), []string{"spec.containers[0].volumeMounts"}},
		"a pointer": {pod(nil), pod(func(p *core.Pod) { p.Spec.Priority = new(int32) }), []string{"spec.priority"}},
		"a quantity that is written in another way": {pod(nil), pod(func(p *core.Pod) {
			p.Spec.Containers[0].Resources.Limits["memory"] = resource.MustParse("1024Mi")
		}), nil},
		"a time":                         {written(time.Unix(1, 0)), written(time.Unix(2, 0)), []string{"metadata.managedFields[0].time"}},
		"a time that JSON has shortened": {written(time.Unix(1, 5)), written(time.Unix(1, 0)), nil},
		"a custom resource":              {custom(1), custom(2), []string{"spec.size"}},
		"never a value of a Secret": {
			&core.Secret{Data: map[string][]byte{"password": []byte("a")}},
			&core.Secret{Data: map[string][]byte{"password": []byte("b")}}, []string{"data"},
		},
	} {
		if got := changes(c.before, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
