package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubestage/kubestage/content"
	"github.com/kubestage/kubestage/server"
	"github.com/kubestage/kubestage/watch/recording"
	"github.com/kubestage/kubestage/web"
)

// export writes a recording as one web page that needs nothing else: that of a
// file or of a chapter, one that a running dashboard keeps, or a new one of its log.
func export(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseExportOptions(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return nil
	}
	if err != nil {
		return err
	}
	file, name, err := o.recording(ctx, stderr)
	if err != nil {
		return err
	}
	r, err := recording.Read(bytes.NewReader(file), recording.DefaultLimits)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if o.title != "" {
		r.Title = o.title
	}
	page, err := web.NewAlone(o.lang, Version, server.RunOf(r.Header, file))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Write(ctx, &b); err != nil {
		return err
	}
	if o.output == "" {
		if o.output, err = free(strings.TrimSuffix(filepath.Base(name), recording.Extension)+pageExtension, pageExtension); err != nil {
			return err
		}
	}
	if err := replace(o.output, b.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w; choose another place with -o FILE", o.output, err)
	}
	fmt.Fprintf(stdout, "%s: %s, %d KiB. Open it in any browser; it needs nothing else\n", o.output, r.Describe(), (b.Len()+1023)/1024)
	return nil
}

const pageExtension = ".html"

// exportOptions are the flags of `dashboard export`.
type exportOptions struct {
	recordOptions
	from string // a file, a chapter, or what a running dashboard keeps under this name
	lang string
}

func parseExportOptions(args []string) (o exportOptions, err error) {
	f := o.flags("export")
	f.StringVar(&o.lang, "lang", "en", "")
	for len(args) > 0 { // the file may stand before or behind the flags
		if !strings.HasPrefix(args[0], "-") && o.from == "" {
			o.from, args = args[0], args[1:]
			continue
		}
		if err := parse(f, args); err != nil {
			return o, err
		}
		if args = f.Args(); len(args) > 0 && o.from != "" {
			return o, fmt.Errorf("%q is not expected here; it is `dashboard export FILE [-o FILE]`", args[0])
		}
	}
	switch {
	case o.lang != "en" && o.lang != "ko":
		return o, fmt.Errorf("--lang %q: the page opens in en or ko, and has both", o.lang)
	case o.from != "" && o.ranged():
		return o, errors.New("a page is made of a recording that is there or of a part of the log: give FILE, or --story, --from and --to, or --for")
	case o.from == "" && !o.ranged():
		return o, errors.New("which recording? It is `dashboard export FILE`, or --story ID, --from SEQ --to SEQ or --for 30s of the dashboard that runs")
	}
	return o, o.check()
}

// recording returns the recording and what its file is called.
func (o exportOptions) recording(ctx context.Context, stderr io.Writer) (file []byte, name string, err error) {
	if o.from == "" {
		return o.take(ctx, stderr)
	}
	file, err = os.ReadFile(o.from)
	if !errors.Is(err, os.ErrNotExist) || strings.HasSuffix(o.from, recording.Extension) {
		return file, o.from, err
	}
	book, err := content.Load()
	if err != nil {
		return nil, "", err
	}
	if c, ok := book.Chapter(o.from); ok && c.Tape != nil {
		return c.Tape, c.ID, nil
	}
	p, err := openPage(o.recordOptions)
	if err != nil {
		return nil, "", fmt.Errorf("there is no file %s, and no dashboard to ask for a recording of that name: %w", o.from, err)
	}
	return p.get(ctx, "/api/recordings/"+url.PathEscape(o.from))
}
