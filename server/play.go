package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	send    func(any) // one line of the answer
}

// run returns what to tell the learner when the scene did not come to its end,
// and nil when it did.
func (p *play) run(ctx context.Context) *errorLine {
	if fail := p.reset(ctx); fail != nil {
		return fail
	}
	scene := p.chapter.Scene
	p.record(func(ctx context.Context) error { return p.Store.Begin(ctx, p.learner, p.chapter.ID) })
	_, start := p.Log.Bounds()
	p.send(startLine{"start", p.Log.ID(), start})

	// The command and the story end in either order: the pod may run before
	// kubectl has said goodbye.
	type ended struct {
		exit   int
		stderr string
		err    error
	}
	answered := make(chan ended, 1)
	go func() {
		var stderr strings.Builder
		exit, err := p.command(ctx, scene.Command, scene.Stdin, p.lang, func(stream, data string) error {
			if stream == "stderr" {
				stderr.WriteString(data)
			}
			p.send(outputLine{"output", stream, data})
			return nil
		})
		answered <- ended{exit, stderr.String(), err}
	}()
	story, stopStory := context.WithCancel(ctx)
	defer stopStory()
	trail := scene.Follow()
	followed := make(chan error, 1)
	go func() {
		followed <- p.follow(story, start, func(e watch.Event) bool {
			for _, f := range trail.Add(e) {
				p.send(factLine{"fact", f})
				p.keep(f)
			}
			return !trail.Done()
		})
	}()

	end := <-answered
	if end.err != nil || end.exit != 0 {
		stopStory()
		<-followed
		if ctx.Err() == nil {
			return p.failed(said{"kubectl failed.", "kubectl이 실패했습니다."}, p.reason(end.stderr, end.err))
		}
		return p.tooLong(trail)
	}
	if err := <-followed; err != nil {
		var gap *watch.Gap
		if errors.As(err, &gap) {
			return p.failed(said{"So much happened that the log no longer keeps the beginning.", "일어난 일이 너무 많아 로그가 앞부분을 더는 가지고 있지 않습니다."}, again.in(p.lang))
		}
		return p.tooLong(trail)
	}
	p.send(doneLine{"done"})
	return nil
}

var again = said{"Run it again.", "다시 실행하세요."}

func (p *play) failed(why said, hint string) *errorLine {
	return &errorLine{Error: why.in(p.lang), Hint: hint}
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
func (p *play) tooLong(trail *content.Trail) *errorLine {
	step := trail.Waiting()
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

// reset removes what an earlier run left, and waits for the fact that it is
// gone: kubectl's word is not enough, because the log follows a little later.
func (p *play) reset(ctx context.Context) *errorLine {
	scene := p.chapter.Scene
	late := said{"What the last run left did not go in time.", "지난 실행이 남긴 것이 제때 사라지지 않았습니다."}
	if scene.Reset.Command == "" {
		return nil
	}
	p.send(resetLine{"reset"})
	_, before := p.Log.Bounds()
	var stdout, stderr strings.Builder
	exit, err := p.command(ctx, scene.Reset.Command, scene.Reset.Stdin, p.lang, func(stream, data string) error {
		if stream == "stderr" {
			stderr.WriteString(data)
		} else {
			stdout.WriteString(data)
		}
		return nil
	})
	if err != nil || exit != 0 {
		if ctx.Err() != nil {
			return p.failed(late, again.in(p.lang))
		}
		return p.failed(said{"What the last run left could not be removed.", "지난 실행이 남긴 것을 지우지 못했습니다."}, p.reason(stderr.String(), err))
	}
	if strings.TrimSpace(stdout.String()) == "" {
		return nil // there was nothing to remove
	}
	if p.follow(ctx, before, func(e watch.Event) bool { return !scene.IsGone(e) }) != nil {
		return p.failed(late, again.in(p.lang))
	}
	return nil
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
