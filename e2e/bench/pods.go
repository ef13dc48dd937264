//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// podRuns is how many pods each of the two clusters starts.
const podRuns = 25

// measurePods compares pods with tracing and without. Both clusters run at the
// same time and get their pods in turn, so that whatever else the machine
// does is the same for both.
func measurePods(ctx context.Context, b *bench) error {
	d, err := b.start(b.path("pods"))
	if err != nil {
		return err
	}
	defer d.Stop()
	if err := d.Ready(ctx); err != nil {
		return err
	}
	traced, err := clusterOf(d.Dir)
	if err != nil {
		return err
	}
	script, err := learnBare(ctx, b, b.path("pods-bare"))
	if err != nil {
		return err
	}
	defer script.stop()
	if err := script.start(ctx); err != nil {
		return err
	}
	silent, err := clusterOf(script.dir)
	if err != nil {
		return err
	}
	if _, _, err := booted(ctx, silent, time.Now()); err != nil {
		return err
	}
	for _, kube := range []*kubernetes.Clientset{traced, silent} {
		if err := runPods(ctx, kube, "warm", 3); err != nil {
			return err
		}
	}
	var on, off []time.Duration
	for i := range podRuns {
		name := fmt.Sprintf("one-%d", i)
		took, err := postToRunning(ctx, traced, name)
		if err != nil {
			return err
		}
		on = append(on, took)
		if took, err = postToRunning(ctx, silent, name); err != nil {
			return err
		}
		off = append(off, took)
	}
	b.table.against(fmt.Sprintf("POST pod to Running, tracing on and off, %d pods each", podRuns), on, off, milliseconds, 1.15)
	return nil
}

func postToRunning(ctx context.Context, kube *kubernetes.Clientset, name string) (time.Duration, error) {
	pods := kube.CoreV1().Pods("default")
	w, err := pods.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name, ResourceVersion: "0"})
	if err != nil {
		return 0, err
	}
	defer w.Stop()
	time.Sleep(200 * time.Millisecond) // what the last pod left to do is not this one's
	began := time.Now()
	if _, err := pods.Create(ctx, newPod(name), metav1.CreateOptions{}); err != nil {
		return 0, err
	}
	patience := time.After(time.Minute)
	for {
		select {
		case event, open := <-w.ResultChan():
			if p, ok := event.Object.(*corev1.Pod); ok && p.Status.Phase == corev1.PodRunning {
				return time.Since(began), nil
			}
			if !open {
				return 0, fmt.Errorf("the watch of %s ended", name)
			}
		case <-patience:
			return 0, fmt.Errorf("%s does not run within a minute", name)
		}
	}
}
