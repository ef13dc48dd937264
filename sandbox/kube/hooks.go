//go:build !nosandbox

package kube

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"reflect"
	"strconv"

	"k8s.io/kubernetes/pkg/kubelet"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"

	"github.com/kubestage/kubestage/sandbox/runtime"
)

// reachHooks is a kubelet.Option that lets the httpGet of a lifecycle hook
// reach its pod. All but the connection is the kubelet's own: its client would
// dial the pod's address (pkg/kubelet/kubelet.go:594), which exists in the
// node's runtime only.
func reachHooks(network *runtime.Server) kubelet.Option {
	return func(k *kubelet.Kubelet) {
		manager := open(reflect.ValueOf(k).Elem().FieldByName("containerRuntime")).Elem().Elem()
		runner := open(manager.FieldByName("runner")).Elem().Elem()
		open(runner.FieldByName("httpDoer")).Set(reflect.ValueOf(&http.Client{
			Transport: &http.Transport{
				TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // as upstream's: a container's certificate cannot be verified
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
					host, port, err := net.SplitHostPort(address)
					if err != nil {
						return nil, err
					}
					number, err := strconv.Atoi(port)
					if err != nil {
						return nil, err
					}
					return network.Dial(ctx, host, number)
				},
			},
			CheckRedirect: httpprobe.RedirectChecker(false),
		}))
	}
}
