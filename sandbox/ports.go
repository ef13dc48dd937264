package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"time"
)

// Ports are taken from a range that operating systems do not hand out by
// themselves (Linux begins at 32768) and that is below Kubernetes' node ports
// (30000), so that neither an outgoing connection nor a Service gets in the
// way of a component that is started again.
const (
	firstPort = 20000
	lastPort  = 29999
)

// keepPorts returns a free loopback port for each name: the ones remembered in
// the file when nobody else has taken them meanwhile, so that kubeconfigs stay
// valid, and new ones otherwise. Patience is how long it waits for a
// remembered port that is taken.
func keepPorts(file string, names []string, patience time.Duration) (map[string]int, error) {
	var kept map[string]int
	if b, err := os.ReadFile(file); err == nil {
		if json.Unmarshal(b, &kept) != nil {
			kept = nil // new ports do no harm
		}
	}
	deadline := time.Now().Add(patience)
	ports := map[string]int{}
	taken := map[int]bool{}
	for _, name := range names {
		p := kept[name]
		for p != 0 && !taken[p] && !portFree(p) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		if p < 1024 || p > 65535 || taken[p] || !portFree(p) {
			var err error
			if p, err = newPort(func(p int) bool { return taken[p] || isKept(kept, p) }); err != nil {
				return nil, err
			}
		}
		ports[name], taken[p] = p, true
	}
	if maps.Equal(ports, kept) {
		return ports, nil
	}
	b, err := json.MarshalIndent(ports, "", "  ")
	if err != nil {
		return nil, err
	}
	return ports, replaceFile(file, append(b, '\n'), false)
}

func isKept(kept map[string]int, p int) bool {
	return slices.Contains(slices.Collect(maps.Values(kept)), p)
}

func newPort(skip func(int) bool) (int, error) {
	const span = lastPort - firstPort + 1
	start := rand.IntN(span)
	for i := range span {
		if p := firstPort + (start+i)%span; !skip(p) && portFree(p) {
			return p, nil
		}
	}
	return 0, fmt.Errorf("all ports of 127.0.0.1 from %d to %d are taken: stop something that listens there", firstPort, lastPort)
}

func portFree(p int) bool {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
