package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubewatch "k8s.io/apimachinery/pkg/watch"

	"github.com/kubestage/kubestage/watch"
)

// The verbs of watch events.
const (
	added    = string(kubewatch.Added)
	modified = string(kubewatch.Modified)
	deleted  = string(kubewatch.Deleted)
)

// follower keeps one kind of object in sight: it lists once, watches from
// there, and lists again only when the server no longer knows what changed
// since.
type follower struct {
	*run
	kind
	namespace string           // "" is all
	known     map[string]*seen // what the log was told, by seen.key()
	revision  string           // where to watch from; "" when a list is needed
	last      string           // the newest revision that was ever seen, for messages
	listed    bool             // the log knows this kind
	trouble   string           // what the log was last told is wrong
	failures  int              // in a row
	denials   int              // in a row
	held      sync.WaitGroup   // changes that are not told yet
}

// An apiserver that has just started refuses everybody until it has read its
// roles, so a refusal of what was allowed before is believed the fourth time.
const believedDenials = 4

// follow works until ctx ends or the kind is no longer served.
func (f *follower) follow(ctx context.Context) {
	retry := f.pace.retry()
	for {
		moved, err := f.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if moved {
			retry = f.pace.retry()
		}
		wait := retry.Step()
		switch {
		case err == nil:
			// The server ended the watch, as we ask it to now and then.
			f.failures = 0
			if moved {
				wait = 0
			}
		case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
			f.revision = ""
		case apierrors.IsForbidden(err), apierrors.IsMethodNotSupported(err):
			f.denials++
			if f.listed && f.denials < believedDenials {
				break
			}
			f.revision = ""
			f.tellTrouble("denied", err)
			wait = jittered(min(f.pace.denied, f.pace.first<<min(f.denials, 16)))
		case apierrors.IsNotFound(err) && f.nowServedOtherwise():
			f.revision = ""
		case apierrors.IsNotFound(err) && f.failures >= 3:
			f.unserved()
			return
		default:
			f.failed(err)
		}
		pause(ctx, wait)
	}
}

// failed handles what may pass by itself. An error without a status came
// from the connection, which all followers share.
func (f *follower) failed(err error) {
	f.failures++
	if status := apierrors.APIStatus(nil); !errors.As(err, &status) || apierrors.IsUnauthorized(err) {
		f.lost(err)
		return
	}
	if f.failures >= 3 {
		f.revision = "" // it may be our revision that the server cannot serve, as after a restored backup
		f.tellTrouble("disconnected", err)
	}
}

// round lists if it must and watches until the watch ends. It reports whether
// the watch moved, that is, brought something or lasted a while.
func (f *follower) round(ctx context.Context) (moved bool, err error) {
	if f.revision == "" {
		if err := f.relist(ctx); err != nil {
			return false, err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w, err := f.watch(ctx)
	if err != nil {
		return false, err
	}
	defer w.Stop()
	f.fine()
	began := time.Now()
	for event := range w.ResultChan() {
		if event.Type == kubewatch.Error {
			return moved, apierrors.FromObject(event.Object)
		}
		if err := f.notified(event); err != nil {
			return moved, err
		}
		moved = true
	}
	return moved || time.Since(began) > f.pace.longest, nil
}

func (f *follower) notified(event kubewatch.Event) error {
	if event.Type == kubewatch.Bookmark {
		m, err := meta.Accessor(event.Object)
		if err != nil {
			return err
		}
		f.revision, f.last = m.GetResourceVersion(), m.GetResourceVersion()
		return nil
	}
	s, fields, err := read(f.kind, event.Object)
	if err != nil {
		return err
	}
	f.revision, f.last = s.revision, s.revision
	c := &change{kind: f.kind, verb: string(event.Type), at: time.Now(), before: f.known[s.key()], now: s, fields: fields}
	var d detail
	if c.verb == deleted {
		delete(f.known, s.key())
	} else {
		var earlier marks
		if c.before != nil {
			earlier = c.before.marks
		}
		d.Writers = s.marks.since(earlier)
		f.known[s.key()] = s
	}
	c.told = s.watched(c.verb, c.at, watch.Observed("client", s.place()), d)
	f.held.Add(1)
	c.done = f.held.Done
	f.infer(c)
	if f.definesKinds() {
		f.kindsChanged()
	}
	return nil
}

// relist tells everything the first time, and later the difference to what
// the log knows, after a gap.
func (f *follower) relist(ctx context.Context) error {
	objects, revision, err := f.listAllowed(ctx)
	if err != nil {
		return err
	}
	there := make(map[string]*seen, len(objects))
	var inOrder []*seen
	for _, o := range objects {
		s, _, err := read(f.kind, o)
		if err != nil {
			return err
		}
		there[s.key()] = s
		inOrder = append(inOrder, s)
	}
	f.held.Wait()
	if f.listed {
		f.tell(sourceEvent("gap", f.object(), fmt.Sprintf(
			"%s were not watched from revision %s to %s: what follows is the difference, and what happened in between is not known",
			f.name(), f.last, revision)))
	}
	for key, s := range f.known {
		if now := there[key]; now == nil || now.object.UID != s.object.UID {
			f.vanished(s, revision)
		}
	}
	for _, s := range inOrder {
		before := f.known[s.key()]
		f.known[s.key()] = s
		f.learnt(added, s)
		switch {
		case before == nil:
			f.tell(s.watched(added, time.Now(), watch.Observed("client", s.place()), detail{Listed: true}))
		case before.revision != s.revision:
			f.tell(s.watched(modified, time.Now(), watch.Observed("client", s.place()), detail{Listed: true, Writers: s.marks.since(before.marks)}))
		}
	}
	f.revision, f.last, f.listed = revision, revision, true
	return nil
}

// vanished tells that an object is gone without anybody having seen it go.
func (f *follower) vanished(s *seen, revision string) {
	delete(f.known, s.key())
	f.learnt(deleted, s)
	o := s.watched(deleted, time.Now(), watch.Inferred("client", "missing in the list of "+f.name()+"@"+revision), detail{Listed: true})
	o.Revision = "" // the deletion had one, and nobody saw it
	f.tell(o)
}

// learnt hands on what was not seen to happen.
func (f *follower) learnt(verb string, s *seen) {
	f.infer(&change{kind: f.kind, verb: verb, quiet: true, at: time.Now(), now: s, done: func() {}})
}

// list reads all pages. When a page has expired, which happens while a big
// cluster changes fast, the list is read in one piece.
func (f *follower) list(ctx context.Context) (all []runtime.Object, revision string, err error) {
	options := metav1.ListOptions{Limit: f.pace.pageSize}
	for {
		list, err := f.page(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			all, options = nil, metav1.ListOptions{}
			continue
		}
		if err != nil {
			return nil, "", err
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return nil, "", err
		}
		all = append(all, items...)
		m, err := meta.ListAccessor(list)
		if err != nil {
			return nil, "", err
		}
		if options.Continue = m.GetContinue(); options.Continue == "" {
			return all, m.GetResourceVersion(), nil
		}
	}
}

// listAllowed is list for a person who may read their own namespace only.
func (f *follower) listAllowed(ctx context.Context) ([]runtime.Object, string, error) {
	objects, revision, err := f.list(ctx)
	if !apierrors.IsForbidden(err) || !f.Namespaced || f.namespace != "" || f.listed {
		return objects, revision, err
	}
	f.namespace = f.target.namespace
	objects, revision, narrow := f.list(ctx)
	if narrow != nil {
		f.namespace = ""
		return nil, "", err
	}
	f.tell(sourceEvent("denied", f.object(), fmt.Sprintf("%v; only namespace %s is followed", err, f.namespace)))
	return objects, revision, nil
}

func (f *follower) page(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	ctx, stop := context.WithTimeout(ctx, f.pace.page)
	defer stop()
	if f.secret() {
		return f.metadata.Resource(f.GroupVersionResource).Namespace(f.namespace).List(ctx, options)
	}
	return f.objects.Resource(f.GroupVersionResource).Namespace(f.namespace).List(ctx, options)
}

func (f *follower) watch(ctx context.Context) (kubewatch.Interface, error) {
	seconds := int64(jittered(f.pace.watching).Seconds())
	options := metav1.ListOptions{ResourceVersion: f.revision, AllowWatchBookmarks: true, TimeoutSeconds: &seconds}
	if f.secret() {
		return f.metadata.Resource(f.GroupVersionResource).Namespace(f.namespace).Watch(ctx, options)
	}
	return f.objects.Resource(f.GroupVersionResource).Namespace(f.namespace).Watch(ctx, options)
}

// fine tells that trouble is over.
func (f *follower) fine() {
	f.reached()
	f.failures, f.denials = 0, 0
	if f.trouble != "" {
		f.trouble = ""
		f.tell(sourceEvent("connected", f.object(), f.name()+" can be followed again"))
	}
}

func (f *follower) tellTrouble(verb string, err error) {
	if f.trouble != err.Error() {
		f.trouble = err.Error()
		f.tell(sourceEvent(verb, f.object(), f.trouble))
	}
}

// nowServedOtherwise moves to the version in which the last scan found the
// kind, if that is another one.
func (f *follower) nowServedOtherwise() bool {
	k, ok := f.served(f.name())
	if !ok || k.Version == f.Version {
		return false
	}
	f.kind = k
	return true
}

// unserved tells that the kind is gone, and with it all its objects.
func (f *follower) unserved() {
	f.tell(sourceEvent("disconnected", f.object(), f.name()+" are not served any more"))
	for _, s := range f.known {
		f.vanished(s, f.last)
	}
}
