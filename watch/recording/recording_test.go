package recording

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/state"
)

// tell makes an event of what is left out most.
func tell(kind watch.Kind, verb, key string, detail any, causes ...uint64) watch.Event {
	at := time.Date(2026, 11, 21, 3, 0, 0, 123456789, time.UTC)
	e := watch.Event{Kind: kind, Verb: verb, From: watch.APIServer, To: watch.EtcdServer, Start: at, End: at, Evidence: watch.Observed(string(kind), key+"@1")}
	if resource, name, ok := strings.Cut(key, "/"); ok {
		e.Object = &watch.Object{Version: "v1", Resource: resource, Namespace: "default", Name: name}
	}
	for _, c := range causes {
		e.Causes = append(e.Causes, watch.Cause{Seq: c, How: watch.ByRevision})
	}
	e.Detail, _ = json.Marshal(detail)
	return e
}

type object map[string]any

// small is a log with one of everything that a recording treats differently.
func small() *watch.Log {
	component := func(verb, name string) watch.Event {
		e := tell(watch.Component, verb, "", object{"pid": 7})
		e.From, e.To = watch.Kubestage, name
		return e
	}
	open := tell(watch.Request, "watch", "pods/", object{"uri": "/api/v1/pods?watch=true"})
	open.From, open.To, open.Object.Name, open.Code = "system:kube-scheduler", watch.APIServer, "", 200
	log := watch.NewLog(0)
	log.Append(
		component("starting", "etcd"), // 1
		component("ready", "etcd"),    // 2
		open,                          // 3
		tell(watch.Etcd, "put", "pods/old", object{"value": object{"n": 1}}),    // 4
		tell(watch.Etcd, "put", "pods/old", object{"value": object{"n": 2}}, 4), // 5
		tell(watch.Etcd, "put", "pods/gone", object{"value": object{"n": 1}}),   // 6
		tell(watch.Etcd, "delete", "pods/gone", object{"value": object{}}, 6),   // 7
		tell(watch.Request, "create", "pods/hello", object{"uri": "/"}, 3, 5),   // 8
		tell(watch.Etcd, "put", "pods/other", object{"value": object{"n": 1}}),  // 9
		tell(watch.Etcd, "put", "pods/hello", object{"value": object{"n": 1}}, 8),
		tell(watch.Watch, "ADDED", "pods/hello", object{}, 10, 6), // 11
	)
	return log
}

func told(events []watch.Event) string {
	var words []string
	for _, e := range events {
		name := e.To
		if e.Object != nil {
			name = e.Object.Name
		}
		word := fmt.Sprintf("%d:%s:%s", e.Seq, e.Verb, name)
		for _, c := range e.Causes {
			word += fmt.Sprintf("<%d", c.Seq)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// What the requests of a story went through goes with it, that of others does not.
func TestCutSpans(t *testing.T) {
	log := small()
	span := func(request uint64) watch.Event {
		return watch.Event{Kind: watch.Span, Verb: "request", From: watch.APIServer, To: watch.APIServer, Causes: []watch.Cause{{Seq: request, How: "auditID"}}, Evidence: watch.Observed("otel", "1")}
	}
	log.Append(span(8), span(99), watch.Event{Kind: watch.Watch, Verb: "MODIFIED", From: watch.APIServer, To: "kubectl", Causes: []watch.Cause{{Seq: 10, How: "revision"}}, Evidence: watch.Observed("watch", "1")})
	h, _, err := Cut(log, Choice{Story: []uint64{8, 10, 14}})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][2]uint64{{2, 4}, {8, 1}, {10, 1}, {12, 1}, {14, 1}}; fmt.Sprint(h.Origin) != fmt.Sprint(want) {
		t.Errorf("events %v went into the recording, want %v", h.Origin, want)
	}
}

func TestCut(t *testing.T) {
	log := small()
	for _, c := range []struct {
		name, want string
		choice     Choice
		carried    int
		origin     [][2]uint64
	}{
		{"everything", "1:starting:etcd 2:ready:etcd 3:watch: 4:put:old 5:put:old<4 6:put:gone 7:delete:gone<6 8:create:hello<3<5 9:put:other 10:put:hello<8 11:ADDED:hello<10<6",
			Choice{First: 1, Last: 99}, 0, [][2]uint64{{1, 11}}},
		{"the end, with what was there before", "1:ready:etcd 2:watch: 3:range:old 4:create:hello<2<3 5:put:other 6:put:hello<4 7:ADDED:hello<6<0",
			Choice{First: 8, Last: 11}, 3, [][2]uint64{{2, 2}, {5, 1}, {8, 4}}},
		// That gone was put is a cause of the last event, so that it was deleted must be told, too.
		{"a story, without what else happened", "1:ready:etcd 2:watch: 3:put:old 4:put:old<3 5:put:gone 6:delete:gone<5 7:create:hello<2<4 8:put:hello<7 9:ADDED:hello<8<5",
			Choice{Story: []uint64{8, 10, 11}}, 6, [][2]uint64{{2, 7}, {10, 2}}},
	} {
		h, events, err := Cut(log, c.choice)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := told(events); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if h.Carried != c.carried || fmt.Sprint(h.Origin) != fmt.Sprint(c.origin) || h.Log != log.ID() {
			t.Errorf("%s: carried %d, origin %v", c.name, h.Carried, h.Origin)
		}
	}
	for _, c := range []Choice{{First: 0, Last: 4}, {First: 5, Last: 4}, {First: 12, Last: 20}, {Story: []uint64{12}}} {
		if _, _, err := Cut(log, c); !errors.Is(err, ErrNothing) {
			t.Errorf("%v: got %v", c, err)
		}
	}
}

// What an attached cluster's watches brought is there when a recording begins.
func TestCutOfAnAttachedCluster(t *testing.T) {
	log := watch.NewLog(0)
	log.Append(
		tell(watch.Watch, "ADDED", "pods/a", object{"value": object{"n": 1}}),
		tell(watch.Watch, "MODIFIED", "pods/a", object{"value": object{"n": 2}}),
		tell(watch.Watch, "ADDED", "pods/b", object{"value": object{"n": 1}}),
		tell(watch.Watch, "DELETED", "pods/b", object{"value": object{"n": 1}}),
		tell(watch.Watch, "ADDED", "pods/c", object{"value": object{"n": 1}}),
	)
	_, events, err := Cut(log, Choice{First: 5, Last: 5})
	if err != nil || told(events) != "1:ADDED:a 2:ADDED:c" || string(events[0].Detail) != `{"listed":true,"value":{"n":2}}` {
		t.Fatalf("got %s %s, %v", told(events), events[0].Detail, err)
	}
}

// A log that has let go of its beginning: what was written there is known from
// its state.
func TestCutOfALogThatBeganEarlier(t *testing.T) {
	log := watch.NewLog(1 << 20)
	past := state.NewTimeline(log)
	cut := tell("link", "cut", "", object{"link": "etcd"})
	ready := tell(watch.Component, "ready", "", object{"pid": 7})
	ready.To = "etcd"
	log.Append(tell(watch.Etcd, "put", "pods/old", object{"value": object{"n": 1}}), cut, ready)
	for i := range 6_000 {
		log.Append(tell(watch.Etcd, "put", "pods/new", object{"value": object{"n": i, "x": noise(i)}}))
		if i%100 == 0 {
			past.CatchUp()
		}
	}
	first, last := log.Bounds()
	if first == 1 {
		t.Fatal("the log is not too small")
	}
	var gap *watch.Gap
	if _, _, err := Cut(log, Choice{First: 1, Last: last, Past: past}); !errors.As(err, &gap) || gap.First != first {
		t.Fatalf("got %v", err)
	}
	if h, _, err := Cut(log, Choice{First: last, Last: last}); err != nil || h.Since != first {
		t.Fatalf("since %d, %v; want %d", h.Since, err, first)
	}
	h, events, err := Cut(log, Choice{First: last, Last: last, Past: past})
	if err != nil || h.Since != 0 || h.Carried != 4 {
		t.Fatalf("since %d, %d carried in, %v", h.Since, h.Carried, err)
	}
	if got := told(events); got != "1:range:old 2:cut:etcd 3:ready:etcd 4:range:new 5:put:new" {
		t.Errorf("got %s", got)
	}
	if e := events[0]; e.Evidence.How != "inferred" || !e.Start.Equal(events[4].Start) || string(e.Detail) != `{"value":{"n":1}}` {
		t.Errorf("what was there is told as %+v", e)
	}
}

// noise cannot be packed much.
func noise(i int) (text string) {
	for n := range 8 {
		text += fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(n)}))
	}
	return text
}

func taped(t testing.TB) []byte {
	t.Helper()
	h, events, err := Cut(small(), Choice{First: 8, Last: 11})
	if err != nil {
		t.Fatal(err)
	}
	h.Title, h.Made, h.Source, h.Ends = "안녕, hello", time.Date(2026, 11, 21, 3, 4, 5, 0, time.UTC), "sandbox", EndAsked
	h.Log = "LOG" // not a random one
	var file bytes.Buffer
	if err := Write(&file, h, events); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestAReplayIsTheRecordedLog(t *testing.T) {
	file := taped(t)
	if !bytes.Equal(file, taped(t)) {
		t.Fatal("writing the same twice makes two different files")
	}
	path := filepath.Join(t.TempDir(), "a"+Extension)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Title != "안녕, hello" || r.Header.Events != 7 || r.Carried != 3 || r.Header.First != 8 || r.Start.IsZero() {
		t.Fatalf("got %+v", r.Header)
	}
	_, events, err := Cut(small(), Choice{First: 8, Last: 11})
	if err != nil {
		t.Fatal(err)
	}
	log := r.Log()
	if err := r.Feed(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	lines, err := log.Lines(0, 0)
	if err != nil || len(lines) != len(events) || len(log.ID()) != 12 {
		t.Fatalf("%d lines of log %s, %v", len(lines), log.ID(), err)
	}
	for i, e := range events {
		if want, _ := json.Marshal(e); !bytes.Equal(lines[i], want) {
			t.Errorf("got %s\nwant %s", lines[i], want)
		}
	}
	// A recording of a replay is a recording, too.
	h, events, err := Cut(log, Choice{First: 1, Last: 7})
	if err != nil || Write(io.Discard, h, events) != nil {
		t.Fatal(err)
	}
}

// A file that is not as it was written is never played as something else.
func TestDamageIsFound(t *testing.T) {
	file := taped(t)
	whole, err := Read(bytes.NewReader(file), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	for n := range file {
		if _, err := Read(bytes.NewReader(file[:n]), DefaultLimits); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Fatalf("cut off after %d bytes: %v", n, err)
		}
	}
	for bit := 0; bit < 8*len(file); bit += 7 { // each byte, and each bit of some
		broken := slices.Clone(file)
		broken[bit/8] ^= 1 << (bit % 8)
		r, err := Read(bytes.NewReader(broken), DefaultLimits)
		// Some bits of gzip mean nothing, as those that fill up its last byte.
		if err == nil && (r.ID != whole.ID || !slices.EqualFunc(r.lines, whole.lines, bytes.Equal)) {
			t.Fatalf("bit %d of byte %d was flipped, and nobody noticed", bit%8, bit/8)
		}
	}
	for name, behind := range map[string][]byte{"a byte": {0}, "itself": file} {
		if _, err := Read(bytes.NewReader(slices.Concat(file, behind)), DefaultLimits); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s behind the end: %v", name, err)
		}
	}
}

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	file := taped(t)
	text, err := io.ReadAll(must(gzip.NewReader(bytes.NewReader(file))))
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) []byte { return zipped(strings.Replace(string(text), old, with, 1)) }
	for name, c := range map[string]struct {
		file []byte
		is   error
		says string
	}{
		"empty":           {nil, ErrForeign, Extension},
		"text":            {[]byte("somebody's essay"), ErrForeign, Extension},
		"another gzip":    {zipped("{}\n"), ErrForeign, "no recording"},
		"empty gzip":      {zipped(""), ErrForeign, "no recording"},
		"newer":           {change(`"version":1`, `"version":2`), ErrNewer, "update Kubestage"},
		"version 0":       {change(`"version":1`, `"version":0`), ErrForeign, "no recording"},
		"wrong sum":       {change(`"title":"`, `"title":"x`), ErrDamaged, "copy it again"},
		"one event less":  {change(strings.SplitAfter(string(text), "\n")[2], ""), ErrDamaged, "copy it again"},
		"wrong count":     {change(`{"end":{"events":7`, `{"end":{"events":6`), ErrDamaged, "as many events"},
		"end mark broken": {change(`{"end":{`, `{"end":[`), ErrDamaged, "end mark"},
		"no end":          {zipped(string(text[:bytes.LastIndex(text, []byte(`{"end"`))])), ErrDamaged, "cut off after 7 events"},
	} {
		_, err := Read(bytes.NewReader(c.file), DefaultLimits)
		if !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A small file cannot make Kubestage take much memory.
func TestLimits(t *testing.T) {
	bomb := zipped(`{"format":"kubestage-recording","version":1}` + "\n" + strings.Repeat(" ", 8<<20))
	many := zipped(`{"format":"kubestage-recording","version":1}` + "\n" + strings.Repeat("{}\n", 1000))
	for name, c := range map[string]struct {
		file []byte
		l    Limits
	}{
		"a long line":     {bomb, Limits{Bytes: 64 << 20, Line: 1 << 20, Events: 10}},
		"a long file":     {bomb, Limits{Bytes: 1 << 20, Line: 64 << 20, Events: 10}},
		"a long header":   {zipped(strings.Repeat(" ", 2<<20)), Limits{Bytes: 64 << 20, Line: 1 << 20, Events: 10}},
		"too many events": {many, Limits{Bytes: 64 << 20, Line: 1 << 20, Events: 999}},
	} {
		if _, err := Read(bytes.NewReader(c.file), c.l); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, events, err := Cut(small(), Choice{First: 1, Last: 11})
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Limits{"bytes": {Bytes: 1000, Events: 100}, "events": {Bytes: 1 << 20, Events: 10}} {
		var large *TooLarge
		if _, err := encode(events, l); !errors.As(err, &large) {
			t.Errorf("too many %s to write: %v", name, err)
		}
	}
}

// A file with a right sum can still hold what is no log.
func TestMadeUpEventsAreNotPlayed(t *testing.T) {
	for _, line := range []string{`{}`, `[]`, `{"seq":2,"kind":"etcd","from":"a","verb":"put"}`, `{"seq":1,"kind":"etcd","from":"a","verb":"put","causes":[{"seq":1,"how":"uid"}]}`} {
		var file bytes.Buffer
		if err := write(&file, Header{Format: Format, Version: Version, Events: 1}, [][]byte{[]byte(line)}); err != nil {
			t.Fatal(err)
		}
		r, err := Read(&file, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Feed(t.Context(), r.Log()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func TestSecretsMakeNoFile(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
	secret := func(data any) object {
		return object{"kind": "Secret", "metadata": object{"name": "db"}, "data": data}
	}
	applied, _ := json.Marshal(secret(object{"password": "c3dvcmRmaXNo"}))
	list := object{"kind": "SecretList", "items": []any{object{"data": object{"password": "c3dvcmRmaXNo"}}}}
	for name, e := range map[string]watch.Event{
		"a value":              tell(watch.Etcd, "put", "secrets/db", object{"value": secret(object{"password": "c3dvcmRmaXNo"})}),
		"a value without kind": tell(watch.Etcd, "put", "secrets/db", object{"value": object{"data": object{"password": "c3dvcmRmaXNo"}}}),
		"stringData":           tell(watch.Request, "create", "others/db", object{"request": object{"kind": "Secret", "stringData": object{"a": "b"}}}),
		"a request":            tell(watch.Request, "create", "secrets/db", object{"request": object{"metadata": object{}}}),
		"a list":               tell(watch.Request, "list", "pods/x", object{"response": list}),
		"data of another form": tell(watch.Etcd, "put", "secrets/db", object{"value": secret("c3dvcmRmaXNo")}),
		"in an annotation":     tell(watch.Etcd, "put", "pods/x", object{"value": object{"metadata": object{"annotations": object{"applied": string(applied)}}}}),
		"a token":              tell(watch.Request, "create", "pods/x", object{"uri": "/exec?x=" + jwt}),
		"a header":             tell(watch.Request, "create", "pods/x", object{"message": "Authorization: Bearer abcdef0123456789abcdef"}),
		"a key":                tell(watch.Etcd, "put", "configmaps/x", object{"value": object{"data": object{"tls.key": "-----BEGIN EC PRIVATE KEY-----\nMHc"}}}),
		"a key in base64":      tell(watch.Etcd, "put", "configmaps/x", object{"value": object{"data": object{"k": "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo="}}}),
	} {
		e.Seq = 1
		var file bytes.Buffer
		err := Write(&file, Header{Source: "sandbox"}, []watch.Event{e})
		var leak *Leak
		if !errors.As(err, &leak) || file.Len() != 0 {
			t.Errorf("%s: got %v and %d bytes", name, err, file.Len())
			continue
		}
		if text := err.Error(); strings.Contains(text, "c3dvcmRmaXNo") || strings.Contains(text, jwt) || !strings.Contains(text, "event 1") {
			t.Errorf("%s: the message is %s", name, text)
		}
	}
	for name, e := range map[string]watch.Event{
		"names of keys": tell(watch.Etcd, "put", "secrets/db", object{"value": secret(object{"password": nil})}),
		"a certificate": tell(watch.Etcd, "put", "configmaps/kube-root-ca.crt", object{"value": object{"data": object{"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIC"}}}),
		"talk of them":  tell(watch.Request, "create", "events/x", object{"request": object{"message": "the Secret db has no key: bearer token is missing"}}),
		"a refusal":     tell(watch.Request, "get", "secrets/db", object{"message": `secrets "db" not found`}),
	} {
		e.Seq = 1
		if err := Write(io.Discard, Header{}, []watch.Event{e}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(io.Discard, Header{Title: jwt}, nil); err == nil {
		t.Error("a token may be the title")
	}
}

// Whatever a file holds, reading it is bounded, and what is read is either
// refused or played as it is.
func FuzzRead(f *testing.F) {
	file := taped(f)
	text, err := io.ReadAll(must(gzip.NewReader(bytes.NewReader(file))))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, false)
	f.Add(file[:len(file)-9], false)
	f.Add(text, true)
	f.Add([]byte(`{"format":"kubestage-recording","version":1,"events":1,"carried":-1}`+"\n{}\n"+`{"end":null}`+"\n"), true)
	f.Add([]byte(`{"format":"kubestage-recording","version":9}`+"\n"), true)
	limits := Limits{Bytes: 1 << 16, Line: 1 << 14, Events: 100}
	f.Fuzz(func(t *testing.T, in []byte, zip bool) {
		if zip { // so that the fuzzer need not learn gzip first
			in = zipped(string(in))
		}
		r, err := Read(bytes.NewReader(in), limits)
		if err != nil {
			return
		}
		if r.bytes > limits.Bytes || len(r.lines) > limits.Events || r.Carried > len(r.lines) {
			t.Fatalf("%d events of %d bytes, %d carried", len(r.lines), r.bytes, r.Carried)
		}
		log := r.Log()
		if r.Feed(t.Context(), log) != nil {
			return
		}
		lines, err := log.Lines(0, 0)
		if err != nil || !slices.EqualFunc(lines, r.lines, bytes.Equal) {
			t.Fatalf("played as %s, %v", lines, err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
