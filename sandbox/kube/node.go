//go:build !nosandbox

package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"time"

	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/kubelet/cadvisor"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/volume"

	"github.com/kubestage/kubestage/sandbox"
)

// machine stands in for the hardware of a node: the figures come from the
// node's configuration, and the node says so in its OS image.
type machine struct {
	name       string
	cores      int
	memory     uint64
	disk       uint64
	kernel     string
	identifier string
	started    time.Time
}

var _ cadvisor.Interface = (*machine)(nil)

// diskBytes is the ephemeral storage of every node.
const diskBytes = 32 << 30

func newMachine(c sandbox.NodeConfig) (*machine, error) {
	cpu, err := resource.ParseQuantity(c.CPU)
	if err != nil {
		return nil, err
	}
	memory, err := resource.ParseQuantity(c.Memory)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("kubestage node " + c.Name))
	return &machine{
		name: c.Name, cores: int(cpu.Value()), memory: uint64(memory.Value()), disk: diskBytes,
		kernel: kernelRelease(), identifier: hex.EncodeToString(sum[:16]), started: time.Now(),
	}, nil
}

func kernelRelease() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "virtual"
	}
	return strings.TrimSpace(string(text))
}

func (m *machine) Start() error { return nil }

func (m *machine) MachineInfo() (*cadvisorapi.MachineInfo, error) {
	return &cadvisorapi.MachineInfo{
		NumCores: m.cores, NumPhysicalCores: m.cores, NumSockets: 1,
		MemoryCapacity: m.memory,
		MachineID:      m.identifier, SystemUUID: m.identifier, BootID: m.identifier,
		InstanceID: cadvisorapi.InstanceID(m.name),
	}, nil
}

func (m *machine) VersionInfo() (*cadvisorapi.VersionInfo, error) {
	return &cadvisorapi.VersionInfo{KernelVersion: m.kernel, ContainerOsVersion: "Kubestage virtual node"}, nil
}

func (m *machine) fs() cadvisorapiv2.FsInfo {
	return cadvisorapiv2.FsInfo{Device: "virtual", Mountpoint: "/", Capacity: m.disk, Available: m.disk}
}

func (m *machine) ImagesFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return m.fs(), nil }
func (m *machine) RootFsInfo() (cadvisorapiv2.FsInfo, error)                  { return m.fs(), nil }
func (m *machine) ContainerFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) {
	return m.fs(), nil
}
func (m *machine) GetDirFsInfo(string) (cadvisorapiv2.FsInfo, error) { return m.fs(), nil }

// ContainerInfoV2 knows one cgroup, the root, without which the kubelet has no
// node statistics at all (pkg/kubelet/stats/helper.go, getCgroupStats). What is
// in it was measured: the process that is the node, its programs included.
func (m *machine) ContainerInfoV2(name string, _ cadvisorapiv2.RequestOptions) (map[string]cadvisorapiv2.ContainerInfo, error) {
	if name != "/" {
		return map[string]cadvisorapiv2.ContainerInfo{}, nil
	}
	memory := residentMemory()
	return map[string]cadvisorapiv2.ContainerInfo{"/": {
		Spec: cadvisorapiv2.ContainerSpec{HasCpu: true, HasMemory: true, CreationTime: m.started, Memory: cadvisorapiv2.MemorySpec{Limit: m.memory}},
		Stats: []*cadvisorapiv2.ContainerStats{{Timestamp: time.Now(), Cpu: &cadvisorapi.CpuStats{Usage: cadvisorapi.CpuUsage{Total: processorTime()}},
			Memory: &cadvisorapi.MemoryStats{Usage: memory, WorkingSet: memory, RSS: memory}}},
	}}, nil
}

func (m *machine) GetRequestedContainersInfo(string, cadvisorapiv2.RequestOptions) (map[string]*cadvisorapi.ContainerInfo, error) {
	return map[string]*cadvisorapi.ContainerInfo{}, nil
}

// nodeResources stands in for the cgroup tree: capacity, but no enforcement.
type nodeResources struct {
	cm.ContainerManager
	machine *machine
	pods    *podResources
}

func newNodeResources(m *machine) cm.ContainerManager {
	stub := cm.NewStubContainerManager()
	return &nodeResources{stub, m, &podResources{PodContainerManager: stub.NewPodContainerManager(), pods: map[types.UID]*cm.ResourceConfig{}}}
}

func (n *nodeResources) GetCapacity(localStorage bool) v1.ResourceList {
	if !localStorage {
		return v1.ResourceList{}
	}
	return v1.ResourceList{v1.ResourceEphemeralStorage: *resource.NewQuantity(int64(n.machine.disk), resource.BinarySI)}
}

// nodeOS keeps a node inside its own root directory. The kubelet writes links
// under /var/log/containers by a constant (pkg/kubelet/kuberuntime/legacy.go:34).
type nodeOS struct {
	kubecontainer.RealOS
	root string
}

const legacyLogs = "/var/log/containers"

func (o nodeOS) inside(path string) string {
	if path == legacyLogs || strings.HasPrefix(path, legacyLogs+"/") {
		return filepath.Join(o.root, path)
	}
	return path
}

func (o nodeOS) MkdirAll(path string, perm os.FileMode) error {
	return o.RealOS.MkdirAll(o.inside(path), perm)
}

// Symlink makes a relative link, so that it can be followed in a container that
// mounts the node's logs, too.
func (o nodeOS) Symlink(target, link string) error {
	link = o.inside(link)
	if rel, err := filepath.Rel(filepath.Dir(link), target); err == nil {
		target = rel
	}
	return o.RealOS.Symlink(target, link)
}
func (o nodeOS) Stat(path string) (os.FileInfo, error) {
	return o.RealOS.Stat(o.inside(path))
}
func (o nodeOS) Remove(path string) error    { return o.RealOS.Remove(o.inside(path)) }
func (o nodeOS) RemoveAll(path string) error { return o.RealOS.RemoveAll(o.inside(path)) }

// Glob finds nothing for a pattern that is not absolute. For a container whose
// runtime tells no path of its log, the kubelet's pattern is "*": it would delete
// the files of the directory it was started in (pkg/kubelet/logs/
// container_log_manager.go:170).
func (o nodeOS) Glob(pattern string) ([]string, error) {
	if !filepath.IsAbs(pattern) {
		return nil, nil
	}
	return o.RealOS.Glob(o.inside(pattern))
}
func (o nodeOS) Hostname() (string, error) { return "", os.ErrInvalid }

// volumePlugins are the kubelet's own, less those that reach outside the node's
// folder: the network ones would run mount helpers.
func volumePlugins(ctx context.Context, root string) ([]volume.VolumePlugin, error) {
	all, err := app.ProbeVolumePlugins(ctx, utilfeature.DefaultFeatureGate)
	if err != nil {
		return nil, err
	}
	var kept []volume.VolumePlugin
	for _, p := range all {
		switch p.GetPluginName() {
		case hostPathPlugin:
			kept = append(kept, hostPaths{p, root})
		case "kubernetes.io/nfs", "kubernetes.io/iscsi", "kubernetes.io/fc", "kubernetes.io/local-volume", "kubernetes.io/git-repo":
		case "kubernetes.io/projected":
			kept = append(kept, unowned{p})
		default:
			kept = append(kept, p)
		}
	}
	return kept, nil
}
