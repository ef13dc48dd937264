package program

import (
	"errors"
	"io"
	"strings"
)

// nesting reads a script and gives up where brackets lie too deep in each
// other: a parser spends stack on each and more than linear time on all. It
// does not know quotes, so it errs where somebody quotes thousands of open
// brackets.
type nesting struct {
	r     io.Reader
	depth int
}

const deepestBrackets = 2000

var errNested = errors.New("nested too deeply")

func (n *nesting) Read(p []byte) (int, error) {
	got, err := n.r.Read(p)
	for _, c := range p[:got] {
		switch c {
		case '(', '[', '{':
			if n.depth++; n.depth > deepestBrackets {
				return 0, errNested
			}
		case ')', ']', '}':
			n.depth = max(0, n.depth-1)
		}
	}
	return got, err
}

func tooNested(text string) bool {
	_, err := io.Copy(io.Discard, &nesting{r: strings.NewReader(text)})
	return err != nil
}

// sip reads a byte at a time, so that a parser takes no more of the input than
// its line needs and leaves the rest to the commands of the script. It ends
// the last line.
type sip struct {
	r     io.Reader
	ended bool
}

func (s *sip) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.r.Read(p[:1])
	if n == 0 && err != nil && !s.ended {
		s.ended, p[0] = true, '\n'
		return 1, nil
	}
	return n, err
}
