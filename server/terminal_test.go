//go:build unix

package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// screen is a page's terminal with a command in it.
type screen struct {
	*testing.T
	conn *websocket.Conn
	ctx  context.Context
	text string // all that was printed
	last map[string]any
}

func openTerminal(t *testing.T, s *served, first string) *screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	conn, err := dialURL(t, s.url("/api/terminal?lang=en"))
	if err != nil {
		t.Fatal(err)
	}
	sc := &screen{T: t, conn: conn, ctx: ctx}
	sc.send(websocket.MessageText, first)
	return sc
}

func (s *screen) send(kind websocket.MessageType, text string) {
	s.Helper()
	if err := s.conn.Write(s.ctx, kind, []byte(text)); err != nil {
		s.Fatal(err)
	}
}

func (s *screen) types(text string) { s.Helper(); s.send(websocket.MessageBinary, text) }

// shows reads until something is on the screen.
func (s *screen) shows(what string) {
	s.Helper()
	for !strings.Contains(s.text, what) {
		if s.last != nil {
			s.Fatalf("ended with %v and shows %q, not %q", s.last, s.text, what)
		}
		s.read()
	}
}

func (s *screen) read() {
	s.Helper()
	kind, p, err := s.conn.Read(s.ctx)
	switch {
	case err != nil:
		s.Fatalf("%v; the screen shows %q", err, s.text)
	case kind == websocket.MessageBinary:
		s.text += string(p)
	default:
		if err := json.Unmarshal(p, &s.last); err != nil {
			s.Fatal(err)
		}
	}
}

// end is the last message.
func (s *screen) end() map[string]any {
	s.Helper()
	for s.last == nil {
		s.read()
	}
	return s.last
}

func TestTerminal(t *testing.T) {
	s := serve(t)
	sc := openTerminal(t, s, `{"command":"kubectl exec -it web -- sh","cols":100,"rows":30}`)
	sc.shows("# ")
	sc.types("tty\r")
	sc.shows("true 100 30 <nil> xterm-256color")
	sc.send(websocket.MessageText, `{"cols":60,"rows":20}`)
	sc.types("tty\r")
	sc.shows("true 60 20 <nil>")
	sc.types("exit\r")
	if last := sc.end(); last["exit"] != 7.0 {
		t.Errorf("exit of the program: %v", last)
	}

	// Ctrl-C is the terminal's, not ours: kubectl is interrupted as in any other.
	sc = openTerminal(t, s, `{"command":"kubectl get pods -w"}`)
	sc.shows("first")
	sc.types("\x03")
	if last := sc.end(); last["exit"] != -1.0 || !strings.Contains(sc.text, "^C") {
		t.Errorf("after Ctrl-C: %v, %q", last, sc.text)
	}

	// A manifest is no terminal, and what is printed still is.
	sc = openTerminal(t, s, `{"command":"kubectl apply -f -","stdin":"kind: Pod\n"}`)
	if sc.end(); sc.text != "kind: Pod\r\n" {
		t.Errorf("got %q", sc.text)
	}
	sc = openTerminal(t, s, `{"command":"kubectl describe secret x"}`)
	if sc.end(); !strings.Contains(sc.text, "(a credential: not shown here)") || strings.Contains(sc.text, "eyJ") {
		t.Errorf("got %q", sc.text)
	}
}

func TestTerminalRefuses(t *testing.T) {
	s := serve(t)
	for first, want := range map[string]string{
		`{"command":"kubectl edit pod x"}`:                         "opens an editor",
		`{"command":"ls"}`:                                         "kubectl only",
		`{"command":"kubectl get pods -it"}`:                       "type into",
		`{"command":"kubectl exec -it web --kubeconfig=/x -- sh"}`: "no other credentials",
		`not json`: "first message",
	} {
		if last := openTerminal(t, s, first).end(); !strings.Contains(last["error"].(string), want) || last["hint"] == "" {
			t.Errorf("%s\n got %v\nwant %s", first, last, want)
		}
	}
	if res, body := do(t, request(t, "GET", s.url("/api/terminal"), "")); res.StatusCode != 426 || !strings.Contains(body, "websocket only") {
		t.Errorf("without websocket: %s %s", res.Status, body)
	}
	if res, _ := do(t, request(t, "GET", s.url("/api/terminal"), "", "Origin: http://evil.example", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")); res.StatusCode != 403 {
		t.Errorf("from another site: %s", res.Status)
	}
}

func TestTerminalEndsWithItsPage(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) { l.commands = 1 })
	sc := openTerminal(t, s, `{"command":"kubectl get pods -w"}`)
	sc.shows("first")
	sc.conn.CloseNow()
	select {
	case s.running <- struct{}{}: // free only when the child is gone
		<-s.running
	case <-time.After(10 * time.Second):
		t.Fatal("the child outlives its page")
	}

	s = serve(t, func(_ *Config, l *limits) { l.commandTime = 300 * time.Millisecond })
	sc = openTerminal(t, s, `{"command":"kubectl get pods -w"}`)
	if last := sc.end(); last["exit"] != 124.0 || !strings.Contains(sc.text, "300ms") {
		t.Errorf("too long: %v %q", last, sc.text)
	}
}

func TestTerminalEndsWithKubestage(t *testing.T) {
	s := serve(t)
	sc := openTerminal(t, s, `{"command":"kubectl get pods -w","cols":80,"rows":24}`)
	sc.shows("first")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if len(s.running) != 0 {
		t.Error("Serve has returned, and the command runs on")
	}
	if last := sc.end(); last["exit"] != 137.0 || !strings.Contains(sc.text, "[Kubestage is stopping]") {
		t.Errorf("the page is told %v, and shows %q", last, sc.text)
	}
}
