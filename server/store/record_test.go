package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestARecordLosesNothing(t *testing.T) { onEach(t, aRecordLosesNothing) }

func aRecordLosesNothing(t *testing.T, where string) {
	ctx, s := t.Context(), open(t, where)
	at := time.Date(2026, 11, 21, 3, 4, 5, 678, time.UTC)
	s.Now = func() time.Time { return at }
	home, school := NewLearner(), NewLearner()
	later := func() { at = at.Add(time.Minute) }

	must(t, s.SetPlace(ctx, home, "pod-birth", "stored"))
	must(t, s.Predict(ctx, home, "pod-birth", "tie"))
	must(t, s.Pass(ctx, home, "pod-birth"))
	must(t, s.Mark(ctx, home, "pod-birth", "stored", true))
	must(t, s.Mark(ctx, home, "pod-birth", "told", true))
	must(t, s.Mark(ctx, home, "pod-birth", "told", false))
	must(t, s.Remark(ctx, home, "pod-birth", "stored", "키 하나에 값 하나.\n\t<b>not bold</b>"))
	must(t, s.Remark(ctx, home, "pod-birth", "told", "away soon"))
	must(t, s.Remark(ctx, home, "pod-birth", "told", " "))
	later()
	must(t, s.SetPlace(ctx, school, "pod-birth", "chosen"))
	must(t, s.Pass(ctx, school, "pod-birth"))
	must(t, s.Remark(ctx, school, "pod-birth", "stored", "at school"))
	must(t, s.Mark(ctx, school, "etcd", "put", true))

	export := func(who string) []byte {
		t.Helper()
		rec, err := s.Record(ctx, who)
		must(t, err)
		text, err := json.Marshal(rec)
		must(t, err)
		return text
	}
	merge := func(who string, file []byte) {
		t.Helper()
		rec, err := ReadRecord(bytes.NewReader(file))
		must(t, err)
		must(t, s.Merge(ctx, who, rec))
	}
	fromHome := export(home)
	merge(school, fromHome)
	both, err := s.Record(ctx, school)
	must(t, err)
	c := both.Chapters["pod-birth"]
	if c.Place.Step != "chosen" || c.Prediction.Chosen != "tie" || !c.Passed.Equal(at.Add(-time.Minute)) || len(c.Bookmarks) != 1 || c.Bookmarks[0].Section != "stored" {
		t.Errorf("got %+v", c)
	}
	if len(c.Remarks) != 1 || c.Remarks[0].Text != "키 하나에 값 하나.\n\t<b>not bold</b>\n\nat school" {
		t.Errorf("remarks: %+v", c.Remarks)
	}
	if both.Chapters["etcd"] == nil || len(both.Chapters["etcd"].Bookmarks) != 1 {
		t.Errorf("a bookmark of the one who imports is gone: %+v", both.Chapters)
	}
	merge(school, fromHome)
	again, err := s.Record(ctx, school)
	must(t, err)
	if !reflect.DeepEqual(again.Chapters, both.Chapters) {
		t.Errorf("importing twice changed something:\n%+v\n%+v", both.Chapters["pod-birth"], again.Chapters["pod-birth"])
	}
	fresh := NewLearner()
	merge(fresh, export(school))
	copied, err := s.Record(ctx, fresh)
	must(t, err)
	if !reflect.DeepEqual(copied.Chapters, both.Chapters) {
		t.Errorf("a copy differs:\n%+v\n%+v", both.Chapters, copied.Chapters)
	}
	// A file in which somebody wrote two remarks on one section.
	merge(fresh, []byte(`{"kind":"kubestage-progress","version":1,"exported":"2026-11-21T03:04:05Z","chapters":{"x":{"remarks":[
		{"section":"a","text":"one","at":"2026-11-21T03:04:05Z"},{"section":"a","text":"two","at":"2026-11-21T03:04:06Z"}]}}}`))
	if rec, _ := s.Record(ctx, fresh); rec.Chapters["x"].Remarks[0].Text != "one\n\ntwo" {
		t.Errorf("got %+v", rec.Chapters["x"])
	}
}

func TestForeignFilesAreNoRecords(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"nothing":              {"", "damaged at byte 0"},
		"half a file":          {`{"kind":"kubestage-progress","version":1,"chap`, "damaged at byte"},
		"another program's":    {`{"kind":"something"}`, `its kind is "something"`},
		"a list":               {`[1,2]`, "not a file of progress"},
		"a newer one":          {`{"kind":"kubestage-progress","version":2,"new":1}`, "update Kubestage"},
		"an unknown field":     {`{"kind":"kubestage-progress","version":1,"chapters":{"a":{"stars":5}}}`, `unknown field "stars"`},
		"a chapter of nothing": {`{"kind":"kubestage-progress","version":1,"chapters":{"a":null}}`, "chapter a is empty"},
		"an id that is none":   {`{"kind":"kubestage-progress","version":1,"chapters":{"<b>":{}}}`, `"<b>" is not the id of a chapter`},
		"a section":            {`{"kind":"kubestage-progress","version":1,"chapters":{"a":{"bookmarks":[{"section":"../x"}]}}}`, `"../x" is not the id of a section`},
		"a remark too long":    {`{"kind":"kubestage-progress","version":1,"chapters":{"a":{"remarks":[{"section":"b","text":"` + strings.Repeat("가", LongestRemark+1) + `"}]}}}`, "may have 20000 letters"},
		"a remark with NUL":    {`{"kind":"kubestage-progress","version":1,"chapters":{"a":{"remarks":[{"section":"b","text":"\u0000"}]}}}`, "plain text"},
	} {
		rec, err := ReadRecord(strings.NewReader(c.file))
		if !errors.Is(err, ErrNotARecord) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %+v, %v; want an error with %q", name, rec, err, c.says)
		}
	}
}

func TestRemarksHaveAnEnd(t *testing.T) {
	onEach(t, func(t *testing.T, where string) {
		ctx, s, me := t.Context(), open(t, where), NewLearner()
		long := strings.Repeat("글", LongestRemark)
		must(t, s.Remark(ctx, me, "a", "b", long))
		if err := s.Remark(ctx, me, "a", "b", long+"!"); err == nil {
			t.Error("a remark that is too long was kept")
		}
		more := &Record{Chapters: map[string]*ChapterRecord{"a": {Remarks: []Remark{{"b", strings.Repeat("other", 100), time.Now()}}}}}
		if err := s.Merge(ctx, me, more); !errors.Is(err, ErrTooMuch) {
			t.Errorf("got %v", err)
		}
		if p, err := s.Progress(ctx, me, "a"); err != nil || len(p.Remarks) != 1 || p.Remarks[0].Text != long {
			t.Errorf("a refused import changed something: %v", err)
		}
	})
}

func TestGivenNotes(t *testing.T) {
	onEach(t, func(t *testing.T, where string) {
		ctx, s, me, you := t.Context(), open(t, where), NewLearner(), NewLearner()
		file := []byte("a\r\n\x00\xff 한글\n")
		must(t, s.GiveNote(ctx, me, "묶음/파드.md", []byte("old")))
		must(t, s.GiveNote(ctx, me, "묶음/파드.md", file))
		must(t, s.GiveNote(ctx, me, "empty.md", []byte{}))
		list, err := s.Notes(ctx, me)
		must(t, err)
		if len(list) != 2 || list[0].Name != "empty.md" || list[1].Size != len(file) {
			t.Errorf("listed as %+v", list)
		}
		if got, err := s.Note(ctx, me, "묶음/파드.md"); err != nil || !bytes.Equal(got, file) {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := s.Note(ctx, you, "묶음/파드.md"); !errors.Is(err, ErrNoNote) {
			t.Errorf("somebody else's note: %v", err)
		}
		if n, err := s.DropNotes(ctx, you, ""); n != 0 || err != nil {
			t.Errorf("somebody else deleted %d, %v", n, err)
		}
		if err := s.GiveNote(ctx, me, "large.md", make([]byte, GivenBytes)); !errors.Is(err, ErrTooMuch) {
			t.Errorf("too much: %v", err)
		}
		if n, err := s.DropNotes(ctx, me, "empty.md"); n != 1 || err != nil {
			t.Errorf("one: %d, %v", n, err)
		}
		if n, err := s.DropNotes(ctx, me, ""); n != 1 || err != nil {
			t.Errorf("all: %d, %v", n, err)
		}
	})
}
