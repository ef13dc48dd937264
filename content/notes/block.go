package notes

// Kind says what a block is.
type Kind string

// The kinds of blocks.
const (
	Front    Kind = "front"    // the metadata a note begins with
	Heading  Kind = "heading"  //
	Text     Kind = "text"     // a paragraph
	List     Kind = "list"     //
	Quote    Kind = "quote"    //
	Table    Kind = "table"    //
	Code     Kind = "code"     // a program or a file that is not a manifest
	Manifest Kind = "manifest" // YAML of Kubernetes objects
	Console  Kind = "console"  // commands and what they printed
	Image    Kind = "image"    // a line that is only a picture
	Break    Kind = "break"    // a line across
	Task     Kind = "task"     // what the writer means to do later
	Question Kind = "question" // what the writer asks
	Tags     Kind = "tags"     //
	Blank    Kind = "blank"    // empty lines
)

// Block is a run of lines of a note.
type Block struct {
	Kind  Kind
	First int // number of its first line, from 1
	Last  int // of its last

	ID       string // anchor, unique in the note; of headings, and of others "HEADING:n"
	Level    int    // of a heading, 1 to 6
	Number   string // of a heading that has one: "6.3.4", "4"
	Title    string // of a heading, without number and markup
	Row      string // of a heading: the row of the outline it is about; empty if none
	Implied  bool   // a heading, though it has no #
	Language string // of code: as the fence says, or as it looks

	Lines    []string  // as read, without markup of the block itself where it has one (fences, >)
	Fields   []Field   // of front matter
	Commands []Command // in consoles, and `code` of texts
	Remarks  []Remark
	Offer    *Offer // of a manifest that does not decode, or a list that was one

	raw [][]byte
}

// Field is one key of the front matter, in the order of the file.
type Field struct{ Key, Value string }

// Remark is something a reader should know of a line. Kinds: "yaml", "dash",
// "flattened", "transcript", "placeholder", "outdated", "typo", "long",
// "front", "emphasis".
type Remark struct {
	Line   int
	Kind   string
	Says   string // what was found, as it stands in the note
	Rather string // what it should be; empty when that is not known
}

func (b *Block) remark(line int, kind, says, rather string) {
	b.Remarks = append(b.Remarks, Remark{line, kind, says, rather})
}

// Broken reports whether a manifest would not decode as it stands, or not to
// what it seems to say.
func (b Block) Broken() bool { return b.has("yaml") || b.has("flattened") }
