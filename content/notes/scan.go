package notes

import (
	"regexp"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"
)

// scanner walks the lines of one file once.
type scanner struct {
	lines   []line
	outline Outline
	at      int // index of the line that is looked at
	blocks  []Block

	hasHeadings bool   // the file marks its headings, with # or in bold
	level       int    // of the last heading
	number      string // of the last numbered heading...
	numberLevel int    // ...and its level
}

// The forms of lines.
var (
	hashHeading    = regexp.MustCompile(`^(#{1,6})[ \t]+(.*?)[ \t#]*$`)
	numberHeading  = regexp.MustCompile(`^(\d{1,2}(?:\.\d{1,2}){1,4})\.?[ \t]+(\S.*)$`)
	chapterNumber  = regexp.MustCompile(`^(\d{1,2})([장부])[.:]?[ \t]*(.*)$`)
	dottedNumber   = regexp.MustCompile(`^(\d{1,2}(?:\.\d{1,2})*)\.?[ \t]+(.*)$`)
	boldHeading    = regexp.MustCompile(`^\*\*([^*]+)\*\*$`)
	fenceLine      = regexp.MustCompile("^[ \t]*(`{3,}|~{3,})[ \t]*([^`]*)$")
	bulletLine     = regexp.MustCompile(`^[ \t]*(?:[•‣◦▪*+-]|[–—](?:[ \t])|\d{1,3}[.)])[ \t]+\S`)
	breakLine      = regexp.MustCompile(`^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$`)
	quoteLine      = regexp.MustCompile(`^[ \t]{0,3}(>+)[ \t]?(.*)$`)
	promptLine     = regexp.MustCompile(`^[ \t]*(?:[\w.-]+@[\w.-]+:[^$#\n]{0,80}[$#]|\$)[ \t]+(\S.*)$`)
	imageLine      = regexp.MustCompile(`^[ \t]*!\[[^\]]*\]\([^)]*\)[ \t]*$|^[ \t]*!\[\[[^\]]+\]\][ \t]*$`)
	tagLine        = regexp.MustCompile(`^[ \t]*(?:#[\p{L}\d_/-]*\p{L}[\p{L}\d_/-]*[ \t]*)+$`)
	manifestLine   = regexp.MustCompile(`^[ \t]*(?:apiVersion|kind):[ \t]*\S+[ \t]*(?:#.*)?$`)
	flattenedLine  = regexp.MustCompile(`apiVersion:[ \t]*\S+[ \t]+kind:[ \t]*\S+`)
	taskWords      = regexp.MustCompile(`(?i)나중에|TODO|정리하|정리할|다시 정리|찾아보자|해보자|알아보자`)
	questionEnd    = regexp.MustCompile(`(?:\?|까\?|인가\?|까|는가|은가|인가)[ \t]*$`)
	tableLine      = regexp.MustCompile(`^[ \t]*\|.*\|[ \t]*$`)
	frontField     = regexp.MustCompile(`^([A-Za-z][\w-]*):[ \t]*(.*)$`)
	unclosedStrong = regexp.MustCompile(`^\*\*[ \t]`)
)

// survey looks at the whole file before it is cut.
func (s *scanner) survey() {
	fenced := false
	for _, l := range s.lines {
		if fenceLine.MatchString(l.text) {
			fenced = !fenced
		}
		if !fenced && (hashHeading.MatchString(l.text) || boldHeading.MatchString(strings.TrimSpace(l.text))) {
			s.hasHeadings = true
		}
	}
}

func (s *scanner) scan() {
	s.front()
	for s.at < len(s.lines) {
		l := s.lines[s.at]
		switch {
		case l.blank():
			s.take(Blank, func(l line) bool { return l.blank() })
		case fenceLine.MatchString(l.text):
			s.fence()
		case s.heading(l.text):
			// taken
		case tagLine.MatchString(l.text):
			s.take(Tags, func(l line) bool { return tagLine.MatchString(l.text) })
		case breakLine.MatchString(l.text):
			s.add(Break, 1)
		case quoteLine.MatchString(l.text):
			s.quote()
		case imageLine.MatchString(l.text):
			s.add(Image, 1)
		case promptLine.MatchString(l.text):
			s.console()
		case flattenedLine.MatchString(l.text):
			b := s.take(Manifest, func(l line) bool {
				return !l.blank() && (bulletLine.MatchString(l.text) || plainKey.MatchString(l.text)) && !hashHeading.MatchString(l.text)
			})
			b.remark(b.First, "flattened", clip(l.text), "")
			if offer, ok := rebuild(strings.Join(b.Lines, " ")); ok {
				b.Offer = &offer
			}
		case manifestLine.MatchString(l.text):
			s.manifest()
		case tableLine.MatchString(l.text):
			s.take(Table, func(l line) bool { return tableLine.MatchString(l.text) })
		case gluedFence(l.text):
			s.transcript()
		case bulletLine.MatchString(l.text):
			s.list()
		case s.indentedCode(l.text):
			s.code()
		default:
			s.text()
		}
	}
	for i := range s.blocks {
		s.blocks[i].finish()
	}
}

// add makes a block of the next n lines.
func (s *scanner) add(kind Kind, n int) *Block {
	b := Block{Kind: kind, First: s.at + 1, Last: s.at + n}
	for _, l := range s.lines[s.at : s.at+n] {
		b.raw = append(b.raw, l.raw)
		b.Lines = append(b.Lines, l.text)
		if len(l.raw) > longestLine {
			b.remark(b.First+len(b.Lines)-1, "long", clip(l.text), "")
		}
	}
	s.at += n
	s.blocks = append(s.blocks, b)
	return &s.blocks[len(s.blocks)-1]
}

// take makes a block of the next line and those after it that go with it.
func (s *scanner) take(kind Kind, with func(line) bool) *Block {
	n := 1
	for s.at+n < len(s.lines) && with(s.lines[s.at+n]) {
		n++
	}
	return s.add(kind, n)
}

// front takes the metadata between --- lines with which a file may begin.
func (s *scanner) front() {
	if len(s.lines) == 0 || strings.TrimRight(s.lines[0].text, " \t") != "---" {
		return
	}
	for n := 1; n < len(s.lines) && n < 200; n++ {
		if end := strings.TrimRight(s.lines[n].text, " \t"); end != "---" && end != "..." {
			continue
		}
		b := s.add(Front, n+1)
		b.Lines = b.Lines[1:n]
		for i, text := range b.Lines {
			if m := frontField.FindStringSubmatch(text); m != nil {
				value := strings.Trim(strings.TrimSpace(m[2]), `"'`)
				if value == "" { // a list below it
					var items []string
					for _, item := range b.Lines[i+1:] {
						item = strings.TrimSpace(item)
						if !strings.HasPrefix(item, "-") {
							break
						}
						items = append(items, strings.TrimSpace(item[1:]))
					}
					value = strings.Join(items, ", ")
				}
				b.Fields = append(b.Fields, Field{m[1], value})
			}
		}
		var any map[string]any
		if err := yaml.Unmarshal([]byte(strings.Join(b.Lines, "\n")), &any); err != nil {
			at, says := yamlError(err)
			b.remark(b.First+max(at, 1), "front", says, "")
		}
		return
	}
}

// heading takes a line that is a heading, with or without #.
func (s *scanner) heading(text string) bool {
	trimmed := strings.TrimSpace(text)
	if m := hashHeading.FindStringSubmatch(text); m != nil {
		b := s.add(Heading, 1)
		b.Level = len(m[1])
		s.entitle(b, m[2])
		return true
	}
	if m := numberHeading.FindStringSubmatch(text); m != nil && len([]rune(trimmed)) <= 80 && !strings.HasSuffix(trimmed, ".") {
		b := s.add(Heading, 1)
		b.Level, b.Implied = min(6, strings.Count(m[1], ".")+2), true
		s.entitle(b, trimmed)
		return true
	}
	if m := boldHeading.FindStringSubmatch(trimmed); m != nil {
		b := s.add(Heading, 1)
		b.Level, b.Implied = min(6, s.under()+1), true
		level := s.level
		s.entitle(b, m[1])
		s.level = level // its neighbours stand beside it, not below it
		return true
	}
	// A file that marks no heading has titles that are short lines of their own.
	if !s.hasHeadings && s.standsAlone() && len([]rune(trimmed)) <= 40 && !bulletLine.MatchString(text) &&
		!strings.ContainsAny(trimmed, "`|*[") && !strings.HasSuffix(trimmed, ".") && !questionEnd.MatchString(trimmed) &&
		!promptLine.MatchString(text) && !manifestLine.MatchString(text) && !imageLine.MatchString(text) && !tagLine.MatchString(text) && !breakLine.MatchString(text) {
		if columns, _ := indent(text); columns == 0 && !quoteLine.MatchString(text) && !fenceLine.MatchString(text) {
			b := s.add(Heading, 1)
			b.Level, b.Implied = 2, true
			s.entitle(b, trimmed)
			return true
		}
	}
	return false
}

// under is the level of the heading the line stands under.
func (s *scanner) under() int { return max(s.level, 1) }

// standsAlone reports whether empty lines, or the file's ends, are on both
// sides of the line. A line right above a list is the list's caption.
func (s *scanner) standsAlone() bool {
	before := s.at == 0 || s.lines[s.at-1].blank()
	after := s.at+1 >= len(s.lines) || s.lines[s.at+1].blank()
	return before && after
}

// entitle reads a heading's number and name, and finds its row in the book.
func (s *scanner) entitle(b *Block, title string) {
	title = strings.TrimSpace(title)
	b.Title = unmark(title)
	if m := chapterNumber.FindStringSubmatch(b.Title); m != nil {
		if b.Number = m[1]; m[2] == "부" { // a part is no chapter of the same number
			b.Number += m[2]
		}
		if m[3] != "" {
			b.Title = m[3]
		}
	} else if m := dottedNumber.FindStringSubmatch(b.Title); m != nil {
		b.Number, b.Title = m[1], m[2]
	}
	s.level = b.Level
	switch {
	case b.Number != "":
		s.number, s.numberLevel = b.Number, b.Level
		b.ID = b.Number
	case s.number != "" && b.Level > s.numberLevel:
		b.ID = s.number + "-" + slug(b.Title)
	default:
		b.ID = slug(b.Title)
	}
	if s.outline != nil {
		if b.Row = s.outline.ByNumber(b.ID); b.Row == "" {
			b.Row = s.outline.ByName(b.Title)
		}
	}
}

// unmark removes the markup of emphasis, code and wiki links from a title.
func unmark(title string) string {
	title = wikiLink.ReplaceAllStringFunc(title, func(link string) string {
		_, _, shown := cutWiki(link)
		return shown
	})
	return strings.TrimSpace(strings.NewReplacer("**", "", "__", "", "`", "").Replace(title))
}

// fence takes a fenced block, to its end or the file's.
func (s *scanner) fence() {
	open := fenceLine.FindStringSubmatch(s.lines[s.at].text)
	mark := open[1]
	n := 1
	closed := false
	for s.at+n < len(s.lines) && !closed {
		text := strings.TrimSpace(s.lines[s.at+n].text)
		closed = strings.HasPrefix(text, mark) && strings.Trim(text, mark[:1]) == ""
		n++
	}
	b := s.add(Code, n)
	b.Language = strings.ToLower(strings.TrimSpace(open[2]))
	b.Lines = b.Lines[1:]
	if closed {
		b.Lines = b.Lines[:len(b.Lines)-1]
	} else {
		b.remark(b.First, "transcript", strings.TrimSpace(s.lines[b.First-1].text), mark)
	}
	b.guess()
}

// gluedFence reports a fence that opens in the middle of a line and does not
// close there. Markdown would swallow everything up to the next backticks.
func gluedFence(text string) bool {
	return strings.Count(text, "```")%2 == 1 && !fenceLine.MatchString(text)
}

// transcript takes what stands between a glued fence and its end.
func (s *scanner) transcript() {
	n := 1
	for s.at+n < len(s.lines) {
		n++
		if strings.Contains(s.lines[s.at+n-1].text, "```") {
			break
		}
	}
	b := s.add(Console, n)
	b.remark(b.First, "transcript", clip(b.Lines[0]), "")
	b.Lines[0] = strings.Replace(b.Lines[0], "```", "", 1)
	last := len(b.Lines) - 1
	b.Lines[last] = strings.Replace(b.Lines[last], "```", "", 1)
	b.Commands = commandsIn(b.Lines, b.First)
}

func (s *scanner) quote() {
	b := s.take(Quote, func(l line) bool { return quoteLine.MatchString(l.text) })
	for i, text := range b.Lines {
		m := quoteLine.FindStringSubmatch(text)
		b.Lines[i] = m[2]
		if len(m[1]) >= 3 && taskWords.MatchString(text) {
			b.Kind = Task
		}
	}
}

// console takes commands behind a prompt, and what they printed.
func (s *scanner) console() {
	b := s.take(Console, func(l line) bool { return !l.blank() && !hashHeading.MatchString(l.text) })
	b.Commands = commandsIn(b.Lines, b.First)
}

// manifest takes YAML that stands in the text without a fence.
func (s *scanner) manifest() {
	b := s.take(Manifest, func(l line) bool {
		return !l.blank() && !hashHeading.MatchString(l.text)
	})
	b.Language = "yaml"
}

func (s *scanner) indentedCode(text string) bool {
	columns, _ := indent(text)
	before := s.at == 0 || s.lines[s.at-1].blank()
	return columns >= 4 && before
}

func (s *scanner) code() {
	b := s.take(Code, func(l line) bool {
		columns, _ := indent(l.text)
		return columns >= 4 && !l.blank()
	})
	b.guess()
}

// list takes bullets of any kind and what hangs below them.
func (s *scanner) list() {
	n := 1
	for s.at+n < len(s.lines) {
		l := s.lines[s.at+n]
		columns, _ := indent(l.text)
		if l.blank() || hashHeading.MatchString(l.text) || gluedFence(l.text) ||
			columns == 0 && !bulletLine.MatchString(l.text) || fenceLine.MatchString(l.text) || promptLine.MatchString(l.text) ||
			columns == 0 && breakLine.MatchString(l.text) {
			break
		}
		n++
	}
	b := s.add(List, n)
	for i, text := range b.Lines {
		_, rest := indent(text)
		if strings.HasPrefix(strings.TrimLeft(rest, "•‣◦▪*+- "), "command:") && i+1 < len(b.Lines) {
			b.remark(b.First+i, "flattened", strings.TrimSpace(text), "")
			if lines, ok := flags(b.Lines[i:]); ok {
				b.Offer = &Offer{Lines: lines, Rebuilt: true, Known: len(lines), All: len(lines)}
			}
		}
	}
}

// text takes a paragraph: up to an empty line, or a line that begins
// something else.
func (s *scanner) text() {
	b := s.take(Text, func(l line) bool {
		return !l.blank() && !fenceLine.MatchString(l.text) && !hashHeading.MatchString(l.text) && !bulletLine.MatchString(l.text) &&
			!breakLine.MatchString(l.text) && !quoteLine.MatchString(l.text) && !promptLine.MatchString(l.text) &&
			!boldHeading.MatchString(strings.TrimSpace(l.text)) && !numberHeading.MatchString(l.text) && !tagLine.MatchString(l.text) &&
			!flattenedLine.MatchString(l.text) && !gluedFence(l.text) && !imageLine.MatchString(l.text)
	})
	if len(b.Lines) == 1 && (Item{Text: b.Lines[0]}).Asks() {
		b.Kind = Question
	}
	if len(b.Lines) == 1 && taskWords.MatchString(b.Lines[0]) && len([]rune(b.Lines[0])) < 60 {
		b.Kind = Task
	}
}

// guess finds what code is when its fence does not say.
func (b *Block) guess() {
	var first string
	for _, text := range b.Lines {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") {
			first = text
			break
		}
	}
	all := strings.Join(b.Lines, "\n")
	switch {
	case b.Language == "yaml" || b.Language == "yml" || b.Language == "" && (strings.HasPrefix(first, "apiVersion:") || strings.HasPrefix(first, "kind:") && strings.Contains(all, "apiVersion:")):
		b.Language = "yaml"
		if strings.Contains(all, "apiVersion:") && strings.Contains(all, "kind:") {
			b.Kind = Manifest
		}
	case b.Language == "sh" || b.Language == "bash" || b.Language == "shell" || b.Language == "console" || b.Language == "zsh" ||
		b.Language == "" && (promptLine.MatchString(first) || toolOf(first) != ""):
		b.Language, b.Kind = "sh", Console
		b.Commands = commandsIn(b.Lines, b.First+1)
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// clip shortens what is quoted in a remark.
func clip(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return s
}
