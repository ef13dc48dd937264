//go:build !nosandbox

package kube

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"github.com/kubestage/kubestage/watch"
)

// cycles records scheduling cycles. A pod is in at most one cycle at a time:
// the queue does not hand it out again before the cycle ends in a bind or in
// the failure handler.
type cycles struct {
	w *witness

	mu     sync.Mutex // guards all below and every cycle; Filter runs on many goroutines
	number uint64
	open   map[types.UID]*cycle
}

type cycle struct {
	number uint64
	start  time.Time
	detail decision
	nodes  map[string]*verdict
}

// decision is the detail of a schedule event.
type decision struct {
	Result    string         `json:"result"`
	Node      string         `json:"node,omitempty"`
	Message   string         `json:"message,omitempty"`
	Attempt   int            `json:"attempt,omitempty"`
	Evaluated int            `json:"evaluated,omitempty"`
	Feasible  int            `json:"feasible,omitempty"`
	Nodes     []*verdict     `json:"nodes,omitempty"`
	PreFilter []pluginReason `json:"preFilter,omitempty"`
	Nominated string         `json:"nominated,omitempty"`
	Steps     []step         `json:"steps,omitempty"`
}

// verdict is what the plugins said of one node.
type verdict struct {
	Name     string           `json:"name"`
	Rejected *pluginReason    `json:"rejected,omitempty"`
	Scores   map[string]int64 `json:"scores,omitempty"`
	Total    int64            `json:"total,omitempty"`
}

type pluginReason struct {
	Plugin string `json:"plugin,omitempty"`
	Reason string `json:"reason"`
}

type step struct {
	Point string    `json:"point"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func newCycles(w *witness) *cycles { return &cycles{w: w, open: map[types.UID]*cycle{}} }

// attach puts the recorder around the scheduler's two ends of a cycle and
// around the framework of each profile.
func (cs *cycles) attach(s *scheduler.Scheduler) {
	schedulePod, fail := s.SchedulePod, s.FailureHandler
	s.SchedulePod = func(ctx context.Context, f framework.Framework, state fwk.CycleState, info *framework.QueuedPodInfo) (scheduler.ScheduleResult, error) {
		cs.begin(info)
		result, err := schedulePod(ctx, f, state, info)
		cs.note(info.Pod.UID, func(c *cycle) {
			c.detail.Evaluated, c.detail.Feasible = result.EvaluatedNodes, result.FeasibleNodes
		})
		return result, err
	}
	s.FailureHandler = func(ctx context.Context, f framework.Framework, info *framework.QueuedPodInfo, status *fwk.Status, nominating *fwk.NominatingInfo, start time.Time) {
		cs.note(info.Pod.UID, func(c *cycle) {
			c.detail.Result = "error"
			if status.IsRejected() {
				c.detail.Result = "unschedulable"
			}
			c.detail.Message = status.Message()
			if err := status.AsError(); err != nil {
				c.detail.Message = err.Error()
			}
			if nominating != nil {
				c.detail.Nominated = nominating.NominatedNodeName
			}
		})
		cs.end(info.Pod)
		fail(ctx, f, info, status, nominating, start)
	}
	for name, f := range s.Profiles {
		s.Profiles[name] = &recorded{Framework: f, cycles: cs}
	}
}

func (cs *cycles) begin(info *framework.QueuedPodInfo) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.number++
	cs.open[info.Pod.UID] = &cycle{
		number: cs.number,
		start:  time.Now(),
		detail: decision{Attempt: info.Attempts},
		nodes:  map[string]*verdict{},
	}
}

// note changes the pod's open cycle, if there is one: preemption runs filters
// for pods whose cycle this is not.
func (cs *cycles) note(uid types.UID, change func(*cycle)) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.open[uid]; c != nil {
		change(c)
	}
}

func (cs *cycles) step(uid types.UID, point string, start time.Time) {
	cs.note(uid, func(c *cycle) {
		c.detail.Steps = append(c.detail.Steps, step{point, start, time.Now()})
	})
}

func (c *cycle) node(name string) *verdict {
	v := c.nodes[name]
	if v == nil {
		v = &verdict{Name: name}
		c.nodes[name] = v
	}
	return v
}

// end tells the cycle and forgets it.
func (cs *cycles) end(pod *corev1.Pod) {
	cs.mu.Lock()
	c := cs.open[pod.UID]
	delete(cs.open, pod.UID)
	cs.mu.Unlock()
	if c == nil {
		return
	}
	for _, v := range c.nodes {
		c.detail.Nodes = append(c.detail.Nodes, v)
	}
	sort.Slice(c.detail.Nodes, func(a, b int) bool { return c.detail.Nodes[a].Name < c.detail.Nodes[b].Name })
	uid := string(pod.UID)
	cs.w.tell(watch.Observation{
		Event: watch.Event{
			Kind: watch.Schedule, Start: c.start, End: time.Now(),
			From: "system:kube-scheduler", Verb: "schedule",
			Object:   &watch.Object{Version: "v1", Resource: "pods", Namespace: pod.Namespace, Name: pod.Name, UID: uid},
			Revision: pod.ResourceVersion,
			Evidence: watch.Observed("scheduler", "cycle "+strconv.FormatUint(c.number, 10)),
			Detail:   detail(c.detail),
		},
		Needs: []watch.Need{{Key: "put:" + pod.ResourceVersion, How: watch.ByRevision, Wait: true}},
		Knows: "system:kube-scheduler",
		Gives: []watch.Give{{Key: "sched:" + uid}},
	})
}

// recorded is a profile's framework that tells what its plugins answer. A nil
// *Status means success, and its methods may be called, except Plugin, which
// reads a field (kube-scheduler@v0.36.3/framework/interface.go).
type recorded struct {
	framework.Framework
	cycles *cycles
}

func (r *recorded) RunPreFilterPlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod) (*fwk.PreFilterResult, *fwk.Status, sets.Set[string]) {
	start := time.Now()
	result, status, plugins := r.Framework.RunPreFilterPlugins(ctx, state, pod)
	r.cycles.step(pod.UID, "PreFilter", start)
	if !status.IsSuccess() {
		r.cycles.note(pod.UID, func(c *cycle) {
			c.detail.PreFilter = append(c.detail.PreFilter, reasonOf(status))
		})
	} else if !result.AllNodes() {
		r.cycles.note(pod.UID, func(c *cycle) {
			for _, p := range sets.List(plugins) {
				c.detail.PreFilter = append(c.detail.PreFilter, pluginReason{p, "only " + strings.Join(sets.List(result.NodeNames), ", ")})
			}
		})
	}
	return result, status, plugins
}

func (r *recorded) RunFilterPluginsWithNominatedPods(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, node fwk.NodeInfo) *fwk.Status {
	start := time.Now()
	status := r.Framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, node)
	end := time.Now()
	r.cycles.note(pod.UID, func(c *cycle) {
		v := c.node(node.Node().Name)
		v.Rejected = nil
		if !status.IsSuccess() {
			why := reasonOf(status)
			v.Rejected = &why
		}
		steps := c.detail.Steps // one Filter step spans all nodes
		if n := len(steps); n > 0 && steps[n-1].Point == "Filter" {
			steps[n-1].End = end
			return
		}
		c.detail.Steps = append(steps, step{"Filter", start, end})
	})
	return status
}

func (r *recorded) RunPostFilterPlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, filtered fwk.NodeToStatusReader) (*fwk.PostFilterResult, *fwk.Status) {
	start := time.Now()
	defer func() { r.cycles.step(pod.UID, "PostFilter", start) }()
	return r.Framework.RunPostFilterPlugins(ctx, state, pod, filtered)
}

func (r *recorded) RunScorePlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, nodes []fwk.NodeInfo) ([]fwk.NodePluginScores, *fwk.Status) {
	start := time.Now()
	scores, status := r.Framework.RunScorePlugins(ctx, state, pod, nodes)
	r.cycles.step(pod.UID, "Score", start)
	r.cycles.note(pod.UID, func(c *cycle) {
		for _, s := range scores {
			v := c.node(s.Name)
			v.Total, v.Scores = s.TotalScore, map[string]int64{}
			for _, p := range s.Scores {
				v.Scores[p.Name] = p.Score
			}
		}
	})
	return scores, status
}

func (r *recorded) RunReservePluginsReserve(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, node string) *fwk.Status {
	start := time.Now()
	defer func() { r.cycles.step(pod.UID, "Reserve", start) }()
	return r.Framework.RunReservePluginsReserve(ctx, state, pod, node)
}

func (r *recorded) RunPermitPlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, node string) (map[string]time.Duration, *fwk.Status) {
	start := time.Now()
	defer func() { r.cycles.step(pod.UID, "Permit", start) }()
	return r.Framework.RunPermitPlugins(ctx, state, pod, node)
}

func (r *recorded) RunPreBindPlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, node string) *fwk.Status {
	start := time.Now()
	defer func() { r.cycles.step(pod.UID, "PreBind", start) }()
	return r.Framework.RunPreBindPlugins(ctx, state, pod, node)
}

// RunBindPlugins tells the decision before it is posted: the binding that
// follows is a request of its own in the audit log, and points back here. Its
// failure ends in no second event but in the answer to that request.
func (r *recorded) RunBindPlugins(ctx context.Context, state fwk.CycleState, pod *corev1.Pod, node string) *fwk.Status {
	r.cycles.note(pod.UID, func(c *cycle) { c.detail.Result, c.detail.Node = "scheduled", node })
	r.cycles.end(pod)
	return r.Framework.RunBindPlugins(ctx, state, pod, node)
}

func reasonOf(s *fwk.Status) pluginReason {
	return pluginReason{s.Plugin(), s.Message()}
}
