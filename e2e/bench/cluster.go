//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// clusterOf returns a client that may do everything from the first moment. A
// bare cluster never gets the role binding that the learner's rights are
// made of.
func clusterOf(dir string) (*kubernetes.Clientset, error) {
	var config *rest.Config
	var err error
	wait := dashboard.Until(context.Background(), 5*time.Second, "the kubeconfig", func() (bool, string) {
		config, err = clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
		return err == nil, fmt.Sprint(err)
	})
	if wait != nil {
		return nil, wait
	}
	pki := filepath.Join(dir, "pki")
	if config.CertData, err = os.ReadFile(filepath.Join(pki, "kubestage.crt")); err != nil {
		return nil, err
	}
	if config.KeyData, err = os.ReadFile(filepath.Join(pki, "kubestage.key")); err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(dashboard.Unlimited(config))
}

// booted waits for three Ready nodes and for a first pod that runs, and
// returns how long each took. The pod is posted as soon as the cluster takes
// one, whether there are nodes or not.
func booted(ctx context.Context, kube *kubernetes.Clientset, began time.Time) (nodes, pod time.Duration, err error) {
	var both sync.WaitGroup
	var nodesErr, podErr error
	both.Go(func() {
		nodesErr = dashboard.Until(ctx, time.Minute, "three Ready nodes", func() (bool, string) {
			list, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
			if err != nil {
				return false, err.Error()
			}
			ready := 0
			for _, n := range list.Items {
				// Yesterday's Ready says nothing about today's kubelet.
				for _, c := range n.Status.Conditions {
					if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && !c.LastHeartbeatTime.Time.Before(began.Truncate(time.Second)) {
						ready++
					}
				}
			}
			return ready == 3, fmt.Sprintf("%d of %d nodes", ready, len(list.Items))
		})
		nodes = time.Since(began)
	})
	both.Go(func() {
		name := fmt.Sprintf("first-%d", began.UnixNano())
		podErr = dashboard.Until(ctx, time.Minute, "a cluster that takes a pod", func() (bool, string) {
			_, err := kube.CoreV1().Pods("default").Create(ctx, newPod(name), metav1.CreateOptions{})
			return err == nil || apierrors.IsAlreadyExists(err), fmt.Sprint(err)
		})
		if podErr == nil {
			podErr = running(ctx, kube, name)
		}
		pod = time.Since(began)
	})
	both.Wait()
	if nodesErr != nil {
		return 0, 0, nodesErr
	}
	return nodes, pod, podErr
}

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "pause", Image: "registry.k8s.io/pause:3.10"}},
		},
	}
}

func running(ctx context.Context, kube *kubernetes.Clientset, name string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	w, err := kube.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name, ResourceVersion: "0"})
	if err != nil {
		return err
	}
	defer w.Stop()
	last := "not seen"
	for event := range w.ResultChan() {
		if p, ok := event.Object.(*corev1.Pod); ok {
			if p.Status.Phase == corev1.PodRunning {
				return nil
			}
			last = string(p.Status.Phase)
		}
	}
	return fmt.Errorf("pod %s does not run; last: %s", name, last)
}

// runPods creates n pods at once and waits until all run.
func runPods(ctx context.Context, kube *kubernetes.Clientset, prefix string, n int) error {
	return runPodsOn(ctx, kube, prefix, n, "")
}

// runPodsOn leaves the scheduler no choice but one node, if that is named.
func runPodsOn(ctx context.Context, kube *kubernetes.Clientset, prefix string, n int, node string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	// To ask for all pods again and again would be most of what is measured.
	w, err := kube.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	defer w.Stop()
	for i := range n {
		pod := newPod(fmt.Sprintf("%s-%d", prefix, i))
		if node != "" {
			pod.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node}
		}
		if _, err := kube.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	running := map[string]bool{}
	for event := range w.ResultChan() {
		p, ok := event.Object.(*corev1.Pod)
		if ok && strings.HasPrefix(p.Name, prefix+"-") && p.Status.Phase == corev1.PodRunning {
			running[p.Name] = true
		}
		if len(running) == n {
			return nil
		}
	}
	return fmt.Errorf("%d of %d pods run, and the watch of them has ended: %w", len(running), n, context.Cause(ctx))
}
