//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// What was made is there after a restart, and runs again; reset deletes it.
func TestRealRestartKeepsState(t *testing.T) {
	o := dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())}
	d := ready(t, o)
	kube := learner(t, d)
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(3), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	made, err := kube.CoreV1().Services("default").Create(t.Context(), service, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)
	before := webPods(t, d)
	stop(t, d)

	d = ready(t, o)
	kube = learner(t, d)
	kept, err := kube.CoreV1().Services("default").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if kept.UID != made.UID || kept.Spec.ClusterIP != made.Spec.ClusterIP {
		t.Errorf("the Service is %s at %s, it was %s at %s", kept.UID, kept.Spec.ClusterIP, made.UID, made.Spec.ClusterIP)
	}
	settled(t, kube, time.Minute)
	if after := webPods(t, d); !slices.Equal(after, before) {
		t.Errorf("the pods are %v, they were %v", after, before)
	}
	// Running is only a word until something runs.
	until(t, 30*time.Second, "three endpoints of the Service", func() (bool, string) {
		slicesOf, err := kube.DiscoveryV1().EndpointSlices("default").List(t.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=web"})
		if err != nil {
			return false, err.Error()
		}
		ready := 0
		for _, s := range slicesOf.Items {
			for _, e := range s.Endpoints {
				if e.Conditions.Ready != nil && *e.Conditions.Ready {
					ready++
				}
			}
		}
		return ready == 3, fmt.Sprint(ready)
	})
	for _, name := range webPods(t, d) {
		until(t, 30*time.Second, "logs of "+name, func() (bool, string) {
			out, err := dashboard.Run(o, "kubectl", "--data-dir", o.Dir, "logs", name)
			return err == nil && out.Code == 0, out.Stderr
		})
	}

	// Not while it runs.
	refused(t, o, []string{"reset", "--data-dir", o.Dir}, "in use", fmt.Sprint(d.Pid()))
	stop(t, d)
	progress := filepath.Join(o.Dir, "kubestage.db")
	if _, err := os.Stat(progress); err != nil {
		t.Fatal(err)
	}
	if out, err := dashboard.Run(o, "reset", "--data-dir", o.Dir); err != nil || out.Code != 0 {
		t.Fatal(err, out)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "etcd")); err == nil {
		t.Error("reset has left etcd's data")
	}
	if _, err := os.Stat(progress); err != nil {
		t.Errorf("reset has deleted what is not of the cluster: %v", err)
	}
	d = ready(t, o)
	if _, err := learner(t, d).AppsV1().Deployments("default").Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the deployment after a reset: %v, want not found", err)
	}
	stop(t, d)
}

func webPods(t *testing.T, d *dashboard.Dashboard) []string {
	t.Helper()
	pods, err := learner(t, d).CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pods.Items {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}
