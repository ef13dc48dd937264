package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// Sizes of what a command is made of.
const (
	maxCommand = 8 << 10
	maxInput   = 1 << 20
)

// kubectl runs one command and answers with what it prints, as it prints it:
// {"stream", "data"} a line, at last {"exit"}. The command ends with the request.
func (s *Server) kubectl(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Command string `json:"command"`
		Stdin   string `json:"stdin"`
		Lang    string `json:"lang"`
		Chapter string `json:"chapter"` // it runs in the learner's namespace there
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	ns, err := s.scenes.inChapter(w, r, body.Chapter, body.Lang)
	if err != nil {
		return err
	}
	c, err := s.command(order{line: body.Command, input: body.Stdin, lang: body.Lang, namespace: ns})
	if err != nil {
		return err
	}
	defer c.release()
	out := newNDJSON(w)
	exit, err := c.run(r.Context(), func(stream, data string) error {
		return out.send(map[string]string{"stream": stream, "data": data})
	})
	if err != nil {
		s.Logf("console: %v", err)
		out.send(map[string]string{"stream": "stderr", "data": "Kubestage could not run kubectl; its terminal says why.\n"})
		exit = 125
	}
	out.send(map[string]int{"exit": exit})
	return nil
}

// readJSON reads a request's body, which is one JSON object.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 2*maxInput))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("more than one value")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &HTTPError{Code: http.StatusRequestEntityTooLarge, Msg: "the request is too large", Hint: fmt.Sprintf("it may have %d bytes", large.Limit)}
	}
	return badRequest("the request's body is not what is expected: "+err.Error(), `send one JSON object, as in {"command": "kubectl get pods", "stdin": "", "lang": "en"}`)
}

// order is a command line as it is given, and how it is to be run.
type order struct {
	line, input string
	lang        string
	namespace   string // instead of the kubeconfig's, unless the line says otherwise; "" leaves it
	terminal    bool   // somebody can type into what runs
}

// command checks an order and takes a place for it among the running ones.
// Its caller calls release in any case, after run.
func (s *Server) command(o order) (*command, error) {
	c, err := s.check(o)
	if err != nil {
		return nil, err
	}
	select {
	case s.running <- struct{}{}:
		return c, nil
	default:
		return nil, &HTTPError{Code: http.StatusTooManyRequests,
			Msg:  said{fmt.Sprintf("%d commands are running already", cap(s.running)), fmt.Sprintf("이미 명령 %d개가 실행 중입니다", cap(s.running))}.in(o.lang),
			Hint: said{"stop one of them, such as a get -w or logs -f", "get -w나 logs -f 같은 것을 하나 멈추세요"}.in(o.lang)}
	}
}

// check refuses what the console does not run.
func (s *Server) check(o order) (*command, error) {
	say := func(code int, no refusal) error {
		return &HTTPError{Code: code, Msg: no.why.in(o.lang), Hint: no.hint.in(o.lang)}
	}
	if no := s.readOnly(); no != nil {
		return nil, say(http.StatusForbidden, *no)
	}
	if len(o.line) > maxCommand || len(o.input) > maxInput {
		return nil, say(http.StatusRequestEntityTooLarge, refusal{
			said{"the command or its manifest is too long", "명령이나 매니페스트가 너무 깁니다"},
			said{fmt.Sprintf("a command may have %d bytes, a manifest %d", maxCommand, maxInput), fmt.Sprintf("명령은 %d바이트, 매니페스트는 %d바이트까지입니다", maxCommand, maxInput)}})
	}
	u, no := understand(o.line, o.input, o.terminal)
	if no != nil {
		return nil, say(http.StatusBadRequest, *no)
	}
	config := s.KubeconfigPath()
	if _, err := os.Stat(config); config == "" || err != nil {
		return nil, say(http.StatusServiceUnavailable, noCredentials)
	}
	return &command{server: s, understood: u, input: o.input, config: config, namespace: o.namespace, lang: o.lang}, nil
}

var noCredentials = refusal{
	said{"the cluster has no credentials yet: it is still starting", "클러스터가 아직 시작하는 중이라 자격 증명이 없습니다"},
	said{"try again in a few seconds", "몇 초 뒤에 다시 해 보세요"}}

// runCommand checks and runs a command in one, for callers that have begun their
// answer. It waits for a place among the running ones. The child ends with ctx, or
// when emit returns an error.
func (s *Server) runCommand(ctx context.Context, line, input, lang, ns string, emit func(stream, data string) error) (exit int, err error) {
	c, err := s.check(order{line: line, input: input, lang: lang, namespace: ns})
	if err != nil {
		return 0, err
	}
	select {
	case s.running <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer c.release()
	return c.run(ctx, emit)
}
