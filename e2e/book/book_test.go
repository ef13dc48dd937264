//go:build linux

package book

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

var (
	address = flag.String("address", "", "of a dashboard that runs; without it, one is started")
	only    = flag.String("only", "", "play only the chapters whose id this regular expression matches whole")
	record  = flag.Bool("record", false, "write the runs to content/recordings")
)

// atOnce is how many scenes are played side by side, each by a learner of its own.
const atOnce = 3

// patience is how long a solution's consequences may take to be in the log.
const patience = 45 * time.Second

// Every scene of the book can be played, and what its text says is true.
func TestRealScenes(t *testing.T) {
	at := open(t)
	all, err := newLearner(at).scenes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile("^(" + *only + ")$")
	if *only != "" {
		all = slices.DeleteFunc(all, func(s scene) bool { return !pattern.MatchString(s.ID) })
	}
	if len(all) == 0 {
		t.Fatalf("no chapter's id matches %q", *only)
	}
	results := make([]result, len(all))
	var players sync.WaitGroup
	free := make(chan struct{}, atOnce)
	var alone sync.RWMutex // held by a scene that touches what everybody uses
	for i, s := range all {
		players.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if s.Alone {
				alone.Lock()
				defer alone.Unlock()
			} else {
				alone.RLock()
				defer alone.RUnlock()
			}
			results[i] = play(t.Context(), at, s)
			fmt.Println(results[i].line())
		})
	}
	players.Wait()
	// What takes too long beside others on two cores may be right by itself;
	// what the log does not bear out is wrong wherever it was seen.
	for i, r := range results {
		if len(r.wrong) == 0 || len(r.outcome.untrue) > 0 {
			continue
		}
		results[i] = play(t.Context(), at, r.scene)
		results[i].beside = r.wrong
		fmt.Println(results[i].line())
	}
	report(t, at, results)
	for _, r := range results {
		t.Run(r.scene.ID, func(t *testing.T) {
			for _, err := range r.wrong {
				t.Error(err)
			}
		})
	}
}

// shared is the dashboard of all tests here, when none was given.
var shared struct {
	once sync.Once
	d    *dashboard.Dashboard
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.d != nil {
		if _, err := shared.d.Stop(); err != nil {
			fmt.Println(err)
			code = max(code, 1)
		}
	}
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// open returns the address of a dashboard whose cluster is ready.
func open(t *testing.T) string {
	t.Helper()
	if *address != "" {
		return *address
	}
	binary := dashboard.Binary()
	if binary == "" {
		t.Skip("KUBESTAGE_BINARY names no binary to test; `make test` builds one and names it")
	}
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "ks"); shared.err != nil { // a short path, as unix sockets demand
			return
		}
		if shared.d, shared.err = dashboard.Start(dashboard.Options{Binary: binary, Dir: filepath.Join(shared.dir, "data"), Args: []string{"--nodes", "3"}}); shared.err == nil {
			shared.err = shared.d.ReadyWithin(context.Background(), 3*time.Minute)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.d.URL
}

// result is what came of a chapter.
type result struct {
	scene   scene
	outcome outcome
	lines   int // of the text that were run
	took    time.Duration
	wrong   []error
	beside  []error // what was wrong beside other scenes, when it was played again alone
}

// play does with a chapter what a learner does, and what one does wrong.
func play(ctx context.Context, at string, s scene) (r result) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	defer func(began time.Time) { r.took = time.Since(began) }(time.Now())
	r.scene = s
	fail := func(format string, args ...any) { r.wrong = append(r.wrong, fmt.Errorf(format, args...)) }
	l := newLearner(at)
	own, err := l.scenes(ctx)
	if err != nil {
		fail("%w", err)
		return r
	}
	// The same scene, with this learner's namespace in it.
	s = own[slices.IndexFunc(own, func(o scene) bool { return o.ID == s.ID })]

	if s.Checkpoint {
		// Another way to the same end, by another learner, is no pass.
		if len(s.Wrong) > 0 {
			if err := goWrong(ctx, at, s.ID); err != nil {
				fail("the wrong way: %w", err)
			}
		}
		if passed, _, err := l.check(ctx, s.ID); err != nil || passed {
			fail("the checkpoint is passed before anything was done (%v)", err)
		}
	}
	if r.outcome, err = l.run(ctx, s.ID); err != nil {
		fail("the scene: %w", err)
		return r
	}
	for _, claim := range r.outcome.untrue {
		fail("the log of the run does not bear out: %s", claim)
	}
	if *record {
		if err := keep(ctx, l, s.ID); err != nil {
			fail("the recording: %w", err)
		}
	}
	if s.Checkpoint {
		if passed, _, err := l.check(ctx, s.ID); err != nil || passed {
			fail("the checkpoint is passed by running the scene alone (%v)", err)
		}
		if err := l.act(ctx, s.ID, s.Solution); err != nil {
			fail("the solution: %w", err)
		} else if err := l.passes(ctx, s.ID); err != nil {
			fail("the solution: %w", err)
		}
	}
	r.lines, err = l.readAloud(ctx, s)
	if err != nil {
		fail("%w", err)
	}
	return r
}

// passes waits until the checkpoint is passed.
func (l *learner) passes(ctx context.Context, id string) error {
	return dashboard.Until(ctx, patience, "the checkpoint to be passed", func() (bool, string) {
		passed, missing, err := l.check(ctx, id)
		if err != nil {
			return false, err.Error()
		}
		return passed, "missing: " + missing
	})
}

// settling is how long a wrong way is given to be taken for a right one.
const settling = 3 * time.Second

// goWrong is a learner who reaches the end another way.
func goWrong(ctx context.Context, at, id string) error {
	l := newLearner(at)
	own, err := l.scenes(ctx)
	if err != nil {
		return err
	}
	s := own[slices.IndexFunc(own, func(o scene) bool { return o.ID == id })]
	if err := l.act(ctx, id, s.Wrong); err != nil {
		return err
	}
	for until := time.Now().Add(settling); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		if passed, _, err := l.check(ctx, id); err != nil || passed {
			return fmt.Errorf("it passes (%v)", err)
		}
	}
	return nil
}

// readAloud runs every kubectl line of the text. Where the cluster is by now, an
// object may be gone or there already; what has to be right is the line.
func (l *learner) readAloud(ctx context.Context, s scene) (n int, err error) {
	var wrong []error
	for _, line := range s.Lines {
		if line.Skip != "" || slices.ContainsFunc(s.Solution, func(a action) bool { return a.Run == line.Line }) {
			continue
		}
		n++
		stdin := ""
		if strings.Contains(line.Line, " -f -") {
			stdin = sample
		}
		exit, output, stays, err := l.kubectl(ctx, s.ID, line.Line, stdin, 15*time.Second)
		if stays {
			continue
		}
		moved := strings.Contains(output, "NotFound") || strings.Contains(output, "AlreadyExists") || strings.Contains(output, "No resources found")
		if err != nil || (exit != 0) != line.Fails && !moved {
			wrong = append(wrong, fmt.Errorf("in the text: %s: ended with %d (%v):\n%s", line.Line, exit, err, output))
		}
	}
	return n, errors.Join(wrong...)
}

// sample is what is in the editor when a line of the text reads it.
const sample = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sample\n"

// keep writes a run's recording to where the book has it.
func keep(ctx context.Context, l *learner, id string) error {
	file, err := l.do(ctx, "GET", "/api/scenes/"+id+"/recording", nil)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	path := filepath.Join("..", "..", "content", "recordings", id+".kubestage")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// line says how a chapter went.
func (r result) line() string {
	verdict := "holds"
	switch {
	case len(r.wrong) > 0:
		verdict = "FAILS: " + firstLine(r.wrong[0])
	case len(r.beside) > 0:
		verdict = "holds alone; beside others: " + firstLine(r.beside[0])
	}
	return fmt.Sprintf("%-24s %6.1f s %3d facts %3d claims %3d lines  %s", r.scene.ID, r.took.Seconds(), len(r.outcome.facts), r.outcome.claimed, r.lines, verdict)
}

func firstLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// report prints which row is taught by which chapter, and how that went.
func report(t *testing.T, at string, results []result) {
	taught := map[string][]string{}
	bad := map[string]bool{}
	for _, r := range results {
		bad[r.scene.ID] = len(r.wrong) > 0
		for _, row := range r.scene.Covers {
			taught[row] = append(taught[row], r.scene.ID)
		}
	}
	var rows []struct {
		ID   string
		Wave int
	}
	if err := newLearner(at).read(t.Context(), "GET", "/api/outline", nil, &rows); err != nil {
		t.Error(err)
		return
	}
	fmt.Printf("\n%-32s %s\n", "row of wave 1", "chapters")
	wave, holds := 0, 0
	for _, row := range rows {
		chapters := taught[row.ID]
		if row.Wave != 1 {
			continue
		}
		wave++
		verdict := strings.Join(chapters, ", ")
		switch {
		case len(chapters) == 0:
			verdict = "-"
		case slices.ContainsFunc(chapters, func(id string) bool { return bad[id] }):
			verdict += "  FAILS"
		default:
			holds++
		}
		if *only == "" || len(chapters) > 0 {
			fmt.Printf("%-32s %s\n", row.ID, verdict)
		}
	}
	fmt.Printf("\n%d/%d rows of wave 1 are taught by a chapter that holds\n", holds, wave)
}
