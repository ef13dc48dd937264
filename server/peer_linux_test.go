package server

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestOwnerIn(t *testing.T) {
	// As on a little-endian machine.
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	const row = "   1: 0100007F:D431 0100007F:1E56 %s 00000000:00000000 00:00000000 00000000  1234        0 %s 1 0000000000000000 20 4 30 10 -1\n"
	there, here := netip.MustParseAddrPort("127.0.0.1:54321"), netip.MustParseAddrPort("127.0.0.1:7766")
	for _, c := range []struct {
		name  string
		table string
		uid   int
		found bool
	}{
		{"established", fmt.Sprintf(row, "01", "777"), 1234, true},
		{"time wait", fmt.Sprintf(row, "06", "0"), 0, false},
		{"fin wait", fmt.Sprintf(row, "04", "777"), 0, false},
		{"orphan", fmt.Sprintf(row, "01", "0"), 0, false},
		{"nothing", "", 0, false},
		{"garbage", "x\n: : : :\nA B:D431 C 01 E F G H I J\n", 0, false},
	} {
		if uid, found := ownerIn(strings.NewReader(heading+c.table), there, here); uid != c.uid || found != c.found {
			t.Errorf("%s: got %d, %v", c.name, uid, found)
		}
	}
	if _, found := ownerIn(strings.NewReader(heading+fmt.Sprintf(row, "01", "777")), here, there); found {
		t.Error("our own end was taken for the other")
	}
}
