package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/recording"
)

// tape writes a recording of n events and returns its path.
func tape(t *testing.T, n int) string {
	t.Helper()
	log := watch.NewLog(0)
	for i := range n {
		at := time.Date(2026, 11, 21, 3, 0, i, 0, time.UTC)
		log.Append(watch.Event{Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: "put", Start: at, End: at,
			Evidence: watch.Observed("etcd", fmt.Sprintf("/registry/pods/default/p%d@%d", i, i))})
	}
	h, events, err := recording.Cut(log, recording.Choice{First: 1, Last: uint64(n)})
	if err != nil {
		t.Fatal(err)
	}
	h.Title = "first"
	path := filepath.Join(t.TempDir(), "first"+recording.Extension)
	var file bytes.Buffer
	if err := recording.Write(&file, h, events); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// firstLine hands out the first line that is written to it.
type firstLine struct {
	mu   sync.Mutex
	text []byte
	line chan string
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	had := bytes.IndexByte(f.text, '\n') >= 0
	f.text = append(f.text, p...)
	if line, _, ok := bytes.Cut(f.text, []byte("\n")); ok && !had {
		f.line <- string(line)
	}
	return len(p), nil
}

// replaying plays a file until the test ends and returns the page's link.
func replaying(t *testing.T, file string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out := &firstLine{line: make(chan string, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"replay", file, "--addr", "127.0.0.1:0"}, out, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("replay ended with %v", err)
		}
	})
	select {
	case line := <-out.line:
		return strings.TrimPrefix(line, "Kubestage is at ")
	case <-time.After(30 * time.Second):
		t.Fatal("no link within 30 s")
	}
	return ""
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// loaded waits until all of a recording is in the log.
func loaded(t *testing.T, link string, events uint64) {
	t.Helper()
	var ready struct{ Last uint64 }
	for deadline := time.Now().Add(30 * time.Second); ready.Last < events; time.Sleep(10 * time.Millisecond) {
		if body := fetch(t, link+"/readyz"); json.Unmarshal([]byte(body), &ready) != nil || time.Now().After(deadline) {
			t.Fatalf("not all events are there: %s", body)
		}
	}
}

// A replay is the recording, a recording of the replay is one too, and whoever
// plays a file twice sees the same.
func TestRecordAndReplay(t *testing.T) {
	file := tape(t, 3000)
	link := replaying(t, file)
	loaded(t, link, 3000)
	r, err := recording.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(bytes.Join(r.Lines(), []byte("\n"))) + "\n"
	first, second := fetch(t, link+"/api/events?limit=10000"), ""
	again := replaying(t, file)
	loaded(t, again, 3000)
	if second = fetch(t, again+"/api/events?limit=10000&log="+r.ID); first != want || second != want {
		t.Error("what is played is not what was recorded")
	}

	t.Chdir(t.TempDir())
	for i, c := range []struct {
		args []string
		says string
		file string
	}{
		{[]string{"--from", "11", "--to", "20", "--title", "a pod"}, "10 events", "a-pod-20261121-030010.kubestage"},
		{[]string{"--from", "11", "--to", "20", "--title", "a pod"}, "dashboard replay a-pod-20261121-030010-2.kubestage", "a-pod-20261121-030010-2.kubestage"},
		{[]string{"-o", "all.kubestage"}, "3000 events", "all.kubestage"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"record", "--page", link}, c.args...), &out, io.Discard); err != nil || !strings.Contains(out.String(), c.says) {
			t.Errorf("%d: %v, %s", i, err, out.String())
		}
		if made, err := recording.Open(c.file); err != nil || len(made.Lines()) == 0 {
			t.Errorf("%d: %v", i, err)
		}
	}
	if all, err := recording.Open("all.kubestage"); err != nil || string(bytes.Join(all.Lines(), []byte("\n")))+"\n" != want {
		t.Errorf("a recording of all of a replay has other events: %v", err)
	}
}

func TestRecordFindsTheDashboardOfADirectory(t *testing.T) {
	link := replaying(t, tape(t, 10))
	dir := t.TempDir()
	leave, err := announce(dir, link)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, pageFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the link can be read by others: %v, %v", info.Mode(), err)
	}
	loaded(t, link, 10)
	path := filepath.Join(dir, "x.kubestage")
	if err := run(t.Context(), []string{"record", "--data-dir", dir, "-o", path}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	leave()
	if err := run(t.Context(), []string{"record", "--data-dir", dir, "-o", path}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "no dashboard runs in") {
		t.Errorf("after it had gone: %v", err)
	}
}

func TestRecordAndReplaySayWhatIsWrong(t *testing.T) {
	file, dir := tape(t, 3), t.TempDir()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	short, text := filepath.Join(dir, "short"), filepath.Join(dir, "text")
	for path, content := range map[string][]byte{short: whole[:len(whole)-20], text: []byte("somebody's essay")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"replay"}, "which recording?"},
		{[]string{"replay", file, "b"}, `"b" is not expected`},
		{[]string{"replay", file, "--nodes", "3"}, "dashboard help"},
		{[]string{"replay", file, "--addr", "7766"}, "HOST:PORT"},
		{[]string{"replay", filepath.Join(dir, "none")}, "no such file"},
		{[]string{"replay", text}, "no recording of Kubestage"},
		{[]string{"replay", short}, "damaged"},
		{[]string{"replay", dir}, dir},
		{[]string{"record", "x"}, `"x" is not expected`},
		{[]string{"record", "--story", "1", "--from", "2"}, "use one of them"},
		{[]string{"record", "--for", "1s", "--to", "2"}, "use one of them"},
		{[]string{"record", "--for", "2h"}, "up to 1h"},
		{[]string{"record", "--for", "soon"}, "dashboard help"},
		{[]string{"record", "--page", "http://127.0.0.1:1"}, "no dashboard answers"},
		{[]string{"record", "--page", "127.0.0.1:1"}, "no link to a dashboard"},
		{[]string{"record", "--page", "http://127.0.0.1:1", "--data-dir", dir}, "use one of them"},
		{[]string{"record", "--data-dir", dir}, "no dashboard runs in"},
		{[]string{"--database", "learners.db"}, "postgres://"},
	} {
		if err := run(t.Context(), c.args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", strings.Join(c.args, " "), err, c.says)
		}
	}
}

func TestExport(t *testing.T) {
	file := tape(t, 3)
	t.Chdir(t.TempDir())
	var out bytes.Buffer
	if err := run(t.Context(), []string{"export", file, "--lang", "ko", "--title", "</script><b>"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("first.html")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="ko"`, base64.StdEncoding.EncodeToString(raw), "&lt;/script&gt;&lt;b&gt; · Kubestage"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page has no %.40q", want)
		}
	}
	for _, outside := range []string{`src="http`, `src="/`, `href="http`, `href="/`, `url(/`, `url(http`, "</script><b>"} {
		if bytes.Contains(page, []byte(outside)) {
			t.Errorf("the page has %q in it", outside)
		}
	}
	if err := run(t.Context(), []string{"export", file}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("first-2.html"); err != nil {
		t.Error("a second page takes the place of the first:", err)
	}

	for want, args := range map[string][]string{
		"which recording":       {},
		"give FILE, or --story": {file, "--story", "7"},
		"opens in en or ko":     {file, "--lang", "tlh"},
		"is not expected here":  {file, "other"},
		"no dashboard to ask":   {"nowhere", "--data-dir", t.TempDir()},
		"no such file":          {"missing.kubestage"},
	} {
		if err := run(t.Context(), append([]string{"export"}, args...), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("export %q: %v, want %q", args, err, want)
		}
	}
}
