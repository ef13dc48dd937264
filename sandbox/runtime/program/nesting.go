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
