package runtime

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// PullImage puts an image on the node. There is nothing to fetch: the program
// behind every reference is built in. What a registry would say is said here,
// in the words that people know from containerd, and it takes the time that a
// fast network would.
func (s *Server) PullImage(ctx context.Context, r *pb.PullImageRequest) (resp *pb.PullImageResponse, err error) {
	c := call("PullImage")
	if m := r.GetSandboxConfig().GetMetadata(); m != nil {
		c.PodNamespace, c.PodName, c.PodUID = m.GetNamespace(), m.GetName(), m.GetUid()
	}
	c.Image = r.GetImage().GetImage()
	defer func() { s.tell(c, err) }()
	ref, err := parseReference(c.Image)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "failed to pull and unpack image: "+err.Error())
	}
	m := newImage(ref)
	c.Image, c.StandIn = m.Reference, m.standIn()
	if err := m.ask(r.GetAuth()); err != nil {
		return nil, err
	}
	if known := s.images.find(m.ID); known != nil {
		return &pb.PullImageResponse{ImageRef: known.ID}, nil // the registry was asked, and nothing is new
	}
	if c.Layers, err = m.fetch(ctx); err != nil {
		return nil, err
	}
	c.Size = m.Size
	if err := s.images.add(m); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pb.PullImageResponse{ImageRef: m.ID}, nil
}

// ask is what the registry answers when it is asked for the image.
func (m *image) ask(auth *pb.AuthConfig) error {
	full, repository := m.Full, m.reference.repository
	host, path, _ := strings.Cut(repository, "/")
	unresolved := fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: ", full, full)
	switch {
	case strings.HasSuffix(host, ".invalid"): // RFC 2606: the name that never resolves
		return status.Errorf(codes.Unknown, "%sfailed to do request: Head \"https://%s/v2/%s/manifests/%s\": dial tcp: lookup %s: no such host", unresolved, host, path, m.reference.tag, host)
	case m.recipe.private && !allowed(auth):
		kind := "anonymous"
		if auth.GetUsername() != "" || auth.GetAuth() != "" {
			kind = "oauth"
		}
		return status.Errorf(codes.Unknown, "%sfailed to authorize: failed to fetch %s token: unexpected status from GET request to https://%s/token?scope=repository%%3A%s%%3Apull: 401 Unauthorized", unresolved, kind, host, strings.ReplaceAll(path, "/", "%2F"))
	case m.reference.digest == "" && !m.recipe.tags.has(m.reference.tag):
		return status.Errorf(codes.NotFound, "%s%s: not found", unresolved, full)
	}
	return nil
}

func allowed(auth *pb.AuthConfig) bool {
	if both, err := base64.StdEncoding.DecodeString(auth.GetAuth()); err == nil && string(both) == privateUser+":"+privatePassword {
		return true
	}
	return auth.GetUsername() == privateUser && auth.GetPassword() == privatePassword
}

// Layer is a part of an image and the time it was there.
type Layer struct {
	Size uint64    `json:"size"`
	End  time.Time `json:"end"`
}

// What the network of a node carries, and how long a pull takes at most:
// slow enough to be seen, fast enough not to be in the way.
const (
	pulledPerSecond = 200 << 20
	longestPull     = 1500 * time.Millisecond
)

// fetch takes the time the image's layers would.
func (m *image) fetch(ctx context.Context) ([]Layer, error) {
	takes := min(time.Duration(float64(m.Size)/pulledPerSecond*float64(time.Second)), longestPull)
	var layers []Layer
	for left := m.Size; left > 0; {
		size := left // the first is the largest, as a distribution's is
		if len(layers) < 3 && left > 1<<20 {
			size = left * 6 / 10
		}
		if !program.Wait(ctx, time.Duration(float64(takes)*float64(size)/float64(m.Size))) {
			return nil, status.FromContextError(ctx.Err()).Err()
		}
		layers = append(layers, Layer{size, time.Now()})
		left -= size
	}
	return layers, nil
}
