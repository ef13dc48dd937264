package content

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Course is a folder of chapters of somebody's own, beside those that are part
// of the binary; a chapter with the id of one of those stands in its place. It is
// read anew when a file in it has changed.
//
// The folder holds chapters/ID, and may hold glossary.yaml (terms in addition) and
// recordings/. A folder that has no chapters/ in it is taken for chapters/ itself.
type Course struct {
	dir      string // that root is
	root     fs.FS
	chapters string // path of the chapters' folder in root

	mu      sync.Mutex // guards all below
	looked  time.Time
	seen    string // what the files looked like
	book    *Book
	problem error
}

// OpenCourse reads a course for the first time. What is wrong with a chapter is no
// error here: it is told where the chapter would be.
func OpenCourse(dir string) (*Course, error) {
	about, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("read the course: %w", err)
	}
	if !about.IsDir() {
		return nil, fmt.Errorf("the course %s is not a folder", dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	c := &Course{dir: dir, root: os.DirFS(dir), chapters: "."}
	switch {
	case isDir(c.root, "chapters"):
		c.chapters = "chapters"
	case filepath.Base(dir) == "chapters": // the glossary and the recordings are beside it
		c.dir, c.root, c.chapters = filepath.Dir(dir), os.DirFS(filepath.Dir(dir)), "chapters"
	}
	if c.Book() == nil {
		return nil, c.problem
	}
	return c, nil
}

func isDir(fsys fs.FS, name string) bool {
	about, err := fs.Stat(fsys, name)
	return err == nil && about.IsDir()
}

// lookAgain is how long files are believed to be as they were.
const lookAgain = 300 * time.Millisecond

// Book is the built-in book with the course in it, as far as it is sound. While
// the course is so broken that there is no book, it is the last one there was.
func (c *Course) Book() *Book {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.book
	}
	c.looked = time.Now()
	if seen := c.look(); seen != c.seen {
		c.seen = seen
		book, err := load(beside{c}, func(id string) bool { return !isDir(c.root, path.Join(c.chapters, id)) })
		if c.problem = err; book != nil {
			c.book = book
		}
	}
	return c.book
}

// Problem is what is wrong with the course as it was last read, nil when nothing is.
func (c *Course) Problem() error {
	c.Book()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

// look tells changed files by name, size and time.
func (c *Course) look() string {
	var b strings.Builder
	for _, below := range []string{c.chapters, "glossary.yaml", "recordings"} {
		_ = fs.WalkDir(c.root, below, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // what cannot be read is not there
			}
			if about, err := d.Info(); err == nil {
				fmt.Fprintln(&b, name, about.Size(), about.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}

// beside is the files of the built-in book with those of a course.
type beside struct{ c *Course }

func (b beside) Open(name string) (fs.File, error) {
	if own, ok := b.own(name); ok {
		return b.c.root.Open(own)
	}
	return files.Open(name)
}

// own is a name in the course. A chapter is the course's or the book's as a whole.
func (b beside) own(name string) (string, bool) {
	if name == courseGlossary {
		return "glossary.yaml", true
	}
	first, rest, _ := strings.Cut(name, "/")
	id, _, _ := strings.Cut(rest, "/")
	switch {
	case first == "chapters" && rest != "":
		own := path.Join(b.c.chapters, rest)
		return own, isDir(b.c.root, path.Join(b.c.chapters, id))
	case first == "recordings" && rest != "":
		_, err := fs.Stat(b.c.root, name)
		return name, err == nil
	}
	return "", false
}

// ReadDir lists the chapters of both.
func (b beside) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "chapters" {
		return fs.ReadDir(files, name)
	}
	all, err := fs.ReadDir(b.c.root, b.c.chapters)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e fs.DirEntry) bool {
		_, err := fs.Stat(b.c.root, path.Join(b.c.chapters, e.Name(), "scene.yaml"))
		return !e.IsDir() || errors.Is(err, fs.ErrNotExist)
	})
	theirs, err := fs.ReadDir(files, "chapters")
	for _, e := range theirs {
		if !slices.ContainsFunc(all, func(own fs.DirEntry) bool { return own.Name() == e.Name() }) {
			all = append(all, e)
		}
	}
	return all, err
}
