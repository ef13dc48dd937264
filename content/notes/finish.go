package notes

import (
	"path"
	"regexp"
	"strings"
)

var (
	flagDash  = regexp.MustCompile(`(?:^|[\s(])([–—])([a-z][a-z-]*)=`)
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")
	olderWord = regexp.MustCompile(`k8s\.gcr\.io|--insecure-port|(?i:dockershim)|userspace|ReplicationController|\bEndpoints\b|batch/v1beta1|ingress-nginx|externalIPs|(?i:\bipvs\b)|1\.20[^\n]{0,24}containerd`)
	slips     = regexp.MustCompile(`kubetcl|kubeclt|mainfest|Celium|Control Plain|잘동|서비를|않제`)
)

// rather is how a misspelt word is written. The note keeps its own.
var rather = map[string]string{
	"kubetcl": "kubectl", "kubeclt": "kubectl", "mainfest": "manifest", "Celium": "Cilium", "Control Plain": "Control Plane",
	"잘동": "작동", "서비를": "서비스를", "않제": "않게",
}

// finish looks at a block's lines when its kind is known.
func (b *Block) finish() {
	first := b.First
	switch b.Kind {
	case Blank, Break, Front:
		return
	case Manifest:
		if len(b.Lines) < b.Last-b.First+1 { // a fence stood before it
			first++
		}
		if !b.has("flattened") {
			checkManifest(b, first)
		}
	case Code:
		if len(b.Lines) < b.Last-b.First+1 {
			first++
		}
	case Text, List, Quote, Task, Question, Heading:
		for i, text := range b.Lines {
			for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
				if tool := toolOf(m[1]); tool == "kubectl" || tool == "etcdctl" {
					b.Commands = append(b.Commands, command(b.First+i, m[1]))
				}
			}
		}
	}
	if unclosed := b.Kind == Text && unclosedStrong.MatchString(b.Lines[0]) && strings.Count(b.Lines[0], "**")%2 == 1; unclosed {
		b.remark(b.First, "emphasis", "**", "")
	}
	for i, text := range b.Lines {
		for _, m := range flagDash.FindAllStringSubmatch(text, -1) {
			b.remark(first+i, "dash", m[1]+m[2], "--"+m[2])
		}
		if b.Kind != Manifest {
			for _, old := range olderWord.FindAllString(text, -1) {
				b.remark(first+i, "outdated", old, "")
			}
		}
		for _, slip := range slips.FindAllString(text, -1) {
			b.remark(first+i, "typo", slip, rather[slip])
		}
	}
	b.compareDownloads()
	for _, c := range b.Commands {
		if len(c.Blanks) > 0 {
			b.remark(c.Line, "placeholder", strings.Join(c.Blanks, " "), "")
		}
	}
}

// compareDownloads remarks on a file that is unpacked under another name than
// it was fetched by, but nearly the same: one of the two is a slip.
func (b *Block) compareDownloads() {
	fetched := ""
	for _, c := range b.Commands {
		words := strings.Fields(c.Run)
		last := path.Base(strings.Trim(words[len(words)-1], `"'`))
		switch words[0] {
		case "wget", "curl":
			fetched = last
		case "tar":
			for _, w := range words[1:] {
				if name := path.Base(w); fetched != "" && name != fetched && strings.Contains(name, ".") &&
					letters(name) == letters(fetched) {
					b.remark(c.Line, "typo", name, fetched)
				}
			}
		}
	}
}

// letters is a name without what is easily left out of it.
func letters(name string) string { return strings.NewReplacer("-", "", "_", "", ".", "").Replace(name) }

func (b Block) has(kind string) bool {
	for _, r := range b.Remarks {
		if r.Kind == kind {
			return true
		}
	}
	return false
}
