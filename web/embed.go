package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed dist
var dist embed.FS

// Dist returns the built files: scripts, style sheets, fonts, and the manifest.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return sub
}

// ReadManifest returns dist/manifest.json.
func ReadManifest() (Manifest, error) {
	text, err := fs.ReadFile(dist, "dist/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("the page's files are not built: run `make generate`: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("web/dist/manifest.json: %w; run `make generate`", err)
	}
	return m, nil
}
