package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/content/notes"
)

// NotePage is what the page of one note needs.
type NotePage struct {
	Note  *notes.Note
	Book  *content.Book
	Terms *notes.Lexicon
	Find  func(name string) (note string, ok bool) // the note a wiki link means
}

// NotePath is the path of a note's page after the language.
func NotePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "notes/" + strings.Join(parts, "/")
}

// anchor is an element's id: apart from the ids of the page itself.
func anchor(id string) string { return "note-" + id }

// cells cuts the rows of a table; the line that only draws is left out.
func cells(b notes.Block) (rows [][]string) {
	for _, l := range b.Lines {
		l = strings.Trim(strings.TrimSpace(l), "|")
		if strings.Trim(l, "-:| \t") == "" {
			continue
		}
		row := strings.Split(strings.ReplaceAll(l, `\|`, "\x00"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(strings.ReplaceAll(row[i], "\x00", "|"))
		}
		rows = append(rows, row)
	}
	return rows
}

// remark says in words what was found on a line of a note.
func remark(d PageData, r notes.Remark) string {
	line := d.say("line ", "") + strconv.Itoa(r.Line) + d.say(": ", "번 줄: ")
	switch r.Kind {
	case "yaml":
		return line + d.say("this YAML does not say what it seems to: ", "이 YAML은 보이는 대로 읽히지 않습니다: ") + r.Says
	case "dash":
		return line + d.say("a long dash, which no program reads as an option: ", "옵션으로 읽히지 않는 긴 줄표가 있습니다: ") + r.Says
	case "flattened":
		return line + d.say("a manifest whose line breaks were lost; it cannot be applied as it is.", "줄 바꿈이 사라진 매니페스트입니다. 이대로는 적용할 수 없습니다.")
	case "transcript":
		return line + d.say("a code fence that opens or closes in the middle of the text.", "코드 울타리(```)가 글 중간에서 열리거나 닫히지 않았습니다.")
	case "placeholder":
		return line + d.say("fill in before running: ", "실행하기 전에 채워 넣으세요: ") + r.Says
	case "image":
		return line + d.say("a picture; it is not loaded.", "그림입니다. 불러오지 않습니다.")
	case "outdated":
		return line + d.say("older than this cluster: ", "이 클러스터보다 오래된 내용입니다: ") + r.Says
	case "typo":
		return line + d.say("perhaps a slip: ", "오타일 수 있습니다: ") + r.Says
	case "long":
		return line + d.say("only the beginning of this very long line is shown.", "매우 긴 줄이라 앞부분만 보입니다.")
	case "front":
		return line + d.say("the note's head cannot be read: ", "노트의 머리말을 읽을 수 없습니다: ") + r.Says
	case "emphasis":
		return line + d.say("bold that is never closed.", "닫히지 않은 굵은 글씨입니다.")
	}
	return line + r.Says
}
