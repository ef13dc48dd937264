package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// client asks components questions over HTTPS.
type client struct {
	http *http.Client
	tls  *tls.Config
}

func newClient(config *tls.Config) *client {
	return &client{tls: config, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig:     config,
		ForceAttemptHTTP2:   false,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     10 * time.Second,
	}}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// do sends a request with a JSON body, if there is one, and returns the answer
// to a successful one; other answers come as *answerError.
func (c *client) do(ctx context.Context, method, url, contentType string, doc any) ([]byte, error) {
	var send io.Reader
	if doc != nil {
		b, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, send)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "kubestage")
	req.Header.Set("Accept", "application/json")
	if doc != nil {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		return nil, &answerError{res.StatusCode, string(b[:min(len(b), 300)])}
	}
	return b, nil
}

// answerError is an answer that is no success.
type answerError struct {
	code int
	body string
}

func (e *answerError) Error() string { return fmt.Sprintf("%d: %s", e.code, e.body) }

// greet opens and closes a TLS connection.
func (c *client) greet(ctx context.Context, port int) error {
	d := tls.Dialer{Config: c.tls}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return conn.Close()
}

// ask returns nil when the probe is answered as it should be.
func (c *client) ask(ctx context.Context, p probe) error {
	if p.path == "" {
		return c.greet(ctx, p.port)
	}
	_, err := c.do(ctx, http.MethodGet, localURL(p.port)+p.path, "", nil)
	return err
}
