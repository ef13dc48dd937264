package overlay

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Peer is a node as others know it.
type Peer struct {
	Name    string
	Address netip.Addr // of the node itself
	Socket  string
}

// Peers finds the node that has an address. Which range of pods' addresses is
// whose the nodes say themselves, when it is first needed.
type Peers struct {
	all []Peer

	mu     sync.Mutex // guards ranges
	ranges map[string]netip.Prefix
}

// NewPeers returns the way to some nodes.
func NewPeers(all []Peer) *Peers {
	return &Peers{all: all, ranges: map[string]netip.Prefix{}}
}

// Dial connects to an address of one of the nodes. A node that is not there
// does not answer, so that Dial takes as long as ctx or Patience lets it.
func (p *Peers) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	peer, silent, ok := p.find(ctx, to.Addr())
	if !ok && silent {
		return nil, Silence(ctx) // it may be the address of a node that is down
	}
	if !ok {
		return nil, ErrUnreachable
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	c, err := Dial(ctx, peer.Socket, from, to)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, ErrRefused), errors.Is(err, ErrTimeout):
		return nil, err
	}
	p.mu.Lock()
	delete(p.ranges, peer.Name) // it may have come back with another one
	p.mu.Unlock()
	if errors.Is(err, ErrUnreachable) {
		return nil, err
	}
	return nil, Silence(ctx)
}

// Name returns the name of the node that has an address, or "".
func (p *Peers) Name(ctx context.Context, addr netip.Addr) string {
	peer, _, _ := p.find(ctx, addr)
	return peer.Name
}

// find returns the node that has an address, and whether a node that could have
// it did not say.
func (p *Peers) find(ctx context.Context, addr netip.Addr) (found Peer, silent, ok bool) {
	var unknown []Peer
	p.mu.Lock()
	for _, peer := range p.all {
		r, known := p.ranges[peer.Name]
		if peer.Address == addr || known && r.Contains(addr) {
			p.mu.Unlock()
			return peer, false, true
		}
		if !known {
			unknown = append(unknown, peer)
		}
	}
	p.mu.Unlock()
	for _, peer := range unknown {
		r, err := podRange(ctx, peer.Socket)
		if err != nil || !r.IsValid() {
			silent = silent || err != nil
			continue
		}
		p.mu.Lock()
		p.ranges[peer.Name] = r
		p.mu.Unlock()
		if r.Contains(addr) {
			return peer, false, true
		}
	}
	return Peer{}, silent, false
}

func podRange(ctx context.Context, socket string) (netip.Prefix, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, answer, _, err := ask(ctx, socket, http.MethodGet, "GET / HTTP/1.1\r\nHost: node\r\n\r\n")
	if err != nil {
		return netip.Prefix{}, err
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(time.Second))
	var a about
	err = json.NewDecoder(answer.Body).Decode(&a)
	return a.PodCIDR, err
}
