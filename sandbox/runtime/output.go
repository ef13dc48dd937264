package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// output is where a container's stdout and stderr go: its log file, in the
// format the kubelet reads, and whoever is attached.
//
//	2006-01-02T15:04:05.999999999Z stdout F a whole line
//	2006-01-02T15:04:05.999999999Z stderr P a part of a line, to be continued
type output struct {
	path string

	mu       sync.Mutex // guards all below
	file     *os.File
	streams  [2]stream
	attached map[*attachment]bool
	spent    int // bytes written since refilled
	refilled time.Time
	closed   bool
}

type stream struct {
	name string
	part []byte // the beginning of a line that has not ended yet
}

const (
	longestPart = 16 << 10 // longer lines are written in parts, as container runtimes do
	perSecond   = 4 << 20  // more output than this is slowed down, so that one container cannot fill the disk before the kubelet rotates its log
)

// openOutput opens the log file; an empty path means that nobody wants one.
func openOutput(path string) (*output, error) {
	o := &output{path: path, attached: map[*attachment]bool{}}
	o.streams[0].name, o.streams[1].name = "stdout", "stderr"
	return o, o.open()
}

func (o *output) open() error {
	if o.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(o.path), 0o755); err != nil {
		return fmt.Errorf("make the folder of the container's log: %w", err)
	}
	f, err := os.OpenFile(o.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("open the container's log: %w", err)
	}
	o.file = f
	return nil
}

// reopen starts a new file at the same path, after the kubelet moved the old one away.
func (o *output) reopen() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return errors.New("the container is not running")
	}
	old := o.file
	if err := o.open(); err != nil {
		return err
	}
	if old != nil {
		old.Close()
	}
	return nil
}

// close writes what is left of unfinished lines and ends all attachments.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	for i := range o.streams {
		if s := &o.streams[i]; len(s.part) > 0 {
			o.lineLocked(nil, s.name, 'P', s.part)
			s.part = nil
		}
	}
	if o.file != nil {
		o.file.Close()
	}
	for a := range o.attached {
		a.end()
	}
	o.attached = nil
}

func (o *output) stdout() io.Writer { return streamWriter{o, 0} }
func (o *output) stderr() io.Writer { return streamWriter{o, 1} }

type streamWriter struct {
	o *output
	i int
}

// Write never fails: a program does not end because its log cannot be written,
// and neither does it on a real node.
func (w streamWriter) Write(p []byte) (int, error) {
	o := w.o
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, io.ErrClosedPipe
	}
	for a := range o.attached {
		a.offer(w.i, p)
	}
	if o.file != nil {
		o.writeLocked(&o.streams[w.i], p)
		o.slowLocked(len(p))
	}
	return len(p), nil
}

func (o *output) writeLocked(s *stream, p []byte) {
	var lines []byte
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			end = len(p)
		}
		room := longestPart - len(s.part)
		switch {
		case end > room: // too long a line, whether it ends in p or not
			s.part = append(s.part, p[:room]...)
			p = p[room:]
			lines = o.lineLocked(lines, s.name, 'P', s.part)
			s.part = s.part[:0]
		case end == len(p): // not ended yet
			s.part = append(s.part, p...)
			p = nil
		default:
			line := p[:end]
			if len(s.part) > 0 {
				s.part = append(s.part, line...)
				line = s.part
			}
			p = p[end+1:]
			lines = o.lineLocked(lines, s.name, 'F', line)
			s.part = nil
		}
	}
	if len(lines) > 0 {
		o.file.Write(lines)
	}
}

// lineLocked adds a line to lines, or writes it when lines is nil and the log ends.
func (o *output) lineLocked(lines []byte, stream string, tag byte, text []byte) []byte {
	lines = time.Now().AppendFormat(lines, time.RFC3339Nano)
	lines = append(lines, ' ')
	lines = append(lines, stream...)
	lines = append(lines, ' ', tag, ' ')
	lines = append(lines, text...)
	lines = append(lines, '\n')
	if o.closed {
		if o.file != nil {
			o.file.Write(lines)
		}
		return nil
	}
	return lines
}

func (o *output) slowLocked(n int) {
	t := time.Now()
	if t.Sub(o.refilled) > time.Second {
		o.spent, o.refilled = 0, t
	}
	if o.spent += n; o.spent > perSecond {
		time.Sleep(time.Until(o.refilled.Add(time.Second)))
	}
}
