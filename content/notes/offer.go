package notes

import (
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Offer is how a manifest may have been meant that does not decode as it
// stands. The note keeps its own lines; nothing is changed for anybody.
type Offer struct {
	Lines []string
	// Rebuilt: line breaks were lost, and Lines were written anew. Otherwise Lines
	// are those of the block, some of them moved.
	Rebuilt    bool
	Known, All int // of a rebuilt manifest: how many of its words have a sure place
}

// mend moves the keys of list items that stand under their dash to where the
// item's first key is, until the manifest decodes. Lines are only ever indented, so
// comments and empty lines stay where they are.
func mend(lines []string) ([]string, bool) {
	lines = append([]string(nil), lines...)
	for range 50 {
		var any map[string]any
		misplaced, ok := misplacedKey(lines)
		if !ok {
			return lines, yaml.UnmarshalStrict([]byte(strings.Join(lines, "\n")), &any) == nil
		}
		column, _ := indent(lines[misplaced.line])
		shift := strings.Repeat(" ", misplaced.by)
		above := "" // the key a list at this column would hang on
		for i := misplaced.line; i < len(lines); i++ {
			at, rest := indent(lines[i])
			if rest == "" {
				continue
			}
			nextItem := at == column && strings.HasPrefix(rest, "- ") && above == ""
			if at < column || nextItem {
				break
			}
			lines[i] = shift + lines[i]
			if strings.HasSuffix(rest, ":") && at == column {
				above = rest
			} else if !strings.HasPrefix(rest, "- ") && at == column {
				above = ""
			}
		}
	}
	return nil, false
}

type misplacement struct{ line, by int }

// onlyInItems are fields that only ever stand in an item of a list, beside the
// key the item begins with.
var onlyInItems = regexp.MustCompile(`^[ ]*(?:protocol|hostPort|hostIP|targetPort|nodePort|mountPath|readOnly|subPath|valueFrom):`)

func misplacedKey(lines []string) (misplacement, bool) {
	if s, ok := slipped(lines); ok {
		column, _ := indent(lines[s.line])
		moved, _ := indent(s.rather)
		return misplacement{s.line, moved - column}, true
	}
	for i := 1; i < len(lines); i++ {
		m := itemKey.FindStringSubmatch(lines[i-1])
		if column, _ := indent(lines[i]); m != nil && column == len(m[1]) && onlyInItems.MatchString(lines[i]) {
			return misplacement{i, 1 + len(m[2])}, true
		}
	}
	return misplacement{}, false
}

// The shapes of what notes are about: a type a line, its fields behind it. A
// field is a single value unless its type stands behind a colon: map, a list
// ([] and what is in it), or another shape. They tell where a field belongs when
// the line breaks that said so are lost.
const shapes = `
Object apiVersion kind metadata:Meta spec:Spec status:Spec data:map stringData:map type subsets:[]Any
Meta name generateName namespace labels:map annotations:map creationTimestamp resourceVersion uid
Spec replicas selector:Selector template:Template strategy:Strategy minReadySeconds revisionHistoryLimit serviceName schedule completions parallelism backoffLimit jobTemplate:Template suspend containers:[]Container initContainers:[]Container volumes:[]Volume restartPolicy nodeName nodeSelector:map hostNetwork hostPID priorityClassName priority serviceAccountName terminationGracePeriodSeconds dnsPolicy enableServiceLinks schedulerName tolerations:[]Toleration imagePullSecrets:[]Named securityContext:Security ports:[]ServicePort clusterIP type externalName
Selector matchLabels:map
Template metadata:Meta spec:Spec
Strategy type rollingUpdate:Rolling
Rolling maxSurge maxUnavailable
Container name image imagePullPolicy command:[] args:[] workingDir ports:[]Port env:[]Env envFrom:[]From resources:Resources volumeMounts:[]Mount livenessProbe:Probe readinessProbe:Probe startupProbe:Probe securityContext:Security stdin tty terminationMessagePath terminationMessagePolicy
Port containerPort name protocol hostPort hostIP
ServicePort port targetPort nodePort name protocol
Env name value
From configMapRef:Named secretRef:Named
Named name
Resources requests:map limits:map
Mount mountPath name readOnly subPath
Probe httpGet:Get exec:Exec tcpSocket:Get failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds
Get host path port scheme
Exec command:[]
Security seccompProfile:Typed runAsUser runAsGroup runAsNonRoot privileged
Typed type localhostProfile
Volume name hostPath:HostPath emptyDir:map configMap:NamedMap secret:NamedSecret
HostPath path type
NamedMap name defaultMode
NamedSecret secretName defaultMode
Toleration key operator value effect tolerationSeconds
Any name
`

// shapeOf is the shapes, read: type → field → the field's type.
var shapeOf = func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(shapes), "\n") {
		words := strings.Fields(line)
		fields := map[string]string{}
		for _, w := range words[1:] {
			name, kind, _ := strings.Cut(w, ":")
			fields[name] = kind
		}
		all[words[0]] = fields
	}
	return all
}()

// flags writes the arguments of a command anew that stand below it as bullets.
func flags(lines []string) ([]string, bool) {
	top, rest := indent(lines[0])
	name, _ := cutBullet(rest)
	out := []string{name}
	for _, l := range lines[1:] {
		column, rest := indent(l)
		text, bullet := cutBullet(rest)
		if !bullet || column <= top {
			break
		}
		if flag, ok := strings.CutPrefix(text, "–"); ok {
			text = "--" + flag
		}
		out = append(out, "- "+scalar(text))
	}
	return out, len(out) > 1
}

// rebuild writes a manifest anew whose line breaks were lost. It takes the words
// in their order and asks at each which of the open objects has such a field.
func rebuild(text string) (Offer, bool) {
	r := &rebuilder{offer: Offer{Rebuilt: true}}
	for _, w := range strings.Fields(text) {
		if strings.Trim(w, "•‣◦▪") == "" && w != "" || w == "-" || w == "–" {
			w = "-"
		} else if strings.HasPrefix(w, "–") && len(w) > len("–") {
			w = "--" + strings.TrimPrefix(w, "–") // an option, by its look
		}
		r.words = append(r.words, w)
	}
	r.object("Object", 0, false)
	if r.offer.All = len(r.words); r.at < len(r.words) {
		r.offer.Known = r.at
	} else {
		r.offer.Known = r.offer.All - r.lost
	}
	var any map[string]any
	err := yaml.UnmarshalStrict([]byte(strings.Join(r.offer.Lines, "\n")), &any)
	return r.offer, err == nil && len(any) > 1 && r.at == len(r.words)
}

type rebuilder struct {
	words []string
	at    int
	lost  int
	open  []string // the shapes of the objects that are open, the outermost first
	offer Offer
}

// key returns the field the next word names, if it looks like one.
func (r *rebuilder) key() string {
	if r.at < len(r.words) {
		if k, ok := strings.CutSuffix(r.words[r.at], ":"); ok {
			return k
		}
	}
	return ""
}

func (r *rebuilder) write(depth int, item bool, text string) {
	lead := strings.Repeat("  ", depth)
	if item {
		lead = strings.Repeat("  ", depth-1) + "- "
	}
	r.offer.Lines = append(r.offer.Lines, lead+text)
}

// object takes fields of one shape. The first of a list's item stands behind
// its dash.
func (r *rebuilder) object(shape string, depth int, item bool) {
	r.open = append(r.open, shape)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	seen := map[string]bool{}
	for {
		k := r.key()
		kind, known := shapeOf[shape][k]
		if k == "" || !known || seen[k] {
			return
		}
		seen[k] = true
		r.at++
		switch {
		case kind == "":
			r.write(depth, item, k+": "+r.value())
		case kind == "map":
			r.write(depth, item, k+":")
			r.entries(depth + 1)
		case strings.HasPrefix(kind, "[]"):
			r.write(depth, item, k+":")
			r.list(strings.TrimPrefix(kind, "[]"), depth+1)
		default:
			r.write(depth, item, k+":")
			n := len(r.offer.Lines)
			r.object(kind, depth+1, false)
			if len(r.offer.Lines) == n {
				r.offer.Lines[n-1] += " " + r.value() // as in status: {}
			}
		}
		item = false
	}
}

// list takes items, each behind a dash.
func (r *rebuilder) list(shape string, depth int) {
	for r.at < len(r.words) && r.words[r.at] == "-" {
		if shape == "" {
			if next := r.at + 1; next >= len(r.words) || r.isField(next) {
				return
			}
			r.at++
			r.write(depth, true, r.value())
			continue
		}
		next := r.at + 1
		if next >= len(r.words) {
			return
		}
		if _, ours := shapeOf[shape][strings.TrimSuffix(r.words[next], ":")]; !ours || !strings.HasSuffix(r.words[next], ":") {
			return // an item of a list further out
		}
		r.at++
		r.object(shape, depth, true)
	}
}

// entries takes the entries of a map, whose keys are anybody's.
func (r *rebuilder) entries(depth int) {
	n := len(r.offer.Lines)
	for k := r.key(); k != "" && !r.isField(r.at); k = r.key() {
		r.at++
		r.write(depth, false, k+": "+r.value())
	}
	if len(r.offer.Lines) > n {
		return
	}
	if v := r.value(); v == `""` {
		r.offer.Lines[n-1] += " {}"
	} else {
		r.offer.Lines[n-1] += " " + v
	}
}

// isField reports whether a word names a field of an open object.
func (r *rebuilder) isField(at int) bool {
	k, ok := strings.CutSuffix(r.words[at], ":")
	if !ok {
		return false
	}
	for _, shape := range r.open {
		if _, known := shapeOf[shape][k]; known {
			return true
		}
	}
	return false
}

// value takes words up to the next field or item.
func (r *rebuilder) value() string {
	begin := r.at
	for r.at < len(r.words) && r.words[r.at] != "-" && !strings.HasSuffix(r.words[r.at], ":") {
		r.at++
	}
	text := strings.Join(r.words[begin:r.at], " ")
	if len(r.words[begin:r.at]) > 1 {
		r.lost += r.at - begin - 1 // one value of many words: perhaps not one
	}
	return scalar(text)
}

// scalar writes a value so that it is read back as it stands.
func scalar(text string) string {
	if text == "{}" || text == "[]" || text == "null" {
		return text
	}
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `'`) {
		return text
	}
	var any map[string]any
	if err := yaml.Unmarshal([]byte("v: "+text), &any); text == "" || err != nil || strings.Contains(text, " #") {
		out, _ := yaml.Marshal(text) // a string always marshals
		return strings.TrimSpace(string(out))
	}
	return text
}
