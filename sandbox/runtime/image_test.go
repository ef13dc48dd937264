package runtime

import (
	"strings"
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestReferences(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for in, want := range map[string]string{
		"nginx":                                "docker.io/library/nginx:latest",
		"nginx:1.27":                           "docker.io/library/nginx:1.27",
		"bitnami/redis":                        "docker.io/bitnami/redis:latest",
		"docker.io/nginx":                      "docker.io/library/nginx:latest",
		"index.docker.io/library/nginx":        "docker.io/library/nginx:latest",
		"registry.k8s.io/pause:3.10.1":         "registry.k8s.io/pause:3.10.1",
		"localhost:5000/app":                   "localhost:5000/app:latest",
		"localhost/app:x":                      "localhost/app:x",
		"a/b/c:v1@" + digest:                   "docker.io/a/b/c:v1@" + digest,
		"nginx@" + digest:                      "docker.io/library/nginx@" + digest,
		"":                                     "",
		"Nginx":                                "",
		"nginx:":                               "",
		"nginx:a b":                            "",
		"nginx@sha256:12":                      "",
		"a//b":                                 "",
		"-a":                                   "",
		"../../etc/passwd":                     "",
		strings.Repeat("a", 300):               "",
		"nginx:" + strings.Repeat("a", 129):    "",
		"host:port/app":                        "",
		"registry.example.com:5000/team/app:1": "registry.example.com:5000/team/app:1",
	} {
		r, err := parseReference(in)
		if got := r.String(); err == nil && got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q (%v), want %q", in, got, err, want)
		}
	}
}

func TestImages(t *testing.T) {
	n := startNode(t)
	status := func(name string) *pb.Image {
		return must[*pb.ImageStatusResponse](t)(n.images.ImageStatus(n.ctx(), &pb.ImageStatusRequest{Image: ref(name)})).Image
	}
	pull := func(name string) string {
		return must[*pb.PullImageResponse](t)(n.images.PullImage(n.ctx(), &pb.PullImageRequest{Image: ref(name)})).ImageRef
	}
	if status("nginx") != nil {
		t.Error("an image is there before it was pulled")
	}
	if p := status(pauseImage); p == nil || !p.Pinned {
		t.Errorf("pause is %v, want it pinned", p)
	}
	id := pull("nginx")
	if pull("docker.io/library/nginx:latest") != id {
		t.Error("two ways to write one reference are two images")
	}
	other := pull("nginx:1.27")
	if other == id {
		t.Error("two tags are one image")
	}
	for _, name := range []string{"nginx", "nginx:latest", id, strings.TrimPrefix(id, "sha256:")} {
		if m := status(name); m == nil || m.Id != id {
			t.Errorf("%s is %v, want image %s", name, m, id)
		}
	}
	m := status("nginx")
	if m.RepoTags[0] != "docker.io/library/nginx:latest" || !strings.HasPrefix(m.RepoDigests[0], "docker.io/library/nginx@sha256:") || m.Size == 0 {
		t.Errorf("image is %v", m)
	}
	if byDigest := pull(m.RepoDigests[0]); byDigest != id {
		t.Errorf("pulled by its digest, the image has id %s, want %s", byDigest, id)
	}
	list := must[*pb.ListImagesResponse](t)(n.images.ListImages(n.ctx(), &pb.ListImagesRequest{})).Images
	if len(list) != 3 {
		t.Errorf("%d images, want pause and two nginx: %v", len(list), list)
	}
	var size uint64
	for _, m := range list {
		size += m.Size
	}
	fs := must[*pb.ImageFsInfoResponse](t)(n.images.ImageFsInfo(n.ctx(), &pb.ImageFsInfoRequest{})).ImageFilesystems
	if len(fs) != 1 || fs[0].UsedBytes.Value != size || fs[0].FsId.Mountpoint == "" {
		t.Errorf("image file system is %v, want %d bytes used", fs, size)
	}
	must[*pb.RemoveImageResponse](t)(n.images.RemoveImage(n.ctx(), &pb.RemoveImageRequest{Image: ref(id)}))
	if status("nginx") != nil || status("nginx:1.27") == nil {
		t.Error("removing one tag did not remove that tag alone")
	}
	// The same reference is the same image on every node.
	twin := startNode(t)
	got := must[*pb.PullImageResponse](t)(twin.images.PullImage(twin.ctx(), &pb.PullImageRequest{Image: ref("nginx")})).ImageRef
	if got != id {
		t.Errorf("on another node nginx is %s, here %s", got, id)
	}
}
