package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// follow joins the pages of a class: one leads, the others follow it. The
// address is /api/follow?as=ROLE, a websocket whose messages are JSON objects.
//
//	leader    sends {"type":"place",…} whenever its playhead or page moves and {"type":"notes",…} for who speaks; gets {"type":"do","action":…} from remotes
//	follower  gets {"type":"place",…}, the newest only: what came in between is of no use to anybody
//	remote    gets notes in place of places, and sends {"type":"do","action":…}
//	all       get {"type":"presence","leading":true,"followers":12}
//
// What places and notes hold is the pages' business; the server passes them on as they are.
// A new leader takes over from the one before.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, mayLead bool) error {
	role := r.URL.Query().Get("as")
	switch role {
	case "follower":
	case "leader", "remote":
		if !mayLead {
			return &HTTPError{Code: http.StatusForbidden, Msg: "viewers can only watch", Hint: "to present from this device, open the presenter's link on the owner's page"}
		}
	default:
		return badRequest("as is not follower, leader or remote", "say what you are, as in as=follower")
	}
	if err := websocketOnly(w, r, ""); err != nil {
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
	conn.SetReadLimit(longestPlace)

	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	m := &member{role: role, news: make(chan struct{}, 1), end: end}
	s.stage.enter(m)
	defer s.stage.leave(m)
	go func() { end(s.stage.listen(m, conn)) }()
	s.stage.tell(ctx, m, conn, s.limits)
	if c := connectionOf(r.Context()); c != nil {
		c.SetDeadline(time.Now().Add(s.limits.goodbye))
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopping):
		conn.Close(websocket.StatusGoingAway, "Kubestage is stopping")
	case errors.Is(cause, errSpoke):
		conn.Close(websocket.StatusPolicyViolation, "this is not for you to say")
	case errors.Is(cause, errTakenOver):
		conn.Close(websocket.StatusPolicyViolation, "another page leads now")
	}
	return nil
}

const longestPlace = 8 << 10

var errTakenOver = errors.New("another page leads now")

// member is one page of a class.
type member struct {
	role string
	news chan struct{} // holds one: something is to be told
	end  context.CancelCauseFunc

	// Guarded by the classroom's lock.
	heard, presence int // the newest that it was told
	orders          []json.RawMessage
}

// classroom is who follows whom, and where the leader is.
type classroom struct {
	mu       sync.Mutex // guards all below
	members  map[*member]bool
	leader   *member
	place    told // for followers
	notes    told // for remotes
	presence int  // counts changes of who is here
}

// told is the newest of a sort of message.
type told struct {
	text json.RawMessage
	n    int // counts them
}

// forLocked returns what a member is to be told of; nil for the leader, who
// knows.
func (c *classroom) forLocked(m *member) *told {
	switch m.role {
	case "follower":
		return &c.place
	case "remote":
		return &c.notes
	}
	return nil
}

func newClassroom() *classroom { return &classroom{members: map[*member]bool{}} }

func (c *classroom) enter(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[m] = true
	if m.role == "leader" {
		if c.leader != nil {
			c.leader.end(errTakenOver)
		}
		c.leader = m
	}
	c.presence++
	c.wakeLocked()
}

func (c *classroom) leave(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.members, m)
	if c.leader == m {
		c.leader = nil
	}
	c.presence++
	c.wakeLocked()
}

func (c *classroom) viewers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.followersLocked()
}

func (c *classroom) followersLocked() (n int) {
	for m := range c.members {
		if m.role == "follower" {
			n++
		}
	}
	return n
}

func (c *classroom) wakeLocked() {
	for m := range c.members {
		select {
		case m.news <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// listen takes what a member says until its connection ends. No context, here
// and in tell: the library drops a connection whose context ends, and then there
// is no telling why.
func (c *classroom) listen(m *member, conn *websocket.Conn) error {
	for {
		_, text, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		var said struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(text, &said) != nil {
			return errSpoke
		}
		switch {
		case said.Type == "place" && m.role == "leader":
			c.say(m, &c.place, text)
		case said.Type == "notes" && m.role == "leader":
			c.say(m, &c.notes, text)
		case said.Type == "do" && m.role == "remote":
			c.mu.Lock()
			if l := c.leader; l != nil && len(l.orders) < 32 {
				l.orders = append(l.orders, text)
				c.wakeLocked()
			}
			c.mu.Unlock()
		default:
			return errSpoke
		}
	}
}

// say makes a leader's words the newest.
func (c *classroom) say(m *member, what *told, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == m {
		what.text, what.n = text, what.n+1
		c.wakeLocked()
	}
}

// presenceMessage tells how many are here, and whether anybody leads.
type presenceMessage struct {
	Type      string `json:"type"`
	Leading   bool   `json:"leading"`
	Followers int    `json:"followers"`
}

// untold returns what a member has not been told yet.
func (c *classroom) untold(m *member) (messages []json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.presence != c.presence {
		m.presence = c.presence
		text, _ := json.Marshal(presenceMessage{"presence", c.leader != nil, c.followersLocked()})
		messages = append(messages, text)
	}
	if news := c.forLocked(m); news != nil && m.heard != news.n {
		m.heard = news.n
		messages = append(messages, news.text)
	}
	messages = append(messages, m.orders...)
	m.orders = nil
	return messages
}

// tell writes what is new until the connection or ctx ends. One that takes
// nothing for too long is let go.
func (c *classroom) tell(ctx context.Context, m *member, conn *websocket.Conn, l limits) {
	beat := time.NewTicker(l.idle)
	defer beat.Stop()
	patiently := func(do func(context.Context) error) bool {
		patience, cancel := context.WithTimeout(context.Background(), l.patience)
		defer cancel()
		return do(patience) == nil
	}
	for {
		for _, text := range c.untold(m) {
			if !patiently(func(ctx context.Context) error { return conn.Write(ctx, websocket.MessageText, text) }) {
				return
			}
		}
		select {
		case <-m.news:
		case <-beat.C:
			if !patiently(conn.Ping) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
