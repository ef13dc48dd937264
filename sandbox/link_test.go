package sandbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// bench is one link with a server behind it that says who it thinks is asking.
// The apiserver itself is behind links in the tests named Real.
type bench struct {
	t     *testing.T
	creds *credentials
	link  *link
	board *board

	mu       sync.Mutex // guards those below
	told     []watch.Observation
	passages map[string]passage
	frames   chan string // what the server's watch sends
}

func benchFor(t *testing.T, name string) *bench {
	t.Helper()
	dir := t.TempDir()
	nodes := planNodes(2)
	creds, err := makeCredentials(dir, nodes, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, creds: creds, passages: map[string]passage{}, frames: make(chan string)}
	server := &http.Server{Handler: b, TLSConfig: b.serverTLS(), ErrorLog: log.New(io.Discard, "", 0)}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.ServeTLS(l, "", "")
	port, err := newPort(func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]int{apiserverName: l.Addr().(*net.TCPAddr).Port, linkPrefix + name: port}
	b.link, err = links(planLinks(creds, nodes, ports)).find(name)
	if err != nil {
		t.Fatal(err)
	}
	b.link.proxy.offer = func(o watch.Observation) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told = append(b.told, o)
	}
	b.link.proxy.answer = func(id string, p passage) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.passages[id] = p
	}
	b.board = newBoard([]component{{name: apiserverName}})
	b.board.set(ComponentState{Name: apiserverName, State: Ready})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		b.link.serve(ctx, b.board, t.Logf)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-served:
		case <-time.After(10 * time.Second):
			t.Error("the link does not end")
		}
		server.Close()
	})
	b.reachable()
	return b
}

func (b *bench) reachable() {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp4", fmt.Sprint("127.0.0.1:", b.link.port))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) serverTLS() *tls.Config {
	cert, err := tls.X509KeyPair(b.creds.apiserver.cert, b.creds.apiserver.key)
	if err != nil {
		b.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(b.creds.clusterCA.cert)
	return &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
}

func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Audit-Id", "audit-"+r.URL.Query().Get("n"))
	switch {
	case r.Header.Get("Upgrade") != "":
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		_, _ = io.Copy(c, rw)
	case isWatch(r):
		w.Header().Set("Content-Type", "application/json;stream=watch")
		http.NewResponseController(w).Flush()
		for {
			select {
			case f, ok := <-b.frames:
				if !ok {
					return
				}
				io.WriteString(w, f)
				http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	default:
		who := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			s := r.TLS.PeerCertificates[0].Subject
			who = fmt.Sprint(s.CommonName, s.Organization)
		}
		fmt.Fprintf(w, "%s %s %s", who, r.Header.Get("Authorization"), r.Proto)
	}
}

// client returns one that shows a certificate, or none.
func (b *bench) client(p *pair, protocols ...string) *http.Client {
	config := &tls.Config{RootCAs: x509.NewCertPool(), NextProtos: protocols}
	config.RootCAs.AddCert(b.creds.clusterCA.cert)
	if p != nil {
		cert, err := tls.X509KeyPair(p.cert, p.key)
		if err != nil {
			b.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: len(protocols) == 0}
	b.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (b *bench) url(path string) string { return localURL(b.link.port) + path }

func (b *bench) ask(p *pair, token string) string {
	b.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, b.url("/api/v1/pods?n=1"), nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := b.client(p).Do(r)
	if err != nil {
		return "refused: " + err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

// A link gives nobody an identity that is not his.
func TestLinkIdentity(t *testing.T) {
	b := benchFor(t, "kubelet:node-1")
	c := b.creds
	for _, q := range []struct {
		who   string
		pair  *pair
		token string
		want  string
	}{
		{"its own client", &c.kubelets[0], "", "system:node:node-1[system:nodes]  HTTP/2.0"},
		{"the same node's kube-proxy", &c.proxy, "", "system:kube-proxy"},
		{"nobody", nil, "", "nobody  HTTP/2.0"},
		{"who has a token only", nil, "abc", "nobody Bearer abc HTTP/2.0"},
		{"another kubelet", &c.kubelets[1], "", "refused"},
		{"the learner", &c.admin, "", "refused"},
		{"one of another authority", &c.apiserverToEtcd, "", "nobody"},
	} {
		if got := b.ask(q.pair, q.token); !strings.HasPrefix(got, q.want) {
			t.Errorf("%s: %s, want %s", q.who, got, q.want)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.passages["audit-1"]; p.link != "kubelet:node-1" || !p.heard.After(p.sent) {
		t.Errorf("passage %+v", p)
	}
}

// The learner's link takes the users that people make, each as who he is.
func TestLearnersLinkIdentity(t *testing.T) {
	b := benchFor(t, learnerLink)
	alice, err := b.creds.clusterCA.issue(t.TempDir(), leaf{file: "alice", user: "alice", groups: []string{"devs", "ops"}, client: true}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]*pair{
		"kubernetes-admin[kubeadm:cluster-admins]": &b.creds.admin,
		"alice[ops devs]":                          &alice,
		"nobody":                                   nil,
		"nobody ":                                  &b.creds.apiserverToEtcd,
	} {
		if got := b.ask(p, ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Where there is no server, there is no connection.
func TestLinkIsAsOpenAsItsServer(t *testing.T) {
	b := benchFor(t, schedulerName)
	for range 2 {
		c := b.client(&b.creds.scheduler)
		res, err := c.Get(b.url("/api/v1/pods?watch=1"))
		if err != nil {
			t.Fatal(err)
		}
		b.board.set(ComponentState{Name: apiserverName, State: Backoff})
		if _, err := io.ReadAll(res.Body); err == nil {
			t.Error("a connection to a server that has gone ended well")
		}
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			_, err := net.Dial("tcp4", fmt.Sprint("127.0.0.1:", b.link.port))
			if err != nil && strings.Contains(err.Error(), "refused") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("connections are still accepted")
			}
		}
		b.board.set(ComponentState{Name: apiserverName, State: Ready})
		b.reachable()
	}
	if got := b.ask(&b.creds.scheduler, ""); !strings.HasPrefix(got, "system:kube-scheduler") {
		t.Error(got)
	}
}

// An upgraded connection passes in both directions, as long as it likes.
func TestLinkUpgrades(t *testing.T) {
	b := benchFor(t, learnerLink)
	config := b.client(&b.creds.admin).Transport.(*http.Transport).TLSClientConfig
	for _, protocol := range []string{"websocket", "SPDY/3.1"} {
		c, err := tls.Dial("tcp4", fmt.Sprint("127.0.0.1:", b.link.port), config)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(c, "GET /api/v1/namespaces/d/pods/p/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
		r := bufio.NewReader(c)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%s: %v %v", protocol, res, err)
		}
		for _, word := range []string{"one\n", "two\n"} {
			fmt.Fprint(c, word)
			if got, err := r.ReadString('\n'); got != word {
				t.Errorf("%s: %q %v", protocol, got, err)
			}
		}
		c.Close()
	}
}

func jsonFrame(verb, name, revision string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"kind":"Pod","metadata":{"name":%q,"namespace":"d","uid":"uid-%s","resourceVersion":%q}}}`+"\n", verb, name, name, revision)
}

func (b *bench) toldBy(n int) (all []string) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		all = nil
		for _, o := range b.told {
			all = append(all, fmt.Sprintf("%s %s %s@%s %s", o.To, o.Verb, o.Object.Key(), o.Revision, o.Evidence.ID))
		}
		b.mu.Unlock()
		if len(all) >= n {
			return all
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("told only %q", all)
		}
	}
}

// What a watch delivers is told when it was delivered, with who got it.
func TestLinkTellsFrames(t *testing.T) {
	b := benchFor(t, controllerName)
	token := "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"system:serviceaccount:kube-system:job-controller"}`)) + ".y"
	r, _ := http.NewRequest(http.MethodGet, b.url("/apis/batch/v1/namespaces/d/jobs?watch=true&sendInitialEvents=true&n=7"), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := b.client(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	send := func(frame string) {
		t.Helper()
		go func() { // in two pieces
			b.frames <- frame[:7]
			b.frames <- frame[7:]
		}()
		if got, err := lines.ReadString('\n'); got != frame || err != nil {
			t.Fatalf("got %q (%v), want %q", got, err, frame)
		}
	}
	send(jsonFrame("ADDED", "a", "5"))
	send(jsonFrame("ADDED", "b", "6"))
	send(`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}` + "\n")
	send(jsonFrame("MODIFIED", "a", "10"))
	send(`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"11"}}}` + "\n")

	const who = "system:serviceaccount:kube-system:job-controller "
	want := []string{
		who + "BOOKMARK batch/jobs/d@9 audit-7#3",
		who + "MODIFIED batch/jobs/d/a@10 audit-7#4",
	}
	if got := b.toldBy(2); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}

	// While the line is cut, nothing is delivered and nothing told; then both.
	b.link.line.set(true, 0)
	frame := jsonFrame("DELETED", "a", "12")
	b.frames <- frame
	time.Sleep(100 * time.Millisecond)
	if got := b.toldBy(0); len(got) != 2 {
		t.Errorf("told over a cut line: %q", got)
	}
	healed := time.Now()
	b.link.line.set(false, 0)
	if got, err := lines.ReadString('\n'); got != frame {
		t.Fatalf("got %q (%v)", got, err)
	}
	if got := b.toldBy(3); got[2] != who+"DELETED batch/jobs/d/a@12 audit-7#6" {
		t.Errorf("got %q", got)
	}
	if end := b.told[2].End; end.Before(healed) {
		t.Errorf("delivered %v before the line was healed", healed.Sub(end))
	}
}

// Who hangs up on a cut line is not told what was on its way.
func TestFramesLostOnACutLine(t *testing.T) {
	b := benchFor(t, schedulerName)
	c := b.client(&b.creds.scheduler)
	var conn net.Conn
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return conn, err
	}
	res, err := c.Get(b.url("/api/v1/pods?watch=true&n=1"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b.link.line.set(true, 0)
	b.frames <- jsonFrame("ADDED", "a", "5")
	time.Sleep(50 * time.Millisecond)
	conn.Close()
	time.Sleep(200 * time.Millisecond) // the link hears of it at once, as it hears of everything
	b.link.line.set(false, 0)
	if got := b.ask(&b.creds.scheduler, ""); !strings.HasPrefix(got, "system:kube-scheduler") {
		t.Error(got)
	}
	if got := b.toldBy(0); len(got) != 0 {
		t.Errorf("told %q", got)
	}
}

// The file holds what a kube-apiserver v1.36.3 really sent.
func TestFramesOfTheAPIServer(t *testing.T) {
	for _, f := range []struct{ file, contentType string }{
		{"testdata/watch.pb", "application/vnd.kubernetes.protobuf;stream=watch"},
		{"testdata/watch.json", "application/json"},
		{"testdata/watch-table.json", "application/json;as=Table;v=v1;g=meta.k8s.io"},
	} {
		body, err := os.ReadFile(f.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []int{1, 7, 1000, len(body)} {
			framer := newFramer(f.contentType)
			var got []string
			for rest := body; len(rest) > 0; {
				n := min(piece, len(rest))
				for _, fr := range framer.write(rest[:n]) {
					got = append(got, fmt.Sprintf("%s %s/%s %t %t %t", fr.verb, fr.meta.namespace, fr.meta.name, len(fr.meta.uid) == 36, fr.meta.resourceVersion != "", fr.listEnds))
				}
				rest = rest[n:]
			}
			want := []string{
				"ADDED default/w true true false",
				"BOOKMARK / false true true",
				"MODIFIED default/w true true false",
				"DELETED default/w true true false",
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s in pieces of %d:\ngot  %q\nwant %q", f.file, piece, got, want)
			}
			if len(framer.rest) > 0 || framer.lost {
				t.Errorf("%s: %d bytes are left, lost %t", f.file, len(framer.rest), framer.lost)
			}
		}
	}
	if newFramer("application/cbor-seq") != nil {
		t.Error("a framer for what is not understood")
	}
}

func TestResourceOf(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/pods":                                     " v1 pods   true",
		"/api/v1/namespaces":                               " v1 namespaces   true",
		"/api/v1/namespaces/d":                             " v1 namespaces  d true",
		"/api/v1/namespaces/d/pods":                        " v1 pods d  true",
		"/apis/apps/v1/namespaces/d/deployments/web":       "apps v1 deployments d web true",
		"/apis/apps/v1/watch/namespaces/d/deployments/web": "apps v1 deployments d web true",
		"/apis/rbac.authorization.k8s.io/v1/clusterroles":  "rbac.authorization.k8s.io v1 clusterroles   true",
		"/api/v1/watch/nodes":                              " v1 nodes   true",
		"/healthz":                                         "     false",
		"/apis/apps/v1":                                    "     false",
	} {
		g, v, r, ns, n, ok := resourceOf(path)
		if got := fmt.Sprint(g, " ", v, " ", r, " ", ns, " ", n, " ", ok); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
