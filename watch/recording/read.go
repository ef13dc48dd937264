package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/kubestage/kubestage/watch"
)

// What can be wrong with a file. Each error that Read returns wraps one of
// these, and says what to do.
var (
	ErrForeign = errors.New("this is no recording of Kubestage")
	ErrNewer   = errors.New("the recording was made by a newer version of Kubestage")
	ErrDamaged = errors.New("the recording is damaged")
	ErrLimit   = errors.New("the recording is larger than Kubestage reads")
)

// Recording is a file that was read whole and is whole.
type Recording struct {
	Header
	ID    string // of the log it is played as; it follows from the file's content
	lines [][]byte
	bytes int
}

// Open reads a recording from a file.
func Open(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the recording: %w", err)
	}
	defer f.Close()
	r, err := Read(f, DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Read reads a recording to its end, and checks that it is whole. It does not
// look into its events; playing them does.
func Read(from io.Reader, l Limits) (*Recording, error) {
	in := bufio.NewReader(from)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w; `dashboard record` makes them, with names that end in %s", ErrForeign, Extension)
	}
	z.Multistream(false)
	lines := &lineReader{in: bufio.NewReaderSize(z, 32<<10), limits: l}
	head, err := lines.next()
	if err != nil {
		return nil, foreignOr(err)
	}
	r := &Recording{}
	if r.Header, err = readHeader(head); err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write(head)
	sum.Write(newline)
	for {
		line, err := lines.next()
		if err != nil {
			return nil, damaged(err, len(r.lines))
		}
		if bytes.HasPrefix(line, endBegins) {
			if err := r.finish(line, sumOf(sum)); err != nil {
				return nil, err
			}
			break
		}
		if len(r.lines) == l.Events {
			return nil, fmt.Errorf("%w: more than %d events", ErrLimit, l.Events)
		}
		sum.Write(line)
		sum.Write(newline)
		r.lines = append(r.lines, line)
		r.bytes += len(line)
	}
	// The reader finds gzip's own sum behind the last line, and the file must end there.
	if _, err := lines.in.ReadByte(); err != io.EOF {
		return nil, damaged(firstError(err, errBehind), len(r.lines))
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return nil, damaged(firstError(err, errBehind), len(r.lines))
	}
	return r, nil
}

var (
	newline   = []byte{'\n'}
	endBegins = []byte(`{"end":`)
	errBehind = errors.New("something follows its end")
)

func readHeader(line []byte) (Header, error) {
	var about struct { // what every version has
		Format  string `json:"format"`
		Version int    `json:"version"`
		MadeBy  string `json:"madeBy"`
	}
	if json.Unmarshal(line, &about) != nil || about.Format != Format || about.Version < 1 {
		return Header{}, ErrForeign
	}
	if about.Version > Version {
		return Header{}, fmt.Errorf("%w (%s, format %d; this one reads up to %d): update Kubestage to play it", ErrNewer, clip(about.MadeBy), about.Version, Version)
	}
	var h Header
	if err := json.Unmarshal(line, &h); err != nil {
		return Header{}, damaged(err, 0)
	}
	return h, nil
}

func (r *Recording) finish(line []byte, sum string) error {
	var e end
	if err := json.Unmarshal(line, &e); err != nil || e.End == nil {
		return damaged(errors.New("its end mark cannot be read"), len(r.lines))
	}
	if e.End.SHA256 != sum {
		return damaged(errors.New("its content does not have the sum its end tells"), len(r.lines))
	}
	if e.End.Events != len(r.lines) || r.Header.Events != len(r.lines) || r.Carried < 0 || r.Carried > len(r.lines) {
		return damaged(errors.New("it has not as many events as it says"), len(r.lines))
	}
	raw, err := hex.DecodeString(sum)
	if err != nil {
		return err
	}
	r.ID = base32.StdEncoding.EncodeToString(raw)[:12]
	return nil
}

// Lines returns the events as they are in the file. They must not be written to.
func (r *Recording) Lines() [][]byte { return r.lines }

// Log returns an empty log that has the recording's ID and room for all of it.
func (r *Recording) Log() *watch.Log {
	return watch.NewLogNamed(r.ID, 2*r.bytes+1024*len(r.lines)+1<<20)
}

// batch is how many events enter the log at a time: the page is there with the
// first of them.
const batch = 2048

// Feed appends the events to a log that Log returned.
func (r *Recording) Feed(ctx context.Context, log *watch.Log) error {
	for begin := 0; begin < len(r.lines); begin += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := log.Replay(r.lines[begin:min(begin+batch, len(r.lines))]); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return nil
}

// Run is Feed for a program that goes on showing the log: it returns when ctx
// ends, and has let go of the lines, most of which the log has packed. It makes
// a Recording a watch.Feeder.
func (r *Recording) Run(ctx context.Context, log *watch.Log) error {
	if err := r.Feed(ctx, log); err != nil && ctx.Err() == nil {
		return err
	}
	r.lines = nil
	debug.FreeOSMemory() // ten times of what is left was needed for a moment
	<-ctx.Done()
	return nil
}

// lineReader hands out lines without their ends, within limits.
type lineReader struct {
	in     *bufio.Reader
	limits Limits
	total  int
	room   []byte // lines are kept, so they share large pieces of memory
}

func (l *lineReader) next() ([]byte, error) {
	var long []byte // of a line that does not fit into the reader's buffer
	for {
		part, err := l.in.ReadSlice('\n')
		if l.total += len(part); l.total > l.limits.Bytes {
			return nil, fmt.Errorf("%w: more than %d MiB", ErrLimit, l.limits.Bytes>>20)
		}
		if len(long)+len(part) > l.limits.Line {
			return nil, fmt.Errorf("%w: a line of more than %d MiB", ErrLimit, l.limits.Line>>20)
		}
		switch {
		case err == bufio.ErrBufferFull:
			long = append(long, part...)
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case long != nil:
			long = append(long, part...)
			return long[: len(long)-1 : len(long)-1], nil
		default:
			return l.keep(part[:len(part)-1]), nil
		}
	}
}

func (l *lineReader) keep(line []byte) []byte {
	if cap(l.room)-len(l.room) < len(line) {
		l.room = make([]byte, 0, max(min(2*cap(l.room), 1<<20), 4096, len(line)))
	}
	begin := len(l.room)
	l.room = append(l.room, line...)
	return l.room[begin:len(l.room):len(l.room)]
}

func damaged(err error, events int) error {
	if errors.Is(err, ErrLimit) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it is cut off after %d events", events)
	}
	return fmt.Errorf("%w: %w; copy it again from where it came from", ErrDamaged, err)
}

func foreignOr(err error) error {
	if errors.Is(err, ErrLimit) {
		return err
	}
	return ErrForeign
}

func firstError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func clip(s string) string {
	if s == "" {
		return "unknown"
	}
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return fmt.Sprintf("%q", s)
}
