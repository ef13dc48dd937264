package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

// Leak is the error of writing an event that holds what must not be in a file
// that people hand on. It does not repeat it.
type Leak struct {
	What  string // as in "a bearer token"
	Where string // as in "event 41 (etcd put secrets/default/db)"
}

func (l *Leak) Error() string {
	return fmt.Sprintf("%s holds %s, so no recording was made: choose a time or a story without it. If it is a Secret or a token of the cluster, please report this as a mistake in Kubestage", l.Where, l.What)
}

// scrub returns a *Leak when an event holds a value of a Secret, a token or a
// private key.
func scrub(e watch.Event, line []byte) error {
	what := leakIn(line)
	if what == "" && bytes.Contains(line, []byte("ecret")) && secretIn(e) {
		what = "a value of a Secret"
	}
	if what == "" {
		return nil
	}
	where := fmt.Sprintf("event %d (%s %s", e.Seq, e.Kind, e.Verb)
	if e.Object != nil {
		where += " " + e.Object.Key()
	}
	return &Leak{What: what, Where: where + ")"}
}

var shapes = []struct {
	what string
	hint []byte // without this there is none; looking for it is much faster
	is   *regexp.Regexp
}{
	// A JSON Web Token: ServiceAccounts' tokens are such.
	{"a bearer token", []byte("eyJ"), regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`)},
	{"a bearer token", []byte("earer "), regexp.MustCompile(`(?i)\bbearer [A-Za-z0-9._~+/-]{16,}`)},
	{"a private key", []byte("PRIVATE KEY-----"), regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`)},
	// The same in base64, as in kubeconfigs: PRIVATE KEY, RSA, EC and OPENSSH ones.
	{"a private key", []byte("LS0tLS1CRUdJTi"), regexp.MustCompile(`LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRVkt|BFQyBQUklWQVRFIEtFWS|BPUEVOU1NIIFBSSVZBVEUgS0VZ)`)},
}

func leakIn(text []byte) string {
	for _, s := range shapes {
		if bytes.Contains(text, s.hint) && s.is.Match(text) {
			return s.what
		}
	}
	return ""
}

// secretIn reports whether an event's detail holds a Secret with values. Which
// keys it has may be told; what is in them not.
func secretIn(e watch.Event) bool {
	if len(e.Detail) == 0 {
		return false
	}
	var detail map[string]any
	if json.Unmarshal(e.Detail, &detail) != nil {
		return true // what cannot be looked at is not handed on
	}
	ofSecret := e.Object != nil && e.Object.Group == "" && e.Object.Resource == "secrets"
	if ofSecret && detail["request"] != nil {
		return true
	}
	return holdsSecret(detail, false, ofSecret, 0)
}

// depth is how deep a value is looked into; Kubernetes' own limit of nesting is
// far below.
const depth = 200

func holdsSecret(v any, listed, value bool, level int) bool {
	if level > depth {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		kind, _ := v["kind"].(string)
		if kind == "Secret" || listed || value && level == 1 {
			if hasValues(v["data"]) || hasValues(v["stringData"]) {
				return true
			}
		}
		for key, below := range v {
			inList := kind == "SecretList" && key == "items"
			if holdsSecret(below, inList, value && key == "value", level+1) {
				return true
			}
		}
	case []any:
		for _, below := range v {
			if holdsSecret(below, listed, false, level+1) {
				return true
			}
		}
	case string:
		// An object in a string: kubectl apply keeps one in an annotation.
		if strings.Contains(v, `"Secret`) && strings.Contains(v, "{") {
			var below any
			return json.Unmarshal([]byte(v), &below) == nil && holdsSecret(below, false, false, level+1)
		}
	}
	return false
}

// hasValues reports whether any key of a Secret's data holds something.
func hasValues(data any) bool {
	switch data := data.(type) {
	case nil:
		return false
	case map[string]any:
		for _, v := range data {
			if v != nil && v != "" {
				return true
			}
		}
		return false
	}
	return true
}
