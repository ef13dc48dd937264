package notes

import (
	"regexp"
	"strings"
)

// Command is a command line in a note.
type Command struct {
	Line    int      // where it begins
	Written string   // as it stands, lines joined, without the prompt
	Run     string   // what would be run: without sudo, ./ and the paths of another machine
	Tool    string   // kubectl, etcdctl …; empty when this is no place to run it
	Does    Effect   //
	Blanks  []string // what has to be filled in: POD_NAME, <container-name>
	Caption string   // the comment behind it
	Printed []string // what the note says it printed
	Key     string   // of etcdctl: the key it is about, or where keys begin when Prefix
	Prefix  bool
}

// Effect is what a command does to a cluster.
type Effect string

// The effects, from the mildest.
const (
	Reads   Effect = "reads"
	Changes Effect = "changes"
	Stays   Effect = "stays" // it runs until it is stopped
	Removes Effect = "removes"
	Foreign Effect = "foreign" // of another world: minikube, docker, tar
)

var (
	reading  = words("get describe explain logs top version api-resources api-versions cluster-info config diff auth events wait options help")
	staying  = words("port-forward proxy attach")
	removing = words("delete drain evict")
	foreign  = words("minikube docker wget curl tar cd ls mkdir apt apt-get yum brew systemctl ssh vi vim sudo export source git kubeadm helm cp mv")

	wrapped     = regexp.MustCompile(`^(?:sudo[ \t]+|[A-Z][A-Z0-9_]*=\S+[ \t]+|\./)+`)
	waiting     = regexp.MustCompile(`^(?:-w|--(?:endpoints|cacert|cert|key|user|password|write-out|command-timeout|dial-timeout|rev|limit|order|sort-by|lease))$`) // for a value
	etcdPlumb   = regexp.MustCompile(`[ \t]+--(?:endpoints|cacert|cert|key)(?:[= \t]+)\S+`)
	blankForm   = regexp.MustCompile(`<[^<>\s][^<>]*>|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b`)
	captionForm = regexp.MustCompile(`[ \t]+#[ \t]+(.+)$`)
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// toolOf names the program a line runs, if it is one a note may run or has
// from another world.
func toolOf(line string) string {
	line = wrapped.ReplaceAllString(strings.TrimSpace(line), "")
	first, _, _ := strings.Cut(line, " ")
	switch {
	case first == "k":
		return "kubectl"
	case first == "kubectl" || first == "etcdctl" || foreign[first]:
		return first
	}
	return ""
}

// commandsIn finds the commands of a console: those behind prompts, or, when no
// line has one, each line that begins with a program.
func commandsIn(lines []string, first int) []Command {
	prompted := false
	for _, l := range lines {
		prompted = prompted || promptLine.MatchString(l)
	}
	var out []Command
	for i := 0; i < len(lines); i++ {
		text := strings.TrimSpace(strings.TrimLeft(lines[i], "•‣◦▪ \t"))
		var written string
		if m := promptLine.FindStringSubmatch(text); m != nil {
			written = m[1]
		} else if !prompted && toolOf(text) != "" {
			written = text
		} else {
			if len(out) > 0 && text != "" && !strings.HasPrefix(text, "#") {
				out[len(out)-1].Printed = append(out[len(out)-1].Printed, lines[i])
			}
			continue
		}
		at := first + i
		for i+1 < len(lines) && goesOn(written, strings.TrimSpace(lines[i+1])) {
			i++
			written = strings.TrimSuffix(strings.TrimRight(written, " \t"), `\`) + " " + strings.TrimSpace(lines[i])
		}
		out = append(out, command(at, written))
	}
	return out
}

// goesOn reports whether a command continues on the next line: after a
// backslash, or where it was broken by hand, before a flag or while one waits for its
// value. A path behind anything else is what was printed: keys look like paths.
func goesOn(written, next string) bool {
	if next == "" || promptLine.MatchString(next) {
		return false
	}
	if strings.HasSuffix(strings.TrimRight(written, " \t"), `\`) {
		return true
	}
	if toolOf(written) != "etcdctl" {
		return false
	}
	fields := strings.Fields(written)
	last := fields[len(fields)-1]
	return strings.HasPrefix(next, "--") || waiting.MatchString(last)
}

func command(line int, written string) Command {
	c := Command{Line: line, Written: strings.TrimSpace(written), Does: Foreign}
	run := c.Written
	if m := captionForm.FindStringSubmatchIndex(run); m != nil {
		c.Caption, run = run[m[2]:m[3]], run[:m[0]]
	}
	run = wrapped.ReplaceAllString(run, "")
	switch toolOf(run) {
	case "kubectl":
		c.Tool = "kubectl"
		if rest, ok := strings.CutPrefix(run, "k "); ok {
			run = "kubectl " + rest
		}
		c.Does = effectOf(run)
	case "etcdctl":
		c.Tool = "etcdctl"
		run = etcdPlumb.ReplaceAllString(run, "")
		c.Does = Reads
		if f := strings.Fields(run); len(f) > 1 && f[1] == "put" {
			c.Does = Changes
		} else if len(f) > 1 && (f[1] == "del" || f[1] == "defrag" || f[1] == "compact") {
			c.Does = Removes
		}
		c.Key, c.Prefix = etcdKey(strings.Fields(run))
	}
	c.Run = strings.Join(strings.Fields(run), " ")
	seen := map[string]bool{}
	for _, b := range blankForm.FindAllString(c.Run, -1) {
		if !seen[b] {
			seen[b] = true
			c.Blanks = append(c.Blanks, b)
		}
	}
	return c
}

// etcdKey finds the key that an etcdctl command reads, writes, deletes or watches.
func etcdKey(words []string) (key string, prefix bool) {
	for i, w := range words {
		switch {
		case w == "--prefix":
			prefix = true
		case i < 2 || key != "" || strings.HasPrefix(w, "-"):
		case words[1] == "get" || words[1] == "put" || words[1] == "del" || words[1] == "watch":
			key = strings.Trim(w, `"'`)
		}
	}
	return key, prefix
}

// effectOf reads a kubectl command's verb.
func effectOf(run string) Effect {
	fields := strings.Fields(run)
	for i := 1; i < len(fields); i++ {
		f := fields[i]
		if strings.HasPrefix(f, "-") {
			if (f == "-n" || f == "--namespace" || f == "--context") && i+1 < len(fields) {
				i++
			}
			continue
		}
		switch {
		case removing[f]:
			return Removes
		case staying[f]:
			return Stays
		case f == "logs" || f == "get":
			for _, flag := range fields {
				if flag == "-f" && f == "logs" || flag == "--follow" || flag == "-w" && f == "get" || flag == "--watch" {
					return Stays
				}
			}
			return Reads
		case f == "exec":
			return Changes
		case reading[f]:
			return Reads
		}
		return Changes
	}
	return Reads
}
