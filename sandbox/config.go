package sandbox

// EtcdConfig is what the etcd child reads from the file given to --config.
type EtcdConfig struct {
	Name      string
	DataDir   string
	ClientURL string // https://127.0.0.1:PORT
	PeerURL   string // unix:///PATH; nobody but this one member uses it
	CAFile    string // signs the server's and all clients' certificates
	CertFile  string
	KeyFile   string
	NoSync    bool  // do not wait for the disk: nobody wants these data after a power cut
	After     int64 // the tap tells revisions after this one; 0 means what is there first, as range events
}

// NodeConfig is what a kubelet child reads from the file given to --config.
type NodeConfig struct {
	Name          string
	Address       string // the node's InternalIP, as in 10.0.0.11; nothing listens on it, the egress proxy knows the way
	Zone          string
	PodCIDR       string // what we expect; the controller-manager decides
	RootDir       string
	Kubeconfig    string
	ClientCAFile  string
	CertFile      string // serving certificate for Address and 127.0.0.1
	KeyFile       string
	Port          int // the kubelet API listens here, on 127.0.0.1
	CPU           string
	Memory        string
	MaxPods       int
	RuntimeSocket string
	EmptyRuntime  bool `json:",omitempty"` // measurements beside ours only: upstream's fake runtime, in which nothing runs

	// The node's network.
	NetworkSocket   string // asks it for connections from elsewhere
	FabricSocket    string // and it asks here for those to elsewhere
	ServiceCIDR     string
	ClusterCIDR     string // of all pods
	ClusterDomain   string
	DNSAddress      string // of the Service kube-dns
	ProxyKubeconfig string // of its kube-proxy
	OpensNodePorts  bool   // on 127.0.0.1; one node does
}
