package program

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date prints the time in UTC, which is what a container without a time zone has.
func date(_ context.Context, p *Process) int {
	now := time.Now().UTC()
	format := "%a %b %e %H:%M:%S UTC %Y"
	for _, a := range p.Args[1:] {
		switch {
		case a == "-u" || a == "--utc":
		case a == "-Iseconds" || a == "--iso-8601=seconds":
			format = "%Y-%m-%dT%H:%M:%S+00:00"
		case a == "-I":
			format = "%Y-%m-%d"
		case strings.HasPrefix(a, "+"):
			format = a[1:]
		default:
			fmt.Fprintf(p.Stderr, "date: invalid date '%s'\n", a)
			return 1
		}
	}
	fmt.Fprintln(p.Stdout, strftime(now, format))
	return 0
}

// strftime writes the conversions that scripts use; unknown ones stay as they are.
func strftime(t time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch c := format[i]; c {
		case 'Y':
			b.WriteString(t.Format("2006"))
		case 'm':
			b.WriteString(t.Format("01"))
		case 'd':
			b.WriteString(t.Format("02"))
		case 'e':
			b.WriteString(t.Format("_2"))
		case 'H':
			b.WriteString(t.Format("15"))
		case 'M':
			b.WriteString(t.Format("04"))
		case 'S':
			b.WriteString(t.Format("05"))
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case 'F':
			b.WriteString(t.Format("2006-01-02"))
		case 'T':
			b.WriteString(t.Format("15:04:05"))
		case 'R':
			b.WriteString(t.Format("15:04"))
		case 'a':
			b.WriteString(t.Format("Mon"))
		case 'b':
			b.WriteString(t.Format("Jan"))
		case 'j':
			b.WriteString(fmt.Sprintf("%03d", t.YearDay()))
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'Z':
			b.WriteString("UTC")
		case 'z':
			b.WriteString("+0000")
		case 'n':
			b.WriteByte('\n')
		case '%':
			b.WriteByte('%')
		default:
			b.WriteByte('%')
			b.WriteByte(c)
		}
	}
	return b.String()
}
