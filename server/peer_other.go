//go:build !linux

package server

import "net/netip"

// peersAreKnown: nothing here tells who owns the other end of a connection, so
// the link carries a key.
const peersAreKnown = false

func askKernel(_, _ netip.AddrPort) (uid int, answer peerAnswer) { return 0, peerUnknown }
