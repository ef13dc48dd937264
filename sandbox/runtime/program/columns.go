package program

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// cut prints parts of lines: -f 1,3 -d :, or -c 1-10.
func cut(ctx context.Context, p *Process) int {
	o, names, ok := p.options("f:d:c:b:s")
	if !ok {
		return 1
	}
	list := cmp.Or(o['f'], o['c'], o['b'])
	keep, err := ranges(list)
	if err != nil {
		p.complain("%v", err)
		return 1
	}
	between := "\t"
	if o.has('d') {
		between = o['d']
	}
	return p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		return p.eachLine(ctx, in, func(line string) error {
			if !o.has('f') {
				var kept []rune
				for i, c := range []rune(line) {
					if keep(i + 1) {
						kept = append(kept, c)
					}
				}
				return say(p.Stdout, string(kept))
			}
			if between == "" || !strings.Contains(line, between) {
				if o.has('s') {
					return nil
				}
				return say(p.Stdout, line)
			}
			var kept []string
			for i, field := range strings.Split(line, between) {
				if keep(i + 1) {
					kept = append(kept, field)
				}
			}
			return say(p.Stdout, strings.Join(kept, between))
		})
	})
}

func say(w io.Writer, line string) error {
	_, err := io.WriteString(w, line+"\n")
	return err
}

// ranges reads 1,3-5,7-.
func ranges(list string) (func(n int) bool, error) {
	type span struct{ from, to int }
	var spans []span
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		s := span{1, 1 << 30}
		var err1, err2 error
		if from != "" {
			s.from, err1 = strconv.Atoi(from)
		}
		if !isRange {
			s.to = s.from
		} else if to != "" {
			s.to, err2 = strconv.Atoi(to)
		}
		if err1 != nil || err2 != nil || from == "" && to == "" || s.from < 1 {
			return nil, fmt.Errorf("invalid range '%s'", part)
		}
		spans = append(spans, s)
	}
	return func(n int) bool {
		return slices.ContainsFunc(spans, func(s span) bool { return s.from <= n && n <= s.to })
	}, nil
}

// tr replaces or deletes characters.
func tr(ctx context.Context, p *Process) int {
	o, sets, ok := p.options("dscC")
	if !ok {
		return 1
	}
	if len(sets) == 0 || len(sets) < 2 && !o.has('d') && !o.has('s') {
		p.complain("missing operand")
		return 1
	}
	from, to := characters(sets[0]), []byte(nil)
	if len(sets) > 1 {
		to = characters(sets[1])
	}
	var table [256]int // what a byte becomes; -1 is nothing
	var squeeze [256]bool
	in := func(b byte) bool { return slices.Contains(from, b) != (o.has('c') || o.has('C')) }
	for i := range table {
		b := byte(i)
		table[i] = i
		switch {
		case !in(b):
		case o.has('d'):
			table[i] = -1
		case len(to) > 0:
			at := slices.Index(from, b)
			table[i] = int(to[min(max(at, 0), len(to)-1)])
		}
		squeeze[i] = o.has('s') && (len(to) == 0 && in(b) || slices.Contains(to, b))
	}
	last := -1
	_, err := p.transfer(ctx, writerFunc(func(b []byte) (int, error) {
		out := make([]byte, 0, len(b))
		for _, c := range b {
			n := table[c]
			if n < 0 || squeeze[n&0xff] && n == last {
				continue
			}
			last = n
			out = append(out, byte(n))
		}
		if _, err := p.Stdout.Write(out); err != nil {
			return 0, err
		}
		return len(b), nil
	}), p.Stdin)
	return p.ended(ctx, err)
}

type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// ended is the exit code after all of the input was taken, or not.
func (p *Process) ended(ctx context.Context, err error) int {
	switch {
	case ctx.Err() != nil:
		return 137
	case err != nil:
		p.complain("%s", reason(err))
		return 1
	}
	return 0
}

// characters expands a-z, [:digit:] and \n.
func characters(set string) []byte {
	for class, chars := range map[string]string{"[:digit:]": "0-9", "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:alpha:]": "A-Za-z", "[:alnum:]": "0-9A-Za-z", "[:space:]": " \\t\\n\\r", "[:blank:]": " \\t", "[:punct:]": "!-/:-@[-`{-~"} {
		set = strings.ReplaceAll(set, class, chars)
	}
	set = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00", `\\`, `\`).Replace(set)
	var all []byte
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' && set[i] <= set[i+2] {
			for c := int(set[i]); c <= int(set[i+2]); c++ {
				all = append(all, byte(c))
			}
			i += 2
			continue
		}
		all = append(all, set[i])
	}
	return all
}

// checksum is md5sum and the like: it prints sums, or with -c checks them.
func checksum(make func() hash.Hash) Program {
	return func(ctx context.Context, p *Process) int {
		o, names, ok := p.options("csbt")
		if !ok {
			return 1
		}
		sum := func(in io.Reader) (string, error) {
			h := make()
			_, err := p.transfer(ctx, h, in)
			return hex.EncodeToString(h.Sum(nil)), err
		}
		if !o.has('c') {
			return p.eachFile(ctx, names, func(name string, in io.Reader) error {
				text, err := sum(in)
				if err == nil {
					fmt.Fprintf(p.Stdout, "%s  %s\n", text, name)
				}
				return err
			})
		}
		wrong := 0
		code := p.eachFile(ctx, names, func(_ string, in io.Reader) error {
			return p.eachLine(ctx, in, func(line string) error {
				want, name, _ := strings.Cut(line, " ")
				name = strings.TrimLeft(name, " *")
				got := ""
				if f, err := p.Files.Open(p.path(name), os.O_RDONLY, 0); err == nil {
					got, _ = sum(f)
					f.Close()
				}
				verdict := "OK"
				if got != want {
					wrong++
					verdict = "FAILED"
				}
				return say(p.Stdout, name+": "+verdict)
			})
		})
		if wrong > 0 {
			p.complain("WARNING: %d of the checksums did NOT match", wrong)
			return 1
		}
		return code
	}
}

var checksums = Set{
	"md5sum": checksum(md5.New), "sha1sum": checksum(sha1.New), "sha256sum": checksum(sha256.New), "sha512sum": checksum(sha512.New),
}

func base64Command(ctx context.Context, p *Process) int {
	o, names, ok := p.options("dDiw:")
	if !ok {
		return 1
	}
	wrap := 76
	if o.has('w') {
		wrap, _ = strconv.Atoi(o['w'])
	}
	return p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(in, largestText))
		if err != nil {
			return err
		}
		if o.has('d') || o.has('D') {
			text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
			p.Stdout.Write(text)
			if err != nil {
				return errors.New("invalid input")
			}
			return nil
		}
		text := base64.StdEncoding.EncodeToString(data)
		for wrap > 0 && len(text) > wrap {
			say(p.Stdout, text[:wrap])
			text = text[wrap:]
		}
		if wrap == 0 {
			_, err = io.WriteString(p.Stdout, text)
			return err
		}
		return say(p.Stdout, text)
	})
}

// tac prints lines last first; rev prints each backwards; nl numbers them.
func tac(ctx context.Context, p *Process) int {
	return p.lines(ctx, func(lines []string) {
		slices.Reverse(lines)
		for _, line := range lines {
			say(p.Stdout, line)
		}
	})
}

func rev(ctx context.Context, p *Process) int {
	return p.lines(ctx, func(lines []string) {
		for _, line := range lines {
			runes := []rune(line)
			slices.Reverse(runes)
			say(p.Stdout, string(runes))
		}
	})
}

func nl(ctx context.Context, p *Process) int {
	n := 0
	return p.lines(ctx, func(lines []string) {
		for _, line := range lines {
			if line == "" {
				say(p.Stdout, "")
				continue
			}
			n++
			fmt.Fprintf(p.Stdout, "%6d\t%s\n", n, line)
		}
	})
}

// lines gives each file's lines to do, all at once.
func (p *Process) lines(ctx context.Context, do func(lines []string)) int {
	_, names, ok := p.options("b:")
	if !ok {
		return 1
	}
	return p.eachFile(ctx, names, func(_ string, in io.Reader) error {
		var lines []string
		held := int64(0)
		defer func() { p.Release(held) }()
		err := p.eachLine(ctx, in, func(line string) error {
			n := int64(len(line)) + 16
			if !p.Hold(n) {
				return ctx.Err()
			}
			held += n
			lines = append(lines, line)
			return nil
		})
		do(lines)
		return err
	})
}

// xargs runs a command with words of the input: -n N, -I MARK, -r, -0.
func xargs(ctx context.Context, p *Process) int {
	o, command, ok := p.options("n:I:r0tP:d:")
	if !ok {
		return 1
	}
	if len(command) == 0 {
		command = []string{"echo"}
	}
	most := 1000
	if n, err := strconv.Atoi(o['n']); err == nil && n > 0 {
		most = n
	}
	text, err := io.ReadAll(io.LimitReader(p.Stdin, largestValue))
	if err != nil || ctx.Err() != nil {
		return p.ended(ctx, err)
	}
	words := strings.Fields(string(text))
	switch {
	case o.has('0'):
		words = strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	case o.has('I'):
		words = strings.Split(strings.TrimSpace(string(text)), "\n")
	case o.has('d') && o['d'] != "":
		words = strings.Split(strings.TrimSuffix(string(text), "\n"), strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(o['d']))
	}
	if len(words) == 0 && (o.has('r') || o.has('I')) {
		return 0
	}
	run := func(args []string) int { return p.call(ctx, args) }
	if o.has('I') {
		for _, word := range words {
			var args []string
			for _, a := range command {
				args = append(args, strings.ReplaceAll(a, o['I'], word))
			}
			if code := run(args); code != 0 {
				return 123
			}
		}
		return 0
	}
	if len(words) == 0 {
		return run(command)
	}
	for chunk := range slices.Chunk(words, most) {
		if code := run(slices.Concat(command, chunk)); code == 127 {
			return code
		} else if code != 0 {
			return 123
		}
	}
	return 0
}

// call runs another program as a child.
func (p *Process) call(ctx context.Context, args []string) int {
	run, err := Find(p.Programs, p.Files, p.Dir, args[0])
	if err != nil {
		p.complain("%s: No such file or directory", args[0])
		return 127
	}
	if p.meter.step(ctx, p.Used) != nil {
		return 137
	}
	child := &Process{Args: args, Env: p.Env, Dir: p.Dir, Stdin: noInput{}, Stdout: p.Stdout, Stderr: p.Stderr, Container: p.Container, Parent: p}
	return child.Run(ctx, run).Code
}

func yes(ctx context.Context, p *Process) int {
	text := "y"
	if len(p.Args) > 1 {
		text = strings.Join(p.Args[1:], " ")
	}
	lines := strings.Repeat(text+"\n", max(1, 4096/(len(text)+1)))
	for p.meter.step(ctx, p.Used) == nil {
		if _, err := io.WriteString(p.Stdout, lines); err != nil {
			return 1
		}
	}
	return 137
}

// dd copies blocks: if=, of=, bs=, count=.
func dd(ctx context.Context, p *Process) int {
	in, out := p.Stdin, p.Stdout
	block, count := size(512), int64(-1)
	for _, a := range p.Args[1:] {
		key, value, _ := strings.Cut(a, "=")
		var err error
		switch key {
		case "if":
			var f io.ReadWriteCloser
			if f, err = p.Files.Open(p.path(value), os.O_RDONLY, 0); err == nil {
				defer f.Close()
				in = f
			}
		case "of":
			var f io.ReadWriteCloser
			if f, err = p.Files.Open(p.path(value), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err == nil {
				defer f.Close()
				out = f
			}
		case "bs":
			value = strings.ToUpper(value)
			if strings.HasSuffix(value, "K") || strings.HasSuffix(value, "M") || strings.HasSuffix(value, "G") {
				value += "i" // dd's M is 1024 times 1024
			}
			if err = block.Set(value); err == nil && (block < 1 || block > 1<<30) {
				err = errors.New("not a block size")
			}
		case "count":
			count, err = strconv.ParseInt(value, 10, 64)
		case "conv", "status", "seek", "skip", "iflag", "oflag":
		default:
			err = errors.New("unknown operand")
		}
		if err != nil {
			p.complain("%s: %s", a, reason(err))
			return 1
		}
	}
	if count >= 0 {
		in = io.LimitReader(in, count*int64(block))
	}
	n, err := p.transfer(ctx, out, in)
	whole, part := n/int64(block), 0
	if n%int64(block) > 0 {
		part = 1
	}
	fmt.Fprintf(p.Stderr, "%d+%d records in\n%d+%d records out\n", whole, part, whole, part)
	if err != nil && ctx.Err() == nil {
		p.complain("error writing: %s", reason(err))
		return 1
	}
	return p.ended(ctx, err)
}

func which(_ context.Context, p *Process) int {
	code := 0
	for _, name := range p.Args[1:] {
		if _, err := p.Programs.Look(name); err != nil {
			code = 1
			continue
		}
		if !path.IsAbs(name) {
			name = "/bin/" + name
		}
		say(p.Stdout, name)
	}
	return code
}
