//go:build !nosandbox

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/kubestage/kubestage/sandbox"
)

// readConfig reads the file after --config, the only argument of the roles
// that have no upstream command.
func readConfig(args []string, into any) error {
	if len(args) != 2 || args[0] != "--config" {
		return fmt.Errorf("want --config FILE, got %q", args)
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	return nil
}

// runEtcd serves one etcd member and tells each revision it stores.
func runEtcd(args []string) int {
	var c sandbox.EtcdConfig
	if err := readConfig(args, &c); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 2
	}
	if err := serveEtcd(c); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	return 0
}

func serveEtcd(c sandbox.EtcdConfig) error {
	client, err := url.Parse(c.ClientURL)
	if err != nil {
		return err
	}
	peer, err := url.Parse(c.PeerURL)
	if err != nil {
		return err
	}
	conf := embed.NewConfig()
	conf.Name = c.Name
	conf.Dir = c.DataDir
	conf.Logger = "zap"
	conf.LogLevel = "warn"
	conf.LogOutputs = []string{"stderr"}
	conf.WarningUnaryRequestDuration = 300 * time.Millisecond // the flag's default; NewConfig leaves 0, which warns of every request
	conf.ListenClientUrls, conf.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	// etcd listens at the URL's host and ignores its path (embed/etcd.go,
	// configurePeerListeners). Without a host that would be a socket with a
	// random abstract name, which every user of this machine may connect to,
	// and peers may write anything.
	conf.ListenPeerUrls = []url.URL{{Scheme: peer.Scheme, Host: peer.Host + peer.Path}}
	// What is advertised must be host:port (embed/config.go, checkHostURLs),
	// though a cluster of one has nobody to dial it.
	conf.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:2380"}}
	conf.InitialCluster = conf.InitialClusterFromName(c.Name)
	conf.ClientTLSInfo = transport.TLSInfo{
		CertFile: c.CertFile, KeyFile: c.KeyFile, TrustedCAFile: c.CAFile, ClientCertAuth: true,
	}
	// A single member elects itself after one election timeout; nobody else
	// can be harmed by a short one.
	conf.TickMs, conf.ElectionMs = 10, 100
	conf.UnsafeNoFsync = c.NoSync

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	e, err := embed.StartEtcd(conf)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return err
	case <-time.After(time.Minute):
		return fmt.Errorf("no leader within a minute")
	case <-ctx.Done():
		return nil
	}
	if w := newWitness(); !w.mute() {
		go newTap(e.Server.KV(), w).run(ctx, c.After)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.Err():
		return err
	}
}
