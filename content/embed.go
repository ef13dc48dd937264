package content

import "embed"

// Every file of the book is embedded, so that the binary needs no folder.
//
//go:embed glossary.yaml outline.yaml chapters recordings
var files embed.FS

// Load returns the book that is part of this binary. An error is a mistake in
// the book's files and names the file and what to do; what takes long to check, a
// test has checked.
func Load() (*Book, error) {
	b, err := load(files, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	return b, nil
}
