package store

import (
	"context"
	"fmt"
)

// Board tells how many learners have passed each chapter's checkpoint, and how
// many learners have passed any. It names nobody.
func (s *Store) Board(ctx context.Context) (passed map[string]int, learners int, err error) {
	passed = map[string]int{}
	err = eachRow(ctx, s.db, `SELECT chapter, COUNT(*) FROM checkpoint GROUP BY chapter`, nil, func(scan func(...any) error) error {
		var chapter string
		var n int
		err := scan(&chapter, &n)
		passed[chapter] = n
		return err
	})
	if err == nil {
		err = s.db.QueryRowContext(ctx, `SELECT COUNT(DISTINCT learner_id) FROM checkpoint`).Scan(&learners)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count what a class has passed: %w", s.explain(err))
	}
	return passed, learners, nil
}
