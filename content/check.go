package content

import (
	"cmp"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is what is wrong with a course, and where.
type Problem struct {
	File string // as its writer can open it
	Line int    // from 1
	Says string
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Says) }

// Check reads a course as a dashboard would, and says all that is wrong with it:
// what the loader refuses, and where the languages differ. chapters is how many of
// the course's own it found.
func Check(dir string) (problems []Problem, chapters int, err error) {
	c, err := OpenCourse(dir)
	if err != nil {
		return nil, 0, err
	}
	book := c.Book()
	files := beside{c}
	for _, mistake := range flat(c.Problem()) {
		problems = append(problems, locate(files, mistake))
	}
	for _, chapter := range book.Chapters {
		if _, own := files.own("chapters/" + chapter.ID); !own {
			continue
		}
		chapters++
		for _, d := range chapter.differences() {
			problems = append(problems, locate(files, d))
		}
	}
	for i := range problems {
		if name, own := files.own(problems[i].File); own {
			problems[i].File = filepath.Join(c.dir, filepath.FromSlash(name))
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(problems), chapters + len(book.Wrong), nil
}

// flat takes joined errors apart.
func flat(err error) (all []string) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && !strings.Contains(err.Error(), ": every chapter is in every language") {
		for _, e := range joined.Unwrap() {
			all = append(all, flat(e)...)
		}
		return all
	}
	return []string{err.Error()}
}

var (
	fileFirst   = regexp.MustCompile(`^((?:chapters|recordings)/[^:\s]+|glossary\.yaml|outline\.yaml|` + regexp.QuoteMeta(courseGlossary) + `)(?::(\d+))?:? (?s:(.*))$`)
	chapterSays = regexp.MustCompile(`^chapter ([a-z0-9-]+) (covers .*)$`)
	lineInYAML  = regexp.MustCompile(`\bline (\d+)\b`)
	quoted      = regexp.MustCompile(`"((?:[^"\\]|\\.)+)"|(\{[a-zA-Z0-9]+\})`)
)

// locate finds where a mistake is: at the line it names, or else at the first
// that holds what it quotes.
func locate(files fs.FS, mistake string) Problem {
	p := Problem{File: ".", Line: 1, Says: mistake}
	if m := chapterSays.FindStringSubmatch(mistake); m != nil {
		p.File, p.Says = "chapters/"+m[1]+"/scene.yaml", m[2]
	} else if m := fileFirst.FindStringSubmatch(mistake); m != nil {
		p.File, p.Says = m[1], m[3]
		if m[2] != "" {
			p.Line, _ = strconv.Atoi(m[2])
			return p
		}
	}
	// The decoder names Go's types; a writer has fields.
	p.Says = strings.NewReplacer("error unmarshaling JSON: while decoding JSON: json: unknown field", "there is no field", "error unmarshaling JSON: while decoding JSON: json: ", "", "error unmarshaling JSON: while decoding JSON: ", "",
		"error converting YAML to JSON: yaml: ", "this is not YAML: ").Replace(p.Says)
	if _, err := fs.ReadDir(files, p.File); err == nil && p.File != "." { // what two languages of it do not share
		p.File += "/" + Languages[1] + ".md"
	}
	text, err := fs.ReadFile(files, p.File)
	if err != nil {
		return p
	}
	lines := strings.Split(string(text), "\n")
	if m := lineInYAML.FindStringSubmatch(p.Says); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		if strings.HasPrefix(p.Says, "head: ") {
			p.Line++ // the head begins behind its first ---
		}
		p.Line = min(p.Line, len(lines))
		return p
	}
	for _, m := range quoted.FindAllStringSubmatch(p.Says, -1) {
		words := m[1] + m[2]
		if plain, err := strconv.Unquote(`"` + m[1] + `"`); err == nil && m[1] != "" {
			words = plain
		}
		for i, line := range lines {
			if strings.Contains(line, words) {
				p.Line = i + 1
				return p
			}
		}
	}
	return p
}

// differences says where one language of a chapter tells other things than the
// first. A translation that says less is no translation: each step explains the same
// things, so it names the same terms and the same code, in as many paragraphs.
func (c *Chapter) differences() (all []string) {
	first := c.pages[Languages[0]]
	for _, lang := range Languages[1:] {
		p := c.pages[lang]
		say := func(section, format string, args ...any) {
			all = append(all, fmt.Sprintf("chapters/%s/%s.md: the section %q: %s", c.ID, lang, "{#"+section+"}", fmt.Sprintf(format, args...)))
		}
		for i, s := range p.Steps {
			a, b := string(first.Steps[i].Body), string(s.Body)
			if more, less := apart(marks(a), marks(b)); len(more)+len(less) > 0 {
				say(s.ID, "marks other things than %s.md: lacks %q, has %q", first.Lang, more, less)
			}
			if a, b := strings.Count(a, "<p>"), strings.Count(b, "<p>"); a != b {
				say(s.ID, "has %d paragraphs, %s.md has %d", b, first.Lang, a)
			}
		}
		for i, s := range append(slices.Clone(p.Steps), p.Notes...) {
			of := append(slices.Clone(first.Steps), first.Notes...)[i]
			a, b := letters(string(of.Body)), letters(string(s.Body))
			if a > shortSection && (b*100 < a*leastShare || b*100 > a*mostShare) {
				say(s.ID, "has %d letters where %s.md has %d: does it say the same?", b, first.Lang, a)
			}
		}
	}
	return all
}

// Hangul writes a syllable a letter, so Korean takes about half the letters of
// English. Shorter sections vary more than that tells.
const (
	shortSection = 300
	leastShare   = 28 // per cent
	mostShare    = 110
)

var tagForm = regexp.MustCompile(`<[^>]*>`)

func letters(body string) int {
	return utf8.RuneCountInString(html.UnescapeString(tagForm.ReplaceAllString(body, "")))
}

// marks returns the terms and code words of a text, sorted.
func marks(html string) []string {
	found := map[string]bool{}
	for _, pair := range [][2]string{{`data-term="`, `"`}, {"<code>", "</code>"}} {
		rest := html
		for {
			_, after, ok := strings.Cut(rest, pair[0])
			if !ok {
				break
			}
			mark, behind, _ := strings.Cut(after, pair[1])
			found[mark] = true
			rest = behind
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// apart returns what only a has, and what only b has.
func apart(a, b []string) (onlyA, onlyB []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			onlyA = append(onlyA, x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			onlyB = append(onlyB, x)
		}
	}
	return onlyA, onlyB
}
