package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// The cluster's addresses. None of them exists on this machine: kubelets
// listen on 127.0.0.1 and the egress proxy translates. The apiserver may not
// advertise a loopback address, because the endpoints of the Service
// "kubernetes" would be invalid with one.
const (
	controlPlaneAddress = "10.0.0.1"
	serviceCIDR         = "10.96.0.0/16"
	kubernetesService   = "10.96.0.1"
	clusterCIDR         = "10.244.0.0/16"
	clusterDomain       = "cluster.local"
	dnsAddress          = "10.96.0.10"
)

// User names that the sandbox gives out; the rest are Kubernetes' own.
const (
	adminUser         = "kubernetes-admin"
	adminGroup        = "kubeadm:cluster-admins"
	kubeletClientUser = "kube-apiserver-kubelet-client"
	proxyUser         = "system:kube-proxy"
)

// credentials are all keys and certificates of a cluster.
type credentials struct {
	clusterCA, etcdCA, frontProxyCA *authority

	apiserver, apiserverToKubelet, apiserverToEtcd, frontProxy pair
	etcd                                                       pair
	controllerManager, controllerManagerServing                pair
	scheduler, schedulerServing                                pair
	proxy, metrics                                             pair
	admin, kubestage                                           pair
	links                                                      pair
	kubelets, kubeletsServing                                  []pair

	saKeyFile, saPubFile string
}

func (a *authority) file(dir string) string { return filepath.Join(dir, a.name+".crt") }

// makeCredentials reads or makes all of them, at the same time: what takes
// time here is writing files.
func makeCredentials(dir string, nodes []node, now time.Time) (*credentials, error) {
	c := &credentials{kubelets: make([]pair, len(nodes)), kubeletsServing: make([]pair, len(nodes))}

	var mu sync.Mutex // guards errs
	var errs []error
	try := func(wg *sync.WaitGroup, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}

	var authorities sync.WaitGroup
	for _, a := range []struct {
		name string
		to   **authority
	}{{"ca", &c.clusterCA}, {"etcd-ca", &c.etcdCA}, {"front-proxy-ca", &c.frontProxyCA}} {
		try(&authorities, func() (err error) { *a.to, err = keptAuthority(dir, a.name, now); return err })
	}
	try(&authorities, func() (err error) { c.saKeyFile, c.saPubFile, err = keptKey(dir, "sa"); return err })
	authorities.Wait()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}

	var leaves sync.WaitGroup
	issue := func(to *pair, a *authority, l leaf) {
		try(&leaves, func() (err error) { *to, err = a.issue(dir, l, now); return err })
	}
	local := []string{"localhost", "127.0.0.1"}
	issue(&c.etcd, c.etcdCA, leaf{file: "etcd", user: "etcd", servers: local, client: true})
	issue(&c.apiserverToEtcd, c.etcdCA, leaf{file: "apiserver-etcd-client", user: "kube-apiserver-etcd-client", client: true})
	issue(&c.frontProxy, c.frontProxyCA, leaf{file: "front-proxy-client", user: "front-proxy-client", client: true})
	issue(&c.apiserver, c.clusterCA, leaf{file: "apiserver", user: "kube-apiserver", servers: append([]string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		controlPlaneAddress, kubernetesService}, local...)})
	issue(&c.apiserverToKubelet, c.clusterCA, leaf{file: "apiserver-kubelet-client", user: kubeletClientUser, client: true})
	issue(&c.controllerManager, c.clusterCA, leaf{file: "controller-manager", user: "system:kube-controller-manager", client: true})
	issue(&c.controllerManagerServing, c.clusterCA, leaf{file: "controller-manager-serving", user: "kube-controller-manager", servers: local})
	issue(&c.scheduler, c.clusterCA, leaf{file: "scheduler", user: "system:kube-scheduler", client: true})
	issue(&c.schedulerServing, c.clusterCA, leaf{file: "scheduler-serving", user: "kube-scheduler", servers: local})
	issue(&c.proxy, c.clusterCA, leaf{file: "kube-proxy", user: proxyUser, client: true})
	issue(&c.metrics, c.clusterCA, leaf{file: "metrics-server", user: metricsName, servers: []string{metricsName + ".kube-system.svc"}})
	issue(&c.admin, c.clusterCA, leaf{file: "admin", user: adminUser, groups: []string{adminGroup}, client: true})
	issue(&c.kubestage, c.clusterCA, leaf{file: "kubestage", user: kubestageUser, groups: []string{"system:masters"}, client: true})
	issue(&c.links, c.clusterCA, leaf{file: "links-serving", user: "kubestage-links", servers: local})
	for i, n := range nodes {
		issue(&c.kubelets[i], c.clusterCA, leaf{file: "kubelet-" + n.name, user: "system:node:" + n.name, groups: []string{"system:nodes"}, client: true})
		issue(&c.kubeletsServing[i], c.clusterCA, leaf{file: "kubelet-" + n.name + "-serving", user: "system:node:" + n.name, groups: []string{"system:nodes"},
			servers: append([]string{n.name, n.address}, local...)})
	}
	leaves.Wait()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// client returns a TLS configuration that trusts an authority only, and shows
// a certificate.
func (a *authority) client(p pair) (*tls.Config, error) {
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, fmt.Errorf("use the certificate %s: %w", p.CertFile, err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, nil
}
