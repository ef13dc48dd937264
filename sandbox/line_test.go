package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"
)

// wired returns the two ends of a line that leads to a server that sends back
// what it gets.
func wired(t *testing.T) (l *line, near net.Conn, hungUp chan struct{}, joined chan struct{}) {
	t.Helper()
	echo, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { echo.Close() })
	go func() {
		c, err := echo.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(c, c)
		c.Close()
	}()
	door, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	if near, err = net.Dial("tcp4", door.Addr().String()); err != nil {
		t.Fatal(err)
	}
	inside, err := door.Accept()
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.Dial("tcp4", echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l, hungUp, joined = newLine(), make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		l.join(ctx, inside, far, func() { close(hungUp) })
		close(joined)
	}()
	t.Cleanup(func() {
		cancel()
		near.Close()
		<-joined
	})
	return l, near, hungUp, joined
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("heard %q (%v), want %q", b, err, want)
	}
}

func silence(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == io.EOF {
		t.Fatalf("something came through a cut line: %d bytes, %v", n, err)
	}
}

// A cut line is silent and closed by nobody; healed, it goes on where it was.
func TestLineIsCutAndHealed(t *testing.T) {
	l, c, _, _ := wired(t)
	say(t, c, "one")
	hear(t, c, "one")
	l.set(true, 0)
	say(t, c, "two")
	silence(t, c)
	l.set(false, 0)
	hear(t, c, "two")
}

// Whoever hangs up while the line is cut is heard when it is healed, and no
// sooner; but that he has is known here.
func TestHangingUpOnACutLine(t *testing.T) {
	l, c, hungUp, joined := wired(t)
	say(t, c, "one")
	hear(t, c, "one")
	l.set(true, 0)
	c.Close()
	<-hungUp
	select {
	case <-joined:
		t.Error("the other end was told through a cut line")
	case <-time.After(100 * time.Millisecond):
	}
	l.set(false, 0)
	<-joined
}

func TestCallsThatNeverCameThroughAreForgotten(t *testing.T) {
	l, c, _, joined := wired(t)
	l.set(true, 0)
	say(t, c, "hello?")
	silence(t, c)
	c.Close()
	<-joined
}

// A delay is a delay in each direction, and not a smaller capacity.
func TestLineDelays(t *testing.T) {
	const delay = 50 * time.Millisecond
	l, c, _, _ := wired(t)
	l.set(false, delay)
	begin := time.Now()
	say(t, c, "one")
	hear(t, c, "one")
	if took := time.Since(begin); took < 2*delay {
		t.Errorf("there and back in %v", took)
	}
	data := make([]byte, 4<<20)
	rand.Read(data)
	go c.Write(data)
	got := make([]byte, len(data))
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("what came back is not what was sent: %v", err)
	}
}

// Half a connection may end before the other: a client that has said all may
// still listen.
func TestLineKeepsHalves(t *testing.T) {
	_, c, _, joined := wired(t)
	say(t, c, "all I have to say")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "all I have to say" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	<-joined
}
