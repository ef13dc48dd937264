package server

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/server/store"
)

// class starts a server whose owner shares it, and returns the owner's address
// and the class's.
func class(t *testing.T) (owner, url string, sh *Share) {
	t.Helper()
	s := serve(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sh = s.Share(l)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sh.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.url(""), "http://" + l.Addr().String(), sh
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func status(t *testing.T, c *http.Client, method, url string) int {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// Whoever has the code may watch, and nothing else; whoever has not, sees a
// door.
func TestViewersOnlyWatch(t *testing.T) {
	_, url, sh := class(t)
	c := browser(t)
	if got := status(t, c, "GET", url+"/api/events"); got != http.StatusForbidden {
		t.Errorf("events without a code: %d", got)
	}
	if got := status(t, c, "GET", url+"/join?code=AAAAAA"); got != http.StatusForbidden {
		t.Errorf("a wrong code: %d", got)
	}
	typed := strings.ToLower(sh.code[:3]) + " " + sh.code[3:]
	if got := status(t, c, "GET", url+"/join?code="+strings.ReplaceAll(typed, " ", "%20")); got != http.StatusOK {
		t.Fatalf("the code as a person types it: %d", got)
	}
	for _, page := range []string{"/en/", "/ko/", "/api/events", "/api/state?at=0"} {
		if got := status(t, c, "GET", url+page); got != http.StatusOK {
			t.Errorf("a viewer's %s: %d", page, got)
		}
	}
	for _, act := range []string{
		"POST /api/kubectl", "POST /api/scenes/pod-birth/run", "POST /api/components/etcd/kill", "POST /api/links/etcd/cut", "POST /api/recordings",
		"GET /api/recordings", "GET /api/share", "GET /api/share/code.svg", "GET /api/record", "PUT /api/progress/pod-birth/place", "GET /api/components", "GET /api/notes/x",
	} {
		method, path, _ := strings.Cut(act, " ")
		if got := status(t, c, method, url+path); got != http.StatusNotFound && got != http.StatusMethodNotAllowed {
			t.Errorf("a viewer's %s is answered %d", act, got)
		}
	}
	if got := status(t, c, "GET", url+"/api/follow?as=leader"); got != http.StatusForbidden {
		t.Errorf("a viewer who wants to lead: %d", got)
	}
	if got := status(t, c, "GET", url+"/present?token=guess"); got != http.StatusForbidden {
		t.Errorf("a guessed token: %d", got)
	}
}

func TestGuessingIsSlow(t *testing.T) {
	var tries tries
	now := time.Now()
	for i := range freeTries {
		if wait := tries.wait(now); wait > 0 {
			t.Fatalf("try %d has to wait %s", i, wait)
		}
		tries.wrong(now)
	}
	tries.wrong(now)
	if wait := tries.wait(now); wait <= 0 || wait > 2*time.Second {
		t.Errorf("after many wrong codes the wait is %s", wait)
	}
	if wait := tries.wait(now.Add(time.Minute)); wait > 0 {
		t.Errorf("a minute later the wait is %s", wait)
	}
}

// line is one page's end of a class.
type line struct {
	*testing.T
	conn *websocket.Conn
}

func openLine(t *testing.T, c *http.Client, url, role string) line {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url+"/api/follow?as="+role, &websocket.DialOptions{HTTPClient: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return line{t, conn}
}

func (l line) say(text string) {
	l.Helper()
	if err := l.conn.Write(l.Context(), websocket.MessageText, []byte(text)); err != nil {
		l.Fatal(err)
	}
}

// until reads on until a message has a type and a field with a value.
func (l line) until(kind, field string, want any) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 10*time.Second)
	defer cancel()
	for {
		_, text, err := l.conn.Read(ctx)
		if err != nil {
			l.Fatalf("no %s with %s %v: %v", kind, field, want, err)
		}
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			l.Fatal(err)
		}
		if m["type"] == kind && m[field] == want {
			return
		}
	}
}

func TestFollow(t *testing.T) {
	owner, url, sh := class(t)
	viewer, phone := browser(t), browser(t)
	status(t, viewer, "GET", url+"/join?code="+sh.code)
	status(t, phone, "GET", url+"/present?token="+sh.presenter)

	leader := openLine(t, http.DefaultClient, owner, "leader")
	leader.say(`{"type":"place","seq":7}`)
	leader.say(`{"type":"notes","now":"seven"}`)
	early := openLine(t, viewer, url, "follower")
	early.until("place", "seq", 7.0) // who comes later is told at once
	remote := openLine(t, phone, url, "remote")
	remote.until("notes", "now", "seven")
	leader.until("presence", "followers", 1.0)
	leader.say(`{"type":"place","seq":8}`)
	early.until("place", "seq", 8.0)
	remote.say(`{"type":"do","action":"forward"}`)
	leader.until("do", "action", "forward")

	// The leader goes and comes back: followers hear of both, and go on.
	leader.conn.Close(websocket.StatusNormalClosure, "")
	early.until("presence", "leading", false)
	again := openLine(t, http.DefaultClient, owner, "leader")
	early.until("presence", "leading", true)
	again.say(`{"type":"place","seq":9}`)
	early.until("place", "seq", 9.0)

	// Another page takes over, and the one before is told.
	openLine(t, http.DefaultClient, owner, "leader")
	for {
		if _, _, err := again.conn.Read(t.Context()); err != nil {
			if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("the page that led before ends with %v", err)
			}
			break
		}
	}

	// A follower that speaks is let go.
	rude := openLine(t, viewer, url, "follower")
	rude.say(`{"type":"place","seq":1}`)
	for {
		if _, _, err := rude.conn.Read(t.Context()); err != nil {
			break
		}
	}
}

// The board counts, and names nobody.
func TestBoard(t *testing.T) {
	s, enrol := school(t)
	for range 2 {
		enrol()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.Share(l)
	if code, text := fetch(t, s.url("/ko/board")); code != http.StatusOK || !strings.Contains(text, "통과한 사람이 없습니다") {
		t.Errorf("before anybody has passed: %d %.300s", code, text)
	}
	ada, grace := store.NewLearner(), store.NewLearner()
	for _, learner := range []string{ada, grace} {
		if err := s.Store.Pass(t.Context(), learner, "pod-birth"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Store.Pass(t.Context(), ada, "etcd"); err != nil {
		t.Fatal(err)
	}
	_, text := fetch(t, s.url("/en/board"))
	for _, want := range []string{"2 / 2", "1 / 2", "0 / 2", "Learners so far: 2."} {
		if !strings.Contains(text, want) {
			t.Errorf("the board has no %q", want)
		}
	}
	if strings.Contains(text, ada) || strings.Contains(text, grace) {
		t.Error("the board names a learner")
	}
}
