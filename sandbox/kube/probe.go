//go:build !nosandbox

package kube

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet"
	"k8s.io/kubernetes/pkg/probe"
	grpcprobe "k8s.io/kubernetes/pkg/probe/grpc"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
	tcpprobe "k8s.io/kubernetes/pkg/probe/tcp"

	"github.com/kubestage/kubestage/sandbox/runtime"
	"github.com/kubestage/kubestage/watch"
)

// probers perform the kubelet's HTTP, TCP and gRPC probes. Everything about a
// probe is the kubelet's own: its workers, periods, thresholds, results and
// Events. Only the last step differs: a pod's address exists in the node's
// runtime and nowhere else, so that upstream's prober, which takes no dialer,
// goes through a door on loopback that is open for this attempt only. An address that no pod of this node listens on is refused, whatever
// may listen on it on this machine.
type probers struct {
	node    string
	network *runtime.Server
	w       *witness
	kubelet *kubelet.Kubelet
	number  atomic.Uint64

	http httpprobe.Prober
	tcp  tcpprobe.Prober
	grpc grpcprobe.Prober
}

func newProbers(node string, network *runtime.Server, w *witness) *probers {
	return &probers{node: node, network: network, w: w, http: httpprobe.New(false), tcp: tcpprobe.New(), grpc: grpcprobe.New()}
}

// install is a kubelet.Option. The kubelet's probe manager keeps its probers in
// private fields (pkg/kubelet/prober/prober.go:60) and offers no dialer.
func (p *probers) install(k *kubelet.Kubelet) {
	p.kubelet = k
	manager := open(reflect.ValueOf(k).Elem().FieldByName("probeManager")).Elem().Elem()
	inner := open(manager.FieldByName("prober")).Elem()
	open(inner.FieldByName("http")).Set(reflect.ValueOf(httpProber{p}))
	open(inner.FieldByName("tcp")).Set(reflect.ValueOf(tcpProber{p}))
	open(inner.FieldByName("grpc")).Set(reflect.ValueOf(grpcProber{p}))
}

// open makes a private field readable and writable.
func open(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

type (
	httpProber struct{ *probers }
	tcpProber  struct{ *probers }
	grpcProber struct{ *probers }
)

func (p httpProber) Probe(req *http.Request, timeout time.Duration) (probe.Result, string, error) {
	host := req.URL.Hostname()
	port, err := strconv.Atoi(req.URL.Port())
	if err != nil {
		port = map[string]int{"https": 443}[req.URL.Scheme]
		if port == 0 {
			port = 80
		}
	}
	asked := *req.URL
	return p.do("httpGet", asked.String(), host, port, func(address string) (probe.Result, string, error) {
		there := req.Clone(req.Context())
		if there.Host == "" {
			there.Host = asked.Host
		}
		there.URL = &url.URL{Scheme: asked.Scheme, Host: address, Path: asked.Path, RawPath: asked.RawPath, RawQuery: asked.RawQuery}
		return p.http.Probe(there, timeout)
	})
}

func (p tcpProber) Probe(host string, port int, timeout time.Duration) (probe.Result, string, error) {
	return p.do("tcpSocket", net.JoinHostPort(host, strconv.Itoa(port)), host, port, func(address string) (probe.Result, string, error) {
		h, n := splitAddress(address)
		return p.tcp.Probe(h, n, timeout)
	})
}

func (p grpcProber) Probe(host, service string, port int, timeout time.Duration) (probe.Result, string, error) {
	return p.do("grpc", net.JoinHostPort(host, strconv.Itoa(port))+"/"+service, host, port, func(address string) (probe.Result, string, error) {
		h, n := splitAddress(address)
		return p.grpc.Probe(h, service, n, timeout)
	})
}

func splitAddress(address string) (string, int) {
	host, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return host, n
}

// attempt is the detail of a probe event.
type attempt struct {
	Node      string   `json:"node"`
	Target    string   `json:"target"`
	Container string   `json:"container,omitempty"`
	Probes    []string `json:"probes,omitempty"` // the pod's probes that ask just this; more than one when they are alike
	Result    string   `json:"result"`
	Output    string   `json:"output,omitempty"`
}

// do performs one attempt at the translated address and tells it.
func (p *probers) do(handler, target, host string, port int, perform func(address string) (probe.Result, string, error)) (probe.Result, string, error) {
	start := time.Now()
	asked := net.JoinHostPort(host, strconv.Itoa(port))
	result, output := probe.Failure, fmt.Sprintf("dial tcp %s: connect: connection refused", asked)
	var err error
	if address, shut, refused := p.network.Door(host, port); refused == nil {
		result, output, err = perform(address)
		shut()
		output = strings.ReplaceAll(output, address, asked)
	} else if handler == "httpGet" {
		output = fmt.Sprintf("Get %q: %s", target, output)
	}
	p.tell(handler, host, port, start, attempt{Node: p.node, Target: target, Result: string(result), Output: clip(output)})
	return result, output, err
}

func clip(s string) string {
	const most = 512
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func (p *probers) tell(handler, host string, port int, start time.Time, a attempt) {
	if p.w.mute() {
		return
	}
	namespace, name, uid, ok := p.network.PodAt(host)
	if !ok {
		return
	}
	if pod, found := p.kubelet.GetPodByName(namespace, name); found {
		a.Container, a.Probes = whichProbe(pod, handler, port, a.Target)
	}
	p.w.tell(watch.Observation{
		Event: watch.Event{
			Kind: watch.Probe, Start: start, End: time.Now(),
			From: "system:node:" + p.node, To: watch.RuntimeActor(p.node), Verb: handler,
			Object:   &watch.Object{Version: "v1", Resource: "pods", Namespace: namespace, Name: name, UID: uid},
			Evidence: watch.Observed("prober", p.node+" attempt "+strconv.FormatUint(p.number.Add(1), 10)),
			Detail:   detail(a),
		},
		Knows: "system:node:" + p.node,
	})
}

// whichProbe names the container and the probes of a pod that would ask for
// this target. A prober is not told for which of them it asks.
func whichProbe(pod *corev1.Pod, handler string, port int, target string) (container string, probes []string) {
	for _, c := range append(append([]corev1.Container(nil), pod.Spec.InitContainers...), pod.Spec.Containers...) {
		for kind, pr := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
			if pr == nil || !asks(pr, &c, handler, port, target) {
				continue
			}
			container = c.Name
			probes = append(probes, kind)
		}
	}
	return container, probes
}

func asks(pr *corev1.Probe, c *corev1.Container, handler string, port int, target string) bool {
	switch {
	case handler == "httpGet" && pr.HTTPGet != nil:
		n, err := probe.ResolveContainerPort(pr.HTTPGet.Port, c)
		u, parsed := url.Parse(target)
		return err == nil && n == port && parsed == nil && strings.TrimPrefix(u.RequestURI(), "/") == strings.TrimPrefix(pr.HTTPGet.Path, "/")
	case handler == "tcpSocket" && pr.TCPSocket != nil:
		n, err := probe.ResolveContainerPort(pr.TCPSocket.Port, c)
		return err == nil && n == port
	case handler == "grpc" && pr.GRPC != nil:
		return int(pr.GRPC.Port) == port
	}
	return false
}
