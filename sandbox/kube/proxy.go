//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kubeproxy "k8s.io/kubernetes/pkg/proxy"
	proxyconfig "k8s.io/kubernetes/pkg/proxy/config"

	"github.com/kubestage/kubestage/sandbox"
	"github.com/kubestage/kubestage/sandbox/overlay"
	"github.com/kubestage/kubestage/sandbox/runtime"
)

// proxy is kube-proxy on a node. What it knows is kube-proxy's own: its watch
// of Services and EndpointSlices as system:kube-proxy, its bookkeeping of their
// changes, its choice of the endpoints that may be used from this node (all of
// k8s.io/kubernetes/pkg/proxy). Only the last step differs. Where iptables would
// be given rules for packets, a table is kept here, which the node's runtime
// looks into when a program makes a connection.
type proxy struct {
	config                   sandbox.NodeConfig
	node                     netip.Addr
	labels                   map[string]string // of the node, for topology
	serviceCIDR, clusterCIDR netip.Prefix
	peers                    *overlay.Peers
	dns                      *dns

	services  *kubeproxy.ServiceChangeTracker
	endpoints *kubeproxy.EndpointsChangeTracker

	mu        sync.Mutex // guards all below
	synced    int        // of the two kinds it watches
	ports     kubeproxy.ServicePortMap
	targets   kubeproxy.EndpointsMap
	addresses map[target]kubeproxy.ServicePortName
	nodePorts map[target]kubeproxy.ServicePortName
	sticky    map[visitor]visit
	changed   func(nodePorts map[int]string) // told which TCP ports of the node lead to which Service
}

// target is what a Service is reached by.
type target struct {
	netip.AddrPort
	protocol v1.Protocol
}

// visitor is a client of a Service with session affinity.
type visitor struct {
	service kubeproxy.ServicePortName
	client  netip.Addr
}

// visit is where a visitor was sent last.
type visit struct {
	endpoint string
	at       time.Time
}

func newProxy(c sandbox.NodeConfig) (*proxy, error) {
	p := &proxy{
		config:    c,
		labels:    map[string]string{v1.LabelTopologyZone: c.Zone, v1.LabelHostname: c.Name},
		services:  kubeproxy.NewServiceChangeTracker(v1.IPv4Protocol, nil, nil),
		endpoints: kubeproxy.NewEndpointsChangeTracker(v1.IPv4Protocol, c.Name, nil, nil),
		ports:     kubeproxy.ServicePortMap{},
		targets:   kubeproxy.EndpointsMap{},
		sticky:    map[visitor]visit{},
	}
	var err error
	if p.node, err = netip.ParseAddr(c.Address); err != nil {
		return nil, fmt.Errorf("the node's address: %w", err)
	}
	if p.serviceCIDR, err = netip.ParsePrefix(c.ServiceCIDR); err != nil {
		return nil, fmt.Errorf("the range of Services: %w", err)
	}
	if p.clusterCIDR, err = netip.ParsePrefix(c.ClusterCIDR); err != nil {
		return nil, fmt.Errorf("the range of pods: %w", err)
	}
	return p, nil
}

// run watches until ctx ends.
func (p *proxy) run(ctx context.Context, programs *runtime.Server) error {
	config, err := clientcmd.BuildConfigFromFlags("", p.config.ProxyKubeconfig)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := clientset.NewForConfig(rest.AddUserAgent(config, "kube-proxy"))
	if err != nil {
		return err
	}
	if !served(ctx, client) {
		return nil
	}
	shared := informers.NewSharedInformerFactory(client, 0)
	services, slices := shared.Core().V1().Services(), shared.Discovery().V1().EndpointSlices()
	if p.config.OpensNodePorts {
		ports := newNodePorts(ctx, programs, func(service string, port int, err error) {
			namespace, name, _ := strings.Cut(service, "/")
			name, _, _ = strings.Cut(name, ":")
			if s, gone := services.Lister().Services(namespace).Get(name); gone == nil {
				tellRefused(ctx, client, s, port, err)
			}
		})
		defer ports.close()
		p.changed = ports.set
	}
	p.dns = newDNS(p.config.ClusterDomain, services.Lister(), slices.Lister())
	of := proxyconfig.NewServiceConfig(ctx, services, 0)
	of.RegisterEventHandler(p)
	behind := proxyconfig.NewEndpointSliceConfig(ctx, slices, 0)
	behind.RegisterEventHandler(p)
	shared.Start(ctx.Done())
	var watching sync.WaitGroup
	watching.Go(func() { of.Run(ctx.Done()) })
	watching.Go(func() { behind.Run(ctx.Done()) })
	<-ctx.Done()
	watching.Wait()
	shared.Shutdown()
	return nil
}

// served waits until the apiserver is ready: in a new cluster the roles that let
// kube-proxy watch are written last, and it would begin with being refused.
func served(ctx context.Context, client clientset.Interface) bool {
	for {
		if client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tellRefused says in the cluster that a node port cannot be used, as kube-proxy
// did while it opened them (v1.22, proxier.go, "can't open port").
func tellRefused(ctx context.Context, client clientset.Interface, s *v1.Service, port int, why error) {
	now := metav1.Now()
	_, _ = client.CoreV1().Events(s.Namespace).Create(ctx, &v1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: s.Name + ".", Namespace: s.Namespace},
		InvolvedObject: v1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name, UID: s.UID},
		Reason:         "NodePortNotOpen", Type: v1.EventTypeWarning, Count: 1,
		Message: fmt.Sprintf("Port %d is not open on 127.0.0.1, where Kubestage opens node ports: %v. "+
			"Free it, or choose another nodePort; inside the cluster it works at the nodes' addresses.", port, why),
		Source: v1.EventSource{Component: "kube-proxy"}, FirstTimestamp: now, LastTimestamp: now,
	}, metav1.CreateOptions{})
}

func (p *proxy) OnServiceAdd(s *v1.Service)    { p.OnServiceUpdate(nil, s) }
func (p *proxy) OnServiceDelete(s *v1.Service) { p.OnServiceUpdate(s, nil) }
func (p *proxy) OnServiceSynced()              { p.sync(1) }
func (p *proxy) OnServiceUpdate(old, new *v1.Service) {
	p.services.Update(old, new)
	p.sync(0)
}

func (p *proxy) OnEndpointSliceAdd(s *discoveryv1.EndpointSlice) {
	p.endpoints.EndpointSliceUpdate(s, false)
	p.sync(0)
}
func (p *proxy) OnEndpointSliceUpdate(_, s *discoveryv1.EndpointSlice) { p.OnEndpointSliceAdd(s) }
func (p *proxy) OnEndpointSliceDelete(s *discoveryv1.EndpointSlice) {
	p.endpoints.EndpointSliceUpdate(s, true)
	p.sync(0)
}
func (p *proxy) OnEndpointSlicesSynced() { p.sync(1) }

// sync brings the table up to date. As in kube-proxy there is none until both
// kinds have been listed.
func (p *proxy) sync(listed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.synced += listed; p.synced < 2 {
		return
	}
	p.ports.Update(p.services)
	p.targets.Update(p.endpoints)
	p.addresses, p.nodePorts = map[target]kubeproxy.ServicePortName{}, map[target]kubeproxy.ServicePortName{}
	open := map[int]string{}
	for name, svc := range p.ports {
		for _, ip := range append(append([]net.IP{svc.ClusterIP()}, svc.ExternalIPs()...), svc.LoadBalancerVIPs()...) {
			if addr, ok := netip.AddrFromSlice(ip.To4()); ok {
				p.addresses[target{netip.AddrPortFrom(addr, uint16(svc.Port())), svc.Protocol()}] = name
			}
		}
		if n := svc.NodePort(); n != 0 {
			p.nodePorts[target{netip.AddrPortFrom(p.node, uint16(n)), svc.Protocol()}] = name
			if svc.Protocol() == v1.ProtocolTCP {
				open[n] = name.String()
			}
		}
	}
	for v := range p.sticky {
		if _, ok := p.ports[v.service]; !ok {
			delete(p.sticky, v)
		}
	}
	if p.changed != nil {
		p.changed(open)
	}
}

// Route changes the address of a Service to that of an endpoint, with the
// outcome that kube-proxy's rules have: random among the endpoints that may be
// used, refused when there are none (REJECT), silent when there are some but
// the traffic policy keeps them from this node (DROP; iptables/proxier.go:904).
func (p *proxy) Route(ctx context.Context, protocol string, from, to netip.AddrPort) (runtime.Route, error) {
	route, dropped, err := p.choose(protocol, from, to)
	if dropped {
		return route, overlay.Silence(ctx)
	}
	return route, err
}

func (p *proxy) choose(protocol string, from, to netip.AddrPort) (route runtime.Route, dropped bool, err error) {
	route = runtime.Route{From: from, To: to}
	wanted := target{to, map[string]v1.Protocol{"tcp": v1.ProtocolTCP, "udp": v1.ProtocolUDP}[protocol]}
	p.mu.Lock()
	defer p.mu.Unlock()
	name, ok := p.addresses[wanted]
	if !ok {
		name, ok = p.nodePorts[wanted]
	}
	if !ok {
		if !p.serviceCIDR.Contains(to.Addr()) {
			return route, false, nil
		}
		// As the nftables mode has it (chain cluster-ips-check): a port that
		// the Service does not have is rejected, an address that no Service
		// has is dropped.
		for a := range p.addresses {
			if a.Addr() == to.Addr() {
				return route, false, overlay.ErrRefused
			}
		}
		return route, true, nil
	}
	svc := p.ports[name]
	route.Service = name.String()
	external := !svc.ClusterIP().Equal(to.Addr().AsSlice())
	everywhere, local, _, any := kubeproxy.CategorizeEndpoints(p.targets[name], svc, p.config.Name, p.labels)
	usable := everywhere
	// What comes from pods goes to all endpoints even where the policy for
	// external traffic is Local (iptables/proxier.go, "short-circuit").
	outside := external && !p.fromInside(from.Addr())
	switch {
	case external && !svc.ExternalPolicyLocal(), external && !outside:
		if outside {
			route.From = netip.AddrPortFrom(p.node, from.Port()) // masqueraded
		}
	case external, svc.InternalPolicyLocal():
		usable = local
	}
	switch {
	case !any:
		return route, false, overlay.ErrRefused
	case len(usable) == 0:
		return route, true, nil
	}
	chosen := p.pick(visitor{name, from.Addr()}, svc, usable)
	if route.To, err = netip.ParseAddrPort(chosen); err != nil {
		return route, false, overlay.ErrUnreachable
	}
	return route, false, nil
}

// pick chooses an endpoint, the one from last time for a client of a Service
// with session affinity that comes back soon enough.
func (p *proxy) pick(v visitor, svc kubeproxy.ServicePort, usable []kubeproxy.Endpoint) string {
	chosen := usable[rand.IntN(len(usable))].String()
	if svc.SessionAffinityType() != v1.ServiceAffinityClientIP {
		return chosen
	}
	now, age := time.Now(), time.Duration(svc.StickyMaxAgeSeconds())*time.Second
	if last, ok := p.sticky[v]; ok && now.Sub(last.at) < age {
		for _, e := range usable {
			if e.String() == last.endpoint {
				chosen = last.endpoint
			}
		}
	}
	p.sticky[v] = visit{chosen, now}
	return chosen
}

func (p *proxy) fromInside(addr netip.Addr) bool {
	return addr == p.node || p.clusterCIDR.Contains(addr)
}

// Dial connects to what is not on this node.
func (p *proxy) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	c, err := overlay.Dial(ctx, p.config.FabricSocket, from, to)
	if err != nil && !overlay.IsAnswer(err) {
		return nil, overlay.Silence(ctx) // the fabric itself is gone
	}
	return c, err
}

// Answer answers questions to the node's DNS server.
func (p *proxy) Answer(ctx context.Context, _, to netip.AddrPort, question []byte) ([]byte, error) {
	if to != netip.AddrPortFrom(p.node, 53) {
		return nil, overlay.Silence(ctx)
	}
	p.mu.Lock()
	ready := p.synced == 2
	p.mu.Unlock()
	if !ready {
		return nil, overlay.Silence(ctx)
	}
	return p.dns.answer(question)
}
