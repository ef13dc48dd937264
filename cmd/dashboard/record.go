package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kubestage/kubestage/sandbox"
	"github.com/kubestage/kubestage/watch/recording"
)

// pageFile is where a running dashboard writes the link to its page, beside its
// cluster, so that other commands find it. The link may hold a key, so it is
// readable by its owner only.
const pageFile = "page"

// announce writes the page's link, and returns what takes it away again.
func announce(dir, link string) (func(), error) {
	path := filepath.Join(dir, pageFile)
	text := []byte(link + "\n")
	if err := replace(path, text); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return func() {
		// Another dashboard of the same directory may have come meanwhile.
		if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, text) {
			_ = os.Remove(path)
		}
	}, nil
}

// replace writes a file so that it is there either whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // is not there any more when all went well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// recordOptions are the flags of `dashboard record`.
type recordOptions struct {
	output  string
	story   string
	from    uint64
	to      uint64
	lasting time.Duration
	title   string
	dataDir string
	page    string
}

func parseRecordOptions(args []string) (recordOptions, error) {
	var o recordOptions
	f := o.flags("record")
	if err := parse(f, args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is not expected here; flags start with --, see `dashboard help`", f.Arg(0))
	}
	return o, o.check()
}

func (o *recordOptions) flags(command string) *flag.FlagSet {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.output, "o", "", "")
	f.StringVar(&o.story, "story", "", "")
	f.Uint64Var(&o.from, "from", 0, "")
	f.Uint64Var(&o.to, "to", 0, "")
	f.DurationVar(&o.lasting, "for", 0, "")
	f.StringVar(&o.title, "title", "", "")
	f.StringVar(&o.dataDir, "data-dir", "", "")
	f.StringVar(&o.page, "page", "", "")
	return f
}

// ranged reports whether a part of the log was chosen.
func (o recordOptions) ranged() bool {
	return o.story != "" || o.from != 0 || o.to != 0 || o.lasting != 0
}

func (o recordOptions) check() error {
	ways := 0
	for _, given := range []bool{o.story != "", o.from != 0 || o.to != 0, o.lasting != 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return errors.New("a recording is of one story (--story ID), of a range (--from SEQ --to SEQ) or of what happens from now on (--for 30s): use one of them")
	}
	if o.lasting < 0 || o.lasting > time.Hour {
		return fmt.Errorf("--for %s: choose up to 1h", o.lasting)
	}
	if o.page != "" && o.dataDir != "" {
		return errors.New("--page says where the dashboard is, --data-dir where that is written: use one of them")
	}
	return nil
}

// record asks the running dashboard for a recording and writes it to a file.
func record(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseRecordOptions(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return nil
	}
	if err != nil {
		return err
	}
	file, name, err := o.take(ctx, stderr)
	if err != nil {
		return err
	}
	r, err := recording.Read(bytes.NewReader(file), recording.DefaultLimits)
	if err != nil {
		return err
	}
	if o.output == "" {
		if o.output, err = free(name, recording.Extension); err != nil {
			return err
		}
	}
	if err := replace(o.output, file); err != nil {
		return fmt.Errorf("write %s: %w; choose another place with -o FILE", o.output, err)
	}
	fmt.Fprintf(stdout, "%s: %s, %d KiB. Play it with: dashboard replay %s\n", o.output, r.Describe(), (len(file)+1023)/1024, o.output)
	return nil
}

// take asks the running dashboard for what was chosen, and says what the
// file would be called.
func (o recordOptions) take(ctx context.Context, stderr io.Writer) (file []byte, name string, err error) {
	p, err := openPage(o)
	if err != nil {
		return nil, "", err
	}
	query := url.Values{}
	for name, value := range map[string]string{"story": o.story, "title": o.title} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]uint64{"from": o.from, "to": o.to} {
		if value != 0 {
			query.Set(name, strconv.FormatUint(value, 10))
		}
	}
	if o.lasting > 0 {
		last, err := p.last(ctx)
		if err != nil {
			return nil, "", err
		}
		fmt.Fprintf(stderr, "recording for %s; Ctrl-C ends it earlier\n", o.lasting)
		select {
		case <-time.After(o.lasting):
		case <-ctx.Done(): // is no reason to lose what there is
			ctx = context.WithoutCancel(ctx)
		}
		query.Set("from", strconv.FormatUint(last+1, 10))
	}
	return p.get(ctx, "/api/record?"+query.Encode())
}

// free is the file's name, with a number when there is such a file already.
func free(name, extension string) (string, error) {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		name = "kubestage" + extension
	}
	stem := strings.TrimSuffix(name, extension)
	for i := 1; i < 1000; i++ {
		_, err := os.Lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s-%d%s", stem, i+1, extension)
	}
	return "", fmt.Errorf("%s is there already, and many like it: choose a name with -o FILE", name)
}

// page is a running dashboard.
type page struct {
	base   *url.URL
	client *http.Client
}

func openPage(o recordOptions) (*page, error) {
	link := o.page
	if link == "" {
		dir := o.dataDir
		if dir == "" {
			var err error
			if dir, err = sandbox.DefaultDataDir(); err != nil {
				return nil, err
			}
		}
		text, err := os.ReadFile(filepath.Join(dir, pageFile))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("no dashboard runs in %s: start one with `dashboard`, or name another with --data-dir DIR or --page LINK (an --ephemeral one prints its link)", dir)
		}
		if err != nil {
			return nil, err
		}
		link = strings.TrimSpace(string(text))
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("--page %q is no link to a dashboard, as in http://127.0.0.1:7766", link)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &page{&url.URL{Scheme: u.Scheme, Host: u.Host}, &http.Client{Jar: jar}}
	if u.Query().Has("key") { // becomes a cookie
		if _, _, err := p.get(context.Background(), "/healthz?"+u.RawQuery); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// get returns a body, and the name under which it wants to be saved.
func (p *page) get(ctx context.Context, path string) (body []byte, name string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.String()+path, nil)
	if err != nil {
		return nil, "", err
	}
	response, err := p.client.Do(request)
	var unreachable *url.Error
	if errors.As(err, &unreachable) && ctx.Err() == nil {
		return nil, "", fmt.Errorf("no dashboard answers at %s (%w): start one with `dashboard`", p.base, unreachable.Err)
	}
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, "", fmt.Errorf("read the answer of %s: %w", p.base, err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable {
		var told struct{ Error, Hint string }
		if json.Unmarshal(body, &told) != nil || told.Error == "" {
			return nil, "", fmt.Errorf("%s answers %s: is it a Kubestage of this version?", p.base, response.Status)
		}
		return nil, "", errors.New(strings.TrimSuffix(told.Error+"; "+told.Hint, "; "))
	}
	if _, about, err := mime.ParseMediaType(response.Header.Get("Content-Disposition")); err == nil {
		name = about["filename"]
	}
	return body, name, nil
}

// last is the number of the newest event.
func (p *page) last(ctx context.Context) (uint64, error) {
	body, _, err := p.get(ctx, "/readyz")
	if err != nil {
		return 0, err
	}
	var ready struct{ Last *uint64 }
	if json.Unmarshal(body, &ready) != nil || ready.Last == nil {
		return 0, fmt.Errorf("%s is no Kubestage of this version", p.base)
	}
	return *ready.Last, nil
}
