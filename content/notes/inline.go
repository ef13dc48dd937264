package notes

import (
	"net/url"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

// Piece is a part of a line of text.
type Piece struct {
	Kind PieceKind
	Text string // what is shown
	To   string // where it leads: a term's id, a note's name, an address
	At   string // the heading in the note it leads to
}

// PieceKind says what a piece is.
type PieceKind string

// The kinds of pieces. Term is a word the book explains, and Inline may be one,
// too; Wiki a link the writer made to another note or to a term.
const (
	Plain  PieceKind = "plain"
	Strong PieceKind = "strong"
	Inline PieceKind = "code"
	Link   PieceKind = "link"
	Wiki   PieceKind = "wiki"
	Embed  PieceKind = "embed"
	Tag    PieceKind = "tag"
	Figure PieceKind = "figure" // a picture of the book the note is about
	Term   PieceKind = "term"
)

var (
	wikiLink   = regexp.MustCompile(`!?\[\[([^\[\]\n]+)\]\]`)
	inlineForm = regexp.MustCompile("`[^`\n]+`" + `|!?\[\[[^\[\]\n]+\]\]|!?\[[^\]\n]*\]\([^)\s]*(?: "[^"]*")?\)|\*\*[^*\n]+\*\*|https?://[^\s<>"')\]]+|(?:^|\s)#[\p{L}\d_/-]*\p{L}[\p{L}\d_/-]*`)
	figureForm = regexp.MustCompile(`^(?i:그림|도표|figure|fig\.)[ \t]*\d`)
	noteForm   = regexp.MustCompile(`^(?:\.{1,2}/)*([^:#?]+)\.(?:md|markdown|txt)(?:#(.*))?$`) // a file beside the note
	mdLink     = regexp.MustCompile(`^(!?)\[([^\]\n]*)\]\(([^)\s]*)`)
)

// cutWiki takes [[target#heading|shown]] apart.
func cutWiki(link string) (target, heading, shown string) {
	link = strings.TrimPrefix(link, "!")
	link = strings.TrimSuffix(strings.TrimPrefix(link, "[["), "]]")
	target, shown, aliased := strings.Cut(link, "|")
	target = strings.TrimSuffix(target, `\`) // a | in a table is written \|
	target, heading, _ = strings.Cut(target, "#")
	target, heading, shown = strings.TrimSpace(target), strings.TrimSpace(heading), strings.TrimSpace(shown)
	if !aliased || shown == "" {
		shown = target
		if heading != "" {
			shown = strings.TrimSpace(target + " › " + heading)
		}
	}
	return target, heading, shown
}

// Pieces cuts a line of text into what it is made of. An address that is not
// http or https leads nowhere.
func Pieces(text string, terms *Lexicon) []Piece {
	var out []Piece
	plain := func(s string) {
		if s != "" {
			out = append(out, terms.find(s)...)
		}
	}
	for {
		m := inlineForm.FindStringIndex(text)
		if m == nil {
			plain(text)
			return out
		}
		found := text[m[0]:m[1]]
		if trimmed := strings.TrimLeft(found, " \t"); strings.HasPrefix(trimmed, "#") {
			m[0] += len(found) - len(trimmed)
			found = trimmed
		}
		plain(text[:m[0]])
		switch {
		case found[0] == '`':
			inner := found[1 : len(found)-1]
			if figureForm.MatchString(inner) {
				out = append(out, Piece{Kind: Figure, Text: inner})
			} else {
				out = append(out, Piece{Kind: Inline, Text: inner, To: terms.whole(inner)})
			}
		case wikiLink.MatchString(found):
			target, heading, shown := cutWiki(found)
			kind := Wiki
			if found[0] == '!' {
				kind = Embed
			}
			out = append(out, Piece{Kind: kind, Text: shown, To: target, At: heading})
		case strings.HasPrefix(found, "**"):
			inner := terms.find(found[2 : len(found)-2])
			if len(inner) == 1 && inner[0].Kind == Plain {
				out = append(out, Piece{Kind: Strong, Text: inner[0].Text})
			} else {
				out = append(out, inner...)
			}
		case found[0] == '#':
			out = append(out, Piece{Kind: Tag, Text: found, To: found[1:]})
		case strings.HasPrefix(found, "http"):
			out = append(out, Piece{Kind: Link, Text: found, To: found})
		default:
			l := mdLink.FindStringSubmatch(found)
			shown, to := l[2], l[3]
			if shown == "" {
				shown = to
			}
			switch safe := strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://"); {
			case l[1] == "!":
				out = append(out, Piece{Kind: Embed, Text: shown, To: to})
			case safe:
				out = append(out, Piece{Kind: Link, Text: shown, To: to})
			case noteForm.MatchString(to):
				m := noteForm.FindStringSubmatch(to)
				target, _ := url.PathUnescape(m[1])
				heading, _ := url.PathUnescape(m[2])
				out = append(out, Piece{Kind: Wiki, Text: shown, To: target, At: heading})
			default:
				out = append(out, Piece{Kind: Plain, Text: shown})
			}
		}
		text = text[m[1]:]
	}
}

// Lexicon finds the book's terms in a text, in any of their spellings.
type Lexicon struct {
	forms []form // the longest first
	first map[rune]bool
}

type form struct{ lower, term string } // no term: a compound that only looks like one

// NewLexicon makes a lexicon of spellings. False friends are compounds that
// hold a spelling and mean something else, like "Linux namespace".
func NewLexicon(spellings map[string][]string, falseFriends []string) *Lexicon {
	l := &Lexicon{first: map[rune]bool{}}
	add := func(spelling, term string) {
		lower := strings.ToLower(spelling)
		r, _ := utf8.DecodeRuneInString(lower)
		l.first[r] = true
		l.forms = append(l.forms, form{lower, term})
	}
	for term, all := range spellings {
		for _, s := range all {
			if s != "" {
				add(s, term)
			}
		}
	}
	for _, s := range falseFriends {
		add(s, "")
	}
	sort.Slice(l.forms, func(i, j int) bool {
		a, b := l.forms[i], l.forms[j]
		if len(a.lower) != len(b.lower) {
			return len(a.lower) > len(b.lower)
		}
		return a.lower+a.term < b.lower+b.term
	})
	return l
}

// Lookup returns the term of a word that is a spelling of it as a whole, with or
// without a particle.
func (l *Lexicon) Lookup(word string) string {
	if l == nil {
		return ""
	}
	if ps := l.find(strings.TrimSpace(word)); len(ps) > 0 && ps[0].Kind == Term {
		if rest := strings.TrimSpace(strings.TrimPrefix(word, ps[0].Text)); rest == "" || particle(rest) > 0 && len(rest) == particle(rest) {
			return ps[0].To
		}
	}
	return ""
}

// whole returns the term a text is a spelling of, with nothing around it.
func (l *Lexicon) whole(text string) string {
	if ps := l.find(text); len(ps) == 1 && ps[0].Kind == Term {
		return ps[0].To
	}
	return ""
}

// find cuts a text at the terms it holds.
func (l *Lexicon) find(text string) []Piece {
	if l == nil {
		return []Piece{{Kind: Plain, Text: text}}
	}
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // a letter whose other case has another length
		return []Piece{{Kind: Plain, Text: text}}
	}
	var out []Piece
	begin, prev := 0, ' '
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(lower[i:])
		if l.first[r] && !isWord(prev) {
			if f, n := l.match(lower[i:]); n > 0 {
				if f.term != "" {
					if begin < i {
						out = append(out, Piece{Kind: Plain, Text: text[begin:i]})
					}
					out = append(out, Piece{Kind: Term, Text: text[i : i+n], To: f.term})
					begin = i + n
				}
				i += n
				prev, _ = utf8.DecodeLastRuneInString(text[:i])
				continue
			}
		}
		prev = r
		i += size
	}
	if begin < len(text) {
		out = append(out, Piece{Kind: Plain, Text: text[begin:]})
	}
	return out
}

// match returns the longest spelling a text begins with, when what follows it
// ends the word or is a Korean particle.
func (l *Lexicon) match(text string) (form, int) {
	for _, f := range l.forms {
		if !strings.HasPrefix(text, f.lower) {
			continue
		}
		rest := text[len(f.lower):]
		next, _ := utf8.DecodeRuneInString(rest)
		if rest == "" || !isWord(next) && next != '-' || particle(rest) > 0 {
			return f, len(f.lower)
		}
		if f.term == "" { // a false friend hides what is in it however the word ends
			return f, len(f.lower)
		}
	}
	return form{}, 0
}

// particles that may follow a noun, the longest first.
var particles = strings.Fields("에게서는 에서부터 으로부터 이라고 으로는 에서는 에게는 까지는 부터는 에서도 으로도 이라는 이라면 이지만 입니다 이란 이며 이고 이나 이다 인지 처럼 만큼 보다 까지 부터 에서 에게 한테 으로 라고 라는 라면 이라 에는 에도 들은 들이 들을 들의 들에 마다 조차 밖에 와의 과의 로는 로도 는 은 이 가 을 를 에 의 와 과 도 만 로 들 란 나 며 고 인")

// Bare returns a word without the Korean particle at its end, or as it is.
func Bare(word string) string {
	for i := range word {
		if i > 0 && particle(word[i:]) == len(word)-i {
			return word[:i]
		}
	}
	return word
}

// particle returns how long the particles at the beginning of a text are, when
// nothing but the end of the word follows; otherwise 0.
func particle(text string) int {
	for _, p := range particles {
		rest, ok := strings.CutPrefix(text, p)
		if !ok {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(rest); rest == "" || !isWord(next) {
			return len(p)
		}
	}
	return 0
}
