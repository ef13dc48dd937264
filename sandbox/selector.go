package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// selector is a label or field selector as it stands in a request's address:
// requirements that must all hold.
type selector []requirement

type requirement struct {
	key    string
	op     string // =, !=, in, notin, exists, !
	values []string
}

// parseSelector reads the forms that clients send: a=b, a==b, a!=b, a, !a,
// a in (b,c), a notin (b,c), and a>1, a<1 which it does not understand.
func parseSelector(text string) (selector, error) {
	var s selector
	for len(strings.TrimSpace(text)) > 0 {
		part := text
		depth := 0
		for i, c := range text {
			switch {
			case c == '(':
				depth++
			case c == ')':
				depth--
			case c == ',' && depth == 0:
				part = text[:i]
			}
			if len(part) < len(text) {
				break
			}
		}
		text = strings.TrimPrefix(text[len(part):], ",")
		r, err := parseRequirement(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		s = append(s, r)
	}
	return s, nil
}

func parseRequirement(text string) (requirement, error) {
	if strings.HasSuffix(text, ")") {
		head, list, ok := strings.Cut(strings.TrimSuffix(text, ")"), "(")
		words := strings.Fields(head)
		if !ok || len(words) != 2 || (words[1] != "in" && words[1] != "notin") {
			return requirement{}, fmt.Errorf("selector %q", text)
		}
		r := requirement{key: words[0], op: words[1]}
		for v := range strings.SplitSeq(list, ",") {
			r.values = append(r.values, strings.TrimSpace(v))
		}
		return r, nil
	}
	for _, op := range []string{"!=", "==", "="} {
		if key, value, ok := strings.Cut(text, op); ok {
			if op == "==" {
				op = "="
			}
			return requirement{strings.TrimSpace(key), op, []string{strings.TrimSpace(value)}}, nil
		}
	}
	op := "exists"
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		text, op = strings.TrimSpace(rest), "!"
	}
	if text == "" || strings.ContainsAny(text, " <>()!") {
		return requirement{}, fmt.Errorf("selector %q", text)
	}
	return requirement{key: text, op: op}, nil
}

// matches reports whether all requirements hold for labels.
func (s selector) matches(labels map[string]string) bool {
	for _, r := range s {
		value, ok := labels[r.key]
		if !r.matches(value, ok) {
			return false
		}
	}
	return true
}

func (r requirement) matches(value string, has bool) bool {
	switch r.op {
	case "exists":
		return has
	case "!":
		return !has
	case "=", "in":
		return has && slices.Contains(r.values, value)
	default: // != and notin hold for what is not there
		return !has || !slices.Contains(r.values, value)
	}
}
