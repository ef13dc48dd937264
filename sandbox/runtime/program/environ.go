package program

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// Names under which guard finds the container's process ids.
const (
	pidVariable    = "KUBESTAGE_PID"
	parentVariable = "KUBESTAGE_PPID"
	jobVariable    = "KUBESTAGE_JOB"      // of the job that a command is part of
	lastVariable   = "KUBESTAGE_LAST_JOB" // of the newest
)

// shellEnviron is the environment a shell starts with. It answers for
// everything the interpreter would otherwise ask the host: user and group ids,
// home folders, and the folder for temporary files.
type shellEnviron struct {
	exported expand.Environ
	hidden   map[string]string
	sealed   bool
}

func newShellEnviron(p *Process) *shellEnviron {
	return &shellEnviron{
		exported: expand.ListEnviron(p.Env...),
		hidden: map[string]string{
			"UID": strconv.FormatInt(p.User.UID, 10), "EUID": strconv.FormatInt(p.User.UID, 10), "GID": strconv.FormatInt(p.User.GID, 10), "HOME": "/", "PATH": "/bin",
			pidVariable: strconv.Itoa(p.PID()), parentVariable: "0",
		},
	}
}

// seal is called once the interpreter has asked for TMPDIR.
func (e *shellEnviron) seal() { e.sealed = true }

// Get answers with the process's own variables first.
func (e *shellEnviron) Get(name string) expand.Variable {
	if name == "TMPDIR" && !e.sealed {
		// The interpreter opens files of its own in this folder of the host, past
		// all handlers. No system has a path with a zero byte.
		return expand.Variable{Set: true, Kind: expand.String, Str: "/\x00"}
	}
	if user, ok := strings.CutPrefix(name, "HOME "); ok { // ~user
		home := "~" + user
		if user == "root" {
			home = "/root"
		}
		return expand.Variable{Set: true, Kind: expand.String, Str: home}
	}
	if v := e.exported.Get(name); v.IsSet() {
		return v
	}
	if v, ok := e.hidden[name]; ok {
		return expand.Variable{Set: true, Kind: expand.String, Str: v}
	}
	return expand.Variable{}
}

// Each yields what commands inherit.
func (e *shellEnviron) Each(yield func(string, expand.Variable) bool) { e.exported.Each(yield) }
