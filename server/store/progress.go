package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"regexp"
	"time"
)

// Progress is what one learner has done in one chapter.
type Progress struct {
	Step       string      `json:"step,omitempty"`       // where they are in the text
	Reached    []Reached   `json:"reached"`              // facts of the newest run, in the order they came
	Prediction *Prediction `json:"prediction,omitempty"` // the newest
	Passed     *time.Time  `json:"passed,omitempty"`     // when the checkpoint was first passed
	Bookmarks  []Bookmark  `json:"bookmarks,omitempty"`
	Remarks    []Remark    `json:"remarks,omitempty"`
}

// Reached is one fact that came true for a learner.
type Reached struct {
	Step string    `json:"step"`
	Log  string    `json:"log"` // the log that Seq belongs to
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
}

// Prediction is what a learner expected, and the answer the log gave.
type Prediction struct {
	Chosen string `json:"chosen"`
	Answer string `json:"answer,omitempty"` // empty while the log has not answered
}

// NewLearner returns an id nobody can guess: it is all that protects a record.
func NewLearner() string { return rand.Text() }

var learnerForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// ValidLearner reports whether an id has the form NewLearner gives.
func ValidLearner(id string) bool { return learnerForm.MatchString(id) }

// Progress returns what a learner has done in a chapter; nobody and nothing
// known is an empty Progress, not an error.
func (s *Store) Progress(ctx context.Context, learner, chapter string) (Progress, error) {
	p := Progress{Reached: []Reached{}}
	rec, err := s.Record(ctx, learner)
	if err != nil {
		return p, err
	}
	if c := rec.Chapters[chapter]; c != nil {
		if c.Place != nil {
			p.Step = c.Place.Step
		}
		if c.Prediction != nil {
			p.Prediction = &c.Prediction.Prediction
		}
		p.Passed, p.Bookmarks, p.Remarks = c.Passed, c.Bookmarks, c.Remarks
	}
	rows, err := s.db.QueryContext(ctx, `SELECT step, log_id, seq, reached_at FROM reached WHERE learner_id = $1 AND chapter = $2 ORDER BY seq, step`, learner, chapter)
	if err != nil {
		return p, fmt.Errorf("read the facts of %s: %w", chapter, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r Reached
		var seq int64
		var at string
		if err := rows.Scan(&r.Step, &r.Log, &seq, &at); err != nil {
			return p, fmt.Errorf("read the facts of %s: %w", chapter, err)
		}
		r.Seq = uint64(seq)
		if r.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return p, fmt.Errorf("read the facts of %s: %w", chapter, err)
		}
		p.Reached = append(p.Reached, r)
	}
	if err := rows.Err(); err != nil {
		return p, fmt.Errorf("read the facts of %s: %w", chapter, err)
	}
	return p, nil
}

// SetPlace remembers where a learner is in a chapter.
func (s *Store) SetPlace(ctx context.Context, learner, chapter, step string) error {
	return s.write(ctx, learner, "save the place in "+chapter, func(tx *sql.Tx, now string) error {
		_, err := tx.ExecContext(ctx, writePlace, learner, chapter, step, now)
		return err
	})
}

// Begin forgets the facts of the run before.
func (s *Store) Begin(ctx context.Context, learner, chapter string) error {
	return s.write(ctx, learner, "begin a run of "+chapter, func(tx *sql.Tx, _ string) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM reached WHERE learner_id = $1 AND chapter = $2`, learner, chapter)
		return err
	})
}

// Reach writes down a fact of the run in progress.
func (s *Store) Reach(ctx context.Context, learner, chapter string, r Reached) error {
	return s.write(ctx, learner, "save a fact of "+chapter, func(tx *sql.Tx, _ string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO reached (learner_id, chapter, step, log_id, seq, reached_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (learner_id, chapter, step) DO UPDATE SET log_id = excluded.log_id, seq = excluded.seq, reached_at = excluded.reached_at`,
			learner, chapter, r.Step, r.Log, int64(r.Seq), stamp(r.At))
		return err
	})
}

// Predict writes down what a learner expects, before the log has answered.
func (s *Store) Predict(ctx context.Context, learner, chapter, chosen string) error {
	return s.write(ctx, learner, "save the prediction in "+chapter, func(tx *sql.Tx, now string) error {
		_, err := tx.ExecContext(ctx, writePrediction, learner, chapter, chosen, "", now)
		return err
	})
}

// Answer writes down what the log said to the newest prediction, when there is one.
func (s *Store) Answer(ctx context.Context, learner, chapter, answer string) error {
	return s.write(ctx, learner, "save the answer in "+chapter, func(tx *sql.Tx, _ string) error {
		_, err := tx.ExecContext(ctx, `UPDATE prediction SET answer = $1 WHERE learner_id = $2 AND chapter = $3`, answer, learner, chapter)
		return err
	})
}

// Pass writes down that a checkpoint was passed. The first time counts.
func (s *Store) Pass(ctx context.Context, learner, chapter string) error {
	return s.write(ctx, learner, "save the checkpoint of "+chapter, func(tx *sql.Tx, now string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO checkpoint (learner_id, chapter, passed_at) VALUES ($1, $2, $3)
			ON CONFLICT (learner_id, chapter) DO NOTHING`, learner, chapter, now)
		return err
	})
}

// write runs one change in a transaction in which the learner is known.
func (s *Store) write(ctx context.Context, learner, doing string, change func(tx *sql.Tx, now string) error) error {
	if !ValidLearner(learner) {
		return fmt.Errorf("%s: %q is not a learner's id", doing, learner)
	}
	now := stamp(s.Now())
	return s.change(ctx, doing, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO learner (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, learner, now); err != nil {
			return err
		}
		return change(tx, now)
	})
}
