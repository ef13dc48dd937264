package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/coder/websocket"
	"github.com/creack/pty"
)

// terminal runs one command in a terminal of its own, so that it can be typed into
// and stopped with Ctrl-C. The address is /api/terminal?chapter&lang, a websocket:
//
//	the page first says  {"command", "stdin", "cols", "rows"}
//	then, in binary      what is typed
//	and                  {"cols", "rows"} when its size changes
//	it hears, in binary  what the command prints
//	and at last          {"exit"}, or {"error", "hint"} when the command is not run
//
// Closing the websocket ends the command.
func (s *Server) terminal(w http.ResponseWriter, r *http.Request) error {
	if err := websocketOnly(w, r, "without one, POST /api/kubectl"); err != nil {
		return err
	}
	lang := r.URL.Query().Get("lang")
	ns, err := s.scenes.inChapter(w, r, r.URL.Query().Get("chapter"), lang)
	if err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(2 * maxInput)
	wire := &keyboard{conn: conn, patience: s.limits.patience}

	exit, err := s.inTerminal(r.Context(), wire, order{lang: lang, namespace: ns, terminal: true})
	var refused *HTTPError
	switch {
	case errors.As(err, &refused):
		wire.say(map[string]string{"error": refused.Msg, "hint": refused.Hint})
	case err != nil:
		s.Logf("terminal: %v", err)
		wire.say(map[string]string{"error": said{"Kubestage could not run kubectl; its own terminal says why", "Kubestage가 kubectl을 실행하지 못했습니다. 이유는 Kubestage를 실행한 터미널에 있습니다"}.in(lang)})
	default:
		wire.say(map[string]int{"exit": exit})
	}
	if c := connectionOf(r.Context()); c != nil {
		c.SetDeadline(time.Now().Add(s.limits.goodbye))
	}
	conn.Close(websocket.StatusNormalClosure, "")
	return nil
}

// inTerminal hears the command, runs it, and returns when it and all its output
// are gone.
func (s *Server) inTerminal(parent context.Context, wire *keyboard, o order) (exit int, err error) {
	var first struct {
		Command, Stdin string
		terminalSize
	}
	if err := wire.hear(parent, &first); err != nil {
		return 0, badRequest("the first message is not what is expected: "+err.Error(), `send {"command", "stdin", "cols", "rows"}`)
	}
	o.line, o.input = first.Command, first.Stdin
	c, err := s.command(o)
	if err != nil {
		return 0, err
	}
	defer c.release()
	cmd, clean, err := c.child(c.understood.argv())
	if err != nil {
		return 0, err
	}
	defer clean()
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")

	ctx, cancel := context.WithTimeoutCause(parent, s.limits.commandTime, errTakesTooLong)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	screen, err := pty.StartWithAttrs(cmd, first.winsize(), ownSession())
	if errors.Is(err, pty.ErrUnsupported) {
		return 0, &HTTPError{Code: http.StatusNotImplemented,
			Msg:  said{"this system has no terminals that Kubestage knows how to make", "이 운영체제에서는 Kubestage가 터미널을 만들 수 없습니다"}.in(o.lang),
			Hint: said{"use the console under the notes", "노트 아래의 콘솔을 쓰세요"}.in(o.lang)}
	}
	if err != nil {
		return 0, fmt.Errorf("start kubectl in a terminal: %w", err)
	}
	defer screen.Close()
	defer context.AfterFunc(ctx, func() { killGroup(cmd) })()
	go func() { end(wire.typeInto(screen)) }()

	shown := c.masked(screen)
	buf := make([]byte, 32<<10)
	for {
		n, err := shown.Read(buf)
		if n > 0 {
			if err := wire.print(buf[:n]); err != nil {
				end(err)
			}
		}
		if err != nil { // on Linux EIO, once the last who could print is gone
			break
		}
	}
	exit, note, err := c.verdict(ctx, cmd.Wait())
	wire.print([]byte(note))
	return exit, err
}

// terminalSize is how many characters a terminal has room for.
type terminalSize struct{ Cols, Rows uint16 }

func (t terminalSize) winsize() *pty.Winsize {
	if t.Cols == 0 || t.Rows == 0 {
		return &pty.Winsize{Cols: 80, Rows: 24}
	}
	return &pty.Winsize{Cols: t.Cols, Rows: t.Rows}
}

// keyboard is the websocket between a page's terminal and a command.
type keyboard struct {
	conn     *websocket.Conn
	patience time.Duration
}

func (k *keyboard) hear(ctx context.Context, into any) error {
	ctx, cancel := context.WithTimeout(ctx, k.patience)
	defer cancel()
	_, text, err := k.conn.Read(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// typeInto passes on what is typed until the page goes, or says nonsense.
func (k *keyboard) typeInto(screen *os.File) error {
	for {
		// Not with a context: the library drops a connection whose context ends
		// while it reads, and then the exit could not be told.
		kind, message, err := k.conn.Read(context.Background())
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			if _, err := screen.Write(message); err != nil {
				return err
			}
			continue
		}
		var size terminalSize
		if err := json.Unmarshal(message, &size); err != nil {
			return err
		}
		pty.Setsize(screen, size.winsize())
	}
}

func (k *keyboard) print(p []byte) error { return k.send(websocket.MessageBinary, p) }

func (k *keyboard) say(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return k.send(websocket.MessageText, text)
}

func (k *keyboard) send(kind websocket.MessageType, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.patience)
	defer cancel()
	return k.conn.Write(ctx, kind, p)
}
