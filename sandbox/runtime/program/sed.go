package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// sed edits lines: s///, d, p, q, i, a, c, y-less; addresses are numbers, $, and
// /expressions/, alone or two with a comma. It has no hold space and no branches,
// so every script ends.
func sed(ctx context.Context, p *Process) int {
	o, args, ok := p.options("nEre:i")
	if !ok {
		return 1
	}
	script := o['e']
	if !o.has('e') {
		if len(args) == 0 {
			p.complain("no script specified")
			return 1
		}
		script, args = args[0], args[1:]
	}
	commands, err := parseSed(script, o.has('E') || o.has('r'))
	if err != nil {
		p.complain("%v", err)
		return 1
	}
	if !o.has('i') {
		return p.eachFile(ctx, args, func(_ string, in io.Reader) error { return p.edit(ctx, commands, in, p.Stdout, o.has('n')) })
	}
	code := 0
	for _, name := range args {
		var edited ending
		edited.most = largestText
		f, err := p.Files.Open(p.path(name), os.O_RDONLY, 0)
		if err == nil {
			err = p.edit(ctx, commands, f, &edited, o.has('n'))
			f.Close()
		}
		if err == nil {
			err = p.writeFile(name, string(edited.b), 0o644)
		}
		if err != nil {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
	}
	return code
}

type sedCommand struct {
	first, last address // last is unset for one address
	negated     bool
	name        byte
	expr        *regexp.Regexp
	text        string // replacement, or text of i, a and c
	print       bool
	nth         int // 0 is all
	inside      bool
}

type address struct {
	line int // -1 is the last
	expr *regexp.Regexp
}

func (a address) given() bool { return a.line != 0 || a.expr != nil }

func (a address) is(n int, line string, last bool) bool {
	return a.line == n && n > 0 || a.line == -1 && last || a.expr != nil && a.expr.MatchString(line)
}

// parseSed reads commands separated by semicolons or line ends.
func parseSed(script string, extended bool) ([]*sedCommand, error) {
	var all []*sedCommand
	rest := script
	for {
		if rest = strings.TrimLeft(rest, " \t\n;"); rest == "" {
			return all, nil
		}
		c := &sedCommand{}
		var err error
		if c.first, rest, err = parseAddress(rest, extended); err != nil {
			return nil, err
		}
		if strings.HasPrefix(rest, ",") {
			if c.last, rest, err = parseAddress(rest[1:], extended); err != nil {
				return nil, err
			}
		}
		rest = strings.TrimLeft(rest, " ")
		if strings.HasPrefix(rest, "!") {
			c.negated, rest = true, rest[1:]
		}
		if rest == "" {
			return nil, errors.New("missing command")
		}
		c.name, rest = rest[0], rest[1:]
		switch c.name {
		case 'd', 'p', 'q', '=':
		case 'i', 'a', 'c':
			text, after, _ := strings.Cut(rest, "\n")
			c.text, rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(text, " "), `\`), " \n"), after
		case 's':
			if rest, err = c.parseSubstitute(rest, extended); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unsupported command %c", c.name)
		}
		all = append(all, c)
	}
}

func parseAddress(s string, extended bool) (a address, rest string, err error) {
	switch {
	case s == "":
	case s[0] == '$':
		return address{line: -1}, s[1:], nil
	case s[0] >= '0' && s[0] <= '9':
		end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(s)
		}
		a.line, err = strconv.Atoi(s[:end])
		return a, s[end:], err
	case s[0] == '/':
		pattern, after, ok := cutUnescaped(s[1:], '/')
		if !ok {
			return a, s, errors.New("unterminated address regex")
		}
		a.expr, err = basicExpression(pattern, extended)
		return a, after, err
	}
	return a, s, nil
}

func (c *sedCommand) parseSubstitute(s string, extended bool) (rest string, err error) {
	if s == "" {
		return "", errors.New("unterminated `s' command")
	}
	mark := s[0]
	pattern, s, ok1 := cutUnescaped(s[1:], mark)
	replacement, s, ok2 := cutUnescaped(s, mark)
	if !ok1 || !ok2 {
		return "", errors.New("unterminated `s' command")
	}
	c.nth = 1
	ignoreCase := false
	for s != "" && !strings.ContainsRune(" \t\n;}", rune(s[0])) {
		switch f := s[0]; {
		case f == 'g':
			c.nth = 0
		case f == 'p':
			c.print = true
		case f == 'i' || f == 'I':
			ignoreCase = true
		case f >= '1' && f <= '9':
			c.nth = int(f - '0')
		default:
			return "", fmt.Errorf("unknown option to `s': %c", f)
		}
		s = s[1:]
	}
	if ignoreCase {
		pattern = "(?i)" + pattern
	}
	c.text = replacement
	c.expr, err = basicExpression(pattern, extended)
	return s, err
}

// cutUnescaped cuts at a mark that has no backslash before it; one that has loses it.
func cutUnescaped(s string, mark byte) (before, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != mark {
				b.WriteByte('\\')
			}
			i++
			b.WriteByte(s[i])
		case s[i] == mark:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// basicExpression compiles a basic expression, or an extended one. Go's take
// linear time.
func basicExpression(pattern string, extended bool) (*regexp.Regexp, error) {
	if !extended {
		pattern = basicToExtended.Replace(pattern)
	}
	return regexp.Compile(pattern)
}

var basicToExtended = strings.NewReplacer(`\|`, "|", `\(`, "(", `\)`, ")", `\+`, "+", `\?`, "?", `\{`, "{", `\}`, "}", "(?i)", "(?i)", "(", `\(`, ")", `\)`, "|", `\|`, "+", `\+`, "?", `\?`, "{", `\{`, "}", `\}`)

func (p *Process) edit(ctx context.Context, commands []*sedCommand, in io.Reader, out io.Writer, quiet bool) error {
	n, held, some := 0, "", false
	line := func(text string, last bool) error {
		n++
		return sedLine(commands, n, text, last, quiet, out)
	}
	err := p.eachLine(ctx, in, func(text string) error {
		if some {
			if err := line(held, false); err != nil {
				return err
			}
		}
		held, some = text, true
		return nil
	})
	if err == nil && some {
		err = line(held, true)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func sedLine(commands []*sedCommand, n int, text string, last, quiet bool, out io.Writer) error {
	var after []string
	finish := func(keep bool) error {
		if keep && !quiet {
			if err := say(out, text); err != nil {
				return err
			}
		}
		for _, a := range after {
			say(out, a)
		}
		return nil
	}
	for _, c := range commands {
		if c.selects(n, text, last) == c.negated {
			continue
		}
		switch c.name {
		case 'd':
			return finish(false)
		case 'c':
			say(out, c.text)
			return finish(false)
		case 'p':
			say(out, text)
		case '=':
			fmt.Fprintln(out, n)
		case 'i':
			say(out, c.text)
		case 'a':
			after = append(after, c.text)
		case 'q':
			if err := finish(true); err != nil {
				return err
			}
			return errEnough
		case 's':
			changed, ok := c.substitute(text)
			if text = changed; ok && c.print {
				say(out, text)
			}
			if len(text) > longestLine {
				return errLongLine
			}
		}
	}
	return finish(true)
}

func (c *sedCommand) selects(n int, text string, last bool) bool {
	if !c.first.given() {
		return true
	}
	if !c.last.given() {
		return c.first.is(n, text, last)
	}
	if !c.inside {
		c.inside = c.first.is(n, text, last)
		if c.inside && c.last.line > 0 && c.last.line <= n {
			c.inside = false
			return true
		}
		return c.inside
	}
	if c.last.is(n, text, last) {
		c.inside = false
	}
	return true
}

func (c *sedCommand) substitute(text string) (string, bool) {
	var b strings.Builder
	at, count, changed := 0, 0, false
	for _, m := range c.expr.FindAllStringSubmatchIndex(text, -1) {
		if count++; c.nth > 0 && count != c.nth {
			continue
		}
		changed = true
		b.WriteString(text[at:m[0]])
		for i := 0; i < len(c.text); i++ {
			switch ch := c.text[i]; {
			case ch == '&':
				b.WriteString(text[m[0]:m[1]])
			case ch == '\\' && i+1 < len(c.text):
				i++
				switch d := c.text[i]; {
				case d >= '0' && d <= '9':
					if g := int(d - '0'); 2*g+1 < len(m) && m[2*g] >= 0 {
						b.WriteString(text[m[2*g]:m[2*g+1]])
					}
				case d == 'n':
					b.WriteByte('\n')
				case d == 't':
					b.WriteByte('\t')
				default:
					b.WriteByte(d)
				}
			default:
				b.WriteByte(ch)
			}
		}
		at = m[1]
	}
	b.WriteString(text[at:])
	return b.String(), changed
}
