package content

import "embed"

// Every file of the book is embedded, so that the binary needs no folder.
//
//go:embed glossary.yaml outline.yaml chapters recordings
var files embed.FS

// Load returns the book that is part of this binary. An error is a mistake in
// the book's files and names the file and what to do.
func Load() (*Book, error) {
	b, err := LoadFrom(files)
	if err != nil {
		return nil, err
	}
	return b, nil
}
