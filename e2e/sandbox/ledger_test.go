//go:build linux

package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// ledger is a second witness of what etcd stores: an ordinary etcd client that
// watches from the first revision on, and goes on where it was when etcd comes
// back. What our log says of etcd must be the same.
type ledger struct {
	client *clientv3.Client
	done   chan struct{}

	mu      sync.Mutex // guards all below
	entries []entry
	next    int64 // revision
	err     error
}

// entry is one change of one key.
type entry struct {
	revision int64
	verb     string // put or delete
	key      string
}

func (e entry) String() string { return fmt.Sprintf("%s %s@%d", e.verb, e.key, e.revision) }

// keepLedger begins at the first revision there ever was and ends with the test.
func keepLedger(t *testing.T, d *dashboard.Dashboard) *ledger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.Dir, "ports.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ports map[string]int
	if err := json.Unmarshal(text, &ports); err != nil {
		t.Fatal(err)
	}
	pki := filepath.Join(d.Dir, "pki")
	cert, err := tls.LoadX509KeyPair(filepath.Join(pki, "apiserver-etcd-client.crt"), filepath.Join(pki, "apiserver-etcd-client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(pki, "etcd-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{fmt.Sprintf("https://127.0.0.1:%d", ports["etcd"])},
		TLS:       &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
		Logger:    zap.NewNop(), // that etcd has gone is what the test is about
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{client: client, done: make(chan struct{}), next: 1}
	ctx, cancel := context.WithCancel(context.Background())
	go l.keep(ctx)
	t.Cleanup(func() {
		cancel()
		<-l.done
		client.Close()
	})
	return l
}

func (l *ledger) keep(ctx context.Context) {
	defer close(l.done)
	for ctx.Err() == nil {
		watching, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
		for r := range l.client.Watch(watching, "/registry/", clientv3.WithPrefix(), clientv3.WithRev(l.next)) {
			if r.CompactRevision != 0 {
				l.mu.Lock()
				l.err = fmt.Errorf("revisions up to %d were compacted before they were read", r.CompactRevision)
				l.mu.Unlock()
				cancel()
				return
			}
			if r.Err() != nil {
				break
			}
			l.mu.Lock()
			for _, e := range r.Events {
				verb := "put"
				if e.Type == clientv3.EventTypeDelete {
					verb = "delete"
				}
				l.entries = append(l.entries, entry{e.Kv.ModRevision, verb, string(e.Kv.Key)})
				l.next = e.Kv.ModRevision + 1
			}
			l.mu.Unlock()
		}
		cancel()
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// upTo returns the entries as far as they go now.
func (l *ledger) upTo(ctx context.Context) ([]entry, error) {
	r, err := l.client.Get(ctx, "/registry/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return nil, err
	}
	var entries []entry
	err = dashboard.Until(ctx, 10*time.Second, fmt.Sprintf("revision %d in the ledger", r.Header.Revision), func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err != nil {
			return true, ""
		}
		// The newest revision may be of a key outside the prefix; then a later
		// heartbeat will do.
		if l.next <= r.Header.Revision {
			return false, fmt.Sprintf("revision %d", l.next-1)
		}
		entries = slices.Clone(l.entries)
		return true, ""
	})
	return entries, errors.Join(err, l.err)
}

// compareLedger checks the log: no number is missing or told twice (Events
// sees to that), and every change that etcd stored is told exactly once, in
// order, and no other is.
func compareLedger(t *testing.T, d *dashboard.Dashboard, l *ledger) []dashboard.Event {
	t.Helper()
	want, err := l.upTo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := want[len(want)-1]
	var events []dashboard.Event
	var got []entry
	until(t, 10*time.Second, fmt.Sprintf("%s in the log", last), func() (bool, string) {
		events, err = d.Events(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		got = entriesOf(t, events)
		if len(got) == 0 {
			return false, "nothing"
		}
		return got[len(got)-1].revision >= last.revision, got[len(got)-1].String()
	})
	got = slices.DeleteFunc(got, func(e entry) bool { return e.revision > last.revision })
	if slices.Equal(got, want) {
		return events
	}
	count := map[entry]int{}
	for _, e := range want {
		count[e]++
	}
	for _, e := range got {
		count[e]--
	}
	wrong := 0
	for e, n := range count {
		if n != 0 {
			wrong++
			t.Errorf("%s is in etcd %d times more often than in the log", e, n)
		}
	}
	if wrong == 0 {
		t.Error("the log tells etcd's changes in another order than etcd")
	}
	return events
}

func entriesOf(t *testing.T, events []dashboard.Event) []entry {
	t.Helper()
	var all []entry
	for _, e := range events {
		if e.Kind != "etcd" || e.Verb == "range" {
			continue
		}
		revision, err := strconv.ParseInt(e.Revision, 10, 64)
		key, _, ok := strings.Cut(e.Evidence.ID, "@")
		if err != nil || !ok {
			t.Fatalf("an etcd event without revision or key: %s", e)
		}
		all = append(all, entry{revision, e.Verb, key})
	}
	return all
}
