package server

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitWords splits a command line into words as a shell does, with quotes and
// backslashes, and refuses what would need a shell: there is none.
func splitWords(line string) ([]string, *refusal) {
	var words []string
	var word strings.Builder
	inWord := false
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	rest := strings.ReplaceAll(strings.TrimSpace(line), "\\\r\n", "\\\n")
	for rest != "" {
		r, n := utf8.DecodeRuneInString(rest)
		tail := rest[n:]
		switch {
		case r == utf8.RuneError && n == 1 || r == 0:
			return nil, &refusal{said{"the command is not text", "명령이 글자가 아닙니다"}, said{"type it again", "다시 입력하세요"}}
		case r == '\'':
			text, after, closed := strings.Cut(tail, "'")
			if !closed {
				return nil, unclosed("'")
			}
			word.WriteString(text)
			inWord, rest = true, after
			continue
		case r == '"':
			text, after, err := doubleQuoted(tail)
			if err != nil {
				return nil, err
			}
			word.WriteString(text)
			inWord, rest = true, after
			continue
		case r == '\\':
			if after, ok := strings.CutPrefix(tail, "\n"); ok { // the line goes on
				rest = after
				continue
			}
			if tail == "" {
				return nil, unclosed("\\")
			}
			r, n = utf8.DecodeRuneInString(tail)
			word.WriteRune(r)
			inWord, rest = true, tail[n:]
			continue
		case r == '\n' || r == '\r':
			return nil, &refusal{
				said{"the console runs one command at a time", "콘솔은 한 번에 명령 하나만 실행합니다"},
				said{"run the lines one after the other; a line goes on after a \\ at its end", "한 줄씩 실행하세요. 줄 끝에 \\를 쓰면 다음 줄로 이어집니다"}}
		case unicode.IsSpace(r):
			end()
		case r == '#' && !inWord:
			return words, nil // a comment
		case strings.ContainsRune("|&;<>()`$", r):
			return nil, noShell(r, rest)
		default:
			word.WriteRune(r)
			inWord = true
		}
		rest = tail
	}
	end()
	return words, nil
}

func doubleQuoted(s string) (text, rest string, err *refusal) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i+1 < len(s) && strings.IndexByte("\"\\$`\n", s[i+1]) >= 0 {
				i++
				if s[i] != '\n' {
					b.WriteByte(s[i])
				}
				continue
			}
			b.WriteByte('\\')
		case '$', '`':
			return "", "", noShell(rune(s[i]), s[i:])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", unclosed("\"")
}

func unclosed(mark string) *refusal {
	return &refusal{
		said{"the command ends inside " + mark, "명령이 " + mark + " 안에서 끝났습니다"},
		said{"close it, or leave it out", "닫거나 지우세요"}}
}

func noShell(r rune, rest string) *refusal {
	hint := said{
		"put what is meant literally into 'single quotes'",
		"글자 그대로라면 '작은따옴표'로 감싸세요"}
	switch {
	case strings.HasPrefix(rest, "<<"):
		hint = said{
			"put the manifest into the editor pane and run `kubectl apply -f -`",
			"매니페스트는 편집 칸에 넣고 `kubectl apply -f -`를 실행하세요"}
	case r == '|':
		hint = said{
			"kubectl can choose by itself: -l, --field-selector, -o jsonpath=…, -o custom-columns=…",
			"kubectl로 직접 고를 수 있습니다: -l, --field-selector, -o jsonpath=…, -o custom-columns=…"}
	case r == '&' || r == ';':
		hint = said{"run the commands one after the other", "명령을 하나씩 실행하세요"}
	}
	return &refusal{
		said{"the console runs kubectl itself, without a shell: " + string(r) + " has no meaning in it", "콘솔은 셸 없이 kubectl을 바로 실행하므로 " + string(r) + " 문자는 쓸 수 없습니다"},
		hint}
}
