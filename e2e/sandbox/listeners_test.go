//go:build linux

package sandbox

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// Nothing listens beyond this computer, also not while pods run that serve.
func TestRealListenersAreLocal(t *testing.T) {
	d := ready(t, dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())})
	kube := learner(t, d)
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(3), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)
	roles := map[string]int{}
	for _, l := range listeners(t, d) {
		if !l.address.IsLoopback() {
			t.Errorf("%s listens at %s", l.role, net.JoinHostPort(l.address.String(), strconv.Itoa(l.port)))
		}
		roles[l.role]++
	}
	for _, c := range append([]string{"dashboard"}, components...) {
		if roles[c] == 0 {
			t.Errorf("%s listens nowhere; was it overlooked?", c)
		}
	}
	for role, names := range abstractSockets(t, d) {
		t.Errorf("%s listens at unix sockets without a place in the file system, which every user may connect to: %q", role, names)
	}
	t.Logf("listeners: %v", roles)
	stop(t, d)
}

// abstractSockets finds the listening unix sockets that no file permission
// protects, by role.
func abstractSockets(t *testing.T, d *dashboard.Dashboard) map[string][]string {
	t.Helper()
	owner := owners(d)
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		// Num RefCount Protocol Flags Type St Inode [Path]; the flag is
		// __SO_ACCEPTCON, for a socket that listens.
		f := strings.Fields(line)
		if len(f) > 7 && f[3] == "00010000" && strings.HasPrefix(f[7], "@") && owner[f[6]] != "" {
			found[owner[f[6]]] = append(found[owner[f[6]]], f[7])
		}
	}
	return found
}

// listener is a socket that others can reach: TCP that listens, or UDP at all.
type listener struct {
	role    string
	address net.IP
	port    int
}

// listeners finds the sockets of the program and its components.
func listeners(t *testing.T, d *dashboard.Dashboard) []listener {
	t.Helper()
	owner := owners(d)
	var all []listener
	for _, table := range []struct{ file, state string }{
		{"tcp", "0A"}, {"tcp6", "0A"}, {"udp", "07"}, {"udp6", "07"},
	} {
		text, err := os.ReadFile("/proc/net/" + table.file)
		if err != nil {
			continue // no IPv6 here
		}
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			f := strings.Fields(line)
			if i == 0 || len(f) < 10 || f[3] != table.state || owner[f[9]] == "" {
				continue
			}
			address, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, listener{owner[f[9]], parseAddress(t, address), int(n)})
		}
	}
	return all
}

// parseAddress reads an address as the kernel prints it: words of four bytes,
// each the other way round (on the machines this is run on).
func parseAddress(t *testing.T, text string) net.IP {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%4 != 0 {
		t.Fatalf("address %q: %v", text, err)
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	return net.IP(b)
}

// owners tells whose a socket is: roles by inode.
func owners(d *dashboard.Dashboard) map[string]string {
	owner := map[string]string{}
	for _, p := range d.Family() {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Pid))
		for _, link := range links {
			if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "socket:[") {
				owner[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = p.Role()
			}
		}
	}
	return owner
}
