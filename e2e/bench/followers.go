//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// A class as large as a lecture hall, and a presenter who moves for ten seconds
// as often as a page tells it.
const (
	followers  = 200
	moves      = 100
	moveEvery  = 100 * time.Millisecond
	classStart = 20 * time.Second // for all to have joined
)

// measureFollowers joins a class as browsers do, each with the log's stream and
// with the presenter's place, and takes the time at which each is told of each
// move.
func measureFollowers(ctx context.Context, b *bench) error {
	d, err := dashboard.Start(dashboard.Options{Binary: b.binary, Dir: b.path("followers"), Args: []string{"--share", "127.0.0.1:0"}})
	if err != nil {
		return err
	}
	defer d.Stop()
	if err := d.Ready(ctx); err != nil {
		return err
	}
	join, err := classOf(ctx, d)
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar}
	answer, err := browser.Get(join)
	if err != nil {
		return err
	}
	answer.Body.Close()
	class, _, _ := strings.Cut(join, "/join")

	before, err := dashboard.PSS(d.Pid())
	if err != nil {
		return err
	}
	ctx, hangUp := context.WithCancel(ctx)
	var closed sync.WaitGroup
	defer closed.Wait()
	defer hangUp()
	dial := func(address string) (*websocket.Conn, error) {
		c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: browser})
		if err == nil {
			c.SetReadLimit(-1)
		}
		return c, err
	}
	told := make([][]time.Time, followers) // by follower and move
	for i := range told {
		told[i] = make([]time.Time, moves)
		place, err := dial(class + "/api/follow?as=follower")
		if err != nil {
			return err
		}
		events, err := dial(class + "/api/stream")
		if err != nil {
			return err
		}
		closed.Go(func() { watchPlaces(ctx, place, told[i]) })
		closed.Go(func() { drain(ctx, events) })
	}
	if err := pause(ctx, classStart); err != nil {
		return err
	}
	full, err := dashboard.PSS(d.Pid())
	if err != nil {
		return err
	}
	leader, err := dial(d.URL + "/api/follow?as=leader")
	if err != nil {
		return err
	}
	closed.Go(func() { drain(ctx, leader) })
	for n := range moves {
		if err := leader.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"place","log":"bench","seq":%d,"part":0.5,"moving":true,"speed":0.05,"path":"chapter/pod-birth","view":"stage"}`, n)); err != nil {
			return err
		}
		if err := pause(ctx, moveEvery); err != nil {
			return err
		}
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	hangUp()
	closed.Wait()

	var behind []time.Duration // the first who was told of a move
	missing := 0
	for n := range moves {
		var first time.Time
		for _, of := range told {
			if t := of[n]; !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
		for _, of := range told {
			if of[n].IsZero() {
				missing++ // a newer place had come before it was written
			} else {
				behind = append(behind, of[n].Sub(first))
			}
		}
	}
	p99 := percentile(behind, 0.99)
	b.table.add(row{
		name:  fmt.Sprintf("playheads of %d followers apart, %d moves", followers, moves),
		value: fmt.Sprintf("p50 %d ms, p99 %d ms", percentile(behind, 0.5).Milliseconds(), p99.Milliseconds()),
		goal:  "p99 < 150 ms", ok: p99 < 150*time.Millisecond,
	})
	b.table.add(row{name: "  moves passed over for a newer one", value: fmt.Sprintf("%.1f %%", 100*float64(missing)/followers/moves)})
	each := (full - before) / followers
	b.table.add(row{
		name: "memory (PSS) of the dashboard per follower, its stream with it", value: fmt.Sprintf("%d KiB", each>>10),
		goal: "< 200 KiB", ok: each < 200<<10,
	})
	return nil
}

// classOf asks the owner's page for the link of the class.
func classOf(ctx context.Context, d *dashboard.Dashboard) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+"/api/share", nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var info struct{ Links []string }
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		return "", err
	}
	if len(info.Links) == 0 {
		return "", fmt.Errorf("%s shares with nobody", d.URL)
	}
	return info.Links[0], nil
}

// watchPlaces notes when each place comes.
func watchPlaces(ctx context.Context, c *websocket.Conn, told []time.Time) {
	defer c.CloseNow()
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return
		}
		var m struct {
			Type string
			Seq  int
		}
		if json.Unmarshal(text, &m) == nil && m.Type == "place" {
			told[m.Seq] = time.Now()
		}
	}
}

func drain(ctx context.Context, c *websocket.Conn) {
	defer c.CloseNow()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return
		}
	}
}
