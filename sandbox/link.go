package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// link is one client's own way to a server: each component's to the apiserver,
// the learner's, ours, and the apiserver's to etcd. What the others do is not
// on it, so it can be cut or slowed down for that client alone; and on the way
// to the apiserver it is seen what really reaches the client.
type link struct {
	name   string // of the client: kube-scheduler, kubelet:node-1, kubectl; etcd's is named after the server
	client string // the actor that uses it
	server string // the component at its other end
	port   int    // where the client finds it, on 127.0.0.1
	far    int    // where the server listens
	line   *line
	tell   func(watch.Observation) // set before serve
	proxy  *proxy                  // nil: what passes is encrypted from end to end, and stays so
}

// serve lets connections in while the server can be reached. Where there is no
// server, connections are refused, and when it goes, they end, as if nothing
// were between the two.
func (l *link) serve(ctx context.Context, b *board, say func(string, ...any)) {
	for b.wait(ctx, func() bool { return b.answering(l.server) }) && ctx.Err() == nil {
		up, cancel := context.WithCancel(ctx)
		var following sync.WaitGroup
		following.Go(func() {
			b.wait(up, func() bool { return !b.answering(l.server) })
			cancel()
		})
		if err := l.open(up); err != nil && up.Err() == nil {
			say("the link of %s: %v", l.name, err)
			select {
			case <-time.After(time.Second):
			case <-up.Done():
			}
		}
		cancel()
		following.Wait()
	}
}

// open listens until ctx ends and returns when all connections are closed.
func (l *link) open(ctx context.Context) error {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(l.port)))
	if err != nil {
		return err
	}
	var connections sync.WaitGroup
	defer connections.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	context.AfterFunc(ctx, func() { listener.Close() })

	var inside *doorway
	if l.proxy != nil {
		inside = newDoorway()
		connections.Go(func() { l.proxy.serve(ctx, inside) })
	}
	for {
		near, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		connections.Go(func() {
			if inside != nil {
				far, theirs := net.Pipe()
				hungUp := make(chan struct{})
				if inside.enter(ctx, &wire{theirs, hungUp}) {
					l.line.join(ctx, near, far, sync.OnceFunc(func() { close(hungUp) }))
				}
				return
			}
			l.pass(ctx, near)
		})
	}
}

// pass connects a client to the server itself.
func (l *link) pass(ctx context.Context, near net.Conn) {
	d := net.Dialer{Timeout: 5 * time.Second}
	far, err := d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(l.far)))
	if err != nil {
		near.Close()
		return
	}
	l.line.join(ctx, near, far, func() {})
}

// wire is a connection to a client as the proxy has it.
type wire struct {
	net.Conn
	hungUp <-chan struct{} // closed when the client has, even if its line is cut
}

// doorway hands connections to an http.Server.
type doorway struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newDoorway() *doorway {
	d := &doorway{conns: make(chan net.Conn), closed: make(chan struct{})}
	d.close = sync.OnceFunc(func() { close(d.closed) })
	return d
}

func (d *doorway) enter(ctx context.Context, c net.Conn) bool {
	select {
	case d.conns <- c:
		return true
	case <-d.closed:
	case <-ctx.Done():
	}
	return false
}

func (d *doorway) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *doorway) Close() error   { d.close(); return nil }
func (d *doorway) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// The links that belong to no component.
const (
	learnerLink   = "kubectl"
	kubestageLink = "kubestage"
	linkPrefix    = "link:" // of their names in the file of ports
)

// linkNames are the links of a cluster, in the order in which they are shown.
func linkNames(nodes []node) []string {
	names := []string{etcdName, controllerName, schedulerName}
	for _, n := range nodes {
		names = append(names, kubeletPrefix+n.name)
	}
	return append(names, learnerLink, kubestageLink)
}

// planLinks describes all links of a cluster.
func planLinks(c *credentials, nodes []node, ports map[string]int) []*link {
	own := map[string][]pair{
		controllerName: {c.controllerManager},
		schedulerName:  {c.scheduler},
		learnerLink:    {c.admin},
		kubestageLink:  {c.kubestage},
	}
	clients := map[string]string{etcdName: etcdName, learnerLink: adminUser, kubestageLink: kubestageUser}
	for i, n := range nodes {
		own[kubeletPrefix+n.name] = []pair{c.kubelets[i], c.proxy} // whatever runs on the node
	}
	var all []*link
	for _, name := range linkNames(nodes) {
		l := &link{
			name: name, client: firstOf(clients[name], name), server: apiserverName,
			port: ports[linkPrefix+name], far: ports[apiserverName], line: newLine(),
		}
		if name == etcdName {
			l.server, l.far = etcdName, ports[etcdName]
		} else {
			l.proxy = &proxy{
				link: name, line: l.line, far: l.far, ca: c.clusterCA, serving: c.links, own: own[name],
				// People make users of their own, with certificates that the
				// cluster signs for them.
				open: name == learnerLink,
			}
		}
		all = append(all, l)
	}
	return all
}

// links are all links of a cluster.
type links []*link

func (ls links) serve(ctx context.Context, b *board, say func(string, ...any)) {
	var all sync.WaitGroup
	for _, l := range ls {
		all.Go(func() { l.serve(ctx, b, say) })
	}
	all.Wait()
}

// Disturbance is what a person wants done to a link.
type Disturbance string

// What can be done to a link. To cut one that is slow, or the other way round,
// needs no healing in between.
const (
	Cut   Disturbance = "cut"
	Delay Disturbance = "delay"
	Heal  Disturbance = "heal"
)

// longestDelay of a link, one way. Clients have given up long before.
const longestDelay = time.Minute

// LinkState is a link at one moment.
type LinkState struct {
	Name   string
	Client string        // the actor that uses it
	Server string        // the component it leads to
	State  string        // whole, cut or delayed
	Delay  time.Duration // one way
}

func (ls links) states() []LinkState {
	all := make([]LinkState, 0, len(ls))
	for _, l := range ls {
		s := LinkState{Name: l.name, Client: l.client, Server: l.server, State: "whole"}
		var cut bool
		if cut, s.Delay, _ = l.line.state(); cut {
			s.State = "cut"
		} else if s.Delay > 0 {
			s.State = "delayed"
		}
		all = append(all, s)
	}
	return all
}

// linkDetail is the detail of a link event; see docs/events.md.
type linkDetail struct {
	Link  string  `json:"link"`
	Delay float64 `json:"delay,omitempty"`
	By    string  `json:"by"`
}

func (l *link) disturb(d Disturbance, delay time.Duration) error {
	verb, ok := map[Disturbance]string{Cut: "cut", Delay: "delayed", Heal: "healed"}[d]
	if !ok {
		return fmt.Errorf("there is nothing called %q to do to a link", d)
	}
	if d != Delay {
		delay = 0
	} else if delay <= 0 || delay > longestDelay {
		return refused{
			fmt.Sprintf("a delay of %s: choose more than nothing and at most %s", delay, longestDelay),
			fmt.Sprintf("지연 시간 %s: 0보다 크고 %s 이하인 값을 고르세요", delay, longestDelay),
		}
	}
	now := time.Now()
	l.line.set(d == Cut, delay)
	detail, _ := json.Marshal(linkDetail{Link: l.name, Delay: delay.Seconds(), By: learner})
	l.tell(watch.Observation{
		Event: watch.Event{
			Kind: watch.Link, Start: now, End: now,
			From: watch.Kubestage, To: l.client, Verb: verb,
			Evidence: watch.Observed("supervisor", l.name),
			Detail:   detail,
		},
		Gives: []watch.Give{{Key: "link:" + l.name}},
		Lane:  "component",
	})
	return nil
}

func (ls links) find(name string) (*link, error) {
	var names []string
	for _, l := range ls {
		if l.name == name {
			return l, nil
		}
		names = append(names, l.name)
	}
	return nil, fmt.Errorf("there is no link %q; there are: %s", name, strings.Join(names, ", "))
}
