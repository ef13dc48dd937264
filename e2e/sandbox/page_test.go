//go:build linux

package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// get reads JSON from the page's interface, whatever the status is.
func get(url string, into any) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if !strings.Contains(response.Header.Get("Content-Type"), "json") {
		return fmt.Errorf("%s: %s: %s", url, response.Status, text)
	}
	return unmarshal(text, into)
}

// listen opens a stream of events that is read to the end of the test.
func listen(t *testing.T, d *dashboard.Dashboard) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), strings.Replace(d.URL, "http:", "ws:", 1)+"/api/stream?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(64 << 20)
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer c.CloseNow()
		for {
			if _, _, err := c.Read(context.Background()); err != nil {
				return
			}
		}
	}()
}

// console begins a command in the page's console and returns when it has
// written something.
func console(t *testing.T, d *dashboard.Dashboard, command string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"command": command, "lang": "en"})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(d.URL+"/api/kubectl", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(response.Body)
	if line, err := lines.ReadString('\n'); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s %v", command, response.Status, line, err)
	}
	go func() {
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, lines)
	}()
}
