//go:build linux

package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Event is a line of /api/events, as a reader without our code would read it
// (docs/events.md).
type Event struct {
	Seq      uint64    `json:"seq"`
	Kind     string    `json:"kind"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Verb     string    `json:"verb"`
	Code     int       `json:"code"`
	Object   *Object   `json:"object"`
	Revision string    `json:"revision"`
	Causes   []Cause   `json:"causes"`
	Evidence struct {
		How    string `json:"how"`
		Source string `json:"source"`
		ID     string `json:"id"`
	} `json:"evidence"`
	Detail json.RawMessage `json:"detail"`
}

// Object is what an event is about.
type Object struct {
	Group       string `json:"group"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
	Namespace   string `json:"namespace"`
	Name        string `json:"name"`
	UID         string `json:"uid"`
}

// Cause is an earlier event.
type Cause struct {
	Seq uint64 `json:"seq"`
	How string `json:"how"`
}

// String is an event in one line, for messages of failing tests.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s %s → %s", e.Seq, e.Kind, e.Verb, e.From, e.To)
	if o := e.Object; o != nil {
		b.WriteByte(' ')
		for i, part := range []string{o.Group, o.Resource, o.Subresource, o.Namespace, o.Name} {
			if part != "" {
				if i > 0 {
					b.WriteByte('/')
				}
				b.WriteString(part)
			}
		}
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, " %d", e.Code)
	}
	if e.Revision != "" {
		b.WriteString(" @" + e.Revision)
	}
	for _, c := range e.Causes {
		fmt.Fprintf(&b, " <%d(%s)", c.Seq, c.How)
	}
	return b.String()
}

// Events returns all events after a sequence number. It fails when one is
// missing, or told twice.
func (d *Dashboard) Events(ctx context.Context, after uint64) ([]Event, error) {
	var all []Event
	for {
		page, err := d.page(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if e.Seq != after+1 {
				return nil, fmt.Errorf("event %d is followed by event %d", after, e.Seq)
			}
			after = e.Seq
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
	}
}

const pageSize = 10000

func (d *Dashboard) page(ctx context.Context, after uint64) ([]Event, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/events?after=%d&limit=%d", d.URL, after, pageSize), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("/api/events after %d: %s: %s", after, response.Status, body)
	}
	var page []Event
	for line := range bytes.Lines(body) {
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("/api/events: %w in %s", err, line)
		}
		page = append(page, e)
	}
	return page, nil
}

// Follow keeps asking for events after a sequence number until one of them is
// the awaited one, and returns all up to there.
func (d *Dashboard) Follow(ctx context.Context, after uint64, patience time.Duration, what string, awaited func(Event) bool) ([]Event, error) {
	var all []Event
	err := Until(ctx, patience, what, func() (bool, string) {
		more, err := d.Events(ctx, after)
		if err != nil {
			return false, err.Error()
		}
		for _, e := range more {
			all, after = append(all, e), e.Seq
			if awaited(e) {
				return true, ""
			}
		}
		if len(all) == 0 {
			return false, "no event"
		}
		return false, all[len(all)-1].String()
	})
	return all, err
}
