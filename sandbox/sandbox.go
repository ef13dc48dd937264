package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/cause"
)

// Options say how a sandbox is run. The zero value is a sandbox of three
// nodes in the default data directory.
type Options struct {
	DataDir    string    // empty means DefaultDataDir
	Ephemeral  bool      // use a temporary directory and remove it at the end; DataDir must be empty
	Nodes      int       // 0 means 3
	Executable string    // the binary that has the component roles; empty means this one
	Version    string    // of the dashboard, for the data directory's stamp
	Stderr     io.Writer // boot progress, a line a component; nil means none
	Bare       bool      // no audit log, no tap, no gates, no links: for measurements
}

// Sandbox is one cluster. It holds the lock of its data directory from New
// until Run or Close returns.
type Sandbox struct {
	o     Options
	dir   *dataDir
	paths layoutPaths
	nodes []node
	ports map[string]int
	creds *credentials
	plan  []component
	links links // none in a bare one
	board *board
	ran   atomic.Bool

	mu      sync.Mutex // guards keepers
	keepers []*keeper

	sayMu sync.Mutex // one line at a time
}

// New locks and checks the data directory, and makes what the components will
// read: certificates and configuration. Its errors say what to do; it never
// destroys what it cannot use.
func New(o Options) (*Sandbox, error) {
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Nodes < 0 || o.Nodes > maxNodes {
		return nil, fmt.Errorf("%d nodes: choose 1 to %d", o.Nodes, maxNodes)
	}
	if o.Ephemeral && o.DataDir != "" {
		return nil, errors.New("an ephemeral cluster has no data directory: use either --ephemeral or --data-dir")
	}
	if o.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the dashboard's own binary: %w", err)
		}
		o.Executable = self
	}
	s := &Sandbox{o: o, nodes: planNodes(o.Nodes)}
	var err error
	if o.Ephemeral {
		s.dir, err = openEphemeral(o.Version)
	} else {
		if o.DataDir == "" {
			if o.DataDir, err = DefaultDataDir(); err != nil {
				return nil, err
			}
		}
		s.dir, err = openDataDir(o.DataDir, o.Version)
	}
	if err != nil {
		return nil, err
	}
	if err := s.furnish(); err != nil {
		s.dir.close()
		return nil, err
	}
	return s, nil
}

// furnish fills the data directory with what components read.
func (s *Sandbox) furnish() error {
	s.paths = pathsOf(s.dir)
	var err error
	if s.ports, err = keepPorts(filepath.Join(s.dir.path, portsEntry), portNames(s.nodes), 500*time.Millisecond); err != nil {
		return err
	}
	for i := range s.nodes {
		s.nodes[i].port = s.ports[kubeletPrefix+s.nodes[i].name]
	}
	if s.creds, err = makeCredentials(s.paths.pki, s.nodes, time.Now()); err != nil {
		return err
	}
	if err := writeFiles(s.paths, s.creds, s.nodes, s.ports, s.o.Bare); err != nil {
		return err
	}
	server := localURL(way(s.ports, learnerLink, apiserverName, s.o.Bare))
	if err := replaceFile(s.Kubeconfig(), kubeconfig(server, s.creds.clusterCA, adminUser, s.creds.admin), false); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	s.plan = planComponents(s.paths, s.creds, s.nodes, s.ports, s.dir.fresh, s.o.Bare, etcdVersion())
	s.board = newBoard(s.plan)
	if !s.o.Bare {
		s.links = planLinks(s.creds, s.nodes, s.ports)
	}
	return nil
}

// Kubeconfig returns the path of the learner's kubeconfig, which holds its
// keys itself and can be copied.
func (s *Sandbox) Kubeconfig() string { return filepath.Join(s.dir.path, KubeconfigFile) }

// DataDir returns the directory in use.
func (s *Sandbox) DataDir() string { return s.dir.path }

// Ready reports whether all components and all nodes are.
func (s *Sandbox) Ready() bool {
	if !s.board.ready() {
		return false
	}
	for _, n := range s.nodes {
		if !s.board.nodeReady(n.name, time.Time{}) {
			return false
		}
	}
	return true
}

// WaitReady returns when the sandbox is ready, or ctx's error.
func (s *Sandbox) WaitReady(ctx context.Context) error {
	if s.board.wait(ctx, s.Ready) {
		return nil
	}
	return ctx.Err()
}

// Components returns the components in start order.
func (s *Sandbox) Components() []ComponentState { return s.board.components() }

// Order has a component stopped, killed, frozen, thawed or started, as a
// person wants it, and returns when that shows in Components. Its error says
// why it cannot be done now.
func (s *Sandbox) Order(ctx context.Context, name string, o Order) error {
	s.mu.Lock()
	keepers := s.keepers
	s.mu.Unlock()
	var names []string
	for _, k := range keepers {
		if k.name == name {
			return k.order(ctx, o)
		}
		names = append(names, k.name)
	}
	return fmt.Errorf("there is no component %q; there are: %s", name, strings.Join(names, ", "))
}

// LinkOf returns the name of a component's link, if it has one: the
// apiserver's leads to etcd, which uses nobody.
func (s *Sandbox) LinkOf(component string) string {
	switch component {
	case etcdName:
		return ""
	case apiserverName:
		component = etcdName
	}
	if l, err := s.links.find(component); err == nil {
		return l.name
	}
	return ""
}

// Links returns the links in the order of their components.
func (s *Sandbox) Links() []LinkState { return s.links.states() }

// Disturb cuts, slows down or heals a link, as a person wants it.
func (s *Sandbox) Disturb(name string, d Disturbance, delay time.Duration) error {
	l, err := s.links.find(name)
	if err != nil {
		return err
	}
	return l.disturb(d, delay)
}

// Close gives the data directory back when Run is never called.
func (s *Sandbox) Close() {
	if !s.ran.Swap(true) {
		s.dir.close()
	}
}

// Run starts the cluster, keeps it alive and feeds the log until ctx ends;
// then it stops everything, in under 5 s, and returns. It is a watch.Feeder
// and runs once.
func (s *Sandbox) Run(ctx context.Context, log *watch.Log) error {
	if s.ran.Swap(true) {
		return errors.New("a sandbox runs once")
	}
	defer s.dir.close()
	begin := time.Now()

	joiner := watch.NewJoiner(log)
	// A busy machine delays the audit log more than the tap. Longer patience
	// costs time only where a write is never explained, as when the apiserver
	// was killed before it could tell.
	joiner.Patience = time.Second
	joiner.Why = cause.New()
	var joining sync.WaitGroup
	joinCtx, stopJoining := context.WithCancel(context.WithoutCancel(ctx))
	joining.Go(func() { joiner.Run(joinCtx) })
	defer joining.Wait()
	defer stopJoining()
	w := newWitnesses(s.board, func(o watch.Observation) { joiner.Offer(joinCtx, o) })

	kube, etcd, err := s.clients()
	if err != nil {
		return err
	}
	defer kube.close()
	defer etcd.close()

	// What serves components outlives them: it ends by aside, not by ctx.
	aside, endAside := context.WithCancel(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	defer serving.Wait()
	defer endAside()
	os.Remove(s.paths.egressSocket()) // left by a dashboard that was killed
	l, err := net.Listen("unix", s.paths.egressSocket())
	if err != nil {
		return fmt.Errorf("listen for the apiserver's connections to nodes: %w", err)
	}
	figures, err := newMetrics(s.nodes, s.creds, kube, s.server())
	if err != nil {
		return err
	}
	serving.Go(func() { figures.serve(aside) })
	os.Remove(s.paths.fabricSocket())
	between, err := net.Listen("unix", s.paths.fabricSocket())
	if err != nil {
		return fmt.Errorf("listen for the nodes' connections to each other: %w", err)
	}
	peers := overlay.NewPeers(s.peers())
	way := ways(s.nodes, s.links, peers)
	serving.Go(func() {
		f := &fabric{peers: peers, apiserver: s.ports[apiserverName], way: way}
		if err := f.serve(aside, between); err != nil {
			s.say("%v", err)
		}
	})
	serving.Go(func() {
		e := &egress{way: way, dial: inside(s.nodes, peers, figures.dial)}
		if err := e.serve(aside, l); err != nil {
			s.say("%v", err)
		}
	})

	for _, l := range s.links {
		l.tell = w.tell
		if l.proxy != nil {
			l.proxy.offer, l.proxy.answer = w.offer, w.auditor.passed
		}
	}
	serving.Go(func() { s.links.serve(aside, s.board, s.say) })

	forker := newForker()
	defer forker.close()
	if err := s.hire(forker, w, kube, etcd); err != nil {
		return err
	}
	for _, k := range s.keepers {
		go k.keep(ctx)
	}
	server := s.server()
	serving.Go(func() { s.settle(aside, kube, server) })
	if s.o.Bare || goruntime.GOOS == "windows" {
		serving.Go(func() { pollNodes(aside, kube, server, s.board) })
	}
	serving.Go(func() {
		up, cancel := context.WithCancel(aside)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		if s.WaitReady(up) == nil {
			s.say("The cluster is ready after %s: %d nodes", took(begin), len(s.nodes))
		}
	})

	<-ctx.Done()
	s.say("stopping")
	stopping := time.Now()
	s.stop()
	s.say("stopped after %s", took(stopping))
	return nil
}

// peers are all nodes, as the supervisor knows them.
func (s *Sandbox) peers() []overlay.Peer {
	var all []overlay.Peer
	for _, n := range s.nodes {
		all = append(all, overlay.Peer{Name: n.name, Address: netip.MustParseAddr(n.address), Socket: s.paths.networkSocket(n.name)})
	}
	return all
}

// server is where the supervisor itself finds the apiserver.
func (s *Sandbox) server() string {
	return localURL(way(s.ports, kubestageLink, apiserverName, s.o.Bare))
}

// settle does what a new cluster needs, each time the apiserver gets ready.
func (s *Sandbox) settle(ctx context.Context, kube *client, server string) {
	for s.board.wait(ctx, func() bool { return s.board.ready(apiserverName) }) {
		err := bootstrap(ctx, kube, server, append(dnsAddon(s.nodes), metricsAddon(s.creds.clusterCA)...))
		if err == nil || ctx.Err() != nil {
			return
		}
		s.say("what every cluster of ours has is not made yet: %v", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// stop ends the components wave by wave: those that ask the apiserver, the
// apiserver, and etcd last.
func (s *Sandbox) stop() {
	waves := map[int][]*keeper{}
	for _, k := range s.keepers {
		waves[k.wave] = append(waves[k.wave], k)
	}
	order := make([]int, 0, len(waves))
	for w := range waves {
		order = append(order, w)
	}
	slices.Sort(order)
	for _, w := range order {
		var all sync.WaitGroup
		for _, k := range waves[w] {
			all.Go(k.stop)
		}
		all.Wait()
	}
	for _, k := range s.keepers {
		k.diary.close()
	}
}

func (s *Sandbox) clients() (kube, etcd *client, err error) {
	k, err := s.creds.clusterCA.client(s.creds.kubestage)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.creds.etcdCA.client(s.creds.apiserverToEtcd)
	if err != nil {
		return nil, nil, err
	}
	return newClient(k), newClient(e), nil
}

func (s *Sandbox) say(format string, args ...any) {
	if s.o.Stderr == nil {
		return
	}
	s.sayMu.Lock()
	defer s.sayMu.Unlock()
	fmt.Fprintf(s.o.Stderr, format+"\n", args...)
}
