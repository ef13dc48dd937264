package web

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/content/notes"
)

// NotePage is what the page of one note needs.
type NotePage struct {
	Note  *notes.Note
	Book  *content.Book
	Terms *notes.Lexicon
	// Find finds the note a wiki link means and the anchor of the heading it names.
	Find func(from *notes.Note, to, heading string) (note, anchor string, ok bool)
	// Picture finds the picture of the folder that the note means.
	Picture func(to string) (name string, ok bool)
}

// NotePath is the path of a note's page after the language.
func NotePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "notes/" + strings.Join(parts, "/")
}

// Given is what the name of a note begins with that came through the page.
const Given = "~/"

// own reports whether a note is a learner's own and not a file of the folder.
func own(name string) bool { return strings.HasPrefix(name, Given) }

// wikiHref is the address of a note at an anchor.
func wikiHref(d PageData, name, at string) templ.SafeURL {
	href := d.Home() + NotePath(name)
	if at != "" {
		href += "#" + url.PathEscape(anchor(at))
	}
	return templ.SafeURL(href)
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
	case "outdated":
		why := ""
		for _, o := range outdated {
			if strings.Contains(strings.ToLower(r.Says), o.word) {
				why = d.say(" ("+o.en+")", " ("+o.ko+")")
				break
			}
		}
		return line + d.say("older than this cluster: ", "이 클러스터보다 오래된 내용입니다: ") + r.Says + why
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

// picturePath is the path of a picture of the folder.
func picturePath(name string) string {
	return "/api/pictures/" + strings.TrimPrefix(NotePath(name), "notes/")
}

// alt is what a picture is called: a size in its place says nothing of it.
func alt(p notes.Piece) string {
	if strings.Trim(p.Text, "0123456789x") == "" {
		return path.Base(p.To)
	}
	return p.Text
}

// lookUp is a search of the book for what a question of the note is about, and
// empty when it names no term.
func lookUp(d PageData, n NotePage, text string) string {
	var words []string
	for _, p := range notes.Pieces(strings.ReplaceAll(text, "\n", " "), n.Terms) {
		if p.Kind == notes.Term && len(words) < 3 && !slices.Contains(words, p.Text) {
			words = append(words, p.Text)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return d.Home() + "search?" + url.Values{"q": {strings.Join(words, " ")}}.Encode()
}

// fields are those that notes name in code, and where they stand.
var fields = map[string]string{
	"replicas": "deployment.spec.replicas", "selector": "deployment.spec.selector", "template": "deployment.spec.template",
	"strategy": "deployment.spec.strategy", "containers": "pod.spec.containers", "initContainers": "pod.spec.initContainers",
	"restartPolicy": "pod.spec.restartPolicy", "nodeName": "pod.spec.nodeName", "nodeSelector": "pod.spec.nodeSelector",
	"volumes": "pod.spec.volumes", "livenessProbe": "pod.spec.containers.livenessProbe", "readinessProbe": "pod.spec.containers.readinessProbe",
	"labels": "pod.metadata.labels", "annotations": "pod.metadata.annotations", "completions": "job.spec.completions", "parallelism": "job.spec.parallelism",
}

// termName is what the book calls a term.
func termName(d PageData, n NotePage, id string) string {
	t, ok := n.Book.Glossary.Term(id)
	if !ok { // a course may have a glossary of its own
		return id
	}
	return t.In[d.Lang].Name
}

// comparable reports whether what a note has from a command can be held beside what
// the command says now.
func comparable(d PageData, c notes.Command) bool {
	return d.Console && c.Tool == "kubectl" && c.Does == notes.Reads && len(c.Blanks) == 0 && len(c.Printed) > 0
}

// fileName is the last part of a note's name.
func fileName(name string) string { return path.Base(name) }

// outdated is why a word of a note is older than version 1.36.
var outdated = []struct{ word, en, ko string }{
	{"k8s.gcr.io", "frozen since April 2023", "2023년 4월부터 갱신되지 않습니다"},
	{"--insecure-port", "without effect since 1.20, removed in 1.24", "1.20부터 효과가 없었고 1.24에서 사라졌습니다"},
	{"dockershim", "removed in 1.24; the kubelet speaks CRI to a runtime", "1.24에서 사라졌습니다. kubelet은 CRI로 런타임과 이야기합니다"},
	{"userspace", "kube-proxy lost this mode in 1.26", "kube-proxy의 이 모드는 1.26에서 사라졌습니다"},
	{"replicationcontroller", "still served; ReplicaSet and Deployment have taken its place", "아직 쓸 수 있지만 ReplicaSet과 Deployment가 그 자리를 대신합니다"},
	{"endpoints", "deprecated since 1.33; EndpointSlice has taken its place", "1.33부터 사용 중단(deprecated)되었고 EndpointSlice가 대신합니다"},
	{"batch/v1beta1", "removed in 1.25", "1.25에서 사라졌습니다"},
	{"ingress-nginx", "retired; its maintenance ended in March 2026", "은퇴한 프로젝트입니다. 유지보수는 2026년 3월에 끝났습니다"},
	{"externalips", "deprecated in 1.36", "1.36에서 사용 중단(deprecated)되었습니다"},
	{"ipvs", "deprecated in 1.35", "1.35에서 사용 중단(deprecated)되었습니다"},
	{"1.20", "1.20 only announced the end of dockershim; Kubernetes has no runtime of its own choice", "1.20은 dockershim이 없어질 것을 알렸을 뿐이며, 쿠버네티스가 정해 둔 런타임은 없습니다"},
}

// elsewhere is what a command of another world is in this one, by its program.
func elsewhere(d PageData, run string) string {
	switch tool, _, _ := strings.Cut(run, " "); tool {
	case "minikube", "kubeadm", "systemctl":
		return d.say("not needed here: the cluster runs already", "여기서는 필요 없습니다. 클러스터가 이미 돌고 있습니다")
	case "docker":
		return d.say("there is no Docker here; kubectl describe pod shows the containers", "여기에는 도커가 없습니다. kubectl describe pod로 컨테이너를 볼 수 있습니다")
	case "etcdctl":
		return d.say("etcd stands on the stage: its keys and revisions are in the log", "etcd는 무대 위에 있습니다. 키와 리비전은 로그에서 볼 수 있습니다")
	}
	return d.say("a command of another computer; it is not run here", "다른 컴퓨터의 명령입니다. 여기서는 실행하지 않습니다")
}

// effect says what running a command would do.
func effect(d PageData, e notes.Effect) string {
	switch e {
	case notes.Changes:
		return d.say("changes the cluster", "클러스터를 바꿉니다")
	case notes.Stays:
		return d.say("runs until it is stopped", "멈출 때까지 실행됩니다")
	case notes.Removes:
		return d.say("deletes", "지웁니다")
	}
	return ""
}

// diffLine is a line of a manifest as it stands, or as it may have been meant.
type diffLine struct{ Sign, Text string } // Sign is -, +, a space, or nothing where there is nothing to compare

// diff shows an offer beside what stands in the note. A mended manifest has the
// lines of the note, some of them moved.
func diff(b notes.Block) (out []diffLine) {
	if b.Offer.Rebuilt || len(b.Offer.Lines) != len(b.Lines) {
		for _, l := range b.Offer.Lines {
			out = append(out, diffLine{"", l})
		}
		return out
	}
	for i, l := range b.Offer.Lines {
		if l == b.Lines[i] {
			out = append(out, diffLine{" ", l})
			continue
		}
		out = append(out, diffLine{"-", b.Lines[i]}, diffLine{"+", l})
	}
	return out
}
