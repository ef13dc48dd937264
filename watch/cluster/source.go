package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kubestage/kubestage/watch"
)

// Options say which cluster to follow.
type Options struct {
	Kubeconfig string // a path; empty means what kubectl would use
	Context    string // empty means the kubeconfig's current context
}

// Source follows one cluster. It is a watch.Feeder.
type Source struct {
	target
	version   string // of the apiserver
	discovery *discovery.DiscoveryClient
	objects   dynamic.Interface
	metadata  metadata.Interface
	pace      pace
}

// New reads the kubeconfig and asks the apiserver for its version. Its errors
// are for the person who typed the command: they say what to do.
func New(o Options) (*Source, error) {
	t, err := findTarget(o)
	if err != nil {
		return nil, err
	}
	s := &Source{target: *t, pace: defaultPace}
	config := readOnly(t.config)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, t.explain(err)
	}
	if s.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(config, client); err != nil {
		return nil, t.explain(err)
	}
	if s.objects, err = dynamic.NewForConfigAndClient(config, client); err != nil {
		return nil, t.explain(err)
	}
	if s.metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(config), client); err != nil {
		return nil, t.explain(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), s.pace.contact)
	defer stop()
	if s.version, err = askVersion(ctx, s.discovery.RESTClient()); err != nil {
		return nil, t.explain(err)
	}
	return s, nil
}

// Describe names the cluster in a line for people.
func (s *Source) Describe() string {
	return fmt.Sprintf("context %s at %s (%s), read-only", s.context, s.config.Host, s.version)
}

// Run follows the cluster until ctx ends and returns nil then. Trouble on the
// way is told in the log and tried again; none of it ends Run.
func (s *Source) Run(ctx context.Context, log *watch.Log) error {
	joiner := watch.NewJoiner(log)
	joining, stopJoiner := context.WithCancel(context.WithoutCancel(ctx))
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		joiner.Run(joining)
	}()
	defer func() {
		stopJoiner()
		<-joined
	}()

	tell := func(o watch.Observation) { joiner.Offer(joining, o) }
	inference := newInference(s.pace.hold, tell)
	inferring, stopInference := context.WithCancel(context.WithoutCancel(ctx))
	inferred := make(chan struct{})
	go func() {
		defer close(inferred)
		inference.run(inferring)
	}()
	defer func() {
		stopInference()
		<-inferred
	}()

	r := &run{
		Source:    s,
		tell:      tell,
		infer:     func(c *change) { inference.in <- c },
		rescan:    make(chan struct{}, 1),
		following: map[string]bool{},
		found:     map[string]kind{},
		troubled:  map[string]string{},
	}
	r.scanUntil(ctx)
	r.followers.Wait()
	return nil
}

// run is what changes while a Source runs.
type run struct {
	*Source
	tell      func(watch.Observation)
	infer     func(*change)
	rescan    chan struct{} // holds one note that kinds may have changed
	followers sync.WaitGroup

	mu        sync.Mutex        // guards all below
	following map[string]bool   // by kind.name()
	found     map[string]kind   // by the last scan, by kind.name()
	connected bool              // what the log was last told
	troubled  map[string]string // groups that could not be discovered, and why
}

// scanUntil looks for kinds, starts a follower for each new one, and looks
// again when CustomResourceDefinitions or APIServices change, when a group
// could not be read, and now and then.
func (r *run) scanUntil(ctx context.Context) {
	tries := r.pace.retry()
	for ctx.Err() == nil {
		wait := jittered(r.pace.scan)
		kinds, troubled, err := discoverKinds(r.discovery)
		if err != nil {
			r.lost(err)
			wait = tries.Step()
		} else {
			tries = r.pace.retry()
			r.reached()
			r.tellTroubled(troubled)
			if len(troubled) > 0 {
				wait = jittered(r.pace.denied)
			}
			for _, k := range kinds {
				r.start(ctx, k)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-r.rescan:
			pause(ctx, r.pace.settle) // a CRD is written several times before it serves
		}
	}
}

func (r *run) start(ctx context.Context, k kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found[k.name()] = k
	if r.following[k.name()] {
		return
	}
	r.following[k.name()] = true
	r.followers.Go(func() {
		f := &follower{run: r, kind: k, known: map[string]*seen{}}
		f.follow(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.following, k.name())
	})
}

// served returns a kind as the last scan found it.
func (r *run) served(name string) (kind, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.found[name]
	return k, ok
}

// kindsChanged asks for a scan soon.
func (r *run) kindsChanged() {
	select {
	case r.rescan <- struct{}{}:
	default:
	}
}

// reached and lost keep the one connection that all followers share: it is
// told when it changes, not once for each of seventy kinds.
func (r *run) reached() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.connected {
		r.connected = true
		r.tell(sourceEvent("connected", nil, r.Describe()))
	}
}

func (r *run) lost(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connected {
		r.connected = false
		r.tell(sourceEvent("disconnected", nil, r.explain(err).Error()))
	}
}

// tellTroubled tells about API groups that exist but do not answer, as when
// an aggregated apiserver is down.
func (r *run) tellTroubled(now map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for group, why := range now {
		if r.troubled[group] == "" {
			r.tell(sourceEvent("denied", &watch.Object{Group: group}, "the kinds of "+group+" cannot be read: "+why))
		}
	}
	r.troubled = now
}
