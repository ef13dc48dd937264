package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Commands returns the small commands that every image with a shell has.
func Commands() Set {
	set := Set{
		"sleep":    sleep,
		"echo":     echo,
		"true":     func(context.Context, *Process) int { return 0 },
		"false":    func(context.Context, *Process) int { return 1 },
		"exit":     exit,
		"env":      env,
		"printenv": printenv,
		"date":     date,
		"hostname": hostname,
		"seq":      seq,
		"cat":      cat,
		"head":     head, "tail": tail, "grep": grep, "wc": wc, "sort": sortLines, "uniq": uniq, "tee": tee,
		"ls": ls, "find": find, "mkdir": mkdir, "rmdir": rmdir, "rm": rm, "cp": cp, "mv": mv, "touch": touch, "chmod": chmod, "chown": chown, "chgrp": chown, "ln": ln, "readlink": readlink,
		"id": id, "whoami": whoami, "ps": ps, "pwd": pwd, "uname": uname, "basename": basename, "dirname": dirname,
		"tar": tarCommand, "wget": wget, "nc": nc, "nslookup": nslookup,
		"test": ofShell, "[": ofShell, "printf": ofShell,
		"kill": kill,
		"sh":   Shell,
		"ash":  Shell,
		"bash": Shell,
		"cut":  cut, "tr": tr, "sed": sed, "tac": tac, "rev": rev, "nl": nl, "xargs": xargs, "base64": base64Command, "yes": yes, "dd": dd, "which": which,
		"stat": stat, "mount": mount, "df": df, "du": du, "free": free, "top": top, "uptime": uptime, "timeout": timeout, "mktemp": mktemp,
		"truncate": truncate, "nohup": nohup, "less": cat, "more": cat,
		"sync": func(context.Context, *Process) int { return 0 },
	}
	maps.Copy(set, checksums)
	return set
}

// Special returns the programs that only some images have.
func Special() Set {
	return Set{
		"kubestage-http": Serve, "nginx": nginx, "httpd-foreground": Serve, "php-apache": phpApache, "pause": Pause, "agnhost": agnhost,
		"redis-server": redisServer, "redis-cli": redisCLI, "curl": curl, "perl": perl, "stress": stress,
		"crasher": crasher, "memory-eater": memoryEater, "slow-starter": slowStarter, "job": job,
	}
}

// Pause waits for the signal to end, as the program that holds a pod's
// namespaces does.
func Pause(ctx context.Context, p *Process) int {
	select {
	case <-p.Notify(SIGTERM, SIGINT):
		return 0
	case <-ctx.Done():
		return 137
	}
}

// Wait sleeps without keeping a killed process alive. It returns false when the process has to end.
func Wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func sleep(ctx context.Context, p *Process) int {
	if len(p.Args) < 2 {
		fmt.Fprintln(p.Stderr, "sleep: missing operand")
		return 1
	}
	var total time.Duration
	for _, a := range p.Args[1:] {
		d, err := parseSleep(a)
		if err != nil {
			fmt.Fprintf(p.Stderr, "sleep: invalid time interval '%s'\n", a)
			return 1
		}
		total = min(total+d, forever)
	}
	if !Wait(ctx, total) {
		return 137
	}
	return 0
}

const forever = 200 * 365 * 24 * time.Hour

// parseSleep reads 5, 0.2, 3m, 1d, inf and infinity, as GNU sleep does.
func parseSleep(s string) (time.Duration, error) {
	if s == "inf" || s == "infinity" {
		return forever, nil
	}
	unit := time.Second
	switch {
	case strings.HasSuffix(s, "s"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		s, unit = s[:len(s)-1], time.Minute
	case strings.HasSuffix(s, "h"):
		s, unit = s[:len(s)-1], time.Hour
	case strings.HasSuffix(s, "d"):
		s, unit = s[:len(s)-1], 24*time.Hour
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0) {
		return 0, errors.New("not a time")
	}
	if n > float64(forever)/float64(unit) {
		return forever, nil
	}
	return time.Duration(n * float64(unit)), nil
}

func echo(_ context.Context, p *Process) int {
	args, end := p.Args[1:], "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	if _, err := io.WriteString(p.Stdout, strings.Join(args, " ")+end); err != nil {
		return 1
	}
	return 0
}

// exit is no program on a real system but a word of the shell. Here it is both,
// so that a container can be told to end with a code without a shell.
func exit(_ context.Context, p *Process) int {
	if len(p.Args) < 2 {
		return 0
	}
	n, err := strconv.Atoi(p.Args[1])
	if err != nil {
		fmt.Fprintf(p.Stderr, "exit: Illegal number: %s\n", p.Args[1])
		return 2
	}
	return n
}

func env(ctx context.Context, p *Process) int {
	environ, args := p.Env, p.Args[1:]
	for len(args) > 0 {
		switch {
		case args[0] == "-i" || args[0] == "-":
			environ = nil
		case strings.Contains(args[0], "="):
			environ = append(environ[:len(environ):len(environ)], args[0])
		default:
			run, err := p.Programs.Look(args[0])
			if err != nil {
				fmt.Fprintf(p.Stderr, "env: '%s': No such file or directory\n", args[0])
				return 127
			}
			return p.Exec(ctx, run, args, environ)
		}
		args = args[1:]
	}
	for _, e := range lastOfEach(environ) {
		fmt.Fprintln(p.Stdout, e)
	}
	return 0
}

func printenv(_ context.Context, p *Process) int {
	environ := lastOfEach(p.Env)
	if len(p.Args) < 2 {
		for _, e := range environ {
			fmt.Fprintln(p.Stdout, e)
		}
		return 0
	}
	code := 0
	for _, want := range p.Args[1:] {
		found := false
		for _, e := range environ {
			if n, v, _ := strings.Cut(e, "="); n == want {
				fmt.Fprintln(p.Stdout, v)
				found = true
			}
		}
		if !found {
			code = 1
		}
	}
	return code
}

// lastOfEach drops variables that a later one of the same name replaces.
func lastOfEach(environ []string) []string {
	last := make(map[string]int, len(environ))
	for i, e := range environ {
		n, _, _ := strings.Cut(e, "=")
		last[n] = i
	}
	kept := make([]string, 0, len(last))
	for i, e := range environ {
		if n, _, _ := strings.Cut(e, "="); last[n] == i {
			kept = append(kept, e)
		}
	}
	return kept
}

func hostname(_ context.Context, p *Process) int {
	if len(p.Args) > 1 && p.Args[1] == "-i" {
		fmt.Fprintln(p.Stdout, p.Network.Address())
		return 0
	}
	fmt.Fprintln(p.Stdout, p.Hostname)
	return 0
}
