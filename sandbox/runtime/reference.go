package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// reference is an image reference taken apart: registry/path:tag@digest, with
// the defaults filled in that people leave out.
type reference struct {
	repository string // docker.io/library/nginx
	tag        string // latest; empty when only a digest was given
	digest     string // sha256:…; empty when only a tag was given
}

var (
	repositoryForm = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	registryForm   = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?$`)
	tagForm        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestForm     = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func parseReference(s string) (reference, error) {
	bad := fmt.Errorf("couldn't parse image name %q: invalid reference format", s)
	var r reference
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		if !digestForm.MatchString(digest) {
			return r, bad
		}
		r.digest = digest
	}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		rest, r.tag = rest[:i], rest[i+1:]
		if !tagForm.MatchString(r.tag) {
			return r, bad
		}
	}
	registry, path := "docker.io", rest
	if first, more, ok := strings.Cut(rest, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		registry, path = first, more
	}
	if registry == "index.docker.io" {
		registry = "docker.io"
	}
	if registry == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	if !registryForm.MatchString(registry) || !repositoryForm.MatchString(path) || len(registry)+len(path) > 254 {
		return r, bad
	}
	r.repository = registry + "/" + path
	if r.tag == "" && r.digest == "" {
		r.tag = "latest"
	}
	return r, nil
}

// String returns the reference with all defaults written out.
func (r reference) String() string {
	s := r.repository
	if r.tag != "" {
		s += ":" + r.tag
	}
	if r.digest != "" {
		s += "@" + r.digest
	}
	return s
}

// short is how people write the reference.
func (r reference) short() string {
	return strings.TrimPrefix(strings.TrimPrefix(r.String(), "docker.io/"), "library/")
}

// sum derives a stable digest from words: there are no layers to hash, and the
// same reference has to have the same digest on every node and every day.
func sum(words ...string) string {
	h := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return "sha256:" + hex.EncodeToString(h[:])
}
