package content

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Action is one thing that is done: a kubectl command, or an order to a part of
// the cluster. Exactly one of Run and Order is set.
type Action struct {
	Run     string // one kubectl command line
	Stdin   string // manifest for -f -, as the learner sees it
	Refused bool   // the command has to fail: what is shown is the refusal
	Order   *Order
}

// Order is what a person does to a component's process or to a link.
type Order struct {
	Verb  string // stop, kill, freeze, thaw or start a component; cut, delay or heal a link
	Of    string // the component or the link; may hold {captures}
	Delay time.Duration
}

// ToLink reports whether it is a link that the order is about.
func (o Order) ToLink() bool { return o.Verb == "cut" || o.Verb == "delay" || o.Verb == "heal" }

// shared reports whether it touches what everybody uses.
func (a Action) shared() bool { return a.Order != nil || keepsPodsAway.MatchString(a.Run) }

var keepsPodsAway = regexp.MustCompile(`^kubectl (cordon|uncordon|drain|taint) `)

// Line is the action as a reader sees it.
func (a Action) Line() string {
	if a.Order == nil {
		return a.Run
	}
	line := a.Order.Verb + " " + a.Order.Of
	if a.Order.Delay > 0 {
		line += " " + a.Order.Delay.String()
	}
	return line
}

// Fill puts captured values into their {places}. Braces around anything else
// stay: JSONPath and JSON have them, too.
func (a Action) Fill(values map[string]string) Action {
	fill := func(text string) string {
		return placeForm.ReplaceAllStringFunc(text, func(place string) string {
			if value, ok := values[strings.Trim(place, "{}")]; ok {
				return value
			}
			return place
		})
	}
	a.Run, a.Stdin = fill(a.Run), fill(a.Stdin)
	if a.Order != nil {
		order := *a.Order
		order.Of = fill(order.Of)
		a.Order = &order
	}
	return a
}

// actionFile is an action in scene.yaml.
type actionFile struct {
	Run     string `json:"run"`
	Stdin   string `json:"stdin"`
	Refused bool   `json:"refused"`
	Order   string `json:"order"`
}

// sampleNamespace stands for the learner's when a manifest is checked.
const sampleNamespace = "chapter-abcd"

// parse returns nil when there is nothing to do.
func (f actionFile) parse() (*Action, error) {
	if f == (actionFile{}) {
		return nil, nil
	}
	a := &Action{Run: strings.TrimSpace(f.Run), Stdin: f.Stdin, Refused: f.Refused}
	switch {
	case f.Run != "" && f.Order != "":
		return nil, errors.New("has both run and order: choose one")
	case f.Order != "":
		if f.Stdin != "" || f.Refused {
			return nil, errors.New("stdin and refused belong to run, not to order")
		}
		order, err := parseOrder(f.Order)
		a.Order = order
		return a, err
	case f.Run == "":
		return nil, errors.New("stdin and refused need a run")
	case !strings.HasPrefix(a.Run, "kubectl ") || strings.Contains(a.Run, "\n"):
		return nil, fmt.Errorf("run: %q is not one line that begins with kubectl", a.Run)
	}
	if reads := readsStdin.MatchString(a.Run); reads != (f.Stdin != "") {
		return nil, errors.New("run: stdin is what -f - reads: give both or neither")
	}
	if f.Stdin != "" && !f.Refused {
		if err := checkManifest(a.Fill(map[string]string{"ns": sampleNamespace}).Stdin); err != nil {
			return nil, fmt.Errorf("stdin: %w", err)
		}
	}
	return a, nil
}

var readsStdin = regexp.MustCompile(`\s(-f|--filename)[ =]-(\s|$)`)

var (
	componentForm = regexp.MustCompile(`^(etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet:(node-\d+|\{[a-zA-Z0-9]+\}))$`)
	linkForm      = regexp.MustCompile(`^(etcd|kube-controller-manager|kube-scheduler|kubectl|kubelet:(node-\d+|\{[a-zA-Z0-9]+\}))$`)
)

func parseOrder(text string) (*Order, error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return nil, fmt.Errorf("order: %q is not an order, as in `stop kube-scheduler` or `delay etcd 300ms`", text)
	}
	o := &Order{Verb: words[0], Of: words[1]}
	rest := words[2:]
	switch o.Verb {
	case "stop", "kill", "freeze", "thaw", "start":
		if !componentForm.MatchString(o.Of) {
			return nil, fmt.Errorf("order: %q is not a component", o.Of)
		}
	case "cut", "delay", "heal":
		if !linkForm.MatchString(o.Of) {
			return nil, fmt.Errorf("order: %q is not a link", o.Of)
		}
	default:
		return nil, fmt.Errorf("order: %q is neither stop, kill, freeze, thaw, start (a component) nor cut, delay, heal (a link)", o.Verb)
	}
	if o.Verb == "delay" {
		var err error
		if len(rest) == 1 {
			o.Delay, err = time.ParseDuration(rest[0])
		}
		if err != nil || o.Delay <= 0 || o.Delay > time.Minute {
			return nil, fmt.Errorf("order: %q needs one time of at most a minute, as in `delay etcd 300ms`", text)
		}
		rest = nil
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("order: %q has a word too many", text)
	}
	return o, nil
}

// parseActions reads a list of which every entry does something.
func parseActions(what string, list []actionFile, say func(string, ...any)) (out []Action) {
	for i, f := range list {
		a, err := f.parse()
		switch {
		case err != nil:
			say("%s %d: %w", what, i+1, err)
		case a == nil:
			say("%s %d: does nothing", what, i+1)
		default:
			out = append(out, *a)
		}
	}
	return out
}
