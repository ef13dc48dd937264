package notes

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

var (
	yamlLine     = regexp.MustCompile(`line (\d+)`)
	documentMark = regexp.MustCompile(`^---[ \t]*$`)
	itemKey      = regexp.MustCompile(`^([ ]*)-([ ]+)[A-Za-z][\w.-]*:`)
	plainKey     = regexp.MustCompile(`^([ ]*)[A-Za-z][\w./-]*:`)
	oddBool      = regexp.MustCompile(`(?i):[ \t]+(yes|no|on|off)[ \t]*(?:#.*)?$`)
	oddNumber    = regexp.MustCompile(`:[ \t]+(0[0-7]+|\d+\.\d*0)[ \t]*(?:#.*)?$`)
	apiVersion   = regexp.MustCompile(`^[ \t]*apiVersion:[ \t]*["']?([\w./-]+)`)
	imageKey     = regexp.MustCompile(`^[ \t-]*image:[ \t]*["']?(\S+?)["']?[ \t]*(?:#.*)?$`)
)

// gone are API versions no server of today has, and what replaced them.
var gone = map[string]string{
	"extensions/v1beta1":                   "apps/v1 (Ingress: networking.k8s.io/v1)",
	"apps/v1beta1":                         "apps/v1",
	"apps/v1beta2":                         "apps/v1",
	"batch/v1beta1":                        "batch/v1",
	"batch/v2alpha1":                       "batch/v1",
	"policy/v1beta1":                       "policy/v1",
	"autoscaling/v2beta1":                  "autoscaling/v2",
	"autoscaling/v2beta2":                  "autoscaling/v2",
	"rbac.authorization.k8s.io/v1beta1":    "rbac.authorization.k8s.io/v1",
	"discovery.k8s.io/v1beta1":             "discovery.k8s.io/v1",
	"apiextensions.k8s.io/v1beta1":         "apiextensions.k8s.io/v1",
	"scheduling.k8s.io/v1beta1":            "scheduling.k8s.io/v1",
	"flowcontrol.apiserver.k8s.io/v1beta3": "flowcontrol.apiserver.k8s.io/v1",
	"node.k8s.io/v1beta1":                  "node.k8s.io/v1",
	"authorization.k8s.io/v1beta1":         "authorization.k8s.io/v1",
	"apiregistration.k8s.io/v1beta1":       "apiregistration.k8s.io/v1",
	"events.k8s.io/v1beta1":                "events.k8s.io/v1",
}

// checkManifest remarks on what would not decode, or would decode to something
// else than the writer meant. The first line of lines is line first of the file.
func checkManifest(b *Block, first int) {
	lines := b.Lines
	for i, text := range lines {
		switch {
		case strings.HasPrefix(strings.TrimLeft(text, " "), "\t"):
			b.remark(first+i, "yaml", `\t`, strings.ReplaceAll(text, "\t", "  "))
		case oddBool.MatchString(text):
			word := oddBool.FindStringSubmatch(text)[1]
			b.remark(first+i, "yaml", word, `"`+word+`"`)
		case oddNumber.MatchString(text):
			word := oddNumber.FindStringSubmatch(text)[1]
			b.remark(first+i, "yaml", word, `"`+word+`"`)
		}
		if m := apiVersion.FindStringSubmatch(text); m != nil {
			if now, old := gone[m[1]]; old {
				b.remark(first+i, "outdated", m[1], now)
			}
		}
		if m := imageKey.FindStringSubmatch(text); m != nil && strings.HasPrefix(m[1], "k8s.gcr.io/") {
			b.remark(first+i, "outdated", m[1], "registry.k8s.io/"+strings.TrimPrefix(m[1], "k8s.gcr.io/"))
		}
	}
	broken := false
	begin := 0
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && !documentMark.MatchString(lines[i]) {
			continue
		}
		var any map[string]any
		if err := yaml.UnmarshalStrict([]byte(strings.Join(lines[begin:i], "\n")), &any); err != nil {
			broken = true
			at, says := yamlError(err)
			line := first + begin + max(at-1, 0)
			// The parser stops behind a mistake, not at it. Where the cause can be
			// seen, the remark stands there.
			if slip, ok := slipped(lines[begin:i]); ok {
				b.remark(first+begin+slip.line, "yaml", says, slip.rather)
			} else {
				b.remark(line, "yaml", says, "")
			}
		}
		begin = i + 1
	}
	if broken && !slices.ContainsFunc(lines, documentMark.MatchString) {
		if mended, ok := mend(lines); ok {
			b.Offer = &Offer{Lines: mended}
		}
	}
}

// serverOnly are lines that kubectl prints and only a server means.
var serverOnly = regexp.MustCompile(`^(?:[ ]*creationTimestamp: null|status: \{\})[ ]*$`)

// Applied returns the lines of a manifest as they are applied: without what a server
// adds to what it prints, if that is empty.
func Applied(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), serverOnly.MatchString)
}

// Images returns the images that lines of a manifest name, each once.
func Images(lines []string) (all []string) {
	for _, l := range lines {
		if m := imageKey.FindStringSubmatch(l); m != nil && !slices.Contains(all, m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}

// yamlError returns the line the parser names, from 1 and 0 when it names none,
// and what it says without it.
func yamlError(err error) (line int, says string) {
	says = err.Error()
	if m := yamlLine.FindStringSubmatch(says); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	says = strings.TrimPrefix(says, "error converting YAML to JSON: ")
	says = strings.TrimPrefix(says, "yaml: ")
	return line, clip(strings.Join(strings.Fields(strings.TrimPrefix(says, "unmarshal errors:")), " "))
}

type slip struct {
	line   int
	rather string
}

// slipped finds the commonest slip of a hand-written list: the keys of an item
// stand under its dash and not under its first key.
func slipped(lines []string) (slip, bool) {
	lines = lines[:min(len(lines), 1000)] // a manifest, not a flood
	for i, text := range lines {
		m := itemKey.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		column := len(m[1])
		for j := i + 1; j < len(lines); j++ {
			if strings.TrimSpace(lines[j]) == "" || strings.HasPrefix(strings.TrimSpace(lines[j]), "#") {
				continue
			}
			k := plainKey.FindStringSubmatch(lines[j])
			if k == nil || len(k[1]) != column {
				break
			}
			// A key at the dash's own column ends the list unless the list began
			// deeper than its parent key; it is a slip when that parent stands at the
			// same column or the item would otherwise lack what follows.
			if parent := parentOf(lines[:i], column); parent >= column {
				break
			}
			return slip{j, strings.Repeat(" ", 1+len(m[2])) + lines[j]}, true
		}
	}
	return slip{}, false
}

// parentOf returns the column of the key a list hangs on, and -1 if none.
func parentOf(before []string, column int) int {
	for i := len(before) - 1; i >= 0; i-- {
		text := before[i]
		if m := itemKey.FindStringSubmatch(text); m != nil && len(m[1]) == column {
			continue
		}
		if m := plainKey.FindStringSubmatch(text); m != nil && len(m[1]) <= column {
			return len(m[1])
		}
	}
	return -1
}
