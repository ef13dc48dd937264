package sandbox

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestCredentialsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if err := privateDir(dir); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	make := func(nodes int, now time.Time) map[string][]byte {
		t.Helper()
		if _, err := makeCredentials(dir, planNodes(nodes), now); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, name := range names {
			files[filepath.Base(name)], _ = os.ReadFile(name)
		}
		return files
	}
	changed := func(a, b map[string][]byte) (names []string) {
		for name, content := range a {
			if !bytes.Equal(content, b[name]) {
				names = append(names, name)
			}
		}
		return names
	}
	first := make(2, now)
	if c := changed(first, make(2, now)); len(c) > 0 {
		t.Errorf("made again though good: %v", c)
	}
	if c := changed(first, make(3, now)); len(c) > 0 {
		t.Errorf("made again for one more node: %v", c)
	}
	soon := make(2, now.Add(leafLife-renewBefore+2*time.Hour))
	if bytes.Equal(first["apiserver.crt"], soon["apiserver.crt"]) || !bytes.Equal(first["ca.crt"], soon["ca.crt"]) || !bytes.Equal(first["sa.key"], soon["sa.key"]) {
		t.Error("near expiry the leaves and nothing else should be renewed")
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.key"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := changed(soon, make(2, now)); len(c) == 0 {
		t.Error("a damaged leaf was not replaced")
	}
	old := make(2, now.Add(authorityLife-leafLife+time.Hour))
	if bytes.Equal(first["ca.crt"], old["ca.crt"]) || bytes.Equal(soon["apiserver.crt"], old["apiserver.crt"]) {
		t.Error("near its end the authority should be renewed, and all it signed")
	}
	if runtime.GOOS != "windows" {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			info, _ := d.Info()
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s can be read by others: %v", path, info.Mode())
			}
			return err
		})
	}
}

func TestDamagedAuthorityIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if _, err := makeCredentials(dir, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.crt", "etcd-ca.key", "sa.key"} {
		path := filepath.Join(dir, name)
		good, _ := os.ReadFile(path)
		if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := makeCredentials(dir, nil, time.Now())
		if err == nil || !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), "away") {
			t.Errorf("%s: error %v", name, err)
		}
		if b, _ := os.ReadFile(path); string(b) != "garbage" {
			t.Errorf("%s was replaced", name)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What one domain signed must not open another.
func TestTrustDomains(t *testing.T) {
	nodes := planNodes(1)
	c, err := makeCredentials(t.TempDir(), nodes, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct {
		name     string
		serverCA *authority
		server   pair
		clientCA *authority // whom the client trusts
		client   pair
		to       string
		ok       bool
	}{
		{"apiserver to etcd", c.etcdCA, c.etcd, c.etcdCA, c.apiserverToEtcd, "127.0.0.1", true},
		{"masters to etcd", c.etcdCA, c.etcd, c.etcdCA, c.kubestage, "127.0.0.1", false},
		{"learner to apiserver", c.clusterCA, c.apiserver, c.clusterCA, c.admin, "127.0.0.1", true},
		{"learner through the service", c.clusterCA, c.apiserver, c.clusterCA, c.admin, kubernetesService, true},
		{"etcd's client to apiserver", c.clusterCA, c.apiserver, c.clusterCA, c.apiserverToEtcd, "127.0.0.1", false},
		{"apiserver to kubelet", c.clusterCA, c.kubeletsServing[0], c.clusterCA, c.apiserverToKubelet, nodes[0].address, true},
		{"a kubelet's serving certificate as a client", c.clusterCA, c.apiserver, c.clusterCA, c.kubeletsServing[0], "127.0.0.1", false},
		{"a user's certificate as a server", c.clusterCA, c.admin, c.clusterCA, c.kubestage, "127.0.0.1", false},
		{"a client that trusts etcd's authority only", c.clusterCA, c.apiserver, c.etcdCA, c.admin, "127.0.0.1", false},
	} {
		pool := x509.NewCertPool()
		pool.AddCert(d.serverCA.cert)
		cert, err := tls.X509KeyPair(d.server.cert, d.server.key)
		if err != nil {
			t.Fatal(err)
		}
		server := &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
		client, err := d.clientCA.client(d.client)
		if err != nil {
			t.Fatal(err)
		}
		client.ServerName = d.to
		near, far := net.Pipe()
		go func() {
			s := tls.Server(far, server)
			if s.Handshake() == nil {
				_, _ = s.Write([]byte("welcome"))
			}
			s.Close()
		}()
		b, err := io.ReadAll(tls.Client(near, client))
		near.Close()
		if ok := string(b) == "welcome"; ok != d.ok {
			t.Errorf("%s: let in %v, want %v (%v)", d.name, ok, d.ok, err)
		}
	}
}
