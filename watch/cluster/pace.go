package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// pace is how fast a source asks. Tests are in more of a hurry than clusters.
type pace struct {
	contact  time.Duration // patience with the first answer
	page     time.Duration // patience with one page of a list
	pageSize int64
	first    time.Duration // the first wait after a failure; each next one doubles
	longest  time.Duration
	denied   time.Duration // the longest wait between tries for what was denied
	scan     time.Duration // between looks for new kinds without a reason to
	settle   time.Duration // from a reason to look until the look
	hold     time.Duration // how long changes wait for older ones of other kinds
	watching time.Duration // the server is asked to end a watch after one to two of these
}

var defaultPace = pace{
	contact:  10 * time.Second,
	page:     time.Minute,
	pageSize: 500,
	first:    500 * time.Millisecond,
	longest:  30 * time.Second,
	denied:   5 * time.Minute,
	scan:     10 * time.Minute,
	settle:   500 * time.Millisecond,
	hold:     100 * time.Millisecond,
	watching: 5 * time.Minute,
}

// retry returns a fresh series of waits: doubling, with jitter, so that many
// followers that lost the same apiserver do not come back in one moment.
func (p pace) retry() *wait.Backoff {
	return &wait.Backoff{Duration: p.first, Factor: 2, Jitter: 1, Steps: 1 << 30, Cap: p.longest}
}

// jittered returns d to 1.5 d.
func jittered(d time.Duration) time.Duration { return d + rand.N(d/2+1) }

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
