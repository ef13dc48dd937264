package notes

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// line is one line of a file, as it is and as it is read.
type line struct {
	raw  []byte // with its end
	text string // without it, in one spelling of Unicode, no-break spaces as spaces
}

// longestLine is how much of one line is looked at and shown.
const longestLine = 16 << 10

func splitLines(data []byte) []line {
	var lines []line
	for len(data) > 0 {
		n := bytes.IndexByte(data, '\n') + 1
		if n == 0 {
			n = len(data)
		}
		lines = append(lines, line{raw: data[:n], text: readable(data[:n], len(lines) == 0)})
		data = data[n:]
	}
	return lines
}

func readable(raw []byte, first bool) string {
	if first {
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	raw = bytes.TrimRight(raw, "\r\n")
	if len(raw) > longestLine {
		raw = raw[:longestLine]
		for len(raw) > 0 && !utf8.RuneStart(raw[len(raw)-1]) {
			raw = raw[:len(raw)-1]
		}
		raw = raw[:max(0, len(raw)-1)]
	}
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0':
			return ' '
		case r < ' ' && r != '\t' || r == 0x7f:
			return '\uFFFD'
		}
		return r
	}, text)
	return norm.NFC.String(text)
}

func (l line) blank() bool { return strings.TrimSpace(l.text) == "" }

// indent counts columns; a tab goes to the next multiple of four.
func indent(text string) (columns int, rest string) {
	for i, c := range text {
		switch c {
		case ' ':
			columns++
		case '\t':
			columns += 4 - columns%4
		default:
			return columns, text[i:]
		}
	}
	return columns, ""
}
