// Package web holds the pages and what they are made of: templ templates, and
// the script, style sheet and fonts that the build puts into dist. A page is
// given its data; it asks nobody for anything.
package web

// PageData is what every page needs to know.
type PageData struct {
	Lang    string   // "en" or "ko"
	Path    string   // the page's path after the language: "" or "chapter/pod-birth"
	Title   string   // of the chapter, in Lang; empty on the stage page
	Source  string   // what feeds the log: "sandbox", "cluster" or "recording"
	Version string   // of Kubestage
	Console bool     // whether the console may run commands here
	Book    bool     // whether there is a book
	Keeps   bool     // whether what a learner does is kept
	Notes   bool     // whether a reader's own notes can be shown
	Assets  Manifest // names of the built files

	Namespace string // the learner's own in a chapter, where it is known who asks
	Shared    bool   // whether others may watch
	Watching  bool   // whether the reader is one of those, who can change nothing

	Before, After *Neighbour // of a chapter, in reading order; nil where there is none

	Run *Run // what a page without a server plays; nil on the server's own pages
}

// Manifest maps a file's name ("main.js") to its name in dist, which carries
// a hash of its content ("main-K3ZQ7VXM.js"). It is dist/manifest.json.
type Manifest map[string]string

// URL returns the path under which the server offers a built file.
func (m Manifest) URL(name string) string {
	if hashed, ok := m[name]; ok {
		return "/assets/" + hashed
	}
	return "/assets/" + name
}

// Languages are the languages of every page, the first being the one for
// readers who ask for neither.
var Languages = [...]string{"en", "ko"}

// OtherLang is the language the page's switch offers.
func (d PageData) OtherLang() string {
	if d.Lang == "ko" {
		return "en"
	}
	return "ko"
}

// Href is the address of this same page in a language.
func (d PageData) Href(lang string) string {
	if d.Run != nil {
		return "?lang=" + lang // a file holds both
	}
	return "/" + lang + "/" + d.Path
}

// langIn is the language as the address of a page without a server names it;
// the server's pages have it in their path.
func (d PageData) langIn(lang string) string {
	if d.Run == nil {
		return ""
	}
	return lang
}

// say picks the text of the page's language.
func (d PageData) say(en, ko string) string {
	if d.Lang == "ko" {
		return ko
	}
	return en
}

// Home is the path of the stage page in the page's language.
func (d PageData) Home() string { return "/" + d.Lang + "/" }
