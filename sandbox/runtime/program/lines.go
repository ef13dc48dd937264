package program

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// longestLine is what line-wise commands can take.
const longestLine = 1 << 20

// eachFile calls do with every named file, or with the input. It returns the
// exit code: 1 when a file could not be read.
func (p *Process) eachFile(ctx context.Context, names []string, do func(name string, in io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		err := func() error {
			if name == "-" {
				return do(name, p.Stdin)
			}
			f, err := p.Files.Open(p.path(name), os.O_RDONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			return do(name, f)
		}()
		if ctx.Err() != nil {
			return 137
		}
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
			return 128 + int(SIGPIPE) // whoever read is gone; nobody wants to hear of it
		}
		if err != nil && !errors.Is(err, errEnough) {
			p.complain("%s: %s", name, reason(err))
			code = 1
		}
	}
	return code
}

var (
	errEnough   = errors.New("enough") // ends eachLine early
	errLongLine = errors.New("a line is longer than 1 MiB")
)

// eachLine calls do with every line, without its end. It counts as computing.
func (p *Process) eachLine(ctx context.Context, in io.Reader, do func(line string) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 4096), longestLine)
	s.Split(splitLines)
	for n := 1; s.Scan(); n++ {
		if n%256 == 0 {
			if err := p.meter.step(ctx, p.Used); err != nil {
				return err
			}
		}
		if err := do(s.Text()); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return errLongLine
	}
	return s.Err()
}

// splitLines is bufio.ScanLines that leaves carriage returns alone.
func splitLines(data []byte, atEnd bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEnd && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// count reads -n NUMBER, or -NUMBER as in head -5.
func (p *Process) count(letters string) (o options, names []string, n int, ok bool) {
	n = 10
	if len(p.Args) > 1 && len(p.Args[1]) > 1 && p.Args[1][0] == '-' && p.Args[1][1] >= '0' && p.Args[1][1] <= '9' {
		p.Args = append([]string{p.Args[0], "-n", p.Args[1][1:]}, p.Args[2:]...)
	}
	if o, names, ok = p.options(letters); !ok {
		return
	}
	text, letter := o['n'], byte('n')
	if o.has('c') {
		text, letter = o['c'], 'c'
	}
	if !o.has(letter) {
		return
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
	if err != nil {
		p.complain("invalid number '%s'", text)
		return nil, nil, 0, false
	}
	return
}

func head(ctx context.Context, p *Process) int {
	o, names, n, ok := p.count("n:c:qv")
	if !ok {
		return 1
	}
	first := true
	return p.eachFile(ctx, names, func(name string, in io.Reader) error {
		p.title(name, len(names), o, &first)
		if o.has('c') {
			_, err := p.transfer(ctx, p.Stdout, io.LimitReader(in, int64(max(0, n))))
			return err
		}
		left := n
		if left <= 0 {
			return nil
		}
		return p.eachLine(ctx, in, func(line string) error {
			fmt.Fprintln(p.Stdout, line)
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
	})
}

func (p *Process) title(name string, of int, o options, first *bool) {
	if of < 2 || o.has('q') {
		return
	}
	if !*first {
		fmt.Fprintln(p.Stdout)
	}
	*first = false
	fmt.Fprintf(p.Stdout, "==> %s <==\n", name)
}

// mostTail is how much of the end tail can keep.
const mostTail = 4 << 20

// tail prints the end of files; with -f it goes on with what is written later.
func tail(ctx context.Context, p *Process) int {
	o, names, n, ok := p.count("n:c:fFqv")
	if !ok {
		return 1
	}
	from := strings.HasPrefix(o['n']+o['c'], "+")
	n = max(n, -n) // tail -n -3 is tail -n 3
	first := true
	return p.eachFile(ctx, names, func(name string, in io.Reader) error {
		p.title(name, len(names), o, &first)
		var err error
		switch {
		case o.has('c'):
			err = p.tailBytes(ctx, in, n, from)
		default:
			err = p.tailLines(ctx, in, n, from)
		}
		if err != nil || !o.has('f') && !o.has('F') || name == "-" {
			return err
		}
		for Wait(ctx, 250*time.Millisecond) {
			if _, err := p.transfer(ctx, p.Stdout, in); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

func (p *Process) tailLines(ctx context.Context, in io.Reader, n int, from bool) error {
	var kept []string
	size, at := 0, 0
	err := p.eachLine(ctx, in, func(line string) error {
		at++
		if from {
			if at >= n {
				fmt.Fprintln(p.Stdout, line)
			}
			return nil
		}
		kept, size = append(kept, line), size+len(line)+16
		for len(kept) > n || size > mostTail {
			size -= len(kept[0]) + 16
			kept = kept[1:]
		}
		return nil
	})
	for _, line := range kept {
		fmt.Fprintln(p.Stdout, line)
	}
	if err == errLongLine {
		return p.waitForLine(ctx, in)
	}
	return err
}

// waitForLine keeps what comes until a line ends, as tail has to: a line
// without end, like that of /dev/zero, takes all the memory there is.
func (p *Process) waitForLine(ctx context.Context, in io.Reader) error {
	held := blocks{p: p}
	defer held.free()
	for held.grow(longestLine) {
		n, err := p.transfer(ctx, io.Discard, io.LimitReader(in, longestLine))
		if err != nil || n < longestLine {
			return cmp.Or(err, errLongLine)
		}
	}
	return ctx.Err()
}

func (p *Process) tailBytes(ctx context.Context, in io.Reader, n int, from bool) error {
	if from {
		if _, err := p.transfer(ctx, io.Discard, io.LimitReader(in, int64(max(0, n-1)))); err != nil {
			return err
		}
		_, err := p.transfer(ctx, p.Stdout, in)
		return err
	}
	last := &ending{most: min(max(0, n), mostTail)}
	_, err := p.transfer(ctx, last, in)
	p.Stdout.Write(last.b)
	return err
}

// ending keeps the last bytes written to it.
type ending struct {
	b    []byte
	most int
}

func (e *ending) Write(b []byte) (int, error) {
	e.b = append(e.b, b...)
	if over := len(e.b) - e.most; over > 0 {
		e.b = append(e.b[:0], e.b[over:]...)
	}
	return len(b), nil
}

// grep prints the lines that match. Expressions are Go's, which are close to
// extended ones; they take no more than linear time.
func grep(ctx context.Context, p *Process) int {
	o, names, ok := p.options("EFivcnqlohHsxwre:m:")
	if !ok {
		return 2
	}
	pattern, given := o['e'], o.has('e')
	if !given {
		if len(names) == 0 {
			p.complain("missing pattern")
			return 2
		}
		pattern, names = names[0], names[1:]
	}
	if o.has('F') {
		pattern = regexp.QuoteMeta(pattern)
	} else if !o.has('E') {
		pattern = basicToExtended.Replace(pattern)
	}
	if o.has('w') {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if o.has('x') {
		pattern = "^(?:" + pattern + ")$"
	}
	if o.has('i') {
		pattern = "(?i)" + pattern
	}
	expr, err := regexp.Compile(pattern)
	if err != nil {
		p.complain("bad regex: %v", err)
		return 2
	}
	most := -1
	if o.has('m') {
		if most, err = strconv.Atoi(o['m']); err != nil {
			p.complain("invalid number '%s'", o['m'])
			return 2
		}
	}
	if o.has('r') {
		names = p.filesUnder(ctx, names)
	}
	found, many := false, (len(names) > 1 || o.has('r') || o.has('H')) && !o.has('h')
	code := p.eachFile(ctx, names, func(name string, in io.Reader) error {
		count, at := 0, 0
		prefix := ""
		if many {
			prefix = name + ":"
		}
		err := p.eachLine(ctx, in, func(line string) error {
			at++
			if expr.MatchString(line) == o.has('v') {
				return nil
			}
			count++
			found = true
			switch {
			case o.has('q'), o.has('l'):
				return errEnough
			case o.has('c'):
			case o.has('o') && !o.has('v'):
				for _, m := range expr.FindAllString(line, -1) {
					fmt.Fprintln(p.Stdout, prefix+m)
				}
			case o.has('n'):
				fmt.Fprintf(p.Stdout, "%s%d:%s\n", prefix, at, line)
			default:
				fmt.Fprintln(p.Stdout, prefix+line)
			}
			if count == most {
				return errEnough
			}
			return nil
		})
		if o.has('l') && count > 0 {
			fmt.Fprintln(p.Stdout, name)
		}
		if o.has('c') && !o.has('q') {
			fmt.Fprintf(p.Stdout, "%s%d\n", prefix, count)
		}
		return err
	})
	switch {
	case found && o.has('q'):
		return 0
	case code == 137:
		return code
	case code != 0:
		return 2
	case !found:
		return 1
	}
	return 0
}

// filesUnder lists the files in folders and below.
func (p *Process) filesUnder(ctx context.Context, names []string) []string {
	if len(names) == 0 {
		names = []string{"."}
	}
	var files []string
	var walk func(name string, depth int)
	walk = func(name string, depth int) {
		if p.meter.step(ctx, p.Used) != nil || depth > deepestWalk {
			return
		}
		entries, err := p.Files.ReadDir(p.path(name))
		if err != nil {
			files = append(files, name)
			return
		}
		for _, e := range entries {
			if e.IsDir() || e.Type().IsRegular() {
				walk(strings.TrimSuffix(name, "/")+"/"+e.Name(), depth+1)
			}
		}
	}
	for _, name := range names {
		walk(name, 0)
	}
	return files
}

func wc(ctx context.Context, p *Process) int {
	o, names, ok := p.options("lwcm")
	if !ok {
		return 1
	}
	show := func(lines, words, bytes int64, name string) {
		var parts []string
		for _, c := range []struct {
			letter byte
			n      int64
		}{{'l', lines}, {'w', words}, {'c', bytes}} {
			if len(o) == 0 || o.has(c.letter) || c.letter == 'c' && o.has('m') {
				parts = append(parts, fmt.Sprint(c.n))
			}
		}
		if name != "-" {
			parts = append(parts, name)
		}
		fmt.Fprintln(p.Stdout, strings.Join(parts, " "))
	}
	var lines, words, bytes int64
	code := p.eachFile(ctx, names, func(name string, in io.Reader) error {
		c := &counting{}
		_, err := p.transfer(ctx, c, in)
		if err != nil {
			return err
		}
		show(c.lines, c.words, c.bytes, name)
		lines, words, bytes = lines+c.lines, words+c.words, bytes+c.bytes
		return nil
	})
	if len(names) > 1 {
		show(lines, words, bytes, "total")
	}
	return code
}

type counting struct {
	lines, words, bytes int64
	inWord              bool
}

func (c *counting) Write(b []byte) (int, error) {
	c.bytes += int64(len(b))
	for _, x := range b {
		space := x == ' ' || x >= '\t' && x <= '\r'
		if x == '\n' {
			c.lines++
		}
		if !space && !c.inWord {
			c.words++
		}
		c.inWord = !space
	}
	return len(b), nil
}

// mostSorted is how much text sort can hold.
const mostSorted = 16 << 20

func sortLines(ctx context.Context, p *Process) int {
	o, names, ok := p.options("nrufk:t:")
	if !ok {
		return 1
	}
	field := 0
	if o.has('k') {
		if _, err := fmt.Sscan(o['k'], &field); err != nil || field < 1 {
			p.complain("invalid number '%s'", o['k'])
			return 1
		}
	}
	var lines []string
	size := 0
	code := p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		return p.eachLine(ctx, in, func(line string) error {
			if size += len(line) + 16; size > mostSorted {
				return errors.New("out of memory (Kubestage's sort holds 16 MiB)")
			}
			lines = append(lines, line)
			return nil
		})
	})
	key := func(line string) string {
		if field > 0 {
			fields := strings.Fields(line)
			if o.has('t') {
				fields = strings.Split(line, o['t'])
			}
			if len(fields) < field {
				return ""
			}
			line = fields[field-1]
		}
		if o.has('f') {
			line = strings.ToUpper(line)
		}
		return line
	}
	compare := func(a, b string) int {
		if a, b := key(a), key(b); o.has('n') {
			return cmp.Or(cmp.Compare(leadingNumber(a), leadingNumber(b)), strings.Compare(a, b))
		} else if a != b {
			return strings.Compare(a, b)
		}
		return strings.Compare(a, b)
	}
	slices.SortStableFunc(lines, compare)
	if o.has('r') {
		slices.Reverse(lines)
	}
	if o.has('u') {
		lines = slices.Compact(lines)
	}
	w := bufio.NewWriter(p.Stdout)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	w.Flush()
	return code
}

func leadingNumber(s string) float64 {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && s[end] == '-') {
		end++
	}
	n, _ := strconv.ParseFloat(s[:end], 64)
	return n
}

func uniq(ctx context.Context, p *Process) int {
	o, names, ok := p.options("cdu")
	if !ok {
		return 1
	}
	last, count := "", 0
	flush := func() {
		if count == 0 || o.has('d') && count < 2 || o.has('u') && count > 1 {
			return
		}
		if o.has('c') {
			fmt.Fprintf(p.Stdout, "%7d ", count)
		}
		fmt.Fprintln(p.Stdout, last)
	}
	code := p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		return p.eachLine(ctx, in, func(line string) error {
			if count > 0 && line == last {
				count++
				return nil
			}
			flush()
			last, count = line, 1
			return nil
		})
	})
	flush()
	return code
}
