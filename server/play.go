package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/server/store"
	"github.com/kubestage/kubestage/watch"
)

// play is one run of a scene for one learner.
type play struct {
	*scenes
	chapter *content.Chapter
	lang    string
	learner string
	ns      string
	send    func(any) // one line of the answer

	mu    sync.Mutex // guards trail
	trail *content.Trail
	moved chan struct{} // tells that a fact was reached
}

// run returns what to tell the learner when the scene did not come to its end,
// and nil when it did.
func (p *play) run(ctx context.Context) (fail *errorLine) {
	began := p.opened(p.ns)
	defer p.closed(began)
	if fail := p.reset(ctx); fail != nil {
		return fail
	}
	scene := p.chapter.Scene
	if scene.Alone() {
		defer func() { // the next scene finds everything as it was
			after := context.WithoutCancel(ctx)
			if err := p.restore(after); err != nil {
				p.Logf("scene %s: %v", p.chapter.ID, err)
			}
			if fail != nil {
				p.undo(after)
			}
		}()
	}
	for _, a := range scene.Setup {
		if fail := p.do(ctx, "", a); fail != nil {
			return fail
		}
	}
	p.record(func(ctx context.Context) error { return p.Store.Begin(ctx, p.learner, p.chapter.ID) })
	_, start := p.Log.Bounds()
	p.begins(began, start)
	p.trail, p.moved = scene.Follow(p.ns), make(chan struct{}, 1)
	p.send(startLine{"start", p.Log.ID(), start, p.ns})

	// The commands and the story go on side by side: the pod may run before
	// kubectl has said goodbye.
	ctx, cancel := context.WithTimeout(ctx, scene.Within)
	defer cancel()
	story, stopStory := context.WithCancel(ctx)
	defer stopStory()
	followed := make(chan error, 1)
	go func() { followed <- p.followStory(story, start) }()
	if fail := p.act(ctx); fail != nil {
		stopStory()
		<-followed
		return fail
	}
	if err := <-followed; err != nil {
		var gap *watch.Gap
		if errors.As(err, &gap) {
			return p.failed(said{"So much happened that the log no longer keeps the beginning.", "일어난 일이 너무 많아 로그가 앞부분을 더는 가지고 있지 않습니다."}, again.in(p.lang))
		}
		return p.tooLong()
	}
	if fail := p.judge(start, p.closed(began)); fail != nil {
		return fail
	}
	p.send(doneLine{"done"})
	return nil
}

var again = said{"Run it again.", "다시 실행하세요."}

func (p *play) failed(why said, hint string) *errorLine {
	return &errorLine{Error: why.in(p.lang), Hint: hint}
}

// followStory tells each fact as it comes, until all have.
func (p *play) followStory(ctx context.Context, start uint64) error {
	return p.follow(ctx, start, func(e watch.Event) bool {
		p.mu.Lock()
		facts, done := p.trail.Add(e), p.trail.Done()
		p.mu.Unlock()
		for _, f := range facts {
			p.send(factLine{"fact", f})
			p.keep(f)
		}
		if len(facts) > 0 {
			select {
			case p.moved <- struct{}{}:
			default: // it is told already
			}
		}
		return !done
	})
}

// act does what the steps do, as a person at a terminal would: a command begins
// when every step before it is reached and the command before it has ended.
func (p *play) act(ctx context.Context) *errorLine {
	steps := p.chapter.Scene.Steps
	for i, step := range steps {
		if step.Do == nil {
			continue
		}
		before := func() (missing bool, values map[string]string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return slices.ContainsFunc(steps[:i], func(s content.Step) bool { return !p.trail.Reached(s.ID) }), p.trail.Values()
		}
		missing, values := before()
		for missing {
			select {
			case <-p.moved:
			case <-ctx.Done():
				return p.tooLong()
			}
			missing, values = before()
		}
		if fail := p.do(ctx, step.ID, step.Do.Fill(values)); fail != nil {
			if ctx.Err() != nil {
				return p.tooLong()
			}
			return fail
		}
	}
	return nil
}

// do runs one action and says what came of it.
func (p *play) do(ctx context.Context, step string, a content.Action) *errorLine {
	a = a.Fill(map[string]string{"ns": p.ns})
	p.send(commandLine{"command", step, a.Line()})
	if a.Order != nil {
		if err := p.order(ctx, *a.Order); err != nil {
			return p.failed(said{"The order could not be given.", "명령을 내릴 수 없었습니다."}, inLanguage(err, p.lang))
		}
		p.send(exitLine{"exit", step, 0})
		return nil
	}
	var stderr strings.Builder
	exit, err := p.command(ctx, a.Run, a.Stdin, p.lang, p.ns, func(stream, data string) error {
		if stream == "stderr" {
			stderr.WriteString(data)
		}
		p.send(outputLine{"output", step, stream, data})
		return nil
	})
	if err != nil {
		return p.failed(said{"kubectl failed.", "kubectl이 실패했습니다."}, p.reason(stderr.String(), err))
	}
	p.send(exitLine{"exit", step, exit})
	switch {
	case ctx.Err() != nil:
		return p.failed(late, again.in(p.lang))
	case exit == 0 && a.Refused:
		return p.failed(said{"This was to be refused, and was not: " + a.Run, "거절되어야 하는데 거절되지 않았습니다: " + a.Run}, again.in(p.lang))
	case exit != 0 && !a.Refused:
		return p.failed(said{"kubectl failed.", "kubectl이 실패했습니다."}, p.reason(stderr.String(), nil))
	}
	return nil
}

// judge holds what the text claims against the log of the whole run.
func (p *play) judge(start, end uint64) *errorLine {
	events, err := p.eventsOf(p.ns, start, end)
	if err != nil {
		return p.failed(said{"The log no longer keeps the whole run.", "로그에 실행 전체가 남아 있지 않습니다."}, again.in(p.lang))
	}
	for _, v := range p.chapter.Scene.Judge(p.trail, events) {
		p.send(assertLine{"assert", v})
	}
	return nil
}

// keep writes down a fact, and what it says to the prediction.
func (p *play) keep(f content.Fact) {
	p.record(func(ctx context.Context) error {
		if f.Answer != "" {
			if err := p.Store.Answer(ctx, p.learner, p.chapter.ID, f.Answer); err != nil {
				return err
			}
		}
		return p.Store.Reach(ctx, p.learner, p.chapter.ID, store.Reached{Step: f.Step, Log: p.Log.ID(), Seq: f.Seq, At: f.At})
	})
}

// tooLong says which fact did not come. Nobody reads it when it was the learner
// who stopped the scene.
func (p *play) tooLong() *errorLine {
	p.mu.Lock()
	step := p.trail.Waiting()
	p.mu.Unlock()
	title := step
	if page, ok := p.chapter.Page(p.lang); ok {
		for _, section := range page.Steps {
			if section.ID == step {
				title = section.Title
			}
		}
	}
	seconds := int(p.chapter.Scene.Within.Seconds())
	fail := p.failed(
		said{fmt.Sprintf("%d seconds have passed without this: %s.", seconds, title), fmt.Sprintf("%d초가 지나도록 다음 일이 일어나지 않았습니다: %s.", seconds, title)},
		said{"See on the stage how far it came.", "무대에서 어디까지 왔는지 살펴보세요."}.in(p.lang))
	fail.Step = step
	return fail
}

var late = said{"What the last run left did not go in time.", "지난 실행이 남긴 것이 제때 사라지지 않았습니다."}

// reset makes everything as it was before the first run: parts that were
// stopped, links that were cut, what is in the namespace, and what the scene left
// outside of it.
func (p *play) reset(ctx context.Context) *errorLine {
	p.send(resetLine{"reset"})
	unclean := said{"What the last run left could not be removed.", "지난 실행이 남긴 것을 지우지 못했습니다."}
	if err := p.restore(ctx); err != nil {
		return p.failed(said{"A part of the cluster that was stopped does not start.", "멈춰 있던 구성 요소가 다시 시작되지 않습니다."}, inLanguage(err, p.lang))
	}
	if err := p.prepare(ctx, p.ns, p.chapter.ID, p.lang); err != nil {
		return p.failed(said{"There is no namespace for this scene.", "이 장면을 실행할 네임스페이스를 만들지 못했습니다."}, p.reason("", err))
	}
	if err := p.sweep(ctx, p.ns, p.lang); err != nil {
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return p.failed(late, err.Error())
		}
		return p.failed(unclean, p.reason(err.Error(), nil))
	}
	if p.undo(ctx); ctx.Err() != nil {
		return p.failed(late, again.in(p.lang))
	}
	return nil
}

// undo takes back what the scene does outside of the namespace. It may be so
// already, and then that fails.
func (p *play) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, preparing)
	defer cancel()
	for _, a := range p.chapter.Scene.Reset {
		if a = a.Fill(map[string]string{"ns": p.ns}); a.Order != nil {
			_ = p.order(ctx, *a.Order)
		} else {
			_ = p.quietly(ctx, a.Run, a.Stdin, p.lang, p.ns)
		}
	}
}

// reason is why a command did not succeed: its own words, or ours when it was
// refused.
func (p *play) reason(stderr string, err error) string {
	if text := strings.TrimSpace(stderr); text != "" {
		return text
	}
	var told *HTTPError
	switch {
	case errors.As(err, &told):
		return strings.TrimSpace(told.Msg + " " + told.Hint)
	case err != nil:
		p.Logf("scene %s: %v", p.chapter.ID, err)
		return said{"The terminal in which Kubestage runs says why.", "Kubestage를 실행한 터미널에 이유가 있습니다."}.in(p.lang)
	}
	return ""
}
