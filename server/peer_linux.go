package server

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// peersAreKnown: the kernel tells who owns the other end of a local connection.
const peersAreKnown = true

// askKernel finds the socket of the connection from there to here, as its owner
// sees it, in the tables of this network namespace.
func askKernel(there, here netip.AddrPort) (uid int, answer peerAnswer) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		uid, found := ownerIn(f, there, here)
		f.Close()
		if !found {
			continue
		}
		if uid == 0 || uid == os.Geteuid() {
			return uid, peerOurs
		}
		return uid, peerOther
	}
	return 0, peerUnknown
}

// ownerIn returns the user of the established socket from local to remote. A
// socket that its process has closed is not taken: the kernel shows those as
// root's, whoever had opened them.
func ownerIn(table io.Reader, local, remote netip.AddrPort) (uid int, found bool) {
	lines := bufio.NewScanner(table)
	lines.Buffer(make([]byte, 64<<10), 64<<10) // the kernel walks its table anew for each read
	lines.Scan()                               // the heading
	for lines.Scan() {
		// sl local rem st tx:rx tr:when retrnsmt uid timeout inode …
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != "01" || f[9] == "0" {
			continue
		}
		if parseSocket(f[1]) != unmapped(local) || parseSocket(f[2]) != unmapped(remote) {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		return uid, err == nil
	}
	return 0, false
}

// parseSocket reads "0100007F:1E56": words of four bytes in the byte order of
// the machine, and a port. It returns the zero value for anything else.
func parseSocket(s string) netip.AddrPort {
	a, p, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(a)
	port, err2 := strconv.ParseUint(p, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port))
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
