package server

import (
	"context"
	"crypto/subtle"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
)

// contentSecurity lets a page load what this server offers and nothing else,
// run no inline script or style, and be framed by nobody.
const contentSecurity = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"

// sameSite sets the headers that keep other sites out, and refuses the requests
// they make anyway.
func (s *Server) sameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurity)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if err := checkSite(r); err != nil {
			s.answerError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func checkSite(r *http.Request) error {
	if !hostIsOurs(r.Host) {
		return &HTTPError{Code: http.StatusMisdirectedRequest, Msg: fmt.Sprintf("this server is not %s", clip(r.Host)),
			Hint: "open it by its address, as in http://127.0.0.1:7766: a name could be made to point here by another web site"}
	}
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		u, err := url.Parse(origins[0])
		if err != nil || len(origins) > 1 || u.Scheme != "http" || !strings.EqualFold(u.Host, r.Host) {
			return &HTTPError{Code: http.StatusForbidden, Msg: fmt.Sprintf("pages of %s may not use this server", clip(origins[0])),
				Hint: "use the page that this server itself offers"}
		}
	}
	// People may follow links to pages from anywhere. Everything else is asked
	// for by our own page, or by a program that sends no such header.
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		page := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && !strings.HasPrefix(r.URL.Path, "/api/")
		if !page {
			return &HTTPError{Code: http.StatusForbidden, Msg: "another web site made this request", Hint: "use the page that this server itself offers"}
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "application/json" {
			return &HTTPError{Code: http.StatusUnsupportedMediaType, Msg: "the request's Content-Type is not application/json", Hint: "send JSON, with that header"}
		}
	}
	return nil
}

// hostIsOurs accepts addresses and localhost, with any port (a tunnel may have
// changed it). Names are refused: a site can point a name of its own at 127.0.0.1,
// and its pages would then be of the same origin as ours.
func hostIsOurs(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Zone() == ""
}

// keyCookie holds the key. Browsers send cookies to every port of a host, so
// other servers on this computer may see it when the same browser visits them;
// that is why the kernel is asked first, where it answers.
const keyCookie = "kubestage-key"

// ownUser lets in who started Kubestage, and whoever has the key.
func (s *Server) ownUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.URL.Query().Get("key"); key != "" && r.Method == http.MethodGet {
			s.takeKey(w, r, key)
			return
		}
		if err := s.admit(r); err != nil {
			s.answerError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// takeKey turns the key of a link into a cookie, and the link into one
// without it.
func (s *Server) takeKey(w http.ResponseWriter, r *http.Request, key string) {
	if !s.isKey(key) {
		s.answerError(w, r, &HTTPError{Code: http.StatusForbidden, Msg: "the key in this link is not the one of the running Kubestage", Hint: "each start has a new one: open the link it printed last"})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: keyCookie, Value: key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	u := *r.URL
	q := u.Query()
	q.Del("key")
	u.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", "/"+strings.TrimLeft(u.RequestURI(), "/"))
	w.WriteHeader(http.StatusSeeOther)
}

func (s *Server) isKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) == 1
}

func (s *Server) admit(r *http.Request) error {
	if r.URL.Path == "/healthz" {
		return nil
	}
	if c, err := r.Cookie(keyCookie); err == nil && s.isKey(c.Value) {
		return nil
	}
	noKey := &HTTPError{Code: http.StatusForbidden, Msg: "this Kubestage is opened with a key", Hint: "open the link it printed when it started, which has the key in it"}
	if !fromLoopback(r) {
		return noKey
	}
	switch uid, answer := peer(r); {
	case answer == peerOurs:
		return nil
	case answer == peerOther:
		return &HTTPError{Code: http.StatusForbidden, Msg: fmt.Sprintf("this connection comes from another user of this computer (uid %d)", uid),
			Hint: "Kubestage answers only the user who started it: start one of your own"}
	case peersAreKnown:
		// Rare: a relay of a virtual machine, or a connection already half closed.
		s.tellKey.Do(func() {
			s.Logf("a connection from this computer has no owner that can be seen; to let such connections in, open http://%s/?key=%s", r.Host, s.key)
		})
		noKey.Msg = "the owner of this connection cannot be seen, so Kubestage has to be opened with a key"
		noKey.Hint = "open the link with the key that Kubestage printed just now"
		return noKey
	}
	return noKey
}

// What the kernel says of the other end of a loopback connection.
type peerAnswer int

const (
	peerUnknown peerAnswer = iota
	peerOurs               // our own user, or root
	peerOther
)

// connection is what is remembered of a connection beside its requests.
type connection struct {
	net.Conn
	ours atomic.Bool // the answer peerOurs does not change while it is open
}

type connectionKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{Conn: c})
}

// connectionOf returns nil for requests that did not come through Serve.
func connectionOf(ctx context.Context) *connection {
	c, _ := ctx.Value(connectionKey{}).(*connection)
	return c
}

func peer(r *http.Request) (uid int, answer peerAnswer) {
	c := connectionOf(r.Context())
	if c != nil && c.ours.Load() {
		return 0, peerOurs
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return 0, peerUnknown
	}
	here, err1 := netip.ParseAddrPort(local.String())
	there, err2 := netip.ParseAddrPort(r.RemoteAddr)
	if err1 != nil || err2 != nil {
		return 0, peerUnknown
	}
	uid, answer = askKernel(there, here)
	if c != nil && answer == peerOurs {
		c.ours.Store(true)
	}
	return uid, answer
}
