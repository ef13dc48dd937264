package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// component is a part of the cluster as data: nothing here runs anything.
type component struct {
	name  string   // in events and on the terminal: etcd, kubelet:node-1
	role  string   // of the child: dashboard component ROLE
	args  []string // after the role
	needs []string // components that must be ready before it starts
	early bool     // it is enough that they answer, even if what they answer is "not ready yet"
	probe probe    // how one knows that it is ready
	node  string   // it is ready when this node is, too; empty for most

	wave  int           // those of wave 0 are stopped first, all at once
	grace time.Duration // to stop by itself

	audits  bool   // its stdout is an audit log
	tells   bool   // it tells observations on file descriptor 3
	elects  string // the Lease by which it is elected leader, in kube-system
	version string
	advice  string // what to do when it does not start at all
}

// probe is a question whose answer 200 means ready. Without a path it is
// enough that the component accepts a TLS connection.
type probe struct {
	port int
	path string
	etcd bool // ask as a client of etcd, not of the apiserver
}

// node is one node as data.
type node struct {
	name, address, zone, podCIDR string
	cpu, memory                  string
	port                         int // where its kubelet listens on 127.0.0.1
}

const (
	etcdName       = "etcd"
	apiserverName  = "kube-apiserver"
	controllerName = "kube-controller-manager"
	schedulerName  = "kube-scheduler"
	kubeletPrefix  = "kubelet:"
	proxyPrefix    = "kube-proxy-"

	kubestageUser = "kubestage"
	maxNodes      = 50
	maxPods       = 110
)

// planNodes describes n nodes: 10.0.0.11 upwards, in zones a, b and c in turn.
func planNodes(n int) []node {
	nodes := make([]node, n)
	for i := range nodes {
		nodes[i] = node{
			name:    fmt.Sprintf("node-%d", i+1),
			address: fmt.Sprintf("10.0.0.%d", 11+i),
			zone:    "zone-" + string(rune('a'+i%3)),
			podCIDR: fmt.Sprintf("10.244.%d.0/24", i),
			cpu:     "4",
			memory:  "8Gi",
		}
	}
	return nodes
}

// portNames are the listeners of a cluster, for keepPorts.
func portNames(nodes []node) []string {
	names := []string{etcdName, apiserverName, controllerName, schedulerName}
	for _, n := range nodes {
		names = append(names, kubeletPrefix+n.name)
	}
	for _, name := range linkNames(nodes) {
		names = append(names, linkPrefix+name)
	}
	return names
}

// layoutPaths are the files that components are told of.
type layoutPaths struct {
	pki, config, nodes, sockets, etcdData string
}

func pathsOf(d *dataDir) layoutPaths {
	return layoutPaths{
		pki:      filepath.Join(d.path, pkiEntry),
		config:   filepath.Join(d.path, configEntry),
		nodes:    filepath.Join(d.path, nodesEntry),
		sockets:  d.sockets,
		etcdData: filepath.Join(d.path, etcdEntry),
	}
}

func (p layoutPaths) etcdConfig() string { return filepath.Join(p.config, "etcd.json") }
func (p layoutPaths) kubeconfig(user string) string {
	return filepath.Join(p.config, user+".kubeconfig")
}
func (p layoutPaths) auditPolicy() string    { return filepath.Join(p.config, "audit-policy.json") }
func (p layoutPaths) authentication() string { return filepath.Join(p.config, "authentication.json") }
func (p layoutPaths) egressConfig() string   { return filepath.Join(p.config, "egress.json") }
func (p layoutPaths) egressSocket() string   { return filepath.Join(p.sockets, "egress.sock") }
func (p layoutPaths) etcdSocket() string     { return filepath.Join(p.sockets, "etcd-peer.sock") }
func (p layoutPaths) runtimeSocket(node string) string {
	return filepath.Join(p.sockets, node, "runtime.sock")
}
func (p layoutPaths) fabricSocket() string { return filepath.Join(p.sockets, "fabric.sock") }
func (p layoutPaths) networkSocket(node string) string {
	return filepath.Join(p.sockets, node, "network.sock")
}
func (p layoutPaths) schedulerConfig() string       { return filepath.Join(p.config, "scheduler.json") }
func (p layoutPaths) nodeConfig(node string) string { return filepath.Join(p.config, node+".json") }

// planComponents describes all components of a cluster, in start order. A
// fresh cluster has nothing in etcd yet.
func planComponents(p layoutPaths, c *credentials, nodes []node, ports map[string]int, fresh, bare bool, etcdVersion string) []component {
	port := func(name string) string { return strconv.Itoa(ports[name]) }
	caFile := c.clusterCA.file(p.pki)

	etcd := component{
		name: etcdName, role: "etcd", args: []string{"--config", p.etcdConfig()},
		probe: probe{port: ports[etcdName], path: "/health", etcd: true},
		wave:  2, grace: 800 * time.Millisecond, tells: !bare, version: etcdVersion,
		advice: "If it says that its data are damaged: dashboard reset deletes the cluster and lets a new one begin; --ephemeral or another --data-dir leaves it as it is.",
	}

	apiserver := component{
		name: apiserverName, role: "kube-apiserver",
		needs: []string{etcdName}, early: true,
		probe: probe{port: ports[apiserverName], path: "/readyz"},
		wave:  1, grace: 2200 * time.Millisecond, audits: !bare, tells: !bare, version: Kubernetes,
		args: []string{
			"--etcd-servers=" + localURL(way(ports, etcdName, etcdName, bare)),
			"--etcd-cafile=" + c.etcdCA.file(p.pki),
			"--etcd-certfile=" + c.apiserverToEtcd.CertFile,
			"--etcd-keyfile=" + c.apiserverToEtcd.KeyFile,
			"--bind-address=127.0.0.1",
			"--secure-port=" + port(apiserverName),
			"--advertise-address=" + controlPlaneAddress,
			"--tls-cert-file=" + c.apiserver.CertFile,
			"--tls-private-key-file=" + c.apiserver.KeyFile,
			"--client-ca-file=" + caFile,
			"--authentication-config=" + p.authentication(),
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--service-cluster-ip-range=" + serviceCIDR,
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + c.saPubFile,
			"--service-account-signing-key-file=" + c.saKeyFile,
			"--requestheader-client-ca-file=" + c.frontProxyCA.file(p.pki),
			"--requestheader-allowed-names=front-proxy-client",
			"--requestheader-username-headers=X-Remote-User",
			"--requestheader-group-headers=X-Remote-Group",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--proxy-client-cert-file=" + c.frontProxy.CertFile,
			"--proxy-client-key-file=" + c.frontProxy.KeyFile,
			"--kubelet-certificate-authority=" + caFile,
			"--kubelet-client-certificate=" + c.apiserverToKubelet.CertFile,
			"--kubelet-client-key=" + c.apiserverToKubelet.KeyFile,
			"--kubelet-preferred-address-types=InternalIP",
			"--egress-selector-config-file=" + p.egressConfig(),
			// Nothing on this machine knows Services' addresses but the nodes,
			// so that webhooks and aggregated APIs are called at their endpoints.
			"--enable-aggregator-routing=true",
			"--profiling=false",
			// A restart must not wait for anybody: open watches are told to
			// end, and what does not end in time is cut.
			"--shutdown-delay-duration=0s",
			"--shutdown-send-retry-after=false",
			"--shutdown-watch-termination-grace-period=500ms",
		},
	}
	if !bare {
		apiserver.args = append(apiserver.args, "--audit-policy-file="+p.auditPolicy(), "--audit-log-path=-")
	}

	controllers := component{
		name: controllerName, role: "kube-controller-manager",
		// In a fresh cluster the roles that let it do anything are written
		// last, and it would wait for two seconds after a refusal.
		needs: []string{apiserverName}, early: !fresh,
		probe: probe{port: ports[controllerName], path: "/healthz"},
		grace: 1200 * time.Millisecond, version: Kubernetes, elects: "kube-controller-manager",
		args: []string{
			"--kubeconfig=" + p.kubeconfig(controllerName),
			"--authentication-kubeconfig=" + p.kubeconfig(controllerName),
			"--authorization-kubeconfig=" + p.kubeconfig(controllerName),
			"--bind-address=127.0.0.1",
			"--secure-port=" + port(controllerName),
			"--tls-cert-file=" + c.controllerManagerServing.CertFile,
			"--tls-private-key-file=" + c.controllerManagerServing.KeyFile,
			"--client-ca-file=" + caFile,
			"--requestheader-client-ca-file=" + c.frontProxyCA.file(p.pki),
			"--root-ca-file=" + caFile,
			"--service-account-private-key-file=" + c.saKeyFile,
			"--use-service-account-credentials=true",
			"--cluster-signing-cert-file=" + caFile,
			"--cluster-signing-key-file=" + filepath.Join(p.pki, c.clusterCA.name+".key"),
			"--allocate-node-cidrs=true",
			"--cluster-cidr=" + clusterCIDR,
			"--service-cluster-ip-range=" + serviceCIDR,
			// With its usual limit of 20 requests a second the first Pod waits
			// for five seconds: each controller fetches a token of its own
			// first, and the default ServiceAccount comes late.
			"--kube-api-qps=1000",
			"--kube-api-burst=2000",
			"--leader-elect=true",
			"--profiling=false",
		},
	}

	scheduler := component{
		name: schedulerName, role: "kube-scheduler",
		needs: []string{apiserverName}, early: !fresh,
		probe: probe{port: ports[schedulerName], path: "/healthz"},
		grace: 1200 * time.Millisecond, version: Kubernetes, tells: !bare, elects: "kube-scheduler",
		args: []string{
			"--config=" + p.schedulerConfig(),
			"--authentication-kubeconfig=" + p.kubeconfig(schedulerName),
			"--authorization-kubeconfig=" + p.kubeconfig(schedulerName),
			"--bind-address=127.0.0.1",
			"--secure-port=" + port(schedulerName),
			"--tls-cert-file=" + c.schedulerServing.CertFile,
			"--tls-private-key-file=" + c.schedulerServing.KeyFile,
			"--client-ca-file=" + caFile,
			"--requestheader-client-ca-file=" + c.frontProxyCA.file(p.pki),
		},
	}

	all := []component{etcd, apiserver, controllers, scheduler}
	for _, n := range nodes {
		all = append(all, component{
			name: kubeletPrefix + n.name, role: "kubelet", args: []string{"--config", p.nodeConfig(n.name)},
			// Between the apiserver's first answer and its being ready lies a
			// second in which it writes its first objects and a core is idle.
			needs: []string{apiserverName}, early: true,
			probe: probe{port: n.port}, node: n.name,
			grace: 1200 * time.Millisecond, version: Kubernetes, tells: !bare,
		})
	}
	return all
}

// way returns the port at which a client finds a server: its own link's, or
// the server's own where nobody looks.
func way(ports map[string]int, client, server string, bare bool) int {
	if bare {
		return ports[server]
	}
	return ports[linkPrefix+client]
}

func localURL(port int) string {
	return "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// nodeRoot makes a node's root directory and returns a path of it that is
// short enough: a kubelet makes sockets below.
func (p layoutPaths) nodeRoot(node string) (string, error) {
	root := filepath.Join(p.nodes, node)
	if err := privateDir(root); err != nil || p.socketsInside() {
		return root, err
	}
	short := filepath.Join(p.sockets, node, "root")
	if err := privateDir(filepath.Dir(short)); err != nil {
		return "", err
	}
	if err := os.Symlink(root, short); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return short, nil
}

// socketsInside reports whether sockets are in the data directory, which they
// are unless its path is too long for them.
func (p layoutPaths) socketsInside() bool { return filepath.Dir(p.sockets) == filepath.Dir(p.nodes) }

// writeFiles writes what the plan refers to, except etcd's configuration,
// which changes from start to start.
func writeFiles(p layoutPaths, c *credentials, nodes []node, ports map[string]int, bare bool) error {
	type kubeconfigUser struct {
		file, client, user string
		pair               pair
	}
	users := []kubeconfigUser{
		{controllerName, controllerName, "system:kube-controller-manager", c.controllerManager},
		{schedulerName, schedulerName, "system:kube-scheduler", c.scheduler},
	}
	for i, n := range nodes {
		users = append(users,
			kubeconfigUser{n.name, kubeletPrefix + n.name, "system:node:" + n.name, c.kubelets[i]},
			kubeconfigUser{proxyPrefix + n.name, kubeletPrefix + n.name, proxyUser, c.proxy})
	}
	for _, u := range users {
		server := localURL(way(ports, u.client, apiserverName, bare))
		if err := replaceFile(p.kubeconfig(u.file), kubeconfig(server, c.clusterCA, u.user, u.pair), false); err != nil {
			return fmt.Errorf("write a kubeconfig: %w", err)
		}
	}
	docs := map[string]any{
		p.auditPolicy():     auditPolicy(),
		p.authentication():  authenticationConfig(),
		p.egressConfig():    egressConfig(p.egressSocket()),
		p.schedulerConfig(): schedulerConfig(p.kubeconfig(schedulerName)),
	}
	for i, n := range nodes {
		if err := privateDir(filepath.Dir(p.runtimeSocket(n.name))); err != nil {
			return fmt.Errorf("make a directory for sockets: %w", err)
		}
		root, err := p.nodeRoot(n.name)
		if err != nil {
			return fmt.Errorf("make a node's directory: %w", err)
		}
		docs[p.nodeConfig(n.name)] = NodeConfig{
			Name: n.name, Address: n.address, Zone: n.zone, PodCIDR: n.podCIDR,
			RootDir: root, Kubeconfig: p.kubeconfig(n.name), ClientCAFile: c.clusterCA.file(p.pki),
			CertFile: c.kubeletsServing[i].CertFile, KeyFile: c.kubeletsServing[i].KeyFile,
			Port: n.port, CPU: n.cpu, Memory: n.memory, MaxPods: maxPods,
			RuntimeSocket: p.runtimeSocket(n.name),
			NetworkSocket: p.networkSocket(n.name), FabricSocket: p.fabricSocket(),
			ServiceCIDR: serviceCIDR, ClusterCIDR: clusterCIDR, ClusterDomain: clusterDomain, DNSAddress: dnsAddress,
			ProxyKubeconfig: p.kubeconfig(proxyPrefix + n.name),
			OpensNodePorts:  i == 0,
		}
	}
	for path, doc := range docs {
		if err := writeConfig(path, doc); err != nil {
			return err
		}
	}
	return nil
}

// etcdConfig is what etcd reads at its next start.
func etcdConfig(p layoutPaths, c *credentials, ports map[string]int, ephemeral bool, after int64) EtcdConfig {
	return EtcdConfig{
		Name: "kubestage", DataDir: p.etcdData,
		ClientURL: localURL(ports[etcdName]), PeerURL: "unix://" + p.etcdSocket(),
		CAFile: c.etcdCA.file(p.pki), CertFile: c.etcd.CertFile, KeyFile: c.etcd.KeyFile,
		NoSync: ephemeral, After: after,
	}
}
