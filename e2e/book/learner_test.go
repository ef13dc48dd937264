//go:build linux

package book

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"
)

// action is what a scene, a solution or a wrong way does.
type action struct {
	Run, Stdin, Order string
	Refused           bool
}

// scene is what /api/scenes tells of one.
type scene struct {
	ID         string
	Covers     []string
	Alone      bool
	Namespace  string
	Checkpoint bool
	Solution   []action
	Wrong      []action
	Lines      []line
}

// line is a kubectl line of the text.
type line struct {
	Line  string
	Fails bool
	Skip  string
}

// learner is somebody with a browser of their own.
type learner struct {
	address string
	client  *http.Client
}

func newLearner(address string) *learner {
	jar, _ := cookiejar.New(nil)
	return &learner{strings.TrimSuffix(address, "/"), &http.Client{Jar: jar}}
}

// do returns the answer's body while it comes; an answer that is no 2xx is an error.
func (l *learner) do(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, l.address+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		defer answer.Body.Close()
		why, _ := io.ReadAll(answer.Body)
		return nil, fmt.Errorf("%s %s: %s %s", method, path, answer.Status, bytes.TrimSpace(why))
	}
	return answer.Body, nil
}

func (l *learner) read(ctx context.Context, method, path string, body, into any) error {
	answer, err := l.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	return json.NewDecoder(answer).Decode(into)
}

func (l *learner) scenes(ctx context.Context) (all []scene, err error) {
	return all, l.read(ctx, "GET", "/api/scenes", nil, &all)
}

// told is a line of a run.
type told struct {
	Type, Step, Line, Why, Error, Hint, Data, Stream string
	Says                                             map[string]string
	Exit                                             int
	True                                             bool
}

// outcome is what a run told.
type outcome struct {
	facts   []string
	claimed int
	untrue  []string // assertions that the log does not bear out
}

// run runs a scene to its end.
func (l *learner) run(ctx context.Context, id string) (outcome, error) {
	var out outcome
	answer, err := l.do(ctx, "POST", "/api/scenes/"+id+"/run", map[string]string{"lang": "en"})
	if err != nil {
		return out, err
	}
	defer answer.Close()
	lines := bufio.NewScanner(answer)
	lines.Buffer(nil, 4<<20)
	printed := ""
	for lines.Scan() {
		var t told
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return out, fmt.Errorf("%w in %s", err, lines.Text())
		}
		switch t.Type {
		case "command":
			printed = "$ " + t.Line + "\n"
		case "output":
			printed += t.Data
		case "fact":
			out.facts = append(out.facts, t.Step)
		case "assert":
			out.claimed++
			if !t.True {
				out.untrue = append(out.untrue, strings.TrimSpace(t.Says["en"]+" "+t.Why))
			}
		case "error":
			return out, fmt.Errorf("%s %s (step %q; reached: %s)\n%s", t.Error, t.Hint, t.Step, strings.Join(out.facts, " "), printed)
		case "done":
			return out, nil
		}
	}
	return out, errors.Join(lines.Err(), errors.New("the answer broke off"))
}

// check asks for the checkpoint; missing is the first fact that is.
func (l *learner) check(ctx context.Context, id string) (passed bool, missing string, err error) {
	var answer struct {
		Passed  bool
		Missing string
	}
	err = l.read(ctx, "POST", "/api/scenes/"+id+"/checkpoint", map[string]string{}, &answer)
	return answer.Passed, answer.Missing, err
}

// kubectl runs a line in the console of a chapter's page. A command that is still
// running after patience is ended; then stays is true.
func (l *learner) kubectl(ctx context.Context, id, command, stdin string, patience time.Duration) (exit int, output string, stays bool, err error) {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := l.do(soon, "POST", "/api/kubectl", map[string]string{"command": command, "stdin": stdin, "chapter": id, "lang": "en"})
	if err != nil {
		return 0, "", soon.Err() != nil && ctx.Err() == nil, err
	}
	defer answer.Close()
	exit = -1
	lines := json.NewDecoder(answer)
	for {
		var piece struct {
			Data string
			Exit *int
		}
		if err := lines.Decode(&piece); err != nil {
			if soon.Err() != nil && ctx.Err() == nil {
				return 0, output, true, nil
			}
			if errors.Is(err, io.EOF) && exit >= 0 {
				return exit, output, false, nil
			}
			return exit, output, false, err
		}
		output += piece.Data
		if piece.Exit != nil {
			exit = *piece.Exit
		}
	}
}

// act does what a solution says.
func (l *learner) act(ctx context.Context, id string, all []action) error {
	for _, a := range all {
		if a.Order != "" {
			if err := l.order(ctx, strings.Fields(a.Order)); err != nil {
				return err
			}
			continue
		}
		exit, output, stays, err := l.kubectl(ctx, id, a.Run, a.Stdin, 2*time.Minute)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", a.Run, err)
		case stays:
			return fmt.Errorf("%s: does not end:\n%s", a.Run, output)
		case (exit != 0) != a.Refused:
			return fmt.Errorf("%s: ended with %d:\n%s", a.Run, exit, output)
		}
	}
	return nil
}

// order gives one as the page's controls do.
func (l *learner) order(ctx context.Context, words []string) error {
	body := map[string]string{"confirm": words[1], "lang": "en"}
	path := "/api/components/"
	switch words[0] {
	case "delay":
		body["delay"] = words[2]
		fallthrough
	case "cut", "heal":
		path = "/api/links/"
	}
	var is any
	return l.read(ctx, "POST", path+words[1]+"/"+words[0], body, &is)
}
