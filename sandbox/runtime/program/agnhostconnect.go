package program

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// httpClient reaches what the pod reaches, and nothing else.
func (p *Process) httpClient() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return p.dial(ctx, address) },
			DisableKeepAlives: true,
		},
	}
}

// connectTester tries to connect, and says why it could not in words that tests look for.
func connectTester(ctx context.Context, p *Process) int {
	timeout, protocol := time.Duration(0), "tcp"
	args, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.DurationVar(&timeout, "timeout", 0, "Maximum time before returning an error")
		f.StringVar(&protocol, "protocol", protocol, "The protocol to use to perform the connection")
	})
	if !ok {
		return bad
	}
	if len(args) == 2 && strings.HasPrefix(args[1], "--timeout=") { // upstream takes options after the address too
		timeout, _ = time.ParseDuration(strings.TrimPrefix(args[1], "--timeout="))
		args = args[:1]
	}
	if len(args) != 1 || protocol != "tcp" {
		fmt.Fprintln(p.Stderr, "UNKNOWN: give one host:port, for tcp")
		return 1
	}
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := p.dial(ctx, args[0])
	switch {
	case err == nil:
		conn.Close()
		return 0
	case isNoName(err), strings.Contains(err.Error(), "no such host"):
		fmt.Fprintf(p.Stderr, "DNS: %v\n", err)
	case ctx.Err() != nil:
		fmt.Fprintln(p.Stderr, "TIMEOUT")
	case strings.Contains(err.Error(), "refused"):
		fmt.Fprintln(p.Stderr, "REFUSED")
	default:
		fmt.Fprintf(p.Stderr, "OTHER: %v\n", err)
	}
	return 1
}

// portForwardTester sends chunks of x to one client.
func portForwardTester(ctx context.Context, p *Process) int {
	number := func(name string) int {
		n, err := strconv.Atoi(p.Getenv(name))
		if err != nil || n < 0 || n > 1<<20 {
			return -1
		}
		return n
	}
	port, chunks, size, interval := number("BIND_PORT"), number("CHUNKS"), number("CHUNK_SIZE"), number("CHUNK_INTERVAL")
	l, err := p.Network.Listen(port)
	if err != nil {
		fmt.Fprintf(p.Stdout, "Error listening: %v\n", err)
		return 1
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	conn, err := l.Accept()
	if err != nil {
		fmt.Fprintf(p.Stdout, "Error accepting connection: %v\n", err)
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	fmt.Fprintln(p.Stdout, "Accepted client connection")
	if want := p.Getenv("EXPECTED_CLIENT_DATA"); want != "" {
		got := make([]byte, len(want))
		if n, err := io.ReadFull(conn, got); err != nil {
			fmt.Fprintf(p.Stdout, "Expected to read %d bytes from client, but got %d instead. err=%v\n", len(want), n, err)
			return 2
		}
		if string(got) != want {
			fmt.Fprintf(p.Stdout, "Expect to read %q, but got %q. err=%v\n", want, got, nil)
			return 3
		}
		fmt.Fprintln(p.Stdout, "Received expected client data")
	}
	if min(chunks, size, interval) < 0 {
		fmt.Fprintln(p.Stdout, "Error parsing CHUNKS, CHUNK_SIZE or CHUNK_INTERVAL")
		return 1
	}
	data := strings.Repeat("x", size)
	for i := range chunks {
		if _, err := io.WriteString(conn, data); err != nil {
			fmt.Fprintf(p.Stdout, "Write err: %v\n", err)
			return 4
		}
		if i+1 < chunks && !Wait(ctx, time.Duration(interval)*time.Millisecond) {
			return 137
		}
	}
	fmt.Fprintln(p.Stdout, "Shutting down connection")
	conn.Close()
	fmt.Fprintln(p.Stdout, "Done")
	return 0
}
