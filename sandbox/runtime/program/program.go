// Package program holds the programs that run in Kubestage's containers.
//
// A container here has no image and no operating system process: what runs in
// it is one of the Programs of this package, as a goroutine. A program sees
// the world only through its Process (arguments, environment, streams,
// signals, network, devices), never through package os or net, so that
// nothing of the host can be reached from inside a container. What a kernel
// would enforce is enforced here: a process dies when it is killed, process 1
// ignores signals it has no handler for, and a panic ends one process and not
// the node.
//
// Programs must return soon after their context ends; every way to block
// (sleeping, reading, accepting, computing in a loop) has to watch it.
package program

import (
	"context"
	"path"
	"slices"
)

// Program runs as a process until it returns its exit code.
type Program func(ctx context.Context, p *Process) int

// Set holds programs by the name they are called by, or by their path when they
// lie outside the usual folders, as /pause does.
type Set map[string]Program

// searched are the folders in which the commands of a container lie.
var searched = []string{"/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"}

// Look finds a program the way exec does: a bare name is searched in the usual
// folders, a path has to be one of them. The error is one of the two that
// people know from container runtimes.
func (s Set) Look(name string) (Program, error) {
	if p, ok := s[path.Clean(name)]; ok {
		return p, nil
	}
	p, ok := s[path.Base(name)]
	if path.Base(name) == name {
		return nil, &LookError{name, `executable file not found in $PATH`}
	}
	if !ok || !slices.Contains(searched, path.Dir(path.Clean(name))) {
		return nil, &LookError{name, "stat " + name + ": no such file or directory"}
	}
	return p, nil
}

// LookError says why a program could not be found.
type LookError struct{ Name, Reason string }

func (e *LookError) Error() string { return `exec: "` + e.Name + `": ` + e.Reason }

// Names returns the names of all programs in the set, sorted.
func (s Set) Names() []string {
	names := make([]string, 0, len(s))
	for n := range s {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
