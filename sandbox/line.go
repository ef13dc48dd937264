package sandbox

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// line is the network between a client and a server: what is sent on it
// arrives at once, or after a delay, or, while it is cut, not at all.
//
// A cut line holds bytes back and closes nothing. That is what a partition
// does: nobody is told, both ends wait for an answer until their own patience
// ends, and after a short one TCP goes on where it was. What a learner sees
// follows from that silence, and no error message gives it away too early.
type line struct {
	mu      sync.Mutex // guards those below
	cut     bool
	delay   time.Duration
	changed chan struct{} // closed and replaced at each change
}

func newLine() *line { return &line{changed: make(chan struct{})} }

func (l *line) set(cut bool, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.delay = cut, delay
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *line) state() (cut bool, delay time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut, l.delay, l.changed
}

// pass returns true when something that was sent arrives, and false when ctx
// ends before.
func (l *line) pass(ctx context.Context, arrives time.Time) bool {
	if wait := time.Until(arrives); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	for {
		cut, _, changed := l.state()
		if !cut {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// parcel is what was read at once; nil bytes are the end.
type parcel struct {
	bytes   []byte
	arrives time.Time
}

const (
	parcelSize = 32 << 10
	onTheWay   = 64 // parcels in each direction; then the sender has to wait, as with TCP
)

// join carries bytes between two connections until both directions have
// ended, one of them fails, or ctx ends; then both are closed. hungUp is called
// when near closes, which on a cut line is long before far hears of it.
func (l *line) join(ctx context.Context, near, far net.Conn, hungUp func()) {
	ctx, end := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() {
		near.Close()
		far.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { l.carry(ctx, end, far, near, hungUp) })
	both.Go(func() { l.carry(ctx, end, near, far, func() {}) })
	both.Wait()
	end()
	near.Close()
	far.Close()
}

// carry is one direction. Whoever reads writes, too, as long as nothing has to
// wait: to hand each parcel to another goroutine is a third of what a line costs.
func (l *line) carry(ctx context.Context, end context.CancelFunc, to, from net.Conn, hungUp func()) {
	way := make(chan parcel, onTheWay)
	var passed atomic.Bool   // something has come through
	var waiting atomic.Int32 // parcels that are on the way
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		defer close(way)
		buffer := make([]byte, parcelSize)
		for {
			n, err := from.Read(buffer)
			cut, delay, _ := l.state()
			switch {
			case n == 0:
			case !cut && delay == 0 && waiting.Load() == 0:
				passed.Store(true)
				if _, err := to.Write(buffer[:n]); err != nil {
					end()
					return
				}
			default:
				waiting.Add(1)
				select {
				case way <- parcel{append([]byte(nil), buffer[:n]...), time.Now().Add(delay)}:
				case <-ctx.Done():
					return
				}
			}
			if err == nil {
				continue
			}
			hungUp()
			// Whoever has hung up before a word of his came through left
			// nothing behind that could arrive later.
			if cut, _, _ := l.state(); cut && !passed.Load() {
				end()
				return
			}
			if err != io.EOF {
				end()
				return
			}
			select {
			case way <- parcel{nil, time.Now().Add(delay)}:
			case <-ctx.Done():
			}
			return
		}
	})
	for p := range way {
		if !l.pass(ctx, p.arrives) {
			break
		}
		passed.Store(true)
		if p.bytes == nil {
			if _, ok := to.(interface{ CloseWrite() error }); !ok {
				end()
			}
			closeWrite(to)
			return
		}
		if _, err := to.Write(p.bytes); err != nil {
			break
		}
		waiting.Add(-1)
	}
	end()
	for range way { // so that the reader is not kept
	}
}
