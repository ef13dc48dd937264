package server

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubestage/kubestage/watch"
	"github.com/kubestage/kubestage/watch/state"
)

// Every learner has a namespace of their own in each chapter, CHAPTER-xxxx, so
// that runs of the same scene side by side do not meet. It is made when it is
// first needed and kept: what was in it is still there after a reload.

// namespaceOf is the learner's namespace in a chapter. It follows from both, so
// that it is the same one after a restart.
func namespaceOf(learner, chapter string) string {
	sum := sha256.Sum256([]byte(learner + "/" + chapter))
	return chapter + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:4]
}

// namespaces are those that learners have here.
type namespaces struct {
	mu   sync.Mutex // guards mine
	mine map[string]bool
}

func (n *namespaces) note(ns string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mine == nil {
		n.mine = map[string]bool{}
	}
	n.mine[ns] = true
}

// others tells the namespaces of other scenes from all the rest.
func (n *namespaces) others(ns string) func(string) bool {
	return func(other string) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return other != ns && n.mine[other]
	}
}

// preparing is how long a namespace, or what is left in one, may take.
const preparing = time.Minute

// inConsole is how long a command waits for its namespace: less than the server
// gives an answer.
const inConsole = 15 * time.Second

// chapterLabel says of a namespace which chapter's it is.
const chapterLabel = "kubestage/chapter"

// errNamespace is a namespace that was not there in time.
var errNamespace = errors.New("the namespace is not there in time")

// prepare makes a learner's namespace unless it is there. It waits until the
// namespace has its ServiceAccount: without one every pod is refused
// (plugin/pkg/admission/serviceaccount/admission.go, v1.36.3).
func (s *scenes) prepare(ctx context.Context, ns, chapter, lang string) error {
	s.namespaces.note(ns)
	ctx, cancel := context.WithTimeoutCause(ctx, preparing, errNamespace)
	defer cancel()
	asked := false
	for {
		now, err := s.now()
		if err != nil {
			return err
		}
		there, ending, ready := namespaceIn(now, ns)
		if there && ready && !ending {
			return nil
		}
		if !there && !asked {
			asked = true
			manifest := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels:\n    %s: %s\n", ns, chapterLabel, chapter)
			if err := s.quietly(ctx, "kubectl create -f -", manifest, lang, ""); err != nil {
				return err
			}
		}
		if err := s.follow(ctx, now.Seq, func(e watch.Event) bool {
			return e.Kind != watch.Etcd || e.Object == nil || e.Object.Namespace != ns && e.Object.Name != ns
		}); err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// quietly runs a command of ours, of which nothing is told but a failure.
func (s *scenes) quietly(ctx context.Context, line, input, lang, ns string) error {
	var stderr strings.Builder
	exit, err := s.command(ctx, line, input, lang, ns, func(stream, data string) error {
		if stream == "stderr" {
			stderr.WriteString(data)
		}
		return nil
	})
	if err == nil && exit != 0 {
		err = fmt.Errorf("%s: %s", line, strings.TrimSpace(stderr.String()))
	}
	return err
}

// now is the state at the newest event.
func (s *scenes) now() (*state.State, error) {
	_, last := s.Log.Bounds()
	return s.live.past.At(last)
}

// namespaceIn says how a namespace is: there, being deleted, with what a pod
// needs in it.
func namespaceIn(st *state.State, ns string) (there, ending, ready bool) {
	for _, o := range st.Objects() {
		switch {
		case o.Object.Resource == "namespaces" && o.Object.Name == ns:
			there, ending = true, meta(o.Value).DeletionTimestamp != nil
		case o.Object.Resource == "serviceaccounts" && o.Object.Namespace == ns && o.Object.Name == "default":
			ready = true
		}
	}
	return there, ending, ready
}

// metadata is what sweeping has to know of an object.
type metadata struct {
	DeletionTimestamp          *time.Time `json:"deletionTimestamp"`
	DeletionGracePeriodSeconds *int64     `json:"deletionGracePeriodSeconds"`
	OwnerReferences            []struct {
		UID string `json:"uid"`
	} `json:"ownerReferences"`
}

func meta(value json.RawMessage) metadata {
	var o struct {
		Metadata metadata `json:"metadata"`
	}
	_ = json.Unmarshal(value, &o) // then it has none
	return o.Metadata
}

// leftIn returns what a learner has in a namespace: all but what controllers
// put into every namespace, and what goes by itself.
func leftIn(st *state.State, ns string) (left []*state.Object) {
	for _, o := range st.Objects() {
		about := o.Object
		switch {
		case about.Namespace != ns:
		case slices.Contains([]string{"events", "endpoints", "endpointslices", "leases"}, about.Resource):
		case about.Resource == "configmaps" && about.Name == "kube-root-ca.crt":
		case about.Resource == "serviceaccounts" && about.Name == "default":
		default:
			left = append(left, o)
		}
	}
	return left
}

// sweep deletes everything in a namespace and waits until the log shows that it
// is gone. Owners go first, so that nothing is made anew; then what they owned is
// given one second.
func (s *scenes) sweep(ctx context.Context, ns, lang string) error {
	ctx, cancel := context.WithTimeout(ctx, preparing)
	defer cancel()
	asked := map[string]bool{} // by uid and what was asked
	for {
		now, err := s.now()
		if err != nil {
			return err
		}
		left := leftIn(now, ns)
		if len(left) == 0 {
			return nil
		}
		var owners, pods []string
		for _, o := range left {
			m := meta(o.Value)
			name := o.Object.Resource
			if o.Object.Group != "" {
				name += "." + o.Object.Group
			}
			name += "/" + o.Object.Name
			switch uid := o.Object.UID; {
			case len(m.OwnerReferences) == 0 && m.DeletionTimestamp == nil && !asked["owner "+uid]:
				asked["owner "+uid] = true
				owners = append(owners, name)
			case o.Object.Resource == "pods" && (m.DeletionGracePeriodSeconds == nil || *m.DeletionGracePeriodSeconds > 1) && !asked["pod "+uid]:
				pods = append(pods, name)
				if len(owners) == 0 {
					asked["pod "+uid] = true
				}
			}
		}
		for names := range slices.Chunk(append(owners, onlyWhen(len(owners) == 0, pods)...), 50) {
			line := "kubectl delete " + strings.Join(names, " ") + " --grace-period=1 --wait=false --ignore-not-found"
			if err := s.quietly(ctx, line, "", lang, ns); err != nil {
				return err
			}
		}
		if err := s.follow(ctx, now.Seq, func(e watch.Event) bool {
			return e.Kind != watch.Etcd || e.Object == nil || e.Object.Namespace != ns
		}); err != nil {
			return fmt.Errorf("%d objects are left in %s, %s first: %w", len(left), ns, left[0].Object.Key(), err)
		}
	}
}

func onlyWhen(yes bool, list []string) []string {
	if yes {
		return list
	}
	return nil
}

// inChapter is the namespace for a command of a chapter's page, "" for the
// stage's own console.
func (s *scenes) inChapter(w http.ResponseWriter, r *http.Request, chapter, lang string) (string, error) {
	if chapter == "" {
		return "", nil
	}
	if _, ok := s.book().Chapter(chapter); !ok {
		return "", noChapter(chapter)
	}
	ns := namespaceOf(s.learner(w, r), chapter)
	if s.ReadOnly {
		return ns, nil // the command is refused, in words
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), inConsole, errNamespace)
	defer cancel()
	if err := s.prepare(ctx, ns, chapter, lang); err != nil {
		s.Logf("namespace %s: %v", ns, err)
		return "", &HTTPError{Code: http.StatusServiceUnavailable,
			Msg: said{"Your namespace for this chapter cannot be made now.", "이 장에서 쓸 네임스페이스를 지금은 만들 수 없습니다."}.in(lang),
			Hint: said{"kube-apiserver and kube-controller-manager make it: start what is stopped, or run the scene, which does that first.",
				"kube-apiserver와 kube-controller-manager가 있어야 만들어집니다. 멈춘 구성 요소를 시작하거나 장면을 실행하세요. 장면은 멈춘 것을 먼저 모두 시작합니다."}.in(lang)}
	}
	return ns, nil
}
