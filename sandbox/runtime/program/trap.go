package program

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// trap sets what happens on signals; EXIT and ERR are left to the interpreter.
// It returns the call that is left.
func (sh *shell) trap(args []string) []string {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		sh.printTraps()
		return []string{"trap"}
	}
	code, names := rest[0], rest[1:]
	if len(names) == 0 || code == "-" {
		names, code = rest, "-"
		if rest[0] == "-" {
			names = rest[1:]
		}
	}
	left := []string{"trap", guardText(code)}
	if code == "-" {
		left[1] = "-"
	}
	for _, name := range names {
		if name == "EXIT" || name == "ERR" {
			left = append(left, name)
			continue
		}
		if name == "0" {
			left = append(left, "EXIT")
			continue
		}
		s, ok := ParseSignal(name)
		if !ok {
			return []string{"trap", "-", name} // the interpreter knows the message
		}
		sh.mu.Lock()
		if code == "-" {
			delete(sh.traps, s)
			sh.p.Default(s)
		} else {
			sh.traps[s] = code
			sh.signals = sh.p.Notify(s)
			if sh.passed != nil {
				sh.signals = sh.passed
			}
		}
		sh.mu.Unlock()
	}
	if len(left) == 2 {
		return []string{":"}
	}
	return left
}

func (sh *shell) printTraps() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var signals []Signal
	for s := range sh.traps {
		signals = append(signals, s)
	}
	slices.Sort(signals)
	for _, s := range signals {
		quoted, _ := syntax.Quote(sh.traps[s], syntax.LangBash)
		fmt.Fprintf(sh.p.Stdout, "trap -- %s %s\n", quoted, strings.TrimPrefix(s.String(), "SIG"))
	}
}

func (sh *shell) trapOf(s Signal) (code string, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	code, ok = sh.traps[s]
	return guardText(code), ok && code != ""
}

// pendingTrap takes a signal that has arrived, if its trap has anything to do.
func (sh *shell) pendingTrap() (code string, ok bool) {
	sh.mu.Lock()
	signals := sh.signals
	sh.mu.Unlock()
	for {
		select {
		case s := <-signals:
			if code, ok := sh.trapOf(s); ok {
				return code, true
			}
		default:
			return "", false
		}
	}
}

// afterTrap is a call that runs a trap and then what was to be called.
func (sh *shell) afterTrap(code string, args []string) []string {
	quoted := make([]string, len(args))
	for i, a := range args {
		q, err := syntax.Quote(a, syntax.LangBash)
		if err != nil {
			return []string{"eval", code}
		}
		quoted[i] = q
	}
	return []string{"eval", code + "\n" + strings.Join(quoted, " ")}
}
