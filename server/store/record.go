package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Record is all that is kept of one learner, as it is exported and imported.
// Facts of runs are not in it: their numbers mean something only beside the
// log they were seen in.
type Record struct {
	Kind     string                    `json:"kind"`    // RecordKind
	Version  int                       `json:"version"` // RecordVersion
	Exported time.Time                 `json:"exported"`
	Chapters map[string]*ChapterRecord `json:"chapters"` // by the chapter's id
}

// ChapterRecord is what one learner has done and written in one chapter.
type ChapterRecord struct {
	Place      *PlaceRecord      `json:"place,omitempty"`
	Prediction *PredictionRecord `json:"prediction,omitempty"`
	Passed     *time.Time        `json:"passed,omitempty"` // when the checkpoint was first passed
	Bookmarks  []Bookmark        `json:"bookmarks,omitempty"`
	Remarks    []Remark          `json:"remarks,omitempty"`
}

// PlaceRecord is the step a learner was at.
type PlaceRecord struct {
	Step string    `json:"step"`
	At   time.Time `json:"at"`
}

// PredictionRecord is a Prediction and when it was made.
type PredictionRecord struct {
	Prediction
	At time.Time `json:"at"`
}

// Bookmark is a section a learner wants to find again.
type Bookmark struct {
	Section string    `json:"section"`
	At      time.Time `json:"at"`
}

// Remark is what a learner wrote beside a section.
type Remark struct {
	Section string    `json:"section"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// What an exported file says of itself, and what one may hold: whatever a
// learner may write fits into a file that may be imported.
const (
	RecordKind    = "kubestage-progress"
	RecordVersion = 1

	LongestRemark = 20_000    // letters
	mostRemarks   = 2_000_000 // letters of all of a learner's
	LargestRecord = 32 << 20  // bytes
	mostChapters  = 2000
	mostSections  = 2000 // of one chapter
)

// ErrNotARecord is returned for a file that is no record, or a damaged one.
// Nothing of it was taken.
var ErrNotARecord = errors.New("this is not a file of progress from Kubestage")

// ReadRecord reads an exported file. It takes nothing it does not know, so that
// no part of a file is lost without a word.
func ReadRecord(r io.Reader) (*Record, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%w, or it is damaged at byte %d: %w", ErrNotARecord, syntax.Offset, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrNotARecord, err)
	}
	if head.Kind != RecordKind {
		return nil, fmt.Errorf("%w: its kind is %q", ErrNotARecord, clip(head.Kind))
	}
	if head.Version > RecordVersion {
		return nil, fmt.Errorf("%w: it is of version %d and this program knows %d; update Kubestage", ErrNotARecord, head.Version, RecordVersion)
	}
	rec := &Record{}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(rec); err != nil {
		return nil, fmt.Errorf("%w, or it was changed: %w", ErrNotARecord, err)
	}
	return rec, rec.check()
}

// nameForm is what ids of chapters, steps and options look like.
var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,99}$`)

func (rec *Record) check() error {
	var wrong []error
	say := func(format string, args ...any) {
		if len(wrong) < 5 {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	name := func(what, id string) {
		if !nameForm.MatchString(id) {
			say("%q is not the id of a %s", clip(id), what)
		}
	}
	if len(rec.Chapters) > mostChapters {
		say("%d chapters are more than a book has", len(rec.Chapters))
	}
	for id, c := range rec.Chapters {
		name("chapter", id)
		if c == nil {
			say("chapter %s is empty", clip(id))
			continue
		}
		if len(c.Bookmarks) > mostSections || len(c.Remarks) > mostSections {
			say("chapter %s has more sections than a chapter has", id)
			continue
		}
		if c.Place != nil {
			name("step", c.Place.Step)
		}
		if c.Prediction != nil {
			name("option", c.Prediction.Chosen)
			if c.Prediction.Answer != "" {
				name("option", c.Prediction.Answer)
			}
		}
		for _, b := range c.Bookmarks {
			name("section", b.Section)
		}
		for _, r := range c.Remarks {
			name("section", r.Section)
			if err := CheckRemark(r.Text); err != nil {
				say("%s, %s: %w", id, clip(r.Section), err)
			}
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w, or it was changed: %w", ErrNotARecord, errors.Join(wrong...))
	}
	return nil
}

// CheckRemark refuses what is no plain text of a bearable length.
func CheckRemark(text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		return errors.New("a remark is plain text, and this one has control characters")
	}
	if n := utf8.RuneCountInString(text); n > LongestRemark {
		return fmt.Errorf("a remark may have %d letters, and this one has %d", LongestRemark, n)
	}
	return nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// Record returns all that is kept of a learner; nobody known has an empty one.
func (s *Store) Record(ctx context.Context, learner string) (*Record, error) {
	rec := &Record{Kind: RecordKind, Version: RecordVersion, Exported: s.Now().UTC(), Chapters: map[string]*ChapterRecord{}}
	if err := readRecord(ctx, s.db, learner, rec); err != nil {
		return nil, fmt.Errorf("read the record of a learner: %w", s.explain(err))
	}
	return rec, nil
}

// querier is a database or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readRecord(ctx context.Context, db querier, learner string, rec *Record) error {
	chapter := func(id string) *ChapterRecord {
		if rec.Chapters[id] == nil {
			rec.Chapters[id] = &ChapterRecord{}
		}
		return rec.Chapters[id]
	}
	for _, table := range []struct {
		query string
		take  func(c *ChapterRecord, a, b string, at time.Time)
	}{
		{`SELECT chapter, step, '', updated_at FROM place WHERE learner_id = $1`,
			func(c *ChapterRecord, step, _ string, at time.Time) { c.Place = &PlaceRecord{step, at} }},
		{`SELECT chapter, chosen, answer, predicted_at FROM prediction WHERE learner_id = $1`,
			func(c *ChapterRecord, chosen, answer string, at time.Time) {
				c.Prediction = &PredictionRecord{Prediction{chosen, answer}, at}
			}},
		{`SELECT chapter, '', '', passed_at FROM checkpoint WHERE learner_id = $1`,
			func(c *ChapterRecord, _, _ string, at time.Time) { c.Passed = &at }},
		{`SELECT chapter, section, '', marked_at FROM bookmark WHERE learner_id = $1 ORDER BY section`,
			func(c *ChapterRecord, section, _ string, at time.Time) {
				c.Bookmarks = append(c.Bookmarks, Bookmark{section, at})
			}},
		{`SELECT chapter, section, body, written_at FROM remark WHERE learner_id = $1 ORDER BY section`,
			func(c *ChapterRecord, section, text string, at time.Time) {
				c.Remarks = append(c.Remarks, Remark{section, text, at})
			}},
	} {
		if err := eachRow(ctx, db, table.query, []any{learner}, func(scan func(...any) error) error {
			var id, a, b, stamped string
			if err := scan(&id, &a, &b, &stamped); err != nil {
				return err
			}
			at, err := time.Parse(time.RFC3339Nano, stamped)
			table.take(chapter(id), a, b, at)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func eachRow(ctx context.Context, db querier, query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Merge takes an exported record in and loses nothing of either: the first pass
// of a checkpoint counts, the newer place and prediction stand, bookmarks are
// united, and where two remarks differ both are kept, one under the other. Doing
// it again changes nothing. It happens as a whole or not at all.
func (s *Store) Merge(ctx context.Context, learner string, in *Record) error {
	return s.write(ctx, learner, "import a record", func(tx *sql.Tx, _ string) error {
		has := &Record{Chapters: map[string]*ChapterRecord{}}
		if err := readRecord(ctx, tx, learner, has); err != nil {
			return err
		}
		for id, from := range in.Chapters {
			to := has.Chapters[id]
			if to == nil {
				to = &ChapterRecord{}
			}
			for _, w := range to.merge(from) {
				if _, err := tx.ExecContext(ctx, w.statement, append([]any{learner, id}, w.values...)...); err != nil {
					return err
				}
			}
		}
		return remarksFit(ctx, tx, learner)
	})
}

// A statement begins with the learner and the chapter as $1 and $2.
type written struct {
	statement string
	values    []any
}

const (
	writePlace = `INSERT INTO place (learner_id, chapter, step, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (learner_id, chapter) DO UPDATE SET step = excluded.step, updated_at = excluded.updated_at`
	writePrediction = `INSERT INTO prediction (learner_id, chapter, chosen, answer, predicted_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (learner_id, chapter) DO UPDATE SET chosen = excluded.chosen, answer = excluded.answer, predicted_at = excluded.predicted_at`
	writePassed = `INSERT INTO checkpoint (learner_id, chapter, passed_at) VALUES ($1, $2, $3)
		ON CONFLICT (learner_id, chapter) DO UPDATE SET passed_at = excluded.passed_at`
	writeBookmark = `INSERT INTO bookmark (learner_id, chapter, section, marked_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (learner_id, chapter, section) DO UPDATE SET marked_at = excluded.marked_at`
	writeRemark = `INSERT INTO remark (learner_id, chapter, section, body, written_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (learner_id, chapter, section) DO UPDATE SET body = excluded.body, written_at = excluded.written_at`
)

// merge takes in what from has more, and says what has to be written for it.
func (to *ChapterRecord) merge(from *ChapterRecord) (out []written) {
	write := func(statement string, values ...any) { out = append(out, written{statement, values}) }
	if p := from.Place; p != nil && (to.Place == nil || p.At.After(to.Place.At)) {
		write(writePlace, p.Step, stamp(p.At))
	}
	if p := from.Prediction; p != nil && (to.Prediction == nil || p.At.After(to.Prediction.At)) {
		write(writePrediction, p.Chosen, p.Answer, stamp(p.At))
	}
	if p := from.Passed; p != nil && (to.Passed == nil || p.Before(*to.Passed)) {
		write(writePassed, stamp(*p))
	}
	for _, b := range from.Bookmarks {
		i := slices.IndexFunc(to.Bookmarks, func(x Bookmark) bool { return x.Section == b.Section })
		switch {
		case i < 0:
			to.Bookmarks = append(to.Bookmarks, b)
		case b.At.Before(to.Bookmarks[i].At):
			to.Bookmarks[i] = b
		default:
			continue
		}
		write(writeBookmark, b.Section, stamp(b.At))
	}
	for _, r := range from.Remarks {
		i := slices.IndexFunc(to.Remarks, func(x Remark) bool { return x.Section == r.Section })
		if i < 0 {
			to.Remarks = append(to.Remarks, r)
		} else if both := joinRemarks(to.Remarks[i], r); both.Text != to.Remarks[i].Text {
			to.Remarks[i], r = both, both
		} else {
			continue
		}
		write(writeRemark, r.Section, r.Text, stamp(r.At))
	}
	return out
}

// betweenRemarks stands between two remarks on one section.
const betweenRemarks = "\n\n"

func joinRemarks(a, b Remark) Remark {
	switch {
	case strings.Contains(a.Text, b.Text):
		return a
	case strings.Contains(b.Text, a.Text):
		return b
	case b.At.Before(a.At):
		a, b = b, a
	}
	return Remark{a.Section, a.Text + betweenRemarks + b.Text, b.At}
}

// Mark remembers a section, or forgets it.
func (s *Store) Mark(ctx context.Context, learner, chapter, section string, on bool) error {
	return s.write(ctx, learner, "save a bookmark in "+chapter, func(tx *sql.Tx, now string) error {
		if !on {
			_, err := tx.ExecContext(ctx, `DELETE FROM bookmark WHERE learner_id = $1 AND chapter = $2 AND section = $3`, learner, chapter, section)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO bookmark (learner_id, chapter, section, marked_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (learner_id, chapter, section) DO NOTHING`, learner, chapter, section, now)
		return err
	})
}

// Remark keeps what a learner writes beside a section; nothing written forgets it.
func (s *Store) Remark(ctx context.Context, learner, chapter, section, text string) error {
	if err := CheckRemark(text); err != nil {
		return err
	}
	return s.write(ctx, learner, "save a remark in "+chapter, func(tx *sql.Tx, now string) error {
		if strings.TrimSpace(text) == "" {
			_, err := tx.ExecContext(ctx, `DELETE FROM remark WHERE learner_id = $1 AND chapter = $2 AND section = $3`, learner, chapter, section)
			return err
		}
		if _, err := tx.ExecContext(ctx, writeRemark, learner, chapter, section, text, now); err != nil {
			return err
		}
		return remarksFit(ctx, tx, learner)
	})
}

// ErrTooMuch is returned when a learner has written more than is kept of one.
var ErrTooMuch = errors.New("this is more than is kept of one learner")

func remarksFit(ctx context.Context, tx *sql.Tx, learner string) error {
	var longest, all int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(LENGTH(body)), 0), COALESCE(SUM(LENGTH(body)), 0) FROM remark WHERE learner_id = $1`, learner).Scan(&longest, &all)
	if err == nil && (longest > LongestRemark || all > mostRemarks) {
		return fmt.Errorf("%w: one may have %d letters, all together %d", ErrTooMuch, LongestRemark, mostRemarks)
	}
	return err
}
