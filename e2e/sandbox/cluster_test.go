//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

func learner(t *testing.T, d *dashboard.Dashboard) *kubernetes.Clientset {
	t.Helper()
	kube, err := d.Learner()
	if err != nil {
		t.Fatal(err)
	}
	return kube
}

// web is a deployment like the one people make first.
func web(replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	one, two := intstr.FromInt32(1), intstr.FromInt32(2)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &one, MaxSurge: &two},
			},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "nginx", Image: "nginx"}}},
			},
		},
	}
}

// settled waits until the deployment is what its spec says, and nothing else
// is there with its label.
func settled(t *testing.T, kube kubernetes.Interface, patience time.Duration) {
	t.Helper()
	err := dashboard.Until(t.Context(), patience, "the deployment to settle", func() (bool, string) {
		defer time.Sleep(200 * time.Millisecond)
		return deploymentSettled(t.Context(), kube)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func deploymentSettled(ctx context.Context, kube kubernetes.Interface) (bool, string) {
	d, err := kube.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return false, err.Error()
	}
	want, s := *d.Spec.Replicas, d.Status
	status := fmt.Sprintf("generation %d of %d, %d replicas, %d updated, %d available, want %d",
		s.ObservedGeneration, d.Generation, s.Replicas, s.UpdatedReplicas, s.AvailableReplicas, want)
	if s.ObservedGeneration != d.Generation || s.Replicas != want || s.UpdatedReplicas != want || s.AvailableReplicas != want {
		return false, status
	}
	sets, err := kube.AppsV1().ReplicaSets("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		return false, err.Error()
	}
	current := map[string]bool{} // uids of replica sets that should have pods
	for _, rs := range sets.Items {
		if *rs.Spec.Replicas > 0 {
			current[string(rs.UID)] = true
		}
	}
	pods, err := kube.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		return false, err.Error()
	}
	if len(current) != 1 || len(pods.Items) != int(want) {
		return false, fmt.Sprintf("%s; %d replica sets with pods, %d pods", status, len(current), len(pods.Items))
	}
	for _, p := range pods.Items {
		owner := metav1.GetControllerOf(&p)
		if owner == nil || !current[string(owner.UID)] {
			return false, fmt.Sprintf("pod %s is an orphan", p.Name)
		}
		if p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning || !isReady(&p) {
			return false, fmt.Sprintf("pod %s is %s", p.Name, p.Status.Phase)
		}
	}
	return true, ""
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// until is dashboard.Until for tests.
func until(t *testing.T, patience time.Duration, what string, ask func() (bool, string)) {
	t.Helper()
	if err := dashboard.Until(t.Context(), patience, what, ask); err != nil {
		t.Fatal(err)
	}
}

// kubectl runs `dashboard kubectl` on a data directory, and fails the test when
// that fails.
func kubectl(t *testing.T, o dashboard.Options, args ...string) string {
	t.Helper()
	out, err := dashboard.Run(o, append([]string{"kubectl", "--data-dir", o.Dir}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if out.Code != 0 {
		t.Fatalf("kubectl %s: exit status %d\n%s%s", strings.Join(args, " "), out.Code, out.Stdout, out.Stderr)
	}
	return out.Stdout
}
