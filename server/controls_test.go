package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// stand notes what is done to a cluster that is not there; the real ones
// are behind this API in e2e/sandbox.
type stand struct{ done []string }

func (p *stand) Components() []ComponentState {
	return []ComponentState{{Name: "kubelet:node-1", State: "ready", Pid: 7, Link: "kubelet:node-1"}}
}

func (p *stand) Links() []LinkState { return []LinkState{{Name: "kubelet:node-1", State: "whole"}} }

func (p *stand) Order(_ context.Context, name, order string) error {
	if order == "thaw" {
		return frozenNot{errors.New("it is not frozen")}
	}
	p.done = append(p.done, name+" "+order)
	return nil
}

func (p *stand) Disturb(name, how string, delay time.Duration) error {
	p.done = append(p.done, fmt.Sprintf("%s %s %s", name, how, delay))
	return nil
}

type frozenNot struct{ error }

func (frozenNot) Korean() string { return "얼어 있지 않습니다" }

func TestControls(t *testing.T) {
	p := &stand{}
	s := serve(t, func(c *Config, _ *limits) { c.Controls = p })
	const at = "/api/components/kubelet:node-1/"
	for _, c := range []struct {
		path, body string
		code       int
		says       string
	}{
		{at + "kill", `{"confirm":"kubelet:node-1"}`, 200, `"pid":7`},
		{at + "kill", `{}`, 409, `send {\"confirm\": \"kubelet:node-1\"}`},
		{at + "kill", `{"confirm":"kubelet:node-2","lang":"ko"}`, 409, "확인하지 않았습니다"},
		{at + "dance", `{"confirm":"kubelet:node-1"}`, 404, "choose one of"},
		{at + "thaw", `{"confirm":"kubelet:node-1"}`, 409, "it is not frozen"},
		{at + "thaw", `{"confirm":"kubelet:node-1","lang":"ko"}`, 409, "얼어 있지 않습니다"},
		{"/api/components/nobody/kill", `{"confirm":"nobody"}`, 404, "GET /api/components"},
		{"/api/links/kubelet:node-1/cut", `{"confirm":"kubelet:node-1"}`, 200, `"state":"whole"`},
		{"/api/links/kubelet:node-1/delay", `{"confirm":"kubelet:node-1","delay":"150ms"}`, 200, "whole"},
		{"/api/links/kubelet:node-1/delay", `{"confirm":"kubelet:node-1"}`, 400, "200ms"},
		{"/api/links/kubelet:node-1/kill", `{"confirm":"kubelet:node-1"}`, 404, "choose one of"},
	} {
		if code, text := post(t, s.url(c.path), c.body); code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %d %s, want %d %s", c.path, c.body, code, text, c.code, c.says)
		}
	}
	if got := strings.Join(p.done, ", "); got != "kubelet:node-1 kill, kubelet:node-1 cut 0s, kubelet:node-1 delay 150ms" {
		t.Errorf("done: %s", got)
	}
	for _, path := range []string{"/api/components", "/api/links"} {
		if code, text := fetch(t, s.url(path)); code != 200 || !strings.HasPrefix(text, `[{"name":"kubelet:node-1"`) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// What is only watched or played has nothing to give orders to, and says so.
func TestControlsWithoutACluster(t *testing.T) {
	for says, change := range map[string]func(*Config, *limits){
		"no components":  func(*Config, *limits) {},
		"only watched":   func(c *Config, _ *limits) { c.ReadOnly, c.Source, c.Controls = true, "cluster", &stand{} },
		"is a recording": func(c *Config, _ *limits) { c.ReadOnly, c.Source = true, "recording" },
	} {
		s := serve(t, change)
		for _, path := range []string{"/api/components", "/api/links"} {
			if code, text := fetch(t, s.url(path)); code != 404 || !strings.Contains(text, says) {
				t.Errorf("%s: %d %s", path, code, text)
			}
		}
		for _, path := range []string{"/api/components/etcd/kill", "/api/links/etcd/cut"} {
			if code, text := post(t, s.url(path), `{"confirm":"etcd"}`); code != 404 || !strings.Contains(text, says) {
				t.Errorf("%s: %d %s", path, code, text)
			}
		}
	}
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
