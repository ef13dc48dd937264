//go:build linux

package dashboard

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Process is an entry of /proc.
type Process struct {
	Pid, Parent int
	Args        []string
}

// Role names a component's process as events do, as in kubelet:node-1, and
// the dashboard itself "dashboard".
func (p Process) Role() string {
	if len(p.Args) < 3 || p.Args[1] != "component" {
		return "dashboard"
	}
	role := p.Args[2]
	if role == "kubelet" && len(p.Args) > 4 {
		role += ":" + strings.TrimSuffix(filepath.Base(p.Args[4]), ".json")
	}
	return role
}

// Processes returns all there are on this machine.
func Processes() []Process {
	entries, _ := os.ReadDir("/proc")
	var all []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		// PID (NAME) STATE PARENT ...; the name may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 || fields[0] == "Z" {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		args, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		all = append(all, Process{pid, parent, strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")})
	}
	return all
}

// Family returns the program's process and all that descend from it.
func (d *Dashboard) Family() []Process {
	var family []Process
	all := Processes()
	ours := map[int]bool{d.Pid(): true}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if ours[p.Parent] && !ours[p.Pid] {
				ours[p.Pid], grown = true, true
			}
		}
	}
	for _, p := range all {
		if ours[p.Pid] {
			family = append(family, p)
		}
	}
	return family
}

// Mentioning returns the processes that were started with a path among their
// arguments: components are, and keep it when their parent is gone.
func Mentioning(path string) []Process {
	return slices.DeleteFunc(Processes(), func(p Process) bool {
		return p.Pid == os.Getpid() || !slices.ContainsFunc(p.Args, func(arg string) bool { return strings.Contains(arg, path) })
	})
}

// PSS returns a process's proportional set size in bytes: what several
// processes share counts once among them.
func PSS(pid int) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			var kib int
			_, err := fmt.Sscan(rest, &kib)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d does not tell its memory", pid)
}

// CPU returns how long a process has computed, which /proc counts in
// hundredths of a second.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is %q", pid, stat)
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}
