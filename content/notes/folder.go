package notes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a folder. Notes are texts that somebody wrote by hand.
const (
	LargestNote = 1 << 20 // bytes
	MostNotes   = 5000
)

// Folder is the directory of a person's notes. Nothing outside of it can be
// read through it, also not by a symbolic link inside it.
type Folder struct {
	root *os.Root
}

// Open mounts a directory.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of notes %s cannot be opened: %w", dir, err)
	}
	if info, err := root.Stat("."); err != nil || !info.IsDir() {
		root.Close()
		return nil, fmt.Errorf("%s is not a folder: give the folder that holds your notes", dir)
	}
	return &Folder{root}, nil
}

// Close gives the directory back.
func (f *Folder) Close() error { return f.root.Close() }

// Entry is a file of the folder.
type Entry struct {
	Name string // path inside the folder, with slashes
	Why  string // why it cannot be read as a note; empty when it can
}

// List returns the Markdown files of the folder and all folders in it, by name;
// hidden ones are left out, as editors keep their own files there.
func (f *Folder) List() ([]Entry, error) {
	var all []Entry
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			all = append(all, Entry{name, "it cannot be read: " + cause(err)})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case strings.HasPrefix(d.Name(), ".") && name != ".":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || !isNote(name):
			return nil
		case len(all) >= MostNotes:
			return fs.SkipAll
		}
		e := Entry{Name: name}
		if info, err := f.root.Stat(name); err != nil {
			e.Why = "it leads out of the folder or to nothing"
		} else {
			e.Why = unfit(info)
		}
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the folder of notes: %w", err)
	}
	return all, nil
}

// Read returns a note's bytes. Its errors are for the reader of the page.
func (f *Folder) Read(name string) ([]byte, error) {
	if !fs.ValidPath(name) || !isNote(name) {
		return nil, fmt.Errorf("%q is not the name of a note: a path inside the folder that ends in .md", clip(name))
	}
	file, err := f.open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no note %q: %w", clip(name), fs.ErrNotExist)
		}
		return nil, fmt.Errorf("the note %q cannot be read: %s", clip(name), cause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("the note %q cannot be read: %s", clip(name), cause(err))
	}
	if why := unfit(info); why != "" {
		return nil, fmt.Errorf("the note %q is not shown: %s", clip(name), why)
	}
	return io.ReadAll(io.LimitReader(file, LargestNote))
}

func (f *Folder) open(name string) (*os.File, error) {
	file, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) { // macOS writes file names decomposed
		if other := norm.NFD.String(name); other != name {
			file, err = f.root.Open(other)
		}
	}
	return file, err
}

// longestName bounds the name of a note, in bytes.
const longestName = 500

// CleanName returns the name of a note in one spelling of Unicode (macOS writes
// file names decomposed), and whether a note may have it.
func CleanName(name string) (string, bool) {
	name = norm.NFC.String(name)
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '\\' || r == utf8.RuneError }
	return name, len(name) <= longestName && fs.ValidPath(name) && isNote(name) && !strings.ContainsFunc(name, bad)
}

func unfit(info fs.FileInfo) string {
	switch {
	case !info.Mode().IsRegular():
		return "it is not a file"
	case info.Size() > LargestNote:
		return fmt.Sprintf("it is larger than %d MiB; divide it", LargestNote>>20)
	}
	return ""
}

func isNote(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".md" || ext == ".markdown" || ext == ".txt"
}

// cause is an error without the path before it, which a page need not show.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
