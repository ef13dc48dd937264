package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// process is one running child. It is started once, exits once, and is waited
// for always; nothing else in this package knows how children are made.
type process struct {
	pid    int
	cmd    *exec.Cmd
	life   *os.File      // its end is the child's standard input; closed, by us or by our death, it ends the child
	exited chan struct{} // closed when the child is gone and what it said is read
	err    error         // how it went; after exited
}

// launch says how a child is started. Each function gets one line at a time,
// without its end, valid until the function returns; each of the three is
// called from one goroutine.
type launch struct {
	path    string
	args    []string
	env     []string
	stdout  func(line []byte)
	stderr  func(line []byte)
	witness func(line []byte) // file descriptor 3; nil means none
}

// longestLine bounds what a child can make us hold. An audit record with the
// largest object etcd takes (1.5 MiB), twice, fits.
const longestLine = 8 << 20

// start runs a child.
func start(l launch, f *forker) (*process, error) {
	p := &process{exited: make(chan struct{})}
	var theirs, ours []*os.File
	closeAll := func(files []*os.File) {
		for _, f := range files {
			f.Close()
		}
	}
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err != nil {
			closeAll(theirs)
			closeAll(ours)
			return nil, nil, fmt.Errorf("start %s: %w", l.path, err)
		}
		return r, w, nil
	}

	stdin, life, err := pipe()
	if err != nil {
		return nil, err
	}
	theirs, ours = append(theirs, stdin), append(ours, life)
	p.life = life
	p.cmd = &exec.Cmd{Path: l.path, Args: append([]string{l.path}, l.args...), Env: l.env, Stdin: stdin}
	ownGroup(p.cmd)

	type stream struct {
		from *os.File
		line func([]byte)
	}
	var streams []stream
	for _, s := range []struct {
		line func([]byte)
		set  func(*os.File)
	}{
		{l.stdout, func(w *os.File) { p.cmd.Stdout = w }},
		{l.stderr, func(w *os.File) { p.cmd.Stderr = w }},
		{l.witness, func(w *os.File) { p.cmd.ExtraFiles = []*os.File{w} }},
	} {
		if s.line == nil {
			continue
		}
		r, w, err := pipe()
		if err != nil {
			return nil, err
		}
		widen(w)
		s.set(w)
		theirs, ours = append(theirs, w), append(ours, r)
		streams = append(streams, stream{r, s.line})
	}

	err = f.do(p.cmd.Start)
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("start a component: %w", err)
	}
	p.pid = p.cmd.Process.Pid

	var reading sync.WaitGroup
	for _, s := range streams {
		reading.Go(func() { readLines(s.from, longestLine, s.line) })
	}
	go func() {
		p.err = p.cmd.Wait()
		sweepGroup(p.pid)
		life.Close()
		// A grandchild could hold the pipes open; what the child itself said
		// is in them already.
		overdue := time.AfterFunc(time.Second, func() {
			for _, s := range streams {
				s.from.SetReadDeadline(time.Now())
			}
		})
		reading.Wait()
		overdue.Stop()
		for _, s := range streams {
			s.from.Close()
		}
		close(p.exited)
	}()
	return p, nil
}

// exit returns how the child ended, in words.
func (p *process) exit() string {
	if p.cmd.ProcessState == nil {
		return fmt.Sprint(p.err)
	}
	return p.cmd.ProcessState.String()
}

// stop asks the child to end, ends it after the grace period, and returns when
// it has gone. It reports whether the child went by itself.
func (p *process) stop(grace time.Duration) bool {
	_ = p.terminate()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
	}
	_ = p.kill()
	<-p.exited
	return false
}

// forker starts children from one operating system thread that lives as long
// as they do. Linux sends the signal that a child asked for at its parent's
// death when the parent *thread* ends (prctl(2), PR_SET_PDEATHSIG), and the Go
// runtime may end threads at any time (golang.org/issue/27505). Children also
// take over that thread's priority.
type forker struct {
	jobs chan func()
}

func newForker() *forker {
	f := &forker{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		stepBack()
		for job := range f.jobs {
			job()
		}
	}()
	return f
}

func (f *forker) do(start func() error) (err error) {
	done := make(chan struct{})
	f.jobs <- func() { err = start(); close(done) }
	<-done
	return err
}

// close ends the thread; no child may be running any more.
func (f *forker) close() { close(f.jobs) }
