package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Passage is a piece of the book that can be found.
type Passage struct {
	Lang  string
	Title string
	Text  string // plain
	Where string // the path that shows it
	Later bool   // it only says that there will be a text; those that are there come first
}

// Hit is a passage that was found. Excerpt holds the words found between
// HitBegin and HitEnd.
type Hit struct {
	Passage
	Excerpt string
}

// What stands around a found word in an excerpt.
const (
	HitBegin = "\x02"
	HitEnd   = "\x03"
)

// Index finds passages. It is made anew from the book at each start, in memory:
// a book belongs to a version of the program and not to a learner's database.
type Index struct{ db *sql.DB }

// NewIndex takes passages in. Two full-text tables hold the same rows: words,
// which ranks whole words and their beginnings, and grams, which finds what
// stands inside a compound, as Korean writes them with and without a space.
func NewIndex(ctx context.Context, passages []Passage) (*Index, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, fmt.Errorf("make the book's index: %w", err)
	}
	db.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	x := &Index{db}
	if err := x.fill(ctx, passages); err != nil {
		db.Close()
		return nil, fmt.Errorf("make the book's index: %w", err)
	}
	return x, nil
}

func (x *Index) fill(ctx context.Context, passages []Passage) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`CREATE VIRTUAL TABLE words USING fts5(title, text, lang UNINDEXED, place UNINDEXED, later UNINDEXED, tokenize = "unicode61 remove_diacritics 0", prefix = '1 2 3')`,
		`CREATE VIRTUAL TABLE grams USING fts5(title, text, lang UNINDEXED, place UNINDEXED, later UNINDEXED, tokenize = "trigram")`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for _, table := range []string{"words", "grams"} {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO `+table+` (rowid, title, text, lang, place, later) VALUES (?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		for i, p := range passages {
			if _, err := insert.ExecContext(ctx, i+1, p.Title, p.Text, p.Lang, p.Where, p.Later); err != nil {
				return err
			}
		}
		if err := insert.Close(); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close frees the index.
func (x *Index) Close() error { return x.db.Close() }

// Find returns passages of a language in which every word stands, the best
// first. A word is given with its spellings, any of which will do: as typed and
// without a Korean particle, or all the names of one thing.
func (x *Index) Find(ctx context.Context, lang string, words [][]string, limit int) ([]Hit, error) {
	whole, inside := matches(words, false), matches(words, true)
	if whole == "" {
		return nil, nil
	}
	var hits []Hit
	seen := map[string]bool{}
	for _, q := range []struct{ table, match string }{{"words", whole}, {"grams", inside}} {
		if q.match == "" || len(hits) >= limit {
			continue
		}
		found, err := x.query(ctx, q.table, q.match, lang, limit)
		if err != nil {
			return nil, fmt.Errorf("search the book: %w", err)
		}
		for _, h := range found {
			if !seen[h.Where] && len(hits) < limit {
				seen[h.Where] = true
				hits = append(hits, h)
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if a.Later == b.Later {
			return 0
		}
		if b.Later {
			return -1
		}
		return 1
	})
	return hits, nil
}

func (x *Index) query(ctx context.Context, table, match, lang string, limit int) ([]Hit, error) {
	rows, err := x.db.QueryContext(ctx, `SELECT title, text, place, later, snippet(`+table+`, 1, ?, ?, '…', 24)
		FROM `+table+` WHERE `+table+` MATCH ? AND lang = ? ORDER BY later, bm25(`+table+`, 8.0, 1.0), rowid LIMIT ?`,
		HitBegin, HitEnd, match, lang, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var hits []Hit
	for rows.Next() {
		h := Hit{Passage: Passage{Lang: lang}}
		if err := rows.Scan(&h.Title, &h.Text, &h.Where, &h.Later, &h.Excerpt); err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// matches writes an FTS5 query. Every word is quoted, so none is syntax. The
// trigram table knows nothing of words shorter than three letters.
func matches(words [][]string, inside bool) string {
	var all []string
	for _, spellings := range words {
		var any []string
		for _, s := range spellings {
			s = strings.ReplaceAll(strings.TrimSpace(s), `"`, "")
			if s == "" || inside && utf8.RuneCountInString(s) < 3 {
				continue
			}
			q := `"` + s + `"`
			if !inside {
				q += "*"
			}
			any = append(any, q)
		}
		if len(any) == 0 {
			return ""
		}
		all = append(all, "("+strings.Join(any, " OR ")+")")
	}
	return strings.Join(all, " AND ")
}
