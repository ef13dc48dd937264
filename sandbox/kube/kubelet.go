//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"time"
	_ "unsafe" // for linkname

	noop "go.opentelemetry.io/otel/trace/noop"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	clientset "k8s.io/client-go/kubernetes"
	v1core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	"k8s.io/kubernetes/pkg/features"
	"k8s.io/kubernetes/pkg/kubelet"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletutil "k8s.io/kubernetes/pkg/kubelet/util"
	"k8s.io/kubernetes/pkg/util/oom"
	"k8s.io/kubernetes/pkg/volume/util/hostutil"
	"k8s.io/mount-utils"

	"github.com/kubestage/kubestage/sandbox"
	"github.com/kubestage/kubestage/sandbox/runtime"
)

// The kubelet calls oomwatcher.NewWatcher, which opens /dev/kmsg; where an
// ordinary user may not, NewMainKubelet fails unless the process believes to be
// in a user namespace and the gate KubeletInUserNamespace is on
// (pkg/kubelet/kubelet.go:562). A node of the sandbox has no kernel of its own,
// so what the host's kernel says is none of its business either way.
//
//go:linkname inUserNS github.com/moby/sys/userns.inUserNS
var inUserNS func() bool

// nodeGates differ from the defaults. What pods use is known to the runtime, in
// which their programs run, and to nobody else: without it a memory limit
// could not be lowered (pkg/kubelet/kuberuntime/kuberuntime_manager.go:1100).
var nodeGates = map[string]bool{
	string(features.KubeletInUserNamespace):      true,
	string(features.PodAndContainerStatsFromCRI): true,
}

// runKubelet runs one node: upstream's kubelet, with our container runtime and
// the node's share of kube-proxy and DNS in the same process.
func runKubelet(args []string) int {
	var c sandbox.NodeConfig
	if err := readConfig(args, &c); err != nil {
		fmt.Fprintln(os.Stderr, "kubelet:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serveNode(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "kubelet:", err)
		return 1
	}
	klog.Flush()
	return 0
}

func serveNode(ctx context.Context, c sandbox.NodeConfig) error {
	inUserNS = func() bool { return true }
	logs.InitLogs()
	gates := utilfeature.DefaultMutableFeatureGate
	if err := gates.SetFromMap(nodeGates); err != nil {
		return err
	}
	if err := logsapi.ValidateAndApply(logsapi.NewLoggingConfiguration(), gates); err != nil {
		return err
	}

	if err := layNodeRoot(nodeRoot(c)); err != nil {
		return fmt.Errorf("the node's root directory: %w", err)
	}
	w := newWitness()
	services, err := newProxy(c)
	if err != nil {
		return fmt.Errorf("kube-proxy: %w", err)
	}
	programs, err := runtime.New(runtime.Config{
		Node:          c.Name,
		Address:       c.Address,
		Socket:        c.RuntimeSocket,
		RootDir:       filepath.Join(c.RootDir, "runtime"),
		PodsDir:       filepath.Join(c.RootDir, "pods"),
		HostDir:       nodeRoot(c),
		Record:        newCRIRecorder(w, c.Name).record,
		NetworkSocket: c.NetworkSocket,
		Router:        services,
		Connected:     newConnections(w, c.Name).record,
	})
	if err != nil {
		return fmt.Errorf("container runtime: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	runtimeDone := make(chan struct{})
	go func() {
		defer close(runtimeDone)
		if err := programs.Run(ctx); err != nil {
			cancel(fmt.Errorf("container runtime: %w", err))
		}
	}()
	proxyDone := make(chan struct{})
	go func() {
		defer close(proxyDone)
		if err := services.run(ctx, programs); err != nil {
			cancel(fmt.Errorf("kube-proxy: %w", err))
		}
	}()
	if err := waitForSocket(ctx, c.RuntimeSocket); err != nil {
		return err
	}

	server, err := kubeletServer(c)
	if err != nil {
		return err
	}
	if c.EmptyRuntime {
		if server.ContainerRuntimeEndpoint, err = serveEmptyRuntime(c); err != nil {
			return fmt.Errorf("empty runtime: %w", err)
		}
	}
	deps, err := dependencies(ctx, c, server)
	if err != nil {
		return err
	}
	deps.Options = []kubelet.Option{ownAddress, noKernelWatch, newProbers(c.Name, programs, w).install, reachHooks(programs)}
	if err := app.RunKubelet(ctx, server, deps); err != nil {
		return err
	}
	<-ctx.Done()
	<-proxyDone
	<-runtimeDone
	if cause := context.Cause(ctx); cause != context.Canceled {
		return cause
	}
	return nil
}

// nodeRoot is the root directory of the node: what hostPath volumes see.
func nodeRoot(c sandbox.NodeConfig) string { return filepath.Join(c.RootDir, "root") }

func waitForSocket(ctx context.Context, path string) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("container runtime: no socket at %s", path)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// kubeletServer is the kubelet's configuration: upstream's defaults, less what
// needs root, a cgroup tree or a disk of the node's own.
func kubeletServer(c sandbox.NodeConfig) (*options.KubeletServer, error) {
	flags := options.NewKubeletFlags()
	flags.RootDirectory = c.RootDir
	flags.CertDirectory = filepath.Join(c.RootDir, "pki")
	flags.HostnameOverride = c.Name
	flags.NodeIP = c.Address
	flags.KubeConfig = c.Kubeconfig
	flags.NodeLabels = map[string]string{"topology.kubernetes.io/zone": c.Zone}

	conf, err := options.NewKubeletConfiguration()
	if err != nil {
		return nil, err
	}
	conf.Address = "127.0.0.1"
	conf.Port = int32(c.Port)
	conf.ReadOnlyPort = 0
	conf.HealthzPort = 0
	conf.TLSCertFile, conf.TLSPrivateKeyFile = c.CertFile, c.KeyFile
	conf.Authentication.X509.ClientCAFile = c.ClientCAFile
	conf.Authentication.Anonymous.Enabled = false
	conf.Authentication.Webhook.Enabled = true
	conf.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook
	conf.ContainerRuntimeEndpoint = "unix://" + c.RuntimeSocket
	conf.StaticPodPath = filepath.Join(nodeRoot(c), filepath.FromSlash(manifestsDir))
	conf.PodLogsDir = filepath.Join(nodeRoot(c), filepath.FromSlash(podLogsDir))
	conf.VolumePluginDir = filepath.Join(c.RootDir, "volume-plugins")
	conf.ClusterDNS = []string{c.DNSAddress}
	conf.ClusterDomain = c.ClusterDomain
	conf.ResolverConfig = ""
	conf.MaxPods = int32(c.MaxPods)
	conf.CgroupsPerQOS = false
	conf.EnforceNodeAllocatable = nil
	conf.FailSwapOn = false
	conf.FailCgroupV1 = false
	conf.MakeIPTablesUtilChains = false
	conf.EvictionHard = map[string]string{}
	conf.LocalStorageCapacityIsolation = true
	conf.FeatureGates = nodeGates
	if err := os.MkdirAll(flags.CertDirectory, 0o700); err != nil {
		return nil, err
	}
	return &options.KubeletServer{KubeletFlags: *flags, KubeletConfiguration: *conf}, nil
}

// dependencies are what upstream's run (cmd/kubelet/app/server.go:624) builds,
// with a stand-in for each that would touch the machine.
func dependencies(ctx context.Context, c sandbox.NodeConfig, server *options.KubeletServer) (*kubelet.Dependencies, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.ContentType = server.ContentType
	config.QPS, config.Burst = float32(server.KubeAPIQPS), int(server.KubeAPIBurst)
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	eventConfig := *config
	eventConfig.QPS, eventConfig.Burst = float32(server.EventRecordQPS), int(server.EventBurst)
	events, err := v1core.NewForConfig(&eventConfig)
	if err != nil {
		return nil, err
	}
	heartbeatConfig := *config
	heartbeatConfig.QPS = -1
	heartbeatConfig.Timeout = min(server.NodeStatusUpdateFrequency.Duration, time.Duration(server.NodeLeaseDurationSeconds)*time.Second)
	heartbeat, err := clientset.NewForConfig(&heartbeatConfig)
	if err != nil {
		return nil, err
	}
	auth, reload, err := app.BuildAuth("", client, server.KubeletConfiguration)
	if err != nil {
		return nil, err
	}
	reload(ctx.Done())
	tlsOptions, err := app.InitializeTLS(ctx, &server.KubeletFlags, &server.KubeletConfiguration)
	if err != nil {
		return nil, err
	}
	plugins, err := volumePlugins(ctx, nodeRoot(c))
	if err != nil {
		return nil, err
	}
	machine, err := newMachine(c)
	if err != nil {
		return nil, err
	}
	kubelet.ContainerLogsDir = filepath.Join(nodeRoot(c), filepath.FromSlash(legacyLogs))
	deps := &kubelet.Dependencies{
		Auth:                      auth,
		CAdvisorInterface:         machine,
		ContainerManager:          newNodeResources(machine),
		EventClient:               events,
		HeartbeatClient:           heartbeat,
		KubeClient:                client,
		Mounter:                   mount.NewFakeMounter(nil),
		HostUtil:                  nodeFiles{hostutil.NewFakeHostUtil(nil), c.RootDir},
		OOMAdjuster:               oom.NewFakeOOMAdjuster(),
		OSInterface:               nodeOS{root: nodeRoot(c)},
		Subpather:                 subPaths{c.RootDir},
		TracerProvider:            noop.NewTracerProvider(),
		TLSOptions:                tlsOptions,
		VolumePlugins:             plugins,
		PodStartupLatencyTracker:  kubeletutil.NewPodStartupLatencyTracker(),
		NodeStartupLatencyTracker: kubeletutil.NewNodeStartupLatencyTracker(),
	}
	if err := kubelet.PreInitRuntimeService(ctx, &server.KubeletConfiguration, deps); err != nil {
		return nil, err
	}
	return deps, nil
}

// ownAddress lets a node have an address that no interface of this machine has:
// the kubelet would refuse it (pkg/kubelet/kubelet_node_status.go, validateNodeIP),
// and there is no option for what is a private field.
func ownAddress(k *kubelet.Kubelet) {
	f := open(reflect.ValueOf(k).Elem().FieldByName("nodeIPValidator"))
	f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value {
		return []reflect.Value{reflect.Zero(f.Type().Out(0))}
	}))
}

// noKernelWatch takes the watcher of /dev/kmsg away where it could be opened:
// the host's out-of-memory kills did not happen on this node.
func noKernelWatch(k *kubelet.Kubelet) {
	open(reflect.ValueOf(k).Elem().FieldByName("oomWatcher")).SetZero()
}
