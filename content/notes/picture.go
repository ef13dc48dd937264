package notes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// LargestPicture bounds a picture, in bytes, and mostFiles how many files are
// looked at for one that is named without its folder.
const (
	LargestPicture = 16 << 20
	mostFiles      = 20000
)

// pictureTypes are the files shown as pictures, by the end of their name. What is
// in them has to be one, too, so that no other file of the folder is given out
// under such a name.
var pictureTypes = map[string]struct {
	media  string
	begins func([]byte) bool
}{
	".png":  {"image/png", begin("\x89PNG\r\n\x1a\n")},
	".jpg":  {"image/jpeg", begin("\xff\xd8\xff")},
	".jpeg": {"image/jpeg", begin("\xff\xd8\xff")},
	".gif":  {"image/gif", begin("GIF8")},
	".webp": {"image/webp", begin("RIFF")},
	".avif": {"image/avif", func(data []byte) bool { return len(data) > 12 && string(data[4:8]) == "ftyp" }},
	".svg":  {"image/svg+xml", func(data []byte) bool { return bytes.Contains(data, []byte("<svg")) }},
}

func begin(mark string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(mark)) }
}

// IsPicture reports whether a name is that of a picture.
func IsPicture(name string) bool {
	_, ok := pictureTypes[strings.ToLower(path.Ext(name))]
	return ok
}

// Remote reports whether a picture is elsewhere, and on which host. Such a picture is
// never loaded by itself.
func Remote(to string) (host string, ok bool) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return u.Host, true
}

// Picture reads a picture of the folder and says what type it is. Its errors are
// for the reader of the page.
func (f *Folder) Picture(name string) (data []byte, media string, err error) {
	file, media, err := f.openPicture(name)
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	if data, err = io.ReadAll(io.LimitReader(file, LargestPicture)); err != nil {
		return nil, "", fmt.Errorf("the picture %q cannot be read: %s", clip(name), cause(err))
	}
	return data, media, nil
}

// openPicture opens a file that is a picture by its name and by how it begins.
func (f *Folder) openPicture(name string) (_ *os.File, media string, err error) {
	kind, ok := pictureTypes[strings.ToLower(path.Ext(name))]
	if !ok || !fs.ValidPath(name) || hidden(name) {
		return nil, "", fmt.Errorf("%q is not the name of a picture in the folder of notes", clip(name))
	}
	file, err := f.open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("there is no picture %q: %w", clip(name), fs.ErrNotExist)
		}
		return nil, "", fmt.Errorf("the picture %q cannot be read: %s", clip(name), cause(err))
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("the picture %q cannot be read: %s", clip(name), cause(err))
	case !info.Mode().IsRegular():
		return nil, "", fmt.Errorf("%q is not a file", clip(name))
	case info.Size() > LargestPicture:
		return nil, "", fmt.Errorf("the picture %q is larger than %d MiB", clip(name), LargestPicture>>20)
	}
	begin := make([]byte, 4096)
	n, err := file.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("the picture %q cannot be read: %s", clip(name), cause(err))
	}
	if !kind.begins(begin[:n]) {
		return nil, "", fmt.Errorf("%q is named like a picture and is none", clip(name))
	}
	return file, kind.media, nil
}

// Gallery finds the pictures of a folder for one note. A folder is looked through
// once, whatever number of pictures the note asks for.
type Gallery struct {
	folder *Folder
	note   string
	named  map[string]string // files by their name alone; nil until one is asked for
}

// Gallery returns the pictures of the folder as a note in it names them.
func (f *Folder) Gallery(note string) *Gallery { return &Gallery{folder: f, note: note} }

// Find finds the picture that the note means, as the editors and site makers do
// whose habits notes have: from the note's own folder, from the top of the folder
// (with or without a slash before it), or by its name wherever it is.
func (g *Gallery) Find(to string) (name string, ok bool) {
	if plain, err := url.PathUnescape(to); err == nil {
		to = plain
	}
	to, _, _ = strings.Cut(to, "?")
	to = norm.NFC.String(to)
	if !IsPicture(to) {
		return "", false
	}
	for _, name := range []string{path.Join(path.Dir(g.note), to), path.Clean(strings.TrimLeft(to, "/"))} {
		if g.folder.hasPicture(name) {
			return name, true
		}
	}
	if g.named == nil {
		g.named = g.folder.picturesByName()
	}
	name, ok = g.named[strings.ToLower(path.Base(to))]
	return name, ok && g.folder.hasPicture(name)
}

// picturesByName returns the pictures of the folder by their name alone; of those
// with one name, the first.
func (f *Folder) picturesByName() map[string]string {
	named, left := map[string]string{}, mostFiles
	_ = fs.WalkDir(f.root.FS(), ".", func(at string, d fs.DirEntry, err error) error {
		left--
		switch {
		case left < 0:
			return fs.SkipAll
		case err != nil:
			return nil // what cannot be read has no picture for us
		case d.IsDir() && at != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !IsPicture(at):
			return nil
		}
		base := strings.ToLower(norm.NFC.String(d.Name()))
		if _, taken := named[base]; !taken {
			named[base] = at
		}
		return nil
	})
	return named
}

func (f *Folder) hasPicture(name string) bool {
	file, _, err := f.openPicture(name)
	if err != nil {
		return false
	}
	file.Close()
	return true
}

// hidden reports whether a path leads through what editors keep for themselves.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}
