package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// proxy passes requests on to the apiserver and looks at the answers.
//
// It ends the client's TLS connection and makes one of its own, so it has to
// speak for the client; therefore it gives nobody more than he brought. Who
// shows no certificate is passed on without one, whatever token he sends along
// is the apiserver's to judge. A component's link takes the certificates of that
// component and refuses all others.
type proxy struct {
	link    string
	line    *line
	far     int
	ca      *authority
	serving pair
	own     []pair
	open    bool                    // to whoever has a certificate of the cluster
	offer   func(watch.Observation) // set before serve
	answer  func(auditID string, p passage)

	buffers buffers

	mu    sync.Mutex               // guards peers
	peers map[[32]byte]*forwarding // by the hash of a certificate; zero is none
}

// forwarding is the way on for one client certificate.
type forwarding struct {
	user      string // of the certificate; "" without one
	plain     *httputil.ReverseProxy
	upgrading *httputil.ReverseProxy // exec, attach, port-forward: HTTP/2 cannot be turned into something else
}

// passage is when a request was on a link: there, and back as far as the
// beginning of the answer.
type passage struct {
	link        string
	sent, heard time.Time
}

// serve answers what comes in through the doorway until ctx ends.
func (p *proxy) serve(ctx context.Context, in *doorway) {
	defer in.Close()
	config, err := p.tls()
	if err != nil { // the certificates were made a moment ago
		panic(err)
	}
	quiet := log.New(io.Discard, "", 0)
	srv := &http.Server{
		Handler:   p,
		TLSConfig: config,
		// As the apiserver has it (apiserver/pkg/server/secure_serving.go:168
		// and options/serving.go): a client's many watches share a connection.
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1000},
		IdleTimeout:       90 * time.Second,
		ReadHeaderTimeout: 32 * time.Second,
		ErrorLog:          quiet,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, wireKey{}, c.(*tls.Conn).NetConn())
		},
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	_ = srv.ServeTLS(in, "", "") // the doorway's end is the only one there is
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.peers {
		f.plain.Transport.(*http.Transport).CloseIdleConnections()
		f.upgrading.Transport.(*http.Transport).CloseIdleConnections()
	}
	p.peers = nil // the next server is another process
}

type wireKey struct{}

func (p *proxy) tls() (*tls.Config, error) {
	cert, err := tls.X509KeyPair(p.serving.cert, p.serving.key)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(p.ca.cert)
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    pool,
		MinVersion:   tls.VersionTLS12,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || p.open {
				return nil
			}
			if _, ok, err := p.ours(s.PeerCertificates[0]); ok || err != nil {
				return err
			}
			return errors.New("this is the link of " + p.link + ", and that is another's certificate")
		},
	}, nil
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := p.forward(r.TLS)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	to := f.plain
	if r.Header.Get("Upgrade") != "" {
		to = f.upgrading
	}
	c := &call{user: f.user, start: time.Now()}
	if c.user == "" {
		c.user = subject(r.Header.Get("Authorization"))
	}
	to.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

// call is one request on its way.
type call struct {
	user  string
	start time.Time
}

type callKey struct{}

// forward returns the way on for whoever is at the other end of a connection.
func (p *proxy) forward(s *tls.ConnectionState) (*forwarding, error) {
	var peer *x509.Certificate
	var key [32]byte
	if len(s.PeerCertificates) > 0 {
		peer = s.PeerCertificates[0]
		key = sha256.Sum256(peer.Raw)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.peers[key]; f != nil {
		return f, nil
	}
	f := &forwarding{}
	var certificates []tls.Certificate
	if peer != nil {
		f.user = peer.Subject.CommonName
		cert, err := p.stand(peer)
		if err != nil {
			return nil, err
		}
		certificates = []tls.Certificate{cert}
	}
	f.plain, f.upgrading = p.onward(certificates, true), p.onward(certificates, false)
	if p.peers == nil || len(p.peers) > 64 {
		p.peers = map[[32]byte]*forwarding{}
	}
	p.peers[key] = f
	return f, nil
}

// stand returns the certificate that the apiserver is shown for a client's:
// the very same if it is this link's own, and otherwise, since the key of that
// is the client's secret, one with the same name and groups and no longer life.
func (p *proxy) stand(peer *x509.Certificate) (tls.Certificate, error) {
	if own, ok, err := p.ours(peer); ok || err != nil {
		return own, err
	}
	return p.ca.twin(peer)
}

// ours returns this link's own certificate that is the peer's, if one is.
func (p *proxy) ours(peer *x509.Certificate) (own tls.Certificate, ok bool, err error) {
	for _, pair := range p.own {
		if own, err = tls.X509KeyPair(pair.cert, pair.key); err != nil || bytes.Equal(own.Certificate[0], peer.Raw) {
			return own, err == nil, err
		}
	}
	return tls.Certificate{}, false, nil
}

func (p *proxy) onward(certificates []tls.Certificate, http2 bool) *httputil.ReverseProxy {
	roots := x509.NewCertPool()
	roots.AddCert(p.ca.cert)
	protocols := new(http.Protocols)
	protocols.SetHTTP2(http2)
	protocols.SetHTTP1(!http2)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.far))
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "https", address
			r.Out.Host = address
		},
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: certificates, MinVersion: tls.VersionTLS13},
			TLSHandshakeTimeout: 10 * time.Second,
			DisableCompression:  true, // what passes is not changed
			IdleConnTimeout:     90 * time.Second,
			Protocols:           protocols,
			// A client asks in this way whether a silent server is still there
			// (apimachinery/pkg/util/net/http.go:150). Ours answers for the
			// apiserver, so it has to ask in turn.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		},
		FlushInterval:  -1,
		BufferPool:     &p.buffers,
		ModifyResponse: p.look,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}

// look sees an answer's beginning, and has what follows watched if it is a watch.
func (p *proxy) look(res *http.Response) error {
	r := res.Request
	c := r.Context().Value(callKey{}).(*call)
	id := res.Header.Get("Audit-Id")
	if id == "" {
		return nil
	}
	p.answer(id, passage{p.link, c.start, time.Now()})
	if res.StatusCode != http.StatusOK || r.Method != http.MethodGet || c.user == "" || c.user == kubestageUser || !isWatch(r) {
		return nil
	}
	group, version, resource, namespace, _, ok := resourceOf(r.URL.Path)
	if !ok || resource == "leases" { // heartbeats: each is written every few seconds
		return nil
	}
	f := newFramer(res.Header.Get("Content-Type"))
	if f == nil {
		return nil
	}
	res.Body = &delivery{
		ReadCloser: res.Body, framer: f, ctx: r.Context(),
		wire: r.Context().Value(wireKey{}).(*wire), line: p.line, offer: p.offer,
		user: c.user, agent: r.UserAgent(), link: p.link, auditID: id,
		of:      watch.Object{Group: group, Version: version, Resource: resource, Namespace: namespace},
		listing: r.URL.Query().Get("sendInitialEvents") == "true",
	}
	return nil
}

func isWatch(r *http.Request) bool {
	switch r.URL.Query().Get("watch") {
	case "1", "true", "True", "TRUE", "t", "T":
		return true
	}
	return strings.Contains(r.URL.Path, "/watch/")
}

// buffers lends the memory through which bodies are copied.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if got, ok := b.pool.Get().(*[]byte); ok {
		return *got
	}
	return make([]byte, 16<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// subject returns whom a service account's token is of. That it is genuine is
// the apiserver's to say: nothing is told of requests that it refuses.
func subject(authorization string) string {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Sub string `json:"sub"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.Sub
}
