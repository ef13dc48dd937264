//go:build linux

package behaviours

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	exitcode "k8s.io/client-go/util/exec"
	"mvdan.cc/sh/v3/shell"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// usual is how long a step waits for what Kubernetes does at once: long,
// because many cases share the machine.
const usual = 60 * time.Second

// laboratory is the cluster in which cases are tried.
type laboratory struct {
	d       *dashboard.Dashboard
	binary  string
	config  *rest.Config
	kube    *kubernetes.Clientset
	objects dynamic.Interface
	mapper  meta.RESTMapper
	world   *world
	log     *causalLog
	alone   sync.Mutex // held by the case that has node-3
}

// trial is one case being tried.
type trial struct {
	*laboratory
	namespace string
	saved     map[string]any
	dir       string // in which kubectl runs
}

// try returns why a case fails in a new namespace, or nil.
func (l *laboratory) try(ctx context.Context, c *Case, namespace string) (failed error) {
	if c.Alone {
		l.alone.Lock()
		defer l.alone.Unlock()
	}
	dir, err := os.MkdirTemp("", "ks-"+c.Name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t := &trial{l, namespace, map[string]any{}, dir}
	if _, err := l.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err := l.kube.CoreV1().Namespaces().Delete(ctx, t.namespace, metav1.DeleteOptions{})
		if err == nil && c.Alone { // the next case finds the node with all its room
			err = l.world.until(ctx, t.namespace, nil, "pods.size() == 0", usual)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("cleaning up: %w", err)
		}
	}()
	if err := t.apply(ctx, c.Given); err != nil {
		return fmt.Errorf("given: %w", err)
	}
	for i, s := range c.Steps {
		if err := t.step(ctx, s); err != nil {
			text, _ := json.Marshal(s)
			return fmt.Errorf("step %d %s: %w%s", i+1, text, err, t.situation())
		}
	}
	return nil
}

func (t *trial) step(ctx context.Context, s Step) error {
	patience := usual
	if s.Within > 0 {
		patience = time.Duration(s.Within) * time.Second
	}
	verb, err := s.verb()
	if err != nil {
		return err
	}
	switch verb {
	case "until":
		return t.world.until(ctx, t.namespace, t.saved, s.Until, patience)
	case "holds":
		return t.holds(ctx, s)
	case "ever", "never":
		return t.history(s)
	case "event":
		return again(ctx, patience, func() (bool, string, error) { return t.event(s) })
	case "told":
		program, err := compile(s.Told)
		if err != nil {
			return err
		}
		return again(ctx, patience, func() (bool, string, error) { return t.log.has(ctx, t.namespace, program) })
	case "log":
		return again(ctx, patience, func() (bool, string, error) {
			got, err := t.logOf(ctx, s)
			if err == nil {
				err = s.fits(got)
			}
			return err == nil, fmt.Sprint(err), nil
		})
	case "exec":
		return again(ctx, patience, func() (bool, string, error) {
			err := t.exec(ctx, s)
			return err == nil, fmt.Sprint(err), nil
		})
	case "kubectl":
		if !s.Again {
			return t.kubectl(ctx, s)
		}
		return again(ctx, patience, func() (bool, string, error) {
			err := t.kubectl(ctx, s)
			return err == nil, fmt.Sprint(err), nil
		})
	case "forward":
		return t.forward(ctx, s)
	case "apply":
		return t.apply(ctx, s.Apply)
	case "remember":
		for name, expression := range s.Remember {
			program, err := compile(expression)
			if err != nil {
				return err
			}
			value, _, err := program.Eval(t.world.about(t.namespace, t.saved))
			if err != nil {
				return err
			}
			t.saved[name] = value
		}
	}
	return nil
}

// apply creates objects. A namespace is younger than its default service
// account, without which no pod can be made.
func (t *trial) apply(ctx context.Context, given []map[string]any) error {
	for _, manifest := range complete(given, t.namespace) {
		o := &unstructured.Unstructured{Object: manifest}
		kind := o.GroupVersionKind()
		mapping, err := t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return err
		}
		var client dynamic.ResourceInterface = t.objects.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			client = t.objects.Resource(mapping.Resource).Namespace(t.namespace)
		}
		err = again(ctx, usual, func() (bool, string, error) {
			_, err := client.Create(ctx, o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
			if err != nil && apierrors.IsForbidden(err) && strings.Contains(err.Error(), "error looking up service account") {
				return false, err.Error(), nil
			}
			return true, "", err
		})
		if err != nil {
			return fmt.Errorf("%s %s: %w", kind.Kind, o.GetName(), err)
		}
	}
	return nil
}

func (t *trial) holds(ctx context.Context, s Step) error {
	program, err := compile(s.Holds)
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Duration(s.For) * time.Second); ; {
		ok, last, err := holds(program, t.world.about(t.namespace, t.saved))
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("it does not hold: %s", last)
		}
		if !time.Now().Before(end) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// history looks at all versions of the pod that there were.
func (t *trial) history(s Step) error {
	expression, want := s.Ever, true
	if s.Never != "" {
		expression, want = s.Never, false
	}
	program, err := compile(expression)
	if err != nil {
		return err
	}
	versions := t.world.versions(t.namespace)
	if len(versions) == 0 {
		return errors.New("there was no pod")
	}
	seen := t.world.about(t.namespace, t.saved)
	for _, version := range versions {
		seen["pod"] = version
		ok, _, err := holds(program, seen)
		if err != nil {
			return err
		}
		if ok {
			if want {
				return nil
			}
			status, _ := json.Marshal(version["status"])
			return fmt.Errorf("it was, when the status was %s", status)
		}
	}
	if want {
		return fmt.Errorf("it was not, in %d versions", len(versions))
	}
	return nil
}

func (t *trial) event(s Step) (bool, string, error) {
	about := s.About
	if about == "" {
		about = "pod"
	}
	var others []string
	times := 0
	for _, item := range t.world.about(t.namespace, nil)["events"].([]any) {
		e := item.(map[string]any)
		object, _ := e["involvedObject"].(map[string]any)
		reason, _ := e["reason"].(string)
		message, _ := e["message"].(string)
		kind, _ := e["type"].(string)
		name, _ := object["name"].(string)
		fits, err := regexp.MatchString(s.Message, message)
		if err != nil {
			return false, "", err
		}
		if ok, _ := regexp.MatchString("^(?:"+about+")$", name); ok && fits && reason == s.Event && (s.Type == "" || s.Type == kind) {
			count, _ := e["count"].(int64)
			times += max(1, int(count))
			continue
		}
		others = append(others, fmt.Sprintf("%s %s %s: %s", name, kind, reason, message))
	}
	if times >= max(1, s.Times) {
		return true, "", nil
	}
	return false, fmt.Sprintf("%d times; others: %s", times, strings.Join(others, "; ")), nil
}

// target reads POD/CONTAINER, POD, or the name of a container of the pod "pod".
func target(s string, ofContainer bool) (pod, container string) {
	if p, c, ok := strings.Cut(s, "/"); ok {
		return p, c
	}
	switch {
	case s == "":
		return "pod", ""
	case ofContainer:
		return "pod", s
	}
	return s, ""
}

func (t *trial) logOf(ctx context.Context, s Step) (string, error) {
	pod, container := target(s.Log, true)
	text, err := t.kube.CoreV1().Pods(t.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container, Previous: s.Previous}).DoRaw(ctx)
	return string(text), err
}

func (t *trial) exec(ctx context.Context, s Step) error {
	pod, container := target(s.In, false)
	request := t.kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(t.namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: []string{"sh", "-c", t.write(s.Exec)}, Stdout: true, Stderr: !s.TTY, TTY: s.TTY}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(t.config, "GET", request.URL().String())
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var both output
	streams := remotecommand.StreamOptions{Stdout: &both, Tty: s.TTY}
	if !s.TTY { // a terminal has one output
		streams.Stderr = &both
	}
	err = executor.StreamWithContext(soon, streams)
	return s.outcome(both.String(), err)
}

// output collects what two streams bring.
type output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// write puts the case's namespace and what it has saved into a command.
func (t *trial) write(command string) string {
	command = strings.ReplaceAll(command, "<namespace>", t.namespace)
	for name, value := range t.saved {
		command = strings.ReplaceAll(command, "<saved."+name+">", fmt.Sprint(value))
	}
	return command
}

// outcome compares the exit status and what was printed.
func (s Step) outcome(got string, err error) error {
	status := 0
	var exit exitcode.CodeExitError
	var process *exec.ExitError
	switch {
	case errors.As(err, &exit):
		status = exit.Code
	case errors.As(err, &process):
		status = process.ExitCode()
	case err != nil:
		return err
	}
	want := 0
	if s.Exit != nil {
		want = *s.Exit
	}
	if status != want {
		return fmt.Errorf("exit status %d, want %d: %s", status, want, got)
	}
	return s.fits(got)
}

func (t *trial) kubectl(ctx context.Context, s Step) error {
	words, err := shell.Fields(t.write(s.Kubectl), nil)
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(soon, t.binary, append([]string{"kubectl", "--data-dir", t.d.Dir, "-n", t.namespace}, words...)...)
	command.Dir = t.dir
	command.Stdin = strings.NewReader(s.Stdin)
	got, err := command.CombinedOutput()
	return s.outcome(string(got), err)
}

// forward asks a port of the pod through kubectl port-forward.
func (t *trial) forward(ctx context.Context, s Step) error {
	soon, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	command := exec.CommandContext(soon, t.binary, "kubectl", "--data-dir", t.d.Dir, "-n", t.namespace, "port-forward", "pod/pod", fmt.Sprintf(":%d", s.Forward))
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	defer command.Wait()
	defer cancel()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("kubectl port-forward said %q: %w", line, err)
	}
	address, _, ok := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " -> ")
	if !ok {
		return fmt.Errorf("kubectl port-forward said %q", line)
	}
	refused := s.Exit != nil && *s.Exit != 0
	response, err := http.Get("http://" + address)
	if err != nil {
		if refused {
			return nil
		}
		return err
	}
	defer response.Body.Close()
	text, err := httputil.DumpResponse(response, true)
	if err == nil && refused {
		err = fmt.Errorf("port %d answered %q", s.Forward, text)
	}
	if err != nil {
		return err
	}
	return s.fits(string(text))
}

// situation is what the pods look like when a step has failed.
func (t *trial) situation() string {
	pods, _ := t.world.about(t.namespace, nil)["pods"].(map[string]any)
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(pods)) {
		status, _ := json.Marshal(pods[name].(map[string]any)["status"])
		fmt.Fprintf(&all, "\n    status of the pod %s: %s", name, status)
	}
	return all.String()
}

// causalLog is what /api/events has told, read further when somebody asks.
type causalLog struct {
	d      *dashboard.Dashboard
	mu     sync.Mutex // guards all below
	after  uint64
	read   time.Time
	events map[string][]map[string]any
}

// has says whether a namespace has an event e for which an expression is true.
func (l *causalLog) has(ctx context.Context, namespace string, expression cel.Program) (bool, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.read) > 500*time.Millisecond {
		events, err := l.d.Events(ctx, l.after)
		if err != nil {
			return false, "", err
		}
		for _, event := range events {
			l.after = event.Seq
			if event.Object == nil {
				continue
			}
			text, err := json.Marshal(event)
			if err != nil {
				return false, "", err
			}
			var e map[string]any
			if err := json.Unmarshal(text, &e); err != nil {
				return false, "", err
			}
			l.events[event.Object.Namespace] = append(l.events[event.Object.Namespace], e)
		}
		l.read = time.Now()
	}
	for _, e := range l.events[namespace] {
		if ok, _, err := holds(expression, map[string]any{"e": e}); ok || err != nil {
			return ok, "", err
		}
	}
	return false, fmt.Sprintf("none of %d events", len(l.events[namespace])), nil
}
