package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// keeper keeps one component alive: it waits for what the component needs,
// starts it, notices when it is ready, starts it again when it exits, and
// tells the log each of these.
type keeper struct {
	component
	board   *board
	launch  launch                          // without what changes from start to start
	forker  *forker                         //
	diary   *diary                          //
	prepare func(ctx context.Context) error // before each start
	gone    func()                          // after each exit; may be nil
	ask     func(ctx context.Context) error // nil when the component is ready
	tell    func(watch.Observation)         // to the log
	say     func(format string, args ...any)

	quit chan struct{} // closed to stop the component for good
	once sync.Once     // for quit
	done chan struct{} // closed when keep has returned

	orders
}

// Restarts wait 1 s, 2 s, 4 s and so on, and 1 s again once the component was
// ready for longer than healthyAfter.
const (
	firstWait    = time.Second
	longestWait  = 30 * time.Second
	healthyAfter = 10 * time.Second
	askEvery     = 25 * time.Millisecond
	slowStart    = 30 * time.Second // then say what it wrote
)

// componentDetail is the detail of a component event; see docs/events.md.
type componentDetail struct {
	Pid       int      `json:"pid,omitempty"`
	Restarts  int      `json:"restarts,omitempty"`
	Exit      string   `json:"exit,omitempty"`
	Wait      float64  `json:"wait,omitempty"`
	LastLines []string `json:"lastLines,omitempty"`
	Needs     []string `json:"needs,omitempty"`
	Version   string   `json:"version,omitempty"`
	By        string   `json:"by,omitempty"`
}

// keep returns after stop was called and the component has gone. It starts
// nothing any more once ctx has ended.
func (k *keeper) keep(ctx context.Context) {
	defer close(k.done)
	state := ComponentState{Name: k.name}
	wait := firstWait
	failures := 0 // in a row, without having been ready
	for {
		if k.down() {
			state.State, state.Pid = Stopped, 0
			k.board.set(state)
			if !k.board.wait(ctx, func() bool { return !k.down() }) {
				break
			}
			wait, failures = firstWait, 0
		}
		state.State, state.Pid = Waiting, 0
		k.board.set(state)
		if !k.board.wait(ctx, func() bool { return k.down() || k.mayStart() }) {
			break
		}
		if k.down() {
			continue
		}
		begin := time.Now()
		wasReady, stopped, err := k.life(ctx, &state)
		if stopped {
			return
		}
		if !wasReady.IsZero() {
			failures = 0
			if time.Since(wasReady) > healthyAfter {
				wait = firstWait
			}
		} else {
			failures++
		}
		if ctx.Err() != nil {
			break
		}
		if err == errStopped || k.down() {
			continue
		}
		state.State, state.Pid = Backoff, 0
		k.board.set(state)
		k.event("backoff", 0, componentDetail{Restarts: state.Restarts, Wait: wait.Seconds()})
		k.say("%s %s after %s; it is started again in %s%s", k.name, err, took(begin), wait, indent(k.diary.tail(), 6))
		switch {
		case portTaken(k.diary.tail()):
			k.say("Another program has taken its port since this dashboard started: stop that program, or restart the dashboard, which then chooses another port.")
		case failures == 3 && k.advice != "":
			k.say("%s", k.advice)
		}
		k.pause(ctx, wait)
		wait = min(2*wait, longestWait)
		state.Restarts++
	}
	state.State, state.Pid = Stopped, 0
	k.board.set(state)
	<-k.quit
}

// errStopped is how a life ends that a person has ended.
var errStopped = errors.New("was stopped")

func (k *keeper) mayStart() bool {
	if k.early || len(k.needs) == 0 {
		return k.board.answering(k.needs...)
	}
	return k.board.ready(k.needs...)
}

// life is one process from start to exit. It returns when the process was
// ready, if it was, whether it ended because it should, and how it ended.
func (k *keeper) life(ctx context.Context, state *ComponentState) (wasReady time.Time, stopped bool, how error) {
	k.diary.forget()
	if err := k.prepare(ctx); err != nil {
		k.diary.write([]byte(err.Error()))
		return wasReady, false, fmt.Errorf("could not be started (%w)", err)
	}
	started := time.Now()
	p, err := start(k.launch, k.forker)
	if err != nil {
		k.diary.write([]byte(err.Error()))
		return wasReady, false, fmt.Errorf("could not be started (%w)", err)
	}
	k.hold(p) // until it has gone: see end and exited
	state.State, state.Pid = Starting, p.pid
	k.board.set(*state)
	k.event("starting", p.pid, componentDetail{Pid: p.pid, Restarts: state.Restarts, Needs: k.needs, Version: k.version, By: k.startedBy()})

	asking, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	isReady := make(chan struct{})
	var asker sync.WaitGroup
	defer asker.Wait()
	defer stopAsking()
	asker.Go(func() {
		if k.untilReady(asking, started) {
			close(isReady)
		}
	})
	slow := time.NewTimer(slowStart)
	defer slow.Stop()
	running := Starting // or ready, also while it is frozen
	show := func(s State) {
		if state.State != s {
			state.State = s
			k.board.set(*state)
		}
	}
	for {
		ending, frozen, changed := k.ordered()
		switch {
		case ending:
			k.end(p, state, learner)
			return wasReady, false, errStopped
		case frozen:
			show(Frozen)
		default:
			show(running)
		}
		select {
		case <-changed:
		case <-isReady:
			isReady = nil
			wasReady, running = time.Now(), Ready
			k.event("ready", p.pid, componentDetail{Pid: p.pid, Restarts: state.Restarts})
			k.say("%-24s ready after %s", k.name, took(started))
		case <-slow.C:
			if isReady != nil {
				k.say("%s is still not ready; its last lines:%s", k.name, indent(k.diary.tail(), 6))
			}
		case <-p.exited:
			k.exited(p, state)
			return wasReady, false, fmt.Errorf("has gone (%s)", p.exit())
		case <-k.quit:
			k.end(p, state, "")
			return wasReady, true, nil
		}
	}
}

// end stops the process. What is frozen could not hear that it should stop.
func (k *keeper) end(p *process, state *ComponentState, by string) {
	state.State = Stopping
	k.board.set(*state)
	k.event("stopping", p.pid, componentDetail{Pid: p.pid, Restarts: state.Restarts, By: by})
	_ = p.thaw()
	if !p.stop(k.grace) {
		k.diary.write([]byte("kubestage: it did not stop by itself within " + k.grace.String()))
	}
	k.hold(nil) // before anybody can see that it has gone, and order something
	k.event("stopped", p.pid, componentDetail{Pid: p.pid, Exit: p.exit(), By: by})
	state.State, state.Pid = Stopped, 0
	k.board.set(*state)
	if k.gone != nil {
		k.gone()
	}
}

func (k *keeper) exited(p *process, state *ComponentState) {
	k.hold(nil)
	state.Pid = 0
	k.event("exited", p.pid, componentDetail{Pid: p.pid, Restarts: state.Restarts, Exit: p.exit(), LastLines: k.diary.tail()})
	if k.gone != nil {
		k.gone()
	}
}

func (k *keeper) untilReady(ctx context.Context, started time.Time) bool {
	for {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := k.ask(once)
		cancel()
		if err == nil {
			break
		}
		var answer *answerError
		if errors.As(err, &answer) {
			k.board.answered(k.name)
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return false
		}
	}
	return k.node == "" || k.board.wait(ctx, func() bool { return k.board.nodeReady(k.node, started) })
}

// stop ends the component and returns when it has gone.
func (k *keeper) stop() {
	k.once.Do(func() { close(k.quit) })
	<-k.done
}

func (k *keeper) event(verb string, pid int, d componentDetail) {
	now := time.Now()
	detail, _ := json.Marshal(d)
	id := ""
	if pid != 0 {
		id = strconv.Itoa(pid)
	}
	k.tell(watch.Observation{
		Event: watch.Event{
			Kind: watch.Component, Start: now, End: now,
			From: watch.Kubestage, To: k.name, Verb: verb,
			Evidence: watch.Observed("supervisor", id),
			Detail:   detail,
		},
		Needs: []watch.Need{{Key: "comp:" + k.name, How: watch.ByProcess}},
		Gives: []watch.Give{{Key: "comp:" + k.name}},
		Lane:  "component",
	})
}

func portTaken(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "address already in use") })
}

func took(since time.Time) string {
	return fmt.Sprintf("%.2f s", time.Since(since).Seconds())
}

// indent returns the last n lines, each on a line of its own.
func indent(lines []string, n int) string {
	var b strings.Builder
	for _, line := range lines[max(0, len(lines)-n):] {
		b.WriteString("\n    | " + line)
	}
	return b.String()
}
