package store

import (
	"context"
	"fmt"
)

// Board tells how many learners have passed each chapter's checkpoint, and how
// many learners have passed any. It names nobody.
func (s *Store) Board(ctx context.Context) (passed map[string]int, learners int, err error) {
	passed = map[string]int{}
	rows, err := s.db.QueryContext(ctx, `SELECT chapter, COUNT(*) FROM checkpoint GROUP BY chapter`)
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			var chapter string
			var n int
			if err = rows.Scan(&chapter, &n); err != nil {
				break
			}
			passed[chapter] = n
		}
		if err == nil {
			err = rows.Err()
		}
	}
	if err == nil {
		err = s.db.QueryRowContext(ctx, `SELECT COUNT(DISTINCT learner_id) FROM checkpoint`).Scan(&learners)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count what a class has passed: %w", s.explain(err))
	}
	return passed, learners, nil
}
