package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/watch"
)

type message struct {
	Type        string            `json:"type"`
	Protocol    int               `json:"protocol"`
	Log         string            `json:"log"`
	Source      string            `json:"source"`
	First, Last uint64            `json:",omitempty"`
	Events      []json.RawMessage `json:"events"`
}

func dial(t testing.TB, s *served, after uint64) *websocket.Conn {
	t.Helper()
	conn, err := dialURL(t, s.url(fmt.Sprintf("/api/stream?after=%d", after)))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func dialURL(t testing.TB, url string) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(url, "http:", "ws:", 1), nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	return conn, nil
}

func receive(conn *websocket.Conn) (message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, text, err := conn.Read(ctx)
	var m message
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

func readMessage(t *testing.T, conn *websocket.Conn) message {
	t.Helper()
	m, err := receive(conn)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// follow reads events until it has the one numbered to, and returns the
// number of the last. Every number has to come once and in order after from.
func follow(conn *websocket.Conn, from, to uint64) (last uint64, err error) {
	last = from
	for last < to {
		m, err := receive(conn)
		if err != nil {
			return last, err
		}
		switch m.Type {
		case "gap":
			return last, fmt.Errorf("a gap %d..%d after %d", m.First, m.Last, last)
		case "events":
			for _, text := range m.Events {
				var e struct{ Seq uint64 }
				if err := json.Unmarshal(text, &e); err != nil {
					return last, err
				}
				if e.Seq != last+1 {
					return last, fmt.Errorf("event %d after %d", e.Seq, last)
				}
				last = e.Seq
			}
		}
	}
	return last, nil
}

func TestStreamSaysHello(t *testing.T) {
	s := serve(t)
	write(s.Log, 3)
	m := readMessage(t, dial(t, s, 0))
	if m.Type != "hello" || m.Protocol != 1 || m.Log != s.Log.ID() || m.First != 1 || m.Last != 3 || m.Source != "sandbox" {
		t.Errorf("got %+v", m)
	}
}

func TestEveryClientReceivesEveryEventOnce(t *testing.T) {
	const clients, writers, each = 30, 4, 250
	s := serve(t)
	write(s.Log, 100) // some are there before
	last := uint64(100 + writers*each)
	errs := make(chan error, clients)
	for i := range clients {
		conn := dial(t, s, uint64(i))
		go func() {
			_, err := follow(conn, uint64(i), last)
			errs <- err
		}()
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				write(s.Log, 1)
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	wg.Wait()
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestStreamPings(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) { l.beat = 20 * time.Millisecond })
	write(s.Log, 2)
	conn := dial(t, s, 2)
	readMessage(t, conn)
	for range 3 {
		if m := readMessage(t, conn); m.Type != "ping" || m.Last != 2 {
			t.Errorf("got %+v", m)
		}
	}
}

// A client that does not read is closed and told why; what it had been sent it
// can still read, and with the number in the reason it loses nothing.
func TestSlowReaderIsClosedAndResumes(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) {
		l.patience = time.Second
		l.window = 64 << 10
		l.batchBytes = 8 << 10
	})
	slow := dial(t, s, 0)
	readMessage(t, slow)
	const n = 4000 // about 1 MB
	quick := make(chan error, 1)
	conn := dial(t, s, 0)
	go func() {
		_, err := follow(conn, 0, n)
		quick <- err
	}()
	write(s.Log, n)
	if err := <-quick; err != nil {
		t.Fatalf("the slow client holds up the quick one: %v", err)
	}
	s.awaitNoStreamsBut(t, 1)
	last, err := follow(slow, 0, n)
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.StatusPolicyViolation || closed.Reason != fmt.Sprintf("too slow: reconnect with after=%d", last) {
		t.Fatalf("after %d events: %v", last, err)
	}
	if last == 0 || last >= n {
		t.Fatalf("the slow client had %d of %d events when it was closed", last, n)
	}
	if _, err := follow(dial(t, s, last), last, n); err != nil {
		t.Error(err)
	}
}

// awaitNoStreamsBut waits until n websockets are open.
func (s *served) awaitNoStreamsBut(t *testing.T, n int) {
	t.Helper()
	open := -1
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s.Server.mu.Lock()
		open = s.streams
		s.Server.mu.Unlock()
		if open == n {
			return
		}
	}
	t.Fatalf("%d streams are open, want %d", open, n)
}

func TestStreamTellsGaps(t *testing.T) {
	s := serve(t, func(c *Config, _ *limits) { c.Log = watch.NewLog(20 << 10) })
	write(s.Log, 1000)
	first, last := s.Log.Bounds()
	for _, c := range []struct {
		name  string
		query string
	}{
		{"what is gone", "after=5"},
		{"a number that is not reached yet", fmt.Sprint("after=", last+7)},
		{"the number of another log", fmt.Sprintf("after=%d&log=ANOTHER", last-1)},
	} {
		conn, err := dialURL(t, s.url("/api/stream?"+c.query))
		if err != nil {
			t.Fatal(err)
		}
		readMessage(t, conn)
		m := readMessage(t, conn)
		if m.Type != "gap" || m.First != first || m.Last != last {
			t.Errorf("%s: got %+v, want a gap %d..%d", c.name, m, first, last)
		}
		if _, err := follow(conn, first-1, last); err != nil {
			t.Errorf("%s: after the gap: %v", c.name, err)
		}
	}
	// Who does not say after= wants what there is, which is no gap.
	conn, err := dialURL(t, s.url("/api/stream?log="+s.Log.ID()))
	if err != nil {
		t.Fatal(err)
	}
	readMessage(t, conn)
	if _, err := follow(conn, first-1, last); err != nil {
		t.Error(err)
	}
}

// An event larger than the window and every buffer still arrives.
func TestStreamCarriesHugeEvents(t *testing.T) {
	s := serve(t)
	conn := dial(t, s, 0)
	detail := json.RawMessage(`{"value":"` + strings.Repeat("x", 3<<20) + `"}`)
	for range 3 {
		s.Log.Append(watch.Event{Kind: watch.Etcd, Verb: "put", From: watch.APIServer, Evidence: watch.Observed("etcd", ""), Detail: detail})
	}
	write(s.Log, 10)
	if _, err := follow(conn, 0, 13); err != nil {
		t.Fatal(err)
	}
}

func TestStreamRefusesMessages(t *testing.T) {
	for name, send := range map[string]func(context.Context, *websocket.Conn) error{
		"text": func(ctx context.Context, c *websocket.Conn) error {
			return c.Write(ctx, websocket.MessageText, []byte(`{"type":"subscribe"}`))
		},
		"huge": func(ctx context.Context, c *websocket.Conn) error {
			c.Write(ctx, websocket.MessageBinary, make([]byte, 8<<20)) // may fail half way
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			conn := dial(t, s, 0)
			readMessage(t, conn)
			// The library answers a close only while it reads.
			sent := make(chan error, 1)
			go func() { sent <- send(t.Context(), conn) }()
			_, err := receive(conn)
			if websocket.CloseStatus(err) != websocket.StatusPolicyViolation || !strings.Contains(err.Error(), "takes no messages") {
				t.Errorf("got %v", err)
			}
			conn.CloseNow()
			if err := <-sent; err != nil {
				t.Error(err)
			}
			s.awaitNoStreamsBut(t, 0)
		})
	}
}

// Bytes that are no websocket frames, or frames that clients may not send, end
// this connection and nothing else.
func TestStreamSurvivesGarbage(t *testing.T) {
	s := serve(t)
	other := dial(t, s, 0)
	readMessage(t, other)
	for name, garbage := range map[string]string{
		"http":            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"unmasked":        "\x81\x05hello",
		"reserved bits":   "\xf1\x80\x00\x00\x00\x00",
		"unknown opcode":  "\x83\x80\x00\x00\x00\x00",
		"endless control": "\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"endless text":    "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00" + strings.Repeat("a", 1<<16),
		"negative length": "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"bare close":      "\x88\x81\x00\x00\x00\x00\x01",
		"zeros":           strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			c, r := upgrade(t, s)
			if _, err := c.Write([]byte(garbage)); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(15 * time.Second))
			buf := make([]byte, 4096)
			for {
				if _, err := r.Read(buf); err != nil {
					var late net.Error
					if errors.As(err, &late) && late.Timeout() {
						t.Errorf("the connection is still open")
					}
					return
				}
			}
		})
	}
	s.awaitNoStreamsBut(t, 1)
	write(s.Log, 1)
	if _, err := follow(other, 0, 1); err != nil {
		t.Errorf("another client: %v", err)
	}
}

// upgrade opens a websocket by hand.
func upgrade(t *testing.T, s *served) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET /api/stream HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.addr)
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	return c, r
}

func TestStreamsAreLimited(t *testing.T) {
	s := serve(t, func(_ *Config, l *limits) { l.streams = 2 })
	dial(t, s, 0)
	second := dial(t, s, 0)
	if _, err := dialURL(t, s.url("/api/stream")); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a third stream: %v", err)
	}
	second.CloseNow()
	s.awaitNoStreamsBut(t, 1)
	dial(t, s, 0)
}

func TestStreamsHearThatTheServerStops(t *testing.T) {
	s := serve(t)
	write(s.Log, 5)
	conn := dial(t, s, 0)
	if _, err := follow(conn, 0, 5); err != nil {
		t.Fatal(err)
	}
	silent := dial(t, s, 0) // does not read, so it never answers a close
	_ = silent
	stopped := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		s.stop()
		stopped <- time.Since(began)
	}()
	_, err := receive(conn)
	if websocket.CloseStatus(err) != websocket.StatusGoingAway || !strings.Contains(err.Error(), "after=5") {
		t.Errorf("got %v", err)
	}
	if took := <-stopped; took > time.Second {
		t.Errorf("Serve took %s to end", took)
	}
}
