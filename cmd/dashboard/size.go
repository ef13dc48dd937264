package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is an amount of memory as people write it: 256MiB, 64m, 1G.
type size int

// leastMemory is room for what a cluster says while it starts.
const leastMemory size = 4 << 20

func (s size) String() string { return fmt.Sprintf("%d MiB", (s+1<<19)>>20) }

// Set is for package flag.
func (s *size) Set(text string) error {
	digits := strings.TrimRight(text, "KkMmGgIiBb")
	shift, ok := map[string]uint{"": 0, "b": 0, "k": 10, "m": 20, "g": 30}[strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(text[len(digits):]), "b"), "i")]
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || size(n)<<shift>>shift != size(n) || size(n)<<shift < leastMemory {
		return fmt.Errorf("it is a size of at least %s, as in 64MiB or 1GiB", leastMemory)
	}
	*s = size(n) << shift
	return nil
}
