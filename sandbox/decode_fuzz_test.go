package sandbox

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/kubestage/kubestage/watch"
)

// Whatever stands on the apiserver's output, what is told of it can be a line
// of the log, and tells no body of a Secret.
func FuzzAudit(f *testing.F) {
	text, err := os.ReadFile("testdata/audit.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		f.Add(bytes.TrimSpace(line))
	}
	f.Add([]byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"create","requestURI":"/x?token=a%zz","objectRef":{"resource":"secrets"},"requestObject":{"data":{"a":"b"}}}`))
	f.Add([]byte(`{"stage":"ResponseStarted","verb":"patch","objectRef":{},"requestObject":[{"op":"add"}],"responseObject":7}`))
	f.Add([]byte(`{"stage":"Panic","user":null,"responseStatus":{"code":-1},"requestReceivedTimestamp":"9999-12-31T23:59:59.999999Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		w := newWitnesses(newBoard(nil), func(o watch.Observation) {
			log := watch.NewLog(0)
			log.Append(o.Event) // panics when it is no JSON
			if o.Object == nil || !secretive(o.Object) {
				return
			}
			var d struct{ Request json.RawMessage }
			if err := json.Unmarshal(o.Detail, &d); err != nil || d.Request != nil {
				t.Errorf("the body of a Secret is told: %s (%v)", o.Detail, err)
			}
		})
		w.audit(line)
	})
}

// The same for what components tell on their own channel.
func FuzzObserved(f *testing.F) {
	f.Add(watch.Observation{Event: watch.Event{Kind: watch.CRI, Verb: "StartContainer", Detail: json.RawMessage(`{"node":"node-1"}`)}}.Line())
	f.Add([]byte(`{"key":"/registry/minions/node-1","value":{"metadata":{"name":"node-1"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}}	{"seq":0,"kind":"etcd","start":"2026-11-21T03:30:32.4Z","end":"2026-11-21T03:30:32.4Z","from":"kube-apiserver","to":"etcd","verb":"put","object":{"version":"v1","resource":"nodes","name":"node-1","uid":"u"},"revision":"9","evidence":{"how":"observed","source":"etcd","id":"/registry/minions/node-1@9"},"needs":[{"key":"rv:9","how":"revision","wait":true}],"gives":[{"key":"put:9"}],"lane":"etcd"}`))
	f.Add([]byte(`[]	{"kind":"etcd","verb":"put","object":{"resource":"nodes"},"revision":"x"}`))
	f.Add([]byte(`	{"kind":"cri","verb":"StartContainer","detail":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		w := newWitnesses(newBoard(nil), func(o watch.Observation) { watch.NewLog(0).Append(o.Event) })
		w.observed(line)
	})
}
