package runtime

import (
	"slices"
	"strconv"
	"strings"
)

// tags describe the tags of a repository: words, and ranges of versions like
// 1.7..1.31. A tag is a word or version, or several joined by dashes; a word
// may end in a version of its own, as alpine3.20 does.
type tags struct {
	words  []string
	ranges []versions
}

type versions struct{ first, last []int }

func parseTags(text string) tags {
	var t tags
	for field := range strings.FieldsSeq(text) {
		first, last, isRange := strings.Cut(field, "..")
		if !isRange {
			last = first
		}
		if v := version(first); v != nil {
			t.ranges = append(t.ranges, versions{v, version(last)})
		} else {
			t.words = append(t.words, field)
		}
	}
	return t
}

// has reports whether the registry has a tag.
func (t tags) has(tag string) bool {
	if t.words == nil && t.ranges == nil {
		return true
	}
	for i, part := range strings.Split(tag, "-") {
		known := slices.Contains(t.words, part) || slices.Contains(t.words, strings.TrimRight(part, "0123456789."))
		if v := version(part); v != nil {
			known = slices.ContainsFunc(t.ranges, func(r versions) bool { return r.contain(v) }) || i > 0 && len(v) == 1 // -2 is the second build of a tag
		}
		if !known {
			return false
		}
	}
	return true
}

// contain compares as many parts as first and last have: a range names no patches.
func (r versions) contain(v []int) bool {
	below := func(a, b []int) bool {
		n := min(len(a), len(b))
		return slices.Compare(a[:n], b[:n]) < 0
	}
	return len(v) <= 4 && !below(v, r.first) && !below(r.last, v) && (len(v) < 3 || v[2] < 100)
}

// version reads 1.27.3 or v1; nil means that it is none.
func version(s string) []int {
	var v []int
	for part := range strings.SplitSeq(strings.TrimPrefix(s, "v"), ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return nil
		}
		v = append(v, int(n))
	}
	return v
}
