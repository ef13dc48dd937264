package sandbox

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// fabric is what the nodes' networks are connected by: each connection from one
// node to another, or to the apiserver by its Service, passes here. So whoever
// is cut off from the apiserver, is cut off from the other nodes' pods as well.
type fabric struct {
	peers     *overlay.Peers
	apiserver int // port
	way       func(host string) *line

	life    context.Context // of the connections
	joining sync.WaitGroup
}

// serve answers on l until ctx ends.
func (f *fabric) serve(ctx context.Context, l net.Listener) error {
	f.life = ctx
	defer f.joining.Wait()
	return overlay.Serve(ctx, l, f)
}

// Range is empty: the fabric has no pods of its own.
func (f *fabric) Range() netip.Prefix { return netip.Prefix{} }

// Reach connects two nodes, or waits as long as one of them is cut off.
func (f *fabric) Reach(ctx context.Context, from, to netip.AddrPort) (take func(net.Conn), err error) {
	here := f.way(from.Addr().String())
	there := newLine()
	dial := f.control
	if to.Addr().String() != controlPlaneAddress {
		there, dial = f.way(to.Addr().String()), f.peers.Dial
	}
	for _, l := range []*line{here, there} {
		_, delay, _ := l.state()
		if !l.pass(ctx, time.Now().Add(delay)) {
			return nil, overlay.ErrTimeout
		}
	}
	far, err := dial(ctx, from, to)
	if err != nil {
		return nil, err
	}
	left, right, err := overlay.Pair()
	if err != nil {
		far.Close()
		return nil, err
	}
	return func(near net.Conn) {
		f.joining.Go(func() { here.join(f.life, near, left, func() {}) })
		f.joining.Go(func() { there.join(f.life, right, far, func() {}) })
	}, nil
}

// control connects to the apiserver, which is all there is at its address.
func (f *fabric) control(ctx context.Context, _, to netip.AddrPort) (net.Conn, error) {
	if int(to.Port()) != f.apiserver {
		return nil, overlay.ErrRefused
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.apiserver)))
	if err != nil {
		return nil, overlay.ErrRefused
	}
	return c, nil
}
