package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Replies of Redis' protocol, RESP2. A string that may be missing is a *string.
type (
	simple   string // +OK
	failure  string // -ERR …
	nothing  struct{}
	replies  []any
	bulkText string
)

const (
	longestBulk = 1 << 20
	mostParts   = 1 << 12
)

var errProtocol = errors.New("protocol error")

// readCommand reads an array of bulk strings, or a line of words as telnet sends it.
func readCommand(r *bufio.Reader) ([]string, error) {
	line, err := respLine(r)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(line, "*") {
		return strings.Fields(line), nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || n > mostParts {
		return nil, errProtocol
	}
	var parts []string
	for range n {
		part, err := readReply(r)
		if err != nil {
			return nil, err
		}
		text, ok := part.(bulkText)
		if !ok {
			return nil, errProtocol
		}
		parts = append(parts, string(text))
	}
	return parts, nil
}

func respLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func readReply(r *bufio.Reader) (any, error) {
	line, err := respLine(r)
	if err != nil || line == "" {
		return nil, errors.Join(err, errProtocol)
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+':
		return simple(rest), nil
	case '-':
		return failure(rest), nil
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err != nil:
		return nil, errProtocol
	case kind == ':':
		return n, nil
	case n < 0:
		return nothing{}, nil
	case kind == '$' && n <= longestBulk:
		data := make([]byte, n+2)
		_, err := io.ReadFull(r, data)
		return bulkText(data[:n]), err
	case kind == '*' && n <= mostParts:
		list := replies{}
		for range n {
			part, err := readReply(r)
			if err != nil {
				return nil, err
			}
			list = append(list, part)
		}
		return list, nil
	}
	return nil, errProtocol
}

func writeReply(w *bufio.Writer, v any) {
	switch v := v.(type) {
	case simple:
		fmt.Fprintf(w, "+%s\r\n", v)
	case failure:
		fmt.Fprintf(w, "-%s\r\n", v)
	case int:
		fmt.Fprintf(w, ":%d\r\n", v)
	case nothing:
		w.WriteString("$-1\r\n")
	case bulkText:
		fmt.Fprintf(w, "$%d\r\n%s\r\n", len(v), v)
	case replies:
		fmt.Fprintf(w, "*%d\r\n", len(v))
		for _, part := range v {
			writeReply(w, part)
		}
	}
}

// showReply prints a reply as redis-cli does at a terminal.
func showReply(w io.Writer, v any, raw bool, indent string) {
	switch v := v.(type) {
	case simple:
		fmt.Fprintln(w, string(v))
	case failure:
		if raw {
			fmt.Fprintln(w, string(v))
			return
		}
		fmt.Fprintln(w, "(error) "+string(v))
	case int:
		if raw {
			fmt.Fprintln(w, v)
			return
		}
		fmt.Fprintln(w, "(integer)", v)
	case nothing:
		if raw {
			fmt.Fprintln(w)
			return
		}
		fmt.Fprintln(w, "(nil)")
	case bulkText:
		if raw || strings.Contains(string(v), "\n") {
			fmt.Fprintln(w, string(v))
			return
		}
		fmt.Fprintf(w, "%q\n", string(v))
	case replies:
		if len(v) == 0 && !raw {
			fmt.Fprintln(w, "(empty array)")
		}
		for i, part := range v {
			if !raw {
				if i > 0 {
					io.WriteString(w, indent)
				}
				fmt.Fprintf(w, "%d) ", i+1)
			}
			showReply(w, part, raw, indent+"   ")
		}
	}
}
