package runtime

import (
	"io"
	"sync"
	"unicode/utf8"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// terminal does what a terminal driver does between a client, whose own
// terminal is in raw mode, and a program: it echoes what is typed, hands it on
// a line at a time, turns control characters into signals, and line feeds of
// the output into carriage return and line feed.
type terminal struct {
	signal func(program.Signal)

	mu   sync.Mutex // guards all below: echo and output share the client
	out  io.Writer
	line []byte
	esc  int // inside an escape sequence: 1 after ESC, 2 after ESC [
}

// Control characters of a terminal, as stty -a shows them.
const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	backspace = 0x08
	ctrlU     = 0x15
	ctrlBack  = 0x1c // ^\
	escape    = 0x1b
	erase     = 0x7f
)

// Write is the program's output.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.putLocked(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (t *terminal) putLocked(p []byte) error {
	if t.out == nil {
		return nil
	}
	_, err := t.out.Write(crlf(p))
	return err
}

func crlf(p []byte) []byte {
	b := make([]byte, 0, len(p)+8)
	for _, c := range p {
		if c == '\n' {
			b = append(b, '\r')
		}
		b = append(b, c)
	}
	return b
}

// feed passes what the client types on to input, until the client or the
// program leaves.
func (t *terminal) feed(input io.Writer, from io.Reader) error {
	buf := make([]byte, 1024)
	for {
		n, err := from.Read(buf)
		for _, c := range buf[:n] {
			line, end := t.key(c)
			if len(line) > 0 {
				if _, err := input.Write(line); err != nil {
					return err
				}
			}
			if end {
				return nil
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// key takes one byte and returns what the program gets to read because of it,
// and whether its input ends.
func (t *terminal) key(c byte) (line []byte, end bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.esc > 0 { // arrow keys and the like mean nothing here
		if t.esc == 1 && (c == '[' || c == 'O') {
			t.esc = 2
		} else if t.esc == 1 || c >= '@' {
			t.esc = 0
		}
		return nil, false
	}
	switch c {
	case escape:
		t.esc = 1
	case '\r', '\n':
		t.putLocked([]byte("\n"))
		line, t.line = append(t.line, '\n'), nil
	case erase, backspace:
		if len(t.line) > 0 {
			_, size := utf8.DecodeLastRune(t.line)
			t.line = t.line[:len(t.line)-size]
			t.putLocked([]byte("\b \b"))
		}
	case ctrlU:
		for range utf8.RuneCount(t.line) {
			t.putLocked([]byte("\b \b"))
		}
		t.line = nil
	case ctrlC, ctrlBack:
		s, shown := program.SIGINT, "^C\n"
		if c == ctrlBack {
			s, shown = program.SIGQUIT, "^\\\n"
		}
		t.line = nil
		t.putLocked([]byte(shown))
		t.signal(s)
	case ctrlD:
		if len(t.line) == 0 {
			return nil, true
		}
		line, t.line = t.line, nil
	default:
		if c >= ' ' || c == '\t' {
			t.line = append(t.line, c)
			t.putLocked([]byte{c})
		}
	}
	return line, false
}
