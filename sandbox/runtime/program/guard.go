package program

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// guard changes a script so that the shell keeps control of it: loops and
// assignments report their steps, what would be a process of its own is
// counted, the right side of a pipe runs in a subshell as in every common
// shell, and process ids are the container's.
func guard(node syntax.Node) error {
	g := &guarding{done: map[syntax.Node]bool{}}
	syntax.Walk(node, g.visit)
	return g.err
}

// guardText guards a piece of script that comes as text. What cannot be parsed
// stays as it is: the interpreter will say what is wrong with it.
func guardText(text string) string {
	if len(text) > longestInput || tooNested(text) {
		return refusedCall
	}
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	file, err := parser.Parse(strings.NewReader(text), "")
	if err != nil {
		return text
	}
	if guard(file) != nil {
		return refusedCall
	}
	var b bytes.Buffer
	if syntax.NewPrinter(syntax.Indent(1)).Print(&b, file) != nil {
		return text
	}
	if _, err := parser.Parse(bytes.NewReader(b.Bytes()), ""); err != nil {
		return text
	}
	return b.String()
}

type guarding struct {
	done  map[syntax.Node]bool
	depth int
	err   error
}

// deepestNesting is how many nodes of a script may lie within each other; each
// costs the interpreter some stack.
const deepestNesting = 2000

func (g *guarding) visit(n syntax.Node) bool {
	if n == nil { // the end of a node whose visit returned true
		g.depth--
		return true
	}
	if g.depth++; g.depth > deepestNesting {
		g.err = errNested
	}
	if g.err != nil {
		g.depth--
		return false
	}
	if g.done[n] {
		return true
	}
	g.done[n] = true
	switch n := n.(type) {
	case *syntax.Stmt:
		g.statement(n)
	case *syntax.WhileClause:
		n.Do = append([]*syntax.Stmt{g.tick(nil)}, n.Do...)
	case *syntax.ForClause:
		n.Do = append([]*syntax.Stmt{g.tick(nil)}, n.Do...)
	case *syntax.BinaryCmd:
		if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
			n.X = &syntax.Stmt{Cmd: &syntax.Block{Stmts: []*syntax.Stmt{g.callStmt(forkCall), {Cmd: g.process(n.X, doneCall)}}}}
			n.Y = &syntax.Stmt{Cmd: &syntax.Subshell{Stmts: []*syntax.Stmt{n.Y}}}
			g.done[n.Y] = true
		}
	case *syntax.ParamExp:
		if n.Param != nil {
			switch n.Param.Value {
			case "$":
				n.Short = false
				n.Param.Value = pidVariable
			case "PPID":
				n.Param.Value = parentVariable
			case "!":
				n.Short = false
				n.Param.Value = lastVariable
			}
		}
	case *syntax.ProcSubst:
		g.err = errors.New("process substitution is not built into Kubestage's shell")
	case *syntax.Word:
		if braces(n) > 100_000 {
			g.err = errTooLarge
		}
	}
	if g.err != nil {
		g.depth--
		return false
	}
	return true
}

func (g *guarding) statement(n *syntax.Stmt) {
	if n.Background || n.Disown {
		// The job is counted before it starts, so that wait cannot miss it.
		inner := &syntax.Stmt{Cmd: n.Cmd, Redirs: n.Redirs, Negated: n.Negated}
		job := &syntax.Stmt{Background: true, Cmd: g.process(inner, gone)}
		g.done[job] = true
		*n = syntax.Stmt{Position: n.Position, Cmd: &syntax.Block{Stmts: []*syntax.Stmt{g.callStmt(jobCall), job, g.callStmt(jobbedCall)}}}
		return
	}
	call, ok := n.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) > 0 {
		return
	}
	var used []string
	for _, as := range call.Assigns {
		syntax.Walk(as, func(m syntax.Node) bool {
			if p, ok := m.(*syntax.ParamExp); ok && p.Param != nil && syntax.ValidName(p.Param.Value) {
				used = append(used, p.Param.Value)
			}
			return true
		})
		if as.Append && as.Name != nil {
			used = append(used, as.Name.Value)
		}
	}
	if len(used) > 0 {
		inner := &syntax.Stmt{Cmd: call}
		g.done[inner] = true
		n.Cmd = &syntax.Block{Stmts: []*syntax.Stmt{g.tick(used), inner}}
	}
}

// process is a command whose end is counted:
//
//	if ( command ); then done; else done; fi
//
// done ends the subshell with the command's status.
func (g *guarding) process(command *syntax.Stmt, done string) syntax.Command {
	return &syntax.IfClause{
		Cond: []*syntax.Stmt{{Cmd: &syntax.Subshell{Stmts: []*syntax.Stmt{command}}}},
		Then: []*syntax.Stmt{g.callStmt(done)},
		Else: &syntax.IfClause{Then: []*syntax.Stmt{g.callStmt(done)}},
	}
}

// tick is a statement that leaves $? alone and triggers neither set -e nor an ERR trap.
func (g *guarding) tick(names []string) *syntax.Stmt {
	s := &syntax.Stmt{Cmd: &syntax.BinaryCmd{Op: syntax.AndStmt, X: g.callStmt(append([]string{tickCall}, names...)...), Y: g.callStmt(":")}}
	g.done[s], g.done[s.Cmd] = true, true
	return s
}

func (g *guarding) callStmt(args ...string) *syntax.Stmt {
	c := &syntax.CallExpr{}
	for _, a := range args {
		c.Args = append(c.Args, &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: a}}})
	}
	s := &syntax.Stmt{Cmd: c}
	g.done[s] = true
	return s
}

var braceRange = regexp.MustCompile(`\{(-?\d+)\.\.(-?\d+)`)

// braces estimates how many words {1..N} makes of a word.
func braces(w *syntax.Word) float64 {
	product := 1.0
	for _, part := range w.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			continue
		}
		for _, m := range braceRange.FindAllStringSubmatch(lit.Value, -1) {
			from, err1 := strconv.ParseFloat(m[1], 64)
			to, err2 := strconv.ParseFloat(m[2], 64)
			if err1 == nil && err2 == nil {
				product *= math.Abs(to-from) + 1
			}
		}
	}
	return product
}
