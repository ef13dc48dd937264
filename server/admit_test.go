package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:7766": true, "127.0.0.1": true, "localhost": true, "LocalHost:1": true, "[::1]:80": true, "[::1]": true, "192.168.0.4:7766": true,
		"": false, "evil.example": false, "127.0.0.1.nip.io": false, "localhost.evil.example": false, "2130706433": false, "127.1": false, "[fe80::1%25eth0]:1": false, "127.0.0.1:7766:1": false, "localhost.": false,
	} {
		if got := hostIsOurs(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

// dialLocal opens a connection, so that its socket is in the kernel's table.
func dialLocal(t *testing.T, network, address string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	client, err = net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestKernelKnowsOurConnections(t *testing.T) {
	if !peersAreKnown {
		t.Skip("not on " + runtime.GOOS)
	}
	for _, at := range []struct{ network, address string }{{"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}, {"tcp", "[::ffff:127.0.0.1]:0"}} {
		client, server := dialLocal(t, at.network, at.address)
		there := netip.MustParseAddrPort(server.RemoteAddr().String())
		here := netip.MustParseAddrPort(server.LocalAddr().String())
		if uid, answer := askKernel(there, here); answer != peerOurs || uid != os.Geteuid() {
			t.Errorf("%s: got uid %d, answer %d", at.address, uid, answer)
		}
		if _, answer := askKernel(there, netip.AddrPortFrom(here.Addr(), here.Port()+1)); answer != peerUnknown {
			t.Errorf("%s: a connection that does not exist has answer %d", at.address, answer)
		}
		// A closed socket is shown as root's, which must not open the door.
		client.Close()
		if _, answer := askKernel(there, here); answer != peerUnknown {
			t.Errorf("%s: a socket that its owner has closed has answer %d", at.address, answer)
		}
	}
}

func TestOtherUsersAreKeptOut(t *testing.T) {
	if !peersAreKnown {
		t.Skip("not on " + runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	s := serve(t)
	// The test binary is in a directory that only we can enter.
	dir, err := os.MkdirTemp("", "kubestage-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	program := filepath.Join(dir, "client")
	copyFile(t, os.Args[0], program)
	for _, path := range []string{"/en/", "/api/events", "/api/kubectl", "/api/stream", "/en/?lang=en", "/assets/x.js"} {
		cmd := exec.Command(program, "client-of-another-user", s.url(path))
		cmd.Dir = dir
		asUser(cmd, 65534)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !strings.HasPrefix(string(out), "403") || !strings.Contains(string(out), "uid 65534") || !strings.Contains(string(out), "start one of your own") {
			t.Errorf("%s as another user: %s", path, out)
		}
	}
	// The key is for whoever has it.
	cmd := exec.Command(program, "client-of-another-user", s.url("/en/?key="+s.key))
	cmd.Dir = dir
	asUser(cmd, 65534)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "200") {
		t.Errorf("with the key: %v %.80s", err, out)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

// clientOfAnotherUser asks for a page and prints the status and the answer.
func clientOfAnotherUser(url string) int {
	jar := &oneJar{}
	c := http.Client{Jar: jar, Timeout: 10 * time.Second}
	res, err := c.Get(url)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Printf("%d %s", res.StatusCode, body)
	return 0
}

func TestKey(t *testing.T) {
	s := serve(t)
	res, body := do(t, request(t, "GET", s.url("/ko/?x=1&key="+s.key), ""))
	cookie := res.Header.Get("Set-Cookie")
	if res.StatusCode != 303 || res.Header.Get("Location") != "/ko/?x=1" || strings.Contains(body, s.key) {
		t.Errorf("the link with the key: %s, Location %q", res.Status, res.Header.Get("Location"))
	}
	for _, want := range []string{"kubestage-key=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q has no %s", cookie, want)
		}
	}
	// A link cannot be made to lead elsewhere.
	for _, path := range []string{"//evil.example/?key=", "/\\evil.example/?key="} {
		res, _ := do(t, request(t, "GET", s.url(path+s.key), ""))
		if l := res.Header.Get("Location"); strings.HasPrefix(l, "//") || strings.HasPrefix(l, "/\\") {
			t.Errorf("%s leads to %s", path, l)
		}
	}
}

// Beyond loopback the kernel knows nobody: only the key opens.
func TestOtherComputersNeedTheKey(t *testing.T) {
	s := serve(t)
	ask := func(remote string, headers ...string) *httpAnswer {
		r := request(t, "GET", s.url("/en/"), "", headers...)
		r.RequestURI = "/en/"
		r.RemoteAddr = remote
		w := &httpAnswer{header: http.Header{}}
		s.Handler().ServeHTTP(w, r)
		return w
	}
	if w := ask("192.168.7.7:4000"); w.code != 403 || !strings.Contains(w.body.String(), "key") {
		t.Errorf("without: %d %s", w.code, w.body.String())
	}
	if w := ask("192.168.7.7:4000", "Cookie: kubestage-key="+s.key); w.code != 200 {
		t.Errorf("with: %d %s", w.code, w.body.String())
	}
	if w := ask("192.168.7.7:4000", "Cookie: kubestage-key=guess"); w.code != 403 {
		t.Errorf("with a wrong one: %d", w.code)
	}
	if w := ask("192.168.7.7:4000", "X-Forwarded-For: 127.0.0.1"); w.code != 403 {
		t.Errorf("with a forged header: %d", w.code)
	}
}

func TestLinkAndWarning(t *testing.T) {
	s := serve(t)
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7766}
	if got := s.Link(local); peersAreKnown && got != "http://127.0.0.1:7766" {
		t.Errorf("on this computer: %s", got)
	}
	for _, ip := range []net.IP{net.IPv4(192, 168, 7, 7), net.IPv4zero, net.IPv6zero} {
		if got := s.Link(&net.TCPAddr{IP: ip, Port: 7766}); !strings.HasSuffix(got, ":7766/?key="+s.key) {
			t.Errorf("%s: %s", ip, got)
		}
	}
	if strings.Contains(s.log(), "warning") {
		t.Errorf("a warning for a loopback address: %s", s.log())
	}
}
