package behaviours

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed cases/*.yaml
var files embed.FS

// Case is one row of the table.
type Case struct {
	File    string           `json:"-"`
	Name    string           `json:"name"`
	Promise string           `json:"promise"`
	Differs string           `json:"differs,omitempty"` // why it is known not to be kept
	Alone   bool             `json:"alone,omitempty"`   // it does things to node-3, where only such cases put pods, one at a time
	Lasts   int              `json:"lasts,omitempty"`   // seconds it takes by Kubernetes' own clocks; the longest begin first
	Given   []map[string]any `json:"given"`
	Steps   []Step           `json:"steps"`
}

// Step is something done or something awaited; just one of the first fields is set.
type Step struct {
	Until    string            `json:"until,omitempty"`
	Holds    string            `json:"holds,omitempty"`
	Ever     string            `json:"ever,omitempty"`
	Never    string            `json:"never,omitempty"`
	Event    string            `json:"event,omitempty"`
	Told     string            `json:"told,omitempty"`
	Log      string            `json:"log,omitempty"`
	Exec     string            `json:"exec,omitempty"`
	Kubectl  string            `json:"kubectl,omitempty"`
	Forward  int               `json:"forward,omitempty"`
	Apply    []map[string]any  `json:"apply,omitempty"`
	Remember map[string]string `json:"remember,omitempty"`

	For      int    `json:"for,omitempty"`      // holds
	Within   int    `json:"within,omitempty"`   // seconds of patience, if not the usual
	About    string `json:"about,omitempty"`    // event: the name of the object
	Message  string `json:"message,omitempty"`  // event: a regular expression
	Type     string `json:"type,omitempty"`     // event: Normal or Warning
	Times    int    `json:"times,omitempty"`    // event: at least
	Previous bool   `json:"previous,omitempty"` // log
	In       string `json:"in,omitempty"`       // exec: POD or POD/CONTAINER
	TTY      bool   `json:"tty,omitempty"`      // exec: at a terminal
	Stdin    string `json:"stdin,omitempty"`    // kubectl
	Exit     *int   `json:"exit,omitempty"`     // kubectl, exec, forward; 0 when left out
	Again    bool   `json:"again,omitempty"`    // kubectl: until it fits

	Prints  *string  `json:"prints,omitempty"`
	Has     []string `json:"has,omitempty"`
	Lacks   []string `json:"lacks,omitempty"`
	Matches string   `json:"matches,omitempty"`
}

// verb names what a step does.
func (s Step) verb() (string, error) {
	var verbs []string
	for name, set := range map[string]bool{
		"until": s.Until != "", "holds": s.Holds != "", "ever": s.Ever != "", "never": s.Never != "", "event": s.Event != "", "told": s.Told != "",
		"log": s.Log != "", "exec": s.Exec != "", "kubectl": s.Kubectl != "", "forward": s.Forward != 0, "apply": s.Apply != nil, "remember": s.Remember != nil,
	} {
		if set {
			verbs = append(verbs, name)
		}
	}
	if len(verbs) != 1 {
		return "", fmt.Errorf("a step does one thing, not %d: %v", len(verbs), verbs)
	}
	return verbs[0], nil
}

// fits compares what a step got with what it says about it.
func (s Step) fits(got string) error {
	if s.Prints != nil && strings.TrimSpace(got) != strings.TrimSpace(*s.Prints) {
		return fmt.Errorf("got %q, want %q", got, *s.Prints)
	}
	for _, part := range s.Has {
		if !strings.Contains(got, part) {
			return fmt.Errorf("%q is not in %q", part, got)
		}
	}
	for _, part := range s.Lacks {
		if strings.Contains(got, part) {
			return fmt.Errorf("%q is in %q", part, got)
		}
	}
	if s.Matches != "" {
		if ok, err := regexp.MatchString(s.Matches, got); err != nil || !ok {
			return fmt.Errorf("%q does not match %q", got, s.Matches)
		}
	}
	return nil
}

// load reads all cases and checks what can be checked without a cluster.
func load() ([]*Case, error) {
	entries, err := files.ReadDir("cases")
	if err != nil {
		return nil, err
	}
	var all []*Case
	seen := map[string]string{}
	for _, entry := range entries {
		text, err := files.ReadFile("cases/" + entry.Name())
		if err != nil {
			return nil, err
		}
		var cases []*Case
		if err := yaml.UnmarshalStrict(text, &cases); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		for _, c := range cases {
			c.File = strings.TrimSuffix(entry.Name(), ".yaml")
			if err := c.check(); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.File, c.Name, err)
			}
			if other, ok := seen[c.Name]; ok {
				return nil, fmt.Errorf("%s: there is a case %s in %s, too", c.File, c.Name, other)
			}
			seen[c.Name] = c.File
		}
		all = append(all, cases...)
	}
	return all, nil
}

var caseName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,44}[a-z0-9])?$`)

func (c *Case) check() error {
	switch {
	case !caseName.MatchString(c.Name):
		return fmt.Errorf("a case is named like a namespace: short, lower case, with dashes")
	case c.Promise == "":
		return fmt.Errorf("it promises nothing")
	case len(c.Steps) == 0:
		return fmt.Errorf("it has no steps, so it cannot fail")
	}
	for i, s := range c.Steps {
		verb, err := s.verb()
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		for _, expression := range append([]string{s.Until, s.Holds, s.Ever, s.Never, s.Told}, values(s.Remember)...) {
			if expression == "" {
				continue
			}
			if _, err := compile(expression); err != nil {
				return fmt.Errorf("step %d: %s: %w", i+1, verb, err)
			}
		}
		if _, err := regexp.Compile(s.Matches + s.Message); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func values(m map[string]string) []string {
	var list []string
	for _, v := range m {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}

// complete makes whole manifests of what a case gives: short forms are written
// out, and <namespace> becomes the case's own.
func complete(given []map[string]any, namespace string) []map[string]any {
	var whole []map[string]any
	for _, object := range given {
		o := replace(object, namespace).(map[string]any)
		kind, _ := o["kind"].(string)
		if _, ok := o["apiVersion"]; !ok {
			o["apiVersion"] = versions[kind]
		}
		meta := inner(o, "metadata")
		if meta["name"] == nil && meta["generateName"] == nil {
			meta["name"] = strings.ToLower(kind)
		}
		switch kind {
		case "Pod":
			completePod(inner(o, "spec"))
		case "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet":
			spec := inner(o, "spec")
			labels := map[string]any{"app": meta["name"]}
			if spec["selector"] == nil {
				spec["selector"] = map[string]any{"matchLabels": labels}
				inner(inner(spec, "template"), "metadata")["labels"] = labels
			}
			completePod(inner(inner(spec, "template"), "spec"))
		case "Job":
			completePod(inner(inner(inner(o, "spec"), "template"), "spec"))
		case "CronJob":
			completePod(inner(inner(inner(inner(inner(o, "spec"), "jobTemplate"), "spec"), "template"), "spec"))
		}
		whole = append(whole, o)
	}
	return whole
}

var versions = map[string]string{
	"Pod": "v1", "Service": "v1", "ConfigMap": "v1", "Secret": "v1", "Namespace": "v1", "ServiceAccount": "v1", "LimitRange": "v1", "ResourceQuota": "v1",
	"PersistentVolume": "v1", "PersistentVolumeClaim": "v1", "Endpoints": "v1", "ReplicationController": "v1",
	"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
	"Job": "batch/v1", "CronJob": "batch/v1", "PodDisruptionBudget": "policy/v1", "PriorityClass": "scheduling.k8s.io/v1",
	"RuntimeClass": "node.k8s.io/v1", "HorizontalPodAutoscaler": "autoscaling/v2", "EndpointSlice": "discovery.k8s.io/v1",
}

func completePod(spec map[string]any) {
	for field, name := range map[string]string{"initContainers": "init", "containers": "main"} {
		list, _ := spec[field].([]any)
		for i, item := range list {
			c, ok := item.(map[string]any)
			if !ok {
				continue
			}
			if c["name"] == nil {
				c["name"] = name
				if i > 0 {
					c["name"] = fmt.Sprintf("%s-%d", name, i+1)
				}
			}
			if c["image"] == nil {
				c["image"] = "busybox"
			}
			if script, ok := c["sh"]; ok {
				delete(c, "sh")
				c["command"] = []any{"sh", "-c", script}
			}
		}
	}
	if spec["terminationGracePeriodSeconds"] == nil {
		spec["terminationGracePeriodSeconds"] = int64(1) // most cases are not about it, and the shell does not end by itself
	}
}

func inner(o map[string]any, field string) map[string]any {
	m, ok := o[field].(map[string]any)
	if !ok {
		m = map[string]any{}
		o[field] = m
	}
	return m
}

// replace copies a value with <namespace> replaced, and whole numbers as the
// Kubernetes client wants them.
func replace(v any, namespace string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "<namespace>", namespace)
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
		return v
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = replace(v[i], namespace)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[strings.ReplaceAll(k, "<namespace>", namespace)] = replace(x, namespace)
		}
		return m
	}
	return v
}
