package runtime

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// image is an image on the node.
type image struct {
	ID        string `json:"id"`        // sha256:…
	Reference string `json:"reference"` // as people write it
	Full      string `json:"full"`      // with all defaults written out
	Digest    string `json:"digest"`
	Size      uint64 `json:"size"`
	Pinned    bool   `json:"pinned,omitempty"`

	reference reference
	recipe    *recipe
}

func newImage(r reference) *image {
	m := &image{Reference: r.short(), Full: r.String(), reference: r, recipe: recipeOf(r)}
	m.Digest = r.digest
	if m.Digest == "" {
		m.Digest = sum("manifest", r.repository, r.tag)
	}
	m.ID = sum("config", r.repository, m.Digest)
	m.Size = m.recipe.size
	if m.Size == 0 {
		// Between 8 and 136 MiB, the same for a reference on every node.
		b, _ := hex.DecodeString(m.ID[len("sha256:"):][:16])
		m.Size = 8<<20 + binary.BigEndian.Uint64(b)%(128<<20)
	}
	return m
}

// standIn says what runs when a container of the image gives no command.
func (m *image) standIn() string {
	return standIn(slices.Concat(m.recipe.entrypoint, m.recipe.cmd))
}

// standIn says what really runs, in words.
func standIn(command []string) string {
	if len(command) == 0 {
		return ""
	}
	switch name := path.Base(command[0]); name {
	case serveProgram, "nginx", "httpd-foreground":
		return httpStandIn
	case "pause":
		return pauseStandIn
	case "crasher", "memory-eater", "slow-starter", "job":
		return "Kubestage's own " + name + ", which is what the image is"
	default:
		return "Kubestage's built-in " + name + ", not the image's"
	}
}

func (m *image) repoDigest() string { return m.reference.repository + "@" + m.Digest }

func (m *image) repoTags() []string {
	if m.reference.tag == "" {
		return nil
	}
	return []string{m.reference.repository + ":" + m.reference.tag}
}

func (m *image) message() *pb.Image {
	uid, _, name := m.recipe.runsAs()
	user := &pb.Int64Value{Value: uid}
	if name != "" {
		user = nil // a name's number is the container's to look up, so nobody can say that it is not root
	}
	return &pb.Image{
		Uid: user, Username: name,
		Id:          m.ID,
		RepoTags:    m.repoTags(),
		RepoDigests: []string{m.repoDigest()},
		Size:        m.Size,
		Spec:        &pb.ImageSpec{Image: m.Full},
		Pinned:      m.Pinned,
	}
}

// images are the images on the node.
type images struct {
	records records

	mu   sync.Mutex // guards byID
	byID map[string]*image
}

// pauseImage is the image of pod sandboxes. It is on every node and never removed.
const pauseImage = "registry.k8s.io/pause:3.10.1"

func newImages(r records) (*images, error) {
	s := &images{records: r, byID: map[string]*image{}}
	var stored []*image
	if _, err := r.read("images", &stored); err != nil {
		return nil, err
	}
	for _, m := range stored {
		ref, err := parseReference(m.Full)
		if err != nil {
			continue
		}
		known := newImage(ref)
		s.byID[known.ID] = known
	}
	ref, err := parseReference(pauseImage)
	if err != nil {
		return nil, err
	}
	pause := newImage(ref)
	pause.Pinned = true
	s.byID[pause.ID] = pause
	return s, nil
}

// find takes an id or any way to write a reference.
func (s *images) find(name string) *image {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byID[name]; m != nil {
		return m
	}
	if m := s.byID["sha256:"+name]; m != nil {
		return m
	}
	ref, err := parseReference(name)
	if err != nil {
		return nil
	}
	return s.byID[newImage(ref).ID]
}

func (s *images) all() []*image {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*image, 0, len(s.byID))
	for _, m := range s.byID {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *image) int { return cmp.Compare(a.Full, b.Full) })
	return list
}

func (s *images) add(m *image) error {
	s.mu.Lock()
	s.byID[m.ID] = m
	s.mu.Unlock()
	return s.records.write("images", s.all())
}

func (s *images) remove(m *image) error {
	s.mu.Lock()
	delete(s.byID, m.ID)
	s.mu.Unlock()
	return s.records.write("images", s.all())
}

// ListImages lists the images on the node.
func (s *Server) ListImages(_ context.Context, r *pb.ListImagesRequest) (*pb.ListImagesResponse, error) {
	resp := &pb.ListImagesResponse{}
	if name := r.GetFilter().GetImage().GetImage(); name != "" {
		if m := s.images.find(name); m != nil {
			resp.Images = []*pb.Image{m.message()}
		}
		return resp, nil
	}
	for _, m := range s.images.all() {
		resp.Images = append(resp.Images, m.message())
	}
	return resp, nil
}

// ImageStatus tells whether an image is on the node.
func (s *Server) ImageStatus(_ context.Context, r *pb.ImageStatusRequest) (*pb.ImageStatusResponse, error) {
	c := call("ImageStatus")
	c.Image, c.Reason = r.GetImage().GetImage(), "not present"
	resp := &pb.ImageStatusResponse{}
	if m := s.images.find(c.Image); m != nil {
		c.Image, c.Reason, c.StandIn = m.Reference, "present", m.standIn()
		resp.Image = m.message()
		if r.GetVerbose() {
			resp.Info = map[string]string{"standIn": m.standIn()}
		}
	}
	s.tell(c, nil)
	return resp, nil
}

// RemoveImage removes an image. Removing what is not there is no error.
func (s *Server) RemoveImage(_ context.Context, r *pb.RemoveImageRequest) (resp *pb.RemoveImageResponse, err error) {
	c := call("RemoveImage")
	c.Image = r.GetImage().GetImage()
	defer func() { s.tell(c, err) }()
	m := s.images.find(c.Image)
	if m == nil {
		return &pb.RemoveImageResponse{}, nil
	}
	c.Image = m.Reference
	if m.Pinned {
		return nil, status.Errorf(codes.FailedPrecondition, "image %s is pinned: every pod sandbox needs it", m.Reference)
	}
	if err := s.images.remove(m); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pb.RemoveImageResponse{}, nil
}

// ImageFsInfo tells how much room images take, as if they had layers. Images
// and containers share one file system.
func (s *Server) ImageFsInfo(context.Context, *pb.ImageFsInfoRequest) (*pb.ImageFsInfoResponse, error) {
	var bytes, files uint64
	for _, m := range s.images.all() {
		bytes += m.Size
		files += 8 + m.Size>>16
	}
	usage := func(b, f uint64) []*pb.FilesystemUsage {
		return []*pb.FilesystemUsage{{
			Timestamp:  now(),
			FsId:       &pb.FilesystemIdentifier{Mountpoint: s.records.dir},
			UsedBytes:  &pb.UInt64Value{Value: b},
			InodesUsed: &pb.UInt64Value{Value: f},
		}}
	}
	return &pb.ImageFsInfoResponse{ImageFilesystems: usage(bytes, files), ContainerFilesystems: usage(bytes, files)}, nil
}

// command puts together what a container runs, the way image configurations
// and container specs combine: command replaces the entrypoint and drops the
// image's arguments, args replace the image's arguments.
func (m *image) command(config *pb.ContainerConfig, isCommand func(string) bool) []string {
	if c := config.GetCommand(); len(c) > 0 {
		return slices.Concat(c, config.GetArgs())
	}
	args := config.GetArgs()
	if m.recipe.wraps && len(args) > 0 && !strings.HasPrefix(args[0], "-") && isCommand(args[0]) {
		return slices.Clone(args)
	}
	if len(args) == 0 {
		args = m.recipe.cmd
	}
	return slices.Concat(m.recipe.entrypoint, args)
}
