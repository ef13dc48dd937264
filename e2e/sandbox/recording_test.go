//go:build linux

package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// taped is a recording's file, read by nothing of ours.
type taped struct {
	header struct {
		Log         string
		First, Last uint64
		Carried     int
		Origin      [][2]uint64
	}
	text  []byte
	lines [][]byte // of events
}

func readTape(t *testing.T, file []byte) taped {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	tape := taped{text: text, lines: lines[1 : len(lines)-1]}
	if err := json.Unmarshal(lines[0], &tape.header); err != nil {
		t.Fatal(err)
	}
	return tape
}

var (
	seqOf    = regexp.MustCompile(`^\{"seq":\d+`)
	causesOf = regexp.MustCompile(`,"causes":\[[^\]]*\]`)
	causeSeq = regexp.MustCompile(`"seq":(\d+)`)
	verbOf   = regexp.MustCompile(`"verb":"put"`)
)

// expected is what a recording makes of the live log's lines: new numbers, and
// rows that were there before instead of the writes that made them.
func (tape taped) expected(live map[uint64][]byte) [][]byte {
	numbers := map[uint64]int{}
	var lines [][]byte
	for _, run := range tape.header.Origin {
		for n := run[0]; n < run[0]+run[1]; n++ {
			numbers[n] = len(lines) + 1
			line := seqOf.ReplaceAll(live[n], fmt.Appendf(nil, `{"seq":%d`, numbers[n]))
			row := len(lines) < tape.header.Carried && bytes.Contains(line, []byte(`"kind":"etcd"`))
			causes := causesOf.Find(line)
			switch {
			case row:
				line = bytes.Replace(line, causes, nil, 1)
				line = replaceFirst(line, verbOf, `"verb":"range"`)
			case causes != nil:
				line = bytes.Replace(line, causes, renumbered(causes, numbers), 1)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func renumbered(causes []byte, numbers map[uint64]int) []byte {
	var list []string
	for one := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(string(causes), `,"causes":[`), "]"), "},") {
		one = strings.TrimSuffix(one, "}") + "}"
		one = causeSeq.ReplaceAllStringFunc(one, func(s string) string {
			n, _ := strconv.ParseUint(causeSeq.FindStringSubmatch(s)[1], 10, 64)
			return fmt.Sprintf(`"seq":%d`, numbers[n])
		})
		if len(list) == 0 || !strings.Contains(strings.Join(list, ","), one) {
			list = append(list, one)
		}
	}
	return []byte(`,"causes":[` + strings.Join(list, ",") + "]")
}

func replaceFirst(line []byte, what *regexp.Regexp, with string) []byte {
	if at := what.FindIndex(line); at != nil {
		return append(append(bytes.Clone(line[:at[0]]), with...), line[at[1]:]...)
	}
	return line
}

// raw returns the lines of /api/events by their numbers.
func raw(t *testing.T, d *dashboard.Dashboard) (byNumber map[uint64][]byte, all []byte) {
	t.Helper()
	byNumber = map[uint64][]byte{}
	for last := uint64(0); ; {
		page := body(t, fmt.Sprintf("%s/api/events?limit=10000&after=%d", d.URL, last))
		if len(page) == 0 {
			return byNumber, all
		}
		all = append(all, page...)
		for line := range bytes.Lines(page) {
			last++
			byNumber[last] = bytes.TrimSuffix(line, []byte("\n"))
		}
	}
}

func body(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", url, response.Status, text, err)
	}
	return text
}

// What is recorded of a live cluster is what happened there, plays the same in
// another process without a cluster, and holds no value of a Secret and no token.
func TestRealRecordAndReplay(t *testing.T) {
	const canary = "canary-c4a7b1d9-swordfish"
	o := dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid())}
	d := ready(t, o)
	kube := learner(t, d)
	var before struct{ Last uint64 }
	if err := json.Unmarshal(body(t, d.URL+"/readyz"), &before); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db"}, StringData: map[string]string{"password": canary}}
	if _, err := kube.CoreV1().Secrets("default").Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(t.TempDir(), "secret.yaml") // kubectl apply also keeps the value in an annotation
	if err := os.WriteFile(manifest, []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: applied}\nstringData: {password: "+canary+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl(t, o, "apply", "-f", manifest)
	token, err := kube.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kube.AppsV1().Deployments("default").Create(t.Context(), web(3), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settled(t, kube, time.Minute)

	path := filepath.Join(t.TempDir(), "web.kubestage")
	out, err := dashboard.Run(o, "record", "--data-dir", o.Dir, "--from", fmt.Sprint(before.Last+1), "--title", "three replicas", "-o", path)
	if err != nil || out.Code != 0 || !strings.Contains(out.Stdout, "dashboard replay") {
		t.Fatal(err, out)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tape := readTape(t, file)
	live, _ := raw(t, d)
	want := tape.expected(live)
	if len(want) != len(tape.lines) || tape.header.First != before.Last+1 || len(want)-tape.header.Carried != int(tape.header.Last-tape.header.First)+1 {
		t.Fatalf("%d events are recorded, %d carried in, of %d to %d", len(tape.lines), tape.header.Carried, tape.header.First, tape.header.Last)
	}
	for i := range want {
		if !bytes.Equal(tape.lines[i], want[i]) {
			t.Fatalf("event %d is\n%s\nin the recording; after what happened it is\n%s", i+1, tape.lines[i], want[i])
		}
	}
	t.Logf("%d events, %d of them carried in: %d bytes, %d each", len(tape.lines), tape.header.Carried, len(file), len(file)/len(tape.lines))

	recordStory(t, d, o, live)

	// The database keeps one, too.
	response, err := http.Post(d.URL+"/api/recordings", "application/json", strings.NewReader(`{"title":"kept"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	var kept struct{ ID string }
	if response.StatusCode != http.StatusCreated || json.Unmarshal(text, &kept) != nil {
		t.Fatalf("%s %s", response.Status, text)
	}
	keptTape := readTape(t, body(t, d.URL+"/api/recordings/"+kept.ID))
	keptEvents := body(t, d.URL+"/api/events?limit=10000&recording="+kept.ID)
	if !bytes.HasPrefix(append(bytes.Join(keptTape.lines, []byte("\n")), '\n'), keptEvents) || len(keptEvents) == 0 {
		t.Error("a kept recording plays other events than its file has")
	}
	stop(t, d)

	database, err := filepath.Glob(filepath.Join(o.Dir, "kubestage.db*"))
	if err != nil || len(database) == 0 {
		t.Fatal("no database", err)
	}
	texts := map[string][]byte{"recording": tape.text, "kept recording": keptTape.text}
	for _, name := range database {
		if texts[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for what, secret := range map[string]string{
		"value": canary, "value in base64": base64.StdEncoding.EncodeToString([]byte(canary)), "token": token.Status.Token,
	} {
		for name, text := range texts {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the %s of a Secret is in the %s", what, name)
			}
		}
	}
	if !bytes.Contains(tape.text, []byte(`"name":"db"`)) || !bytes.Contains(tape.text, []byte(`"name":"applied"`)) {
		t.Error("the Secrets themselves are not in the recording, so that they hold no value shows nothing")
	}

	// In other processes, while no cluster runs.
	var played [2][]byte
	for i := range played {
		r, err := dashboard.Replay(o, path)
		if err != nil {
			t.Fatal(err)
		}
		until(t, 30*time.Second, "all events", func() (bool, string) {
			var at struct{ Last int }
			text := body(t, r.URL+"/readyz")
			return json.Unmarshal(text, &at) == nil && at.Last == len(tape.lines), string(text)
		})
		_, played[i] = raw(t, r)
		if others := len(r.Family()); others != 1 {
			t.Errorf("a replay runs %d processes", others)
		}
		if _, err := r.Stop(); err != nil {
			t.Error(err)
		}
	}
	recorded := append(bytes.Join(tape.lines, []byte("\n")), '\n')
	if !bytes.Equal(played[0], recorded) || !bytes.Equal(played[1], recorded) {
		t.Error("a replay is not what was recorded")
	}
}

// recordStory records how the deployment came about, and nothing else: each event
// of the story is in it, and everything that an event of it names as its cause.
func recordStory(t *testing.T, d *dashboard.Dashboard, o dashboard.Options, live map[uint64][]byte) {
	t.Helper()
	var list struct {
		Stories []struct {
			ID    string
			Title struct{ En string }
		}
	}
	if err := json.Unmarshal(body(t, d.URL+"/api/stories?limit=1000"), &list); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, s := range list.Stories {
		if strings.Contains(s.Title.En, "created Deployment web") { // and not: looked at it
			id = s.ID
		}
	}
	if id == "" {
		t.Fatalf("no story of the deployment: %+v", list)
	}
	path := filepath.Join(t.TempDir(), "story.kubestage")
	out, err := dashboard.Run(o, "record", "--data-dir", o.Dir, "--story", id, "-o", path)
	if err != nil || out.Code != 0 || !strings.Contains(out.Stdout, "Deployment web") {
		t.Fatal(err, out)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tape := readTape(t, file)
	var story struct{ Events []uint64 }
	if err := json.Unmarshal(body(t, d.URL+"/api/stories/"+id), &story); err != nil || len(story.Events) < 20 {
		t.Fatalf("%d events are the story, %v", len(story.Events), err)
	}
	kept := map[uint64]int{}
	n := 0
	for _, run := range tape.header.Origin {
		for seq := run[0]; seq < run[0]+run[1]; seq++ {
			n++
			kept[seq] = n
		}
	}
	for _, seq := range story.Events {
		if seq <= tape.header.Last && kept[seq] == 0 {
			t.Errorf("event %d of the story is not recorded: %s", seq, live[seq])
		}
	}
	strangers := 0
	for i, line := range tape.lines[tape.header.Carried:] {
		if bytes.Contains(causesOf.Find(line), []byte(`{"seq":0,`)) {
			t.Errorf("a cause of event %d is not recorded: %s", tape.header.Carried+i+1, line)
		}
		if bytes.Contains(line, []byte(`"resource":"secrets"`)) {
			strangers++
		}
	}
	if strangers > 0 {
		t.Errorf("%d events of the story of a deployment are about Secrets", strangers)
	}
	t.Logf("a story of %d events: %d recorded, %d of them carried in, %d bytes", len(story.Events), len(tape.lines), tape.header.Carried, len(file))
}
