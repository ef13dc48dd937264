package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/watch"
)

// protocol is the version of what the websocket says.
const protocol = 1

// stream sends events as they happen; the package comment has the messages.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) error {
	after, given, err := afterParameter(r)
	if err != nil {
		return err
	}
	if err := websocketOnly(w, r, "without one, read /api/events?after=SEQ again and again"); err != nil {
		return err
	}
	c, err := s.about(r)
	if err != nil {
		return err
	}
	lost := foreign(r, c.log, after) != nil
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if first, _ := c.log.Bounds(); !given {
		after = first - 1
	}
	// On one computer compression costs more than it saves; over a classroom's
	// wireless network it divides the bytes by seven.
	compression := websocket.CompressionDisabled
	if !fromLoopback(r) {
		compression = websocket.CompressionNoContextTakeover
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: compression})
	if err != nil {
		return nil // Accept has answered
	}
	defer conn.CloseNow()
	st := &stream{
		Server: s,
		log:    c.log,
		source: c.source,
		conn:   conn,
		cursor: after,
		lost:   lost,
		due:    make(chan struct{}, 1),
		room:   make(chan struct{}, 1),
	}
	st.run(r.Context())
	return nil
}

// stream is one websocket. It keeps a place in the log, not a queue: however
// slow a client is, it costs nobody anything but itself.
//
// A client says nothing, so whether it keeps up is learned from websocket
// pings: a pong means that everything sent before has been received. No more
// than limits.window is sent ahead of the last pong; a client that needs
// longer than limits.patience for that is closed, with the reason.
type stream struct {
	*Server
	log    *watch.Log
	source string
	conn   *websocket.Conn
	cursor uint64        // the last event sent
	lost   bool          // cursor is a number of another log
	sent   atomic.Int64  // bytes
	acked  atomic.Int64  // bytes the client is known to have received
	due    chan struct{} // asks for a probe
	room   chan struct{} // tells that acked has grown
	frame  bytes.Buffer
}

// Reasons to end a stream.
var (
	errTooSlow = errors.New("too slow")
	errSpoke   = errors.New("the client sent a message")
)

func (st *stream) run(parent context.Context) {
	ctx, end := context.WithCancelCause(parent)
	defer end(nil)
	go func() { end(st.read()) }()
	go func() { end(st.probe(ctx)) }()
	end(st.write(ctx))
	// Closing waits for the client to agree. A client that stops in the middle
	// of a message would make the library wait for ever (v1.8.15, close.go,
	// waitCloseHandshake), hence a deadline of our own.
	if c := connectionOf(parent); c != nil {
		c.SetDeadline(time.Now().Add(st.limits.goodbye))
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopping):
		st.conn.Close(websocket.StatusGoingAway, fmt.Sprintf("Kubestage is stopping: reconnect with after=%d when it is back", st.cursor))
	case errors.Is(cause, errTooSlow):
		st.conn.Close(websocket.StatusPolicyViolation, fmt.Sprintf("too slow: reconnect with after=%d", st.cursor))
	case errors.Is(cause, errSpoke):
		st.conn.Close(websocket.StatusPolicyViolation, "this stream takes no messages: say what you want with after=SEQ")
	}
}

// read waits for what the client must not send, and answers its pings. It
// ends with the connection.
func (st *stream) read() error {
	st.conn.SetReadLimit(1024)
	if _, _, err := st.conn.Reader(context.Background()); err != nil {
		return err
	}
	return errSpoke
}

// probe learns how much the client has received.
func (st *stream) probe(ctx context.Context) error {
	idle := time.NewTicker(st.limits.idle)
	defer idle.Stop()
	for {
		select {
		case <-st.due:
		case <-idle.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		mark := st.sent.Load()
		// Not ctx: the library drops a connection whose context ends while it
		// writes, and then there is no telling why.
		patience, cancel := context.WithTimeout(context.Background(), st.limits.patience)
		stop := context.AfterFunc(ctx, cancel)
		err := st.conn.Ping(patience)
		expired := patience.Err() == context.DeadlineExceeded
		stop()
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && expired:
			return errTooSlow
		case err != nil:
			return err
		}
		st.acked.Store(mark)
		wake(st.room)
	}
}

func (st *stream) write(ctx context.Context) error {
	first, last := st.log.Bounds()
	if err := st.say(map[string]any{
		"type": "hello", "protocol": protocol, "log": st.log.ID(), "first": first, "last": last, "source": st.source, "now": st.Now(),
	}); err != nil {
		return err
	}
	if st.lost {
		if err := st.gap(&watch.Gap{First: first, Last: last}); err != nil {
			return err
		}
	}
	nextBeat := time.Now().Add(st.limits.beat)
	for {
		lines, err := st.log.Lines(st.cursor, 512)
		var gap *watch.Gap
		switch {
		case errors.As(err, &gap):
			if err := st.gap(gap); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case len(lines) > 0:
			began := time.Now()
			if err := st.batches(ctx, lines); err != nil {
				return err
			}
			if len(lines) < 512 { // all there was: let the next ones gather
				if err := sleep(ctx, st.limits.pace-time.Since(began)); err != nil {
					return err
				}
			}
		}
		if !time.Now().Before(nextBeat) {
			_, last := st.log.Bounds()
			if err := st.say(map[string]any{"type": "ping", "now": st.Now(), "last": last}); err != nil {
				return err
			}
			nextBeat = time.Now().Add(st.limits.beat)
		}
		wait, cancel := context.WithDeadline(ctx, nextBeat)
		err = st.log.Wait(wait, st.cursor)
		cancel()
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// batches sends lines in frames of bounded size.
func (st *stream) batches(ctx context.Context, lines [][]byte) error {
	for len(lines) > 0 {
		st.frame.Reset()
		st.frame.WriteString(`{"type":"events","events":[`)
		n := 0
		for n < len(lines) && st.frame.Len() < st.limits.batchBytes {
			if n > 0 {
				st.frame.WriteByte(',')
			}
			st.frame.Write(lines[n])
			n++
		}
		st.frame.WriteString(`]}`)
		if err := st.makeRoom(ctx); err != nil {
			return err
		}
		if err := st.send(st.frame.Bytes()); err != nil {
			return err
		}
		st.cursor += uint64(n)
		lines = lines[n:]
	}
	if st.frame.Cap() > st.limits.batchBytes/8 {
		st.frame = bytes.Buffer{} // hundreds of clients that have caught up need not keep what that took
	}
	return nil
}

// makeRoom waits until less than the window is on its way.
func (st *stream) makeRoom(ctx context.Context) error {
	for st.sent.Load()-st.acked.Load() > st.limits.window {
		wake(st.due)
		select {
		case <-st.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (st *stream) gap(g *watch.Gap) error {
	st.cursor = g.First - 1
	return st.say(map[string]any{"type": "gap", "first": g.First, "last": g.Last})
}

func (st *stream) say(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return st.send(text)
}

func (st *stream) send(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), st.limits.patience)
	defer cancel()
	if err := st.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return err
	}
	if sent := st.sent.Add(int64(len(frame))); sent-st.acked.Load() > st.limits.window/4 {
		wake(st.due)
	}
	return nil
}

// wake leaves a note in a channel of capacity one.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fromLoopback reports whether the client is on this computer.
func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
