package program

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// tarCommand packs and unpacks archives, as kubectl cp needs it: c, x and t,
// with f, v, z, O and C. Links are followed when packing and refused when
// unpacking.
func tarCommand(ctx context.Context, p *Process) int {
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") {
		p.Args = append([]string{p.Args[0], "-" + p.Args[1]}, p.Args[2:]...) // tar cf …
	}
	args := p.Args[1:]
	file, dir, mode, verbose, zipped, toOutput := "-", p.Dir, byte(0), false, false, false
	var names []string
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		if a == "--no-same-permissions" || a == "--no-same-owner" || a == "--" {
			continue
		}
		if len(a) < 2 || a[0] != '-' {
			names = append(names, a)
			continue
		}
		for _, letter := range []byte(a[1:]) {
			switch letter {
			case 'c', 'x', 't':
				mode = letter
			case 'v':
				verbose = true
			case 'O':
				toOutput = true
			case 'z':
				zipped = true
			case 'm', 'p', 'o', 'h':
			case 'f', 'C':
				if len(args) == 0 {
					p.complain("option requires an argument: %c", letter)
					return 1
				}
				if letter == 'f' {
					file = args[0]
				} else {
					dir = p.path(args[0])
				}
				args = args[1:]
			default:
				p.complain("unrecognized option: %c", letter)
				return 1
			}
		}
	}
	if !isFolder(p.Files, dir) {
		p.complain("can't change directory to '%s': No such file or directory", dir)
		return 1
	}
	a := &archive{ctx: ctx, p: p, dir: dir, verbose: verbose, toOutput: toOutput}
	var err error
	switch mode {
	case 'c':
		err = a.pack(file, names, zipped)
	case 'x', 't':
		err = a.unpack(file, names, zipped, mode == 't')
	default:
		p.complain("must specify one of -c, -x, -t")
		return 1
	}
	if ctx.Err() != nil {
		return 137
	}
	if err != nil {
		p.complain("%s", reason(err))
		return 1
	}
	return a.code
}

type archive struct {
	ctx               context.Context
	p                 *Process
	dir               string
	verbose, toOutput bool
	code              int
}

func (a *archive) pack(file string, names []string, zipped bool) error {
	if len(names) == 0 {
		return errors.New("empty archive")
	}
	out := a.p.Stdout
	if file != "-" {
		f, err := a.p.Files.Open(a.p.path(file), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	if zipped {
		z := gzip.NewWriter(out)
		defer z.Close()
		out = z
	}
	w := tar.NewWriter(out)
	for _, name := range names {
		if err := a.add(w, name, 0); err != nil {
			return err
		}
	}
	return w.Close()
}

// add packs a file or folder. Links are followed, so that a volume's files come as files.
func (a *archive) add(w *tar.Writer, name string, depth int) error {
	if err := a.p.meter.step(a.ctx, a.p.Used); err != nil {
		return err
	}
	at := name
	if !path.IsAbs(at) {
		at = path.Join(a.dir, name)
	}
	info, err := a.p.Files.Stat(at)
	if err != nil {
		a.p.complain("%s: %s", name, reason(err))
		a.code = 1
		return nil
	}
	h := &tar.Header{Name: strings.TrimLeft(name, "/"), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime().Truncate(time.Second), Typeflag: tar.TypeReg, Size: info.Size()}
	if info.IsDir() {
		h.Typeflag, h.Size = tar.TypeDir, 0
		h.Name = strings.TrimSuffix(h.Name, "/") + "/"
	} else if !info.Mode().IsRegular() {
		return nil
	}
	if a.verbose {
		fmt.Fprintln(a.p.Stderr, h.Name)
	}
	if info.IsDir() {
		if h.Name != "/" {
			if err := w.WriteHeader(h); err != nil {
				return err
			}
		}
		entries, err := a.p.Files.ReadDir(at)
		if err != nil || depth > deepestWalk {
			return err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "..") && (e.IsDir() || e.Type()&fs.ModeSymlink != 0) {
				continue // the kubelet's own, in a volume of a ConfigMap
			}
			if err := a.add(w, path.Join(name, e.Name()), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	f, err := a.p.Files.Open(at, os.O_RDONLY, 0)
	if err != nil {
		a.p.complain("%s: %s", name, reason(err))
		a.code = 1
		return nil
	}
	defer f.Close()
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	n, err := a.p.transfer(a.ctx, w, io.LimitReader(f, h.Size))
	for ; err == nil && n < h.Size; n++ { // it became shorter meanwhile
		_, err = w.Write([]byte{0})
	}
	return err
}

func (a *archive) unpack(file string, names []string, zipped, list bool) error {
	in := a.p.Stdin
	if file != "-" {
		f, err := a.p.Files.Open(a.p.path(file), os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	if zipped {
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = z
	}
	r := tar.NewReader(in)
	for {
		if err := a.p.meter.step(a.ctx, a.p.Used); err != nil {
			return err
		}
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errors.New("corrupted archive")
		}
		if !wanted(h.Name, names) {
			continue
		}
		if list || a.verbose {
			fmt.Fprintln(a.p.Stdout, h.Name)
		}
		if list {
			continue
		}
		if err := a.extract(h, r); err != nil {
			a.p.complain("%s: %s", h.Name, reason(err))
			a.code = 1
			if notPossible(err) {
				return nil
			}
		}
	}
}

func notPossible(err error) bool { return reason(err) == "No space left on device" }

func wanted(name string, names []string) bool {
	if len(names) == 0 {
		return true
	}
	name = path.Clean(name)
	for _, n := range names {
		if n = path.Clean(n); name == n || strings.HasPrefix(name, n+"/") {
			return true
		}
	}
	return false
}

// extract makes one entry. A name cannot leave the container whatever it says;
// it stays in the folder, too, as tar keeps it.
func (a *archive) extract(h *tar.Header, r io.Reader) error {
	at := path.Join(a.dir, path.Clean("/"+h.Name))
	switch h.Typeflag {
	case tar.TypeDir:
		return makeFolders(a.p.Files, at)
	case tar.TypeReg:
		if a.toOutput {
			_, err := a.p.transfer(a.ctx, a.p.Stdout, r)
			return err
		}
	default:
		return errors.New("links are not built into Kubestage's tar")
	}
	if err := makeFolders(a.p.Files, path.Dir(at)); err != nil {
		return err
	}
	f, err := a.p.Files.Open(at, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(h.Mode).Perm())
	if err != nil {
		return err
	}
	_, err = a.p.transfer(a.ctx, f, r)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}
