package web

import (
	_ "embed"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

//go:embed styles/tokens.css
var tokensCSS string

// Theme is one of the looks of every page: colours by what they are for.
type Theme struct {
	Name    string // "light", "dark" or "projector"
	Colours map[string]string
}

// Pair is two colours that lie on each other somewhere, and what contrast
// they need: 4.5 between a text and what is under it, 3 for a shape (WCAG 2.2,
// 1.4.3 and 1.4.11, level AA).
type Pair struct {
	Above, Under string
	Need         float64
	EN, KO       string
}

// Pairs are all that the stage and the pages are drawn in.
var Pairs = [...]Pair{
	{"ink", "card", 4.5, "text", "글"},
	{"ink", "bg", 4.5, "text beside the cards", "카드 바깥의 글"},
	{"muted", "card", 4.5, "text that may be read later", "나중에 읽어도 되는 글"},
	{"muted", "bg", 4.5, "the same, beside the cards", "카드 바깥의 그런 글"},
	{"muted", "card-2", 4.5, "the same, on chips", "칩 위의 그런 글"},
	{"ink", "accent-soft", 4.5, "the caption, gates passed", "설명 문장, 지나온 관문"},
	{"ink", "good-soft", 4.5, "pods counted", "파드의 수"},
	{"accent", "card", 4.5, "links, what happens now", "링크, 지금 일어나는 일"},
	{"accent", "bg", 4.5, "the same, beside the cards", "카드 바깥의 그런 글"},
	{"on-accent", "accent", 4.5, "on what happens now", "지금 일어나는 일 위의 글"},
	{"good", "card", 4.5, "revisions, points", "리비전, 점수"},
	{"bad", "card", 4.5, "what went wrong", "잘못된 일"},
	{"bad", "bad-soft", 4.5, "the gate that refused", "거절한 관문"},
	{"warn", "warn-soft", 4.5, "notes of care", "주의할 것"},
	{"verb-create", "card", 4.5, "tokens that bring into being", "만드는 토큰"},
	{"verb-update", "card", 4.5, "tokens that change", "바꾸는 토큰"},
	{"verb-delete", "card", 4.5, "tokens that take away", "없애는 토큰"},
	{"verb-read", "card", 4.5, "tokens that only look", "보기만 하는 토큰"},
	{"verb-decide", "card", 4.5, "tokens that decide", "결정하는 토큰"},
	{"edge", "bg", 3, "the ways of requests", "요청이 가는 길"},
	{"tell", "bg", 3, "the ways of notifications", "알림이 가는 길"},
	{"hall-line", "card", 3, "the way through the gates", "관문을 지나는 길"},
	{"good-line", "card", 3, "bars, the edge of what is well", "막대, 잘 되는 것의 테두리"},
	{"good", "good-soft", 3, "the mark of a ready pod", "준비된 파드의 표시"},
	{"focus", "card", 3, "where the keyboard is", "키보드가 있는 곳"},
	{"focus", "bg", 3, "the same, beside the cards", "카드 바깥의 그곳"},
	{"lit", "card", 3, "what a word of the text lights", "글의 낱말이 비추는 것"},
}

var (
	themeBlock = regexp.MustCompile(`\[data-theme="(\w+)"\] \{([^}]*)\}`)
	colourLine = regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6});`)
	sizeLine   = regexp.MustCompile(`--type-(\w+): ([\d.]+)px;`)
)

// Themes reads the three themes from the style sheet that all pages use; what
// a theme does not say is as in the first.
func Themes() []Theme {
	var all []Theme
	for _, block := range themeBlock.FindAllStringSubmatch(tokensCSS, -1) {
		t := Theme{Name: block[1], Colours: map[string]string{}}
		if len(all) > 0 {
			for name, colour := range all[0].Colours {
				t.Colours[name] = colour
			}
		}
		for _, line := range colourLine.FindAllStringSubmatch(block[2], -1) {
			t.Colours[line[1]] = line[2]
		}
		all = append(all, t)
	}
	return all
}

// TypeSize is a size of texts on the stage, near and on a projector.
type TypeSize struct{ Name, Near, Far string }

// TypeSizes reads them from the same style sheet.
func TypeSizes() []TypeSize {
	blocks := themeBlock.FindAllStringSubmatch(tokensCSS, -1)
	far := map[string]string{}
	for _, line := range sizeLine.FindAllStringSubmatch(blocks[len(blocks)-1][2], -1) {
		far[line[1]] = line[2]
	}
	var all []TypeSize
	for _, line := range sizeLine.FindAllStringSubmatch(blocks[0][2], -1) {
		all = append(all, TypeSize{line[1], line[2], far[line[1]]})
	}
	return all
}

// Contrast is the ratio of WCAG 2.2 between two colours of the theme, from 1 to 21.
func (t Theme) Contrast(p Pair) float64 {
	a, b := luminance(t.Colours[p.Above]), luminance(t.Colours[p.Under])
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// Ratio is the contrast in words, rounded down: 4.49 is not 4.5.
func (t Theme) Ratio(p Pair) string {
	return fmt.Sprintf("%.1f", math.Floor(t.Contrast(p)*10)/10)
}

// luminance is NaN for what is no colour.
func luminance(colour string) float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		return math.NaN()
	}
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

func (d PageData) themeName(name string) string {
	switch name {
	case "dark":
		return d.say("Dark", "어둡게")
	case "projector":
		return d.say("Projector", "프로젝터")
	}
	return d.say("Light", "밝게")
}

type designBox struct{ name, class, x, y, w, h, tx, ty string }

// designBoxes are the places of web/src/stage/geometry.ts, for three nodes.
var designBoxes = [...]designBox{
	{"kubectl", "", "0", "86", "140", "84", "32", "135"},
	{"kube-apiserver", "hall-card", "190", "0", "512", "180", "212", "32"},
	{"etcd", "etcd-card", "744", "0", "256", "180", "766", "32"},
	{"kube-controller-manager", "", "0", "240", "336", "112", "22", "272"},
	{"kube-scheduler", "", "380", "240", "322", "112", "402", "272"},
	{"node-1", "", "0", "404", "320", "186", "22", "436"},
	{"node-2", "", "340", "404", "320", "186", "362", "436"},
	{"node-3", "", "680", "404", "320", "186", "702", "436"},
}

type designToken struct {
	shape, deed, path string
	inferred, cross   bool
	en, ko            string
}

const (
	roundToken  = "M-9 0a9 9 0 1 0 18 0a9 9 0 1 0 -18 0"
	smallToken  = "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0"
	watchToken  = "M0 -11l11 11l-11 11l-11 -11z"
	writeToken  = "M-9 -9h18v18h-18z"
	callToken   = "M-5 -9h10l5 9l-5 9h-10l-5 -9z"
	chooseToken = "M0 -11l3 8l8 3l-8 3l-3 8l-3 -8l-8 -3l8 -3z"
)

var designTokens = [...]designToken{
	{shape: "request", deed: "create", path: roundToken, en: "a request that brings into being", ko: "만드는 요청"},
	{shape: "request", deed: "update", path: roundToken, en: "a request that changes", ko: "바꾸는 요청"},
	{shape: "request", deed: "delete", path: roundToken, en: "a request that takes away", ko: "없애는 요청"},
	{shape: "request", deed: "read", path: roundToken, en: "a request that only looks", ko: "보기만 하는 요청"},
	{shape: "response", deed: "update", path: smallToken, en: "an answer", ko: "응답"},
	{deed: "delete", cross: true, en: "a refusal", ko: "거절"},
	{shape: "watch", deed: "update", path: watchToken, en: "a notification", ko: "알림"},
	{shape: "watch", deed: "update", path: watchToken, inferred: true, en: "an inferred one", ko: "추론한 알림"},
	{shape: "write", deed: "create", path: writeToken, en: "a write to etcd", ko: "etcd에 쓰기"},
	{shape: "cri", deed: "create", path: callToken, en: "a call of the container runtime", ko: "컨테이너 런타임 호출"},
	{shape: "decision", deed: "decide", path: chooseToken, en: "a decision of the scheduler", ko: "스케줄러의 결정"},
}
