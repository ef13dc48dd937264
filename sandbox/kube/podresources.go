//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"maps"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	internalapi "k8s.io/cri-api/pkg/apis"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/config"
	"k8s.io/kubernetes/pkg/kubelet/status"
)

// podResources remembers what the control group of each pod would hold. The
// kubelet reads it back when it resizes a pod in place, without looking whether
// it got anything (pkg/kubelet/kuberuntime/kuberuntime_manager.go:1012, 1031),
// and the stub in its place answers with an error.
type podResources struct {
	cm.PodContainerManager
	active cm.ActivePodsFunc

	mu   sync.Mutex // guards pods
	pods map[types.UID]*cm.ResourceConfig
}

const cpuPeriod = 100_000 // microseconds, the kubelet's default

// Exists is what the kubelet asks each time before it starts containers of a
// pod; the first time is when the pod's group would be made.
func (p *podResources) Exists(pod *v1.Pod) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.pods[pod.UID]; !known {
		p.forgetLocked()
		p.pods[pod.UID] = wholeConfig(cm.ResourceConfigForPod(pod, true, cpuPeriod, false, ""))
	}
	return true
}

func (p *podResources) forgetLocked() {
	if p.active == nil {
		return
	}
	active := map[types.UID]bool{}
	for _, pod := range p.active() {
		active[pod.UID] = true
	}
	maps.DeleteFunc(p.pods, func(uid types.UID, _ *cm.ResourceConfig) bool { return !active[uid] })
}

// wholeConfig writes what has no limit as a control group does: -1.
func wholeConfig(c *cm.ResourceConfig) *cm.ResourceConfig {
	if c == nil {
		return nil // not on this system: upstream resizes on Linux only
	}
	unlimited, unlimitedCPU, period, shares := int64(-1), int64(-1), uint64(cpuPeriod), uint64(cm.MinShares)
	whole := &cm.ResourceConfig{Memory: &unlimited, CPUQuota: &unlimitedCPU, CPUPeriod: &period, CPUShares: &shares}
	return merged(whole, c)
}

func merged(have, want *cm.ResourceConfig) *cm.ResourceConfig {
	m := *have
	if want.Memory != nil {
		m.Memory = want.Memory
	}
	if want.CPUQuota != nil {
		m.CPUQuota = want.CPUQuota
	}
	if want.CPUPeriod != nil {
		m.CPUPeriod = want.CPUPeriod
	}
	if want.CPUShares != nil {
		m.CPUShares = want.CPUShares
	}
	return &m
}

func (p *podResources) GetPodCgroupConfig(pod *v1.Pod, of v1.ResourceName) (*cm.ResourceConfig, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.pods[pod.UID]
	switch {
	case c == nil:
		return nil, fmt.Errorf("the resources of pod %s/%s are not known", pod.Namespace, pod.Name)
	case of == v1.ResourceMemory:
		return &cm.ResourceConfig{Memory: c.Memory}, nil
	case of == v1.ResourceCPU:
		return &cm.ResourceConfig{CPUQuota: c.CPUQuota, CPUPeriod: c.CPUPeriod, CPUShares: c.CPUShares}, nil
	}
	return nil, fmt.Errorf("pods have no %s that could be resized", of)
}

func (p *podResources) SetPodCgroupConfig(_ klog.Logger, pod *v1.Pod, c *cm.ResourceConfig) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.pods[pod.UID]
	if have == nil {
		return fmt.Errorf("the resources of pod %s/%s are not known", pod.Namespace, pod.Name)
	}
	p.pods[pod.UID] = merged(have, c)
	return nil
}

func (n *nodeResources) NewPodContainerManager() cm.PodContainerManager { return n.pods }

func (n *nodeResources) Start(ctx context.Context, node *v1.Node, active cm.ActivePodsFunc, getNode cm.GetNodeFunc, ready config.SourcesReady, statuses status.PodStatusProvider, runtime internalapi.RuntimeService, localStorage bool) error {
	n.pods.mu.Lock()
	n.pods.active = active
	n.pods.mu.Unlock()
	return n.ContainerManager.Start(ctx, node, active, getNode, ready, statuses, runtime, localStorage)
}
