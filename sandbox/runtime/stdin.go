package runtime

import (
	"context"
	"io"
	"sync"
)

// stdin is the standard input of a process, fed from a connection. A read ends
// when data, the end of the input or the end of the process comes first, so a
// killed program never hangs in it.
type stdin struct {
	ctx   context.Context
	data  chan []byte
	ended chan struct{}
	once  sync.Once

	mu   sync.Mutex // one reader at a time
	rest []byte
}

func newStdin(ctx context.Context) *stdin {
	return &stdin{ctx: ctx, data: make(chan []byte), ended: make(chan struct{})}
}

func (s *stdin) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) == 0 {
		select {
		case s.rest = <-s.data:
		case <-s.ended:
			return 0, io.EOF
		case <-s.ctx.Done():
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Write waits until a reader takes what was written.
func (s *stdin) Write(p []byte) (int, error) {
	select {
	case s.data <- append([]byte(nil), p...):
		return len(p), nil
	case <-s.ended:
		return 0, io.ErrClosedPipe
	case <-s.ctx.Done():
		return 0, io.ErrClosedPipe
	}
}

// Close ends the input.
func (s *stdin) Close() error {
	s.once.Do(func() { close(s.ended) })
	return nil
}
