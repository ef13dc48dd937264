package program

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// reason is the last part of a file error, as C programs print it.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "No such file or directory"
	}
	return sentence(err)
}

// sentence is an error as programs print it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// open opens a file of the container.
func (sh *shell) open(ctx context.Context, name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	if !path.IsAbs(name) {
		name = path.Join(hc.Dir, name)
	}
	switch path.Clean(name) {
	case "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "/proc/1/fd/1":
		return outputFile{hc.Stdout}, nil
	case "/dev/stderr", "/proc/self/fd/2", "/dev/fd/2", "/proc/1/fd/2":
		return outputFile{hc.Stderr}, nil
	}
	f, err := sh.p.Files.Open(name, flag, perm)
	if err != nil {
		verb := "can't open"
		if flag&os.O_CREATE != 0 {
			verb = "can't create"
		}
		return nil, &fs.PathError{Op: sh.name + ": " + verb, Path: name, Err: errors.New(reason(err))}
	}
	return f, nil
}

type outputFile struct{ io.Writer }

func (outputFile) Read([]byte) (int, error) { return 0, io.EOF }
func (outputFile) Close() error             { return nil }

func (sh *shell) access(_ context.Context, name string, mode interp.AccessMode) error {
	info, err := sh.p.Files.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() && mode&interp.AccessWrite == 0 {
		return nil
	}
	if mode&interp.AccessWrite != 0 && !sh.p.Files.Writable(name) || mode&interp.AccessExec != 0 && info.Mode()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
}
