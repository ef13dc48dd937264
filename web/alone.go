package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/a-h/templ"
)

// Run is a recording that a page has inside itself.
type Run struct {
	Title      string
	Kubernetes string // version of the cluster, where it is known
	Attached   bool   // whether the cluster was somebody's own, and not one of Kubestage's
	Start      time.Time
	Events     int
	File       []byte // the recording as it is kept

	Frame bool   // the stage alone, to stand inside another page
	Open  string // where the server shows the same, from the root; "" in a file
}

// Alone is a page that needs nobody once it is there: styles, fonts, script and
// the recording are in it, in both languages, and it asks the network for
// nothing.
type Alone struct {
	Lang    string
	Version string
	Run     Run

	css, js, icon string
}

// NewAlone puts the built files into a page.
func NewAlone(lang, version string, run Run) (Alone, error) {
	a := Alone{Lang: lang, Version: version, Run: run}
	manifest, err := ReadManifest()
	if err != nil {
		return a, err
	}
	for name, to := range map[string]*string{"alone.css": &a.css, "alone.js": &a.js, "icon.svg": &a.icon} {
		text, err := fs.ReadFile(Dist(), manifest[name])
		if err != nil {
			return a, fmt.Errorf("the page's files are not built: run `make generate`: %w", err)
		}
		*to = string(text)
	}
	return a, nil
}

// Write writes the page.
func (a Alone) Write(ctx context.Context, w io.Writer) error {
	var b bytes.Buffer
	if err := alonePage(a).Render(ctx, &b); err != nil {
		return fmt.Errorf("render the page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Security is the policy of the page: its own script runs and nothing is
// loaded, whatever a recording holds.
func (a Alone) Security() string {
	sum := sha256.Sum256([]byte(a.js))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
}

func (a Alone) in(lang string) PageData {
	return PageData{Lang: lang, Source: "recording", Version: a.Version, Run: &a.Run}
}

func (a Alone) title() string {
	if a.Run.Title == "" {
		return "Kubestage"
	}
	return a.Run.Title + " · Kubestage"
}

func (a Alone) script() templ.Component { return templ.Raw("<script>" + a.js + "</script>") }
func (a Alone) style() templ.Component  { return templ.Raw("<style>" + a.css + "</style>") }

func (a Alone) iconURL() string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(a.icon))
}

// recording is the file as a block of data in the page.
func (a Alone) recording() templ.Component {
	return templ.Raw(`<script type="application/gzip" id="recording">` + base64.StdEncoding.EncodeToString(a.Run.File) + "</script>")
}

// when is the time at which a run began, which readers anywhere understand.
func (r Run) when() string { return r.Start.UTC().Format("2006-01-02 15:04 UTC") }
