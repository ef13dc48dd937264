package overlay

import (
	"bufio"
	"io"
	"net"
	"net/netip"
)

// Conn is a connection between two addresses of the cluster. Programs see
// these addresses and not those of what carries it.
type Conn struct {
	net.Conn
	From, To netip.AddrPort // local and remote
	Closed   func()         // told at each Close; may be nil

	early *bufio.Reader // what came together with the answer to connect; may be nil
}

func (c *Conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.From) }
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.To) }

func (c *Conn) Read(b []byte) (int, error) {
	if c.early != nil && c.early.Buffered() > 0 {
		return c.early.Read(b)
	}
	return c.Conn.Read(b)
}

// CloseWrite tells the other end that nothing more will come.
func (c *Conn) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

func (c *Conn) Close() error {
	if c.Closed != nil {
		c.Closed()
	}
	return c.Conn.Close()
}

// Splice joins two connections and returns when both ways have ended.
func Splice(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pour(a, b)
	}()
	pour(b, a)
	<-done
	a.Close()
	b.Close()
}

func pour(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	to.Close()
}
