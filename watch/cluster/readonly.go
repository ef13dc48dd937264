package cluster

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/rest"
)

// readOnly returns a copy of a config whose requests can only read. The
// guard sits in the transport, below every client, so that no
// code above it has to be trusted to keep the promise.
func readOnly(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return guard{next} })
	return c
}

type guard struct{ next http.RoundTripper }

func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	// An upgraded GET is exec, attach or port-forward.
	if r.Method != http.MethodGet || r.Header.Get("Upgrade") != "" {
		return nil, fmt.Errorf("kubestage only reads attached clusters: %s %s was not sent", r.Method, r.URL.Path)
	}
	return g.next.RoundTrip(r)
}
