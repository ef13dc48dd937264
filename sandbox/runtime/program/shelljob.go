package program

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// shellJob is what a shell started with &. The interpreter runs it as a goroutine
// and knows it by a name, g1 for the first; here it has a process id, which is
// that of the first command in it.
type shellJob struct {
	name   string
	inUse  bool   // a command has the id
	killed Signal // that it was killed by; its shell code ends before its next command
	ended  bool
}

const mostJobs = 1024 // that a shell remembers

// newJob gives the job that is about to start its id. A job of a subshell is
// part of the subshell's.
func (sh *shell) newJob(hc interp.HandlerContext) []string {
	if !sh.isMain(hc) {
		return []string{":"}
	}
	pid := sh.p.PIDs.next()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byPID == nil || len(sh.byPID) >= mostJobs {
		sh.byPID = map[int]*shellJob{}
	}
	sh.started++
	sh.byPID[pid] = &shellJob{name: fmt.Sprint("g", sh.started)}
	return []string{"eval", fmt.Sprintf("%s=%d; %s=%[2]d", jobVariable, pid, lastVariable)}
}

// jobOfLocked finds the job that a handler's command is part of; sh.mu is held.
func (sh *shell) jobOfLocked(hc interp.HandlerContext) (int, *shellJob) {
	pid, _ := strconv.Atoi(hc.Env.Get(jobVariable).Str)
	return pid, sh.byPID[pid]
}

// enterJob makes a command part of its job; the first takes the job's id.
func (sh *shell) enterJob(hc interp.HandlerContext, child *Process) {
	if sh.isMain(hc) {
		return
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	pid, j := sh.jobOfLocked(hc)
	if j == nil {
		return
	}
	child.job = pid
	if !j.inUse {
		j.inUse, child.pid = true, pid
	}
}

func (sh *shell) killedJob(hc interp.HandlerContext) Signal {
	if sh.isMain(hc) {
		return 0
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, j := sh.jobOfLocked(hc); j != nil {
		return j.killed
	}
	return 0
}

// endJob is called when a job has ended. Its id still answers to wait.
func (sh *shell) endJob(hc interp.HandlerContext) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, j := sh.jobOfLocked(hc); j != nil {
		j.ended = true
	}
}

// jobNames puts the interpreter's names of jobs in place of their ids.
func (sh *shell) jobNames(args []string) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	args = slices.Clone(args)
	for i, a := range args {
		if pid, err := strconv.Atoi(a); err == nil && sh.byPID[pid] != nil {
			args[i] = sh.byPID[pid].name
		}
	}
	return args
}

// killJobs sends a signal to the jobs among the targets of a kill, and leaves
// the others to the command of that name. %1 is the first job.
func (sh *shell) killJobs(hc interp.HandlerContext, args []string) []string {
	s, rest := SIGTERM, []string{"/bin/kill"}
	jobs := 0
	for i, a := range args[1:] {
		name, dashed := strings.CutPrefix(a, "-")
		if !dashed && i > 0 && args[i] == "-s" {
			name, dashed = a, true
		}
		if known, ok := ParseSignal(name); ok && dashed {
			s = known
		} else if name == "0" && dashed {
			s = 0
		}
		if sh.killJob(a, s) {
			jobs++
			continue
		}
		rest = append(rest, a)
	}
	if others := slices.ContainsFunc(rest[1:], func(a string) bool { return !strings.HasPrefix(a, "-") }); jobs > 0 && !others {
		return []string{":"}
	}
	return rest
}

// killJob reports whether there is such a job, and it has not ended.
func (sh *shell) killJob(target string, s Signal) bool {
	sh.mu.Lock()
	pid, _ := strconv.Atoi(target)
	if number, ok := strings.CutPrefix(target, "%"); ok {
		for at, j := range sh.byPID {
			if j.name == "g"+number {
				pid = at
			}
		}
	}
	j := sh.byPID[pid]
	if j == nil || j.ended {
		sh.mu.Unlock()
		return false
	}
	if s != 0 && s != SIGWINCH {
		j.killed = s
	}
	sh.mu.Unlock()
	if s == 0 {
		return true
	}
	for _, p := range sh.p.PIDs.Processes() {
		if p.job == pid && p.Parent == sh.p {
			p.Signal(s)
		}
	}
	return true
}
