package sandbox

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// told is what matters of a request observation, on one line.
func told(o watch.Observation) string {
	var b strings.Builder
	b.WriteString(o.From + " " + o.Verb)
	if o.Object != nil {
		b.WriteString(" " + o.Object.Key())
		if o.Object.Subresource != "" {
			b.WriteString(" /" + o.Object.Subresource)
		}
	}
	if o.Revision != "" {
		b.WriteString(" @" + o.Revision)
	}
	for _, n := range o.Needs {
		b.WriteString(" <" + strings.TrimPrefix(n.How+" "+n.Key, " "))
		if n.Wait {
			b.WriteString("!")
		}
	}
	for _, g := range o.Gives[1:] { // the first is always the audit ID
		b.WriteString(" >" + g.Key)
	}
	return b.String()
}

// The file holds what a kube-apiserver v1.36.3 really wrote while somebody
// worked with kubectl; it had no gates of ours.
func TestAuditTranslation(t *testing.T) {
	file, err := os.Open("testdata/audit.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := []string{
		"kubernetes-admin create apps/deployments/default/web @312",
		"system:serviceaccount:kube-system:replicaset-controller create pods/default/web-7887448d46-lcmkn @316 <obj:6467e964-8177-4eea-b8ff-fe3404f7b8a6!",
		"system:kube-scheduler create pods/default/web-7887448d46-lcmkn /binding <sched:4728e83a-a49d-4ecc-ac51-a5b7116be650!",
		"system:node:node-1 patch pods/default/web-7887448d46-lcmkn /status @327",
		"system:serviceaccount:kube-system:replicaset-controller create events/default/web-7887448d46.18e9f078e0ce4215 @318",
		"kubernetes-admin create secrets/default/s",
		"kubernetes-admin create serviceaccounts/default/default /token",
		"kubernetes-admin list pods/default",
		"kubernetes-admin create configmaps/default/c",
		"kubernetes-admin patch apps/deployments/default/web /scale @350",
		"kubernetes-admin delete apps/deployments/default/web",
		"system:node:node-1 delete pods/default/web-7887448d46-lcmkn @365",
		"system:node:node-1 watch pods",
		"system:node:node-2 create authorization.k8s.io/subjectaccessreviews",
		"kubernetes-admin get",
		"kubernetes-admin create pods/default/gen-msxhx @402",
		"kubernetes-admin get pods/default/web-7887448d46-h9st2 /exec",
	}
	a := newAuditor()
	var got []watch.Observation
	readLines(file, longestLine, func(line []byte) {
		if !isAudit(line) {
			t.Errorf("not taken for an audit event: %.80s", line)
		}
		got = append(got, a.line(line)...)
	})
	if len(got) != len(want) {
		t.Fatalf("%d observations, want %d", len(got), len(want))
	}
	for i, o := range got {
		if told(o) != want[i] {
			t.Errorf("line %d\n got %s\nwant %s", i+1, told(o), want[i])
		}
		if o.Start.After(o.End) || o.Start.IsZero() || o.Evidence.Source != "audit" || o.Gives[0].Key != "audit:"+o.Evidence.ID {
			t.Errorf("line %d: start %v end %v evidence %v gives %v", i+1, o.Start, o.End, o.Evidence, o.Gives)
		}
	}
	if got[7].Code != 403 || !strings.Contains(string(got[7].Detail), `"as":"jane"`) || !strings.Contains(string(got[7].Detail), "cannot list resource") {
		t.Errorf("the refusal says %d %s", got[7].Code, got[7].Detail)
	}
	if w := got[12]; !w.Start.Equal(w.End) {
		t.Errorf("a watch request has a duration: %v to %v", w.Start, w.End)
	}
	if uid := got[10].Object.UID; uid != "5c1278d3-d4fc-477c-b2de-753d4e26e75c" {
		t.Errorf("the deleted deployment has uid %q", uid)
	}
}

func TestAuditNeverTellsSecrets(t *testing.T) {
	// As if the policy were wrong: bodies where none should be.
	const line = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete","requestURI":%URI%,"verb":"create","user":{"username":"u"},"objectRef":%REF%,"responseStatus":{"code":201},"requestObject":{"data":{"password":"c2VzYW1l"},"spec":{"token":"c2VzYW1l"}},"responseObject":{"metadata":{"resourceVersion":"7"},"status":{"token":"c2VzYW1l"}},"requestReceivedTimestamp":"2026-11-21T03:05:28.444228Z","stageTimestamp":"2026-11-21T03:05:28.447805Z"}`
	for _, ref := range []string{
		`{"resource":"secrets","namespace":"default","name":"s","apiVersion":"v1"}`,
		`{"resource":"serviceaccounts","namespace":"default","name":"s","apiVersion":"v1","subresource":"token"}`,
		`{"resource":"tokenreviews","apiGroup":"authentication.k8s.io","apiVersion":"v1"}`,
	} {
		a := newAuditor()
		os := a.line([]byte(strings.NewReplacer("%URI%", `"/x?access_token=c2VzYW1l&watch=1"`, "%REF%", ref).Replace(line)))
		if len(os) != 1 {
			t.Fatalf("%d observations", len(os))
		}
		all, _ := json.Marshal(os[0])
		if strings.Contains(string(all), "c2VzYW1l") {
			t.Errorf("%s: told %s", ref, all)
		}
		for _, status := range []string{"400", "422"} { // a refusal may quote what it refuses
			refused := strings.NewReplacer("%URI%", `"/x"`, "%REF%", ref, `{"code":201}`, `{"code":`+status+`,"message":"data: Invalid value: \"c2VzYW1l\""}`).Replace(line)
			all, _ := json.Marshal(newAuditor().line([]byte(refused)))
			if strings.Contains(string(all), "c2VzYW1l") || !strings.Contains(string(all), "not told") {
				t.Errorf("%s, refused with %s: told %s", ref, status, all)
			}
		}
	}
}

func TestAuditPolicyHidesSecrets(t *testing.T) {
	b, err := json.Marshal(auditPolicy())
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Rules []struct {
			Level     string
			Resources []struct{ Group, Resources any }
		}
	}
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Rules {
		if r.Level == "Metadata" && len(r.Resources) > 0 {
			return // before any rule that lets bodies through
		}
		if r.Level != "None" {
			t.Fatalf("bodies are let through before secrets are excepted: %s", b)
		}
	}
}

// A request whose answer goes on is told when it begins; one that was refused,
// when its answer has the reason.
func TestAuditTellsOnce(t *testing.T) {
	a := newAuditor()
	record := func(id, stage, verb, code, rv string) int {
		line := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"` + id + `","stage":"` + stage + `","requestURI":"/api/v1/pods","verb":"` + verb +
			`","user":{"username":"u"},"objectRef":{"resource":"pods","name":"p"},"responseStatus":{"code":` + code + `},"responseObject":{"kind":"Pod","metadata":{"resourceVersion":"` + rv + `"}}}`
		os := a.line([]byte(line))
		n := 0
		for _, o := range os {
			n += len(o.Gives)
		}
		return n
	}
	for i, step := range []struct {
		id, stage, verb, code, rv string
		gives                     int
	}{
		{"1", "ResponseStarted", "watch", "200", "", 1},
		{"1", "ResponseComplete", "watch", "200", "", 0},
		{"2", "ResponseStarted", "watch", "403", "", 0},
		{"2", "ResponseComplete", "watch", "403", "", 1},
		{"3", "ResponseComplete", "patch", "200", "9", 1},
		{"4", "ResponseComplete", "patch", "409", "", 1},
	} {
		if got := record(step.id, step.stage, step.verb, step.code, step.rv); got != step.gives {
			t.Errorf("step %d: %d keys given, want %d", i, got, step.gives)
		}
	}
	if os := a.line([]byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1",`)); os != nil {
		t.Errorf("half a line told %v", os)
	}
}

// Which writes were a request's is what the apiserver's gates say. A revision
// in the answer is the object's: nobody knows who made it.
func TestAuditRevisions(t *testing.T) {
	const line = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"x","stage":"ResponseComplete","requestURI":"/%QUERY%","verb":"%VERB%","user":{"username":"u"},"objectRef":{%REF%,"namespace":"n","name":"a"},"responseStatus":{"code":200},"responseObject":{"kind":"Any","metadata":{"name":"a","resourceVersion":"30"}},"annotations":{%NOTE%}}`
	for _, c := range []struct{ verb, ref, query, note, want string }{
		{"update", `"resource":"pods"`, "", `"kubestage.io/revisions":"30"`, "u update pods/n/a @30 >rv:30"},
		{"update", `"resource":"pods"`, "", ``, "u update pods/n/a @30"}, // it changed nothing
		{"delete", `"resource":"pods"`, "", `"kubestage.io/revisions":"29,30"`, "u delete pods/n/a @30 >rv:29 >rv:30"},
		{"deletecollection", `"resource":"secrets"`, "", `"kubestage.io/revisions":"31,33"`, "u deletecollection secrets/n/a @33 >rv:31 >rv:33"},
		{"create", `"resource":"pods","subresource":"binding"`, "", `"kubestage.io/revisions":"31"`, "u create pods/n/a /binding @30 <sched:! >rv:31"},
		{"update", `"resource":"leases","apiGroup":"coordination.k8s.io"`, "", ``, "u update coordination.k8s.io/leases/n/a @30 >rv:30"},
		{"create", `"resource":"pods"`, "?dryRun=All", ``, "u create pods/n/a"},
		{"patch", `"resource":"pods"`, "", `"kubestage.io/object":"a,uid,28"`, "u patch pods/n/a @28"}, // without an answer, as most are
	} {
		os := newAuditor().line([]byte(strings.NewReplacer("%VERB%", c.verb, "%REF%", c.ref, "%QUERY%", c.query, "%NOTE%", c.note).Replace(line)))
		if len(os) != 1 || told(os[0]) != c.want {
			t.Errorf("got %q, want %s", told(os[0]), c.want)
		}
	}
}

// Who is not recognised is nobody, and is in the log nevertheless.
func TestAuditUnauthenticated(t *testing.T) {
	os := newAuditor().line([]byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"x","stage":"ResponseStarted","requestURI":"/api","verb":"get","user":{},"responseStatus":{"code":401}}`))
	if len(os) != 1 || os[0].From != watch.Unknown || os[0].Code != 401 {
		t.Errorf("got %+v", os)
	}
}

// A request is told with what its client's link saw of it, also when the link
// tells later than the apiserver; and says so when the link saw nothing.
func TestARequestWaitsForItsPassage(t *testing.T) {
	const line = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"%ID%","stage":"ResponseComplete","requestURI":"/api","verb":"get","user":{"username":"%USER%"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-21T03:05:28.4Z","stageTimestamp":"2026-11-21T03:05:28.4Z"}`
	synctest.Test(t, func(t *testing.T) {
		log := watch.NewLog(0)
		j := watch.NewJoiner(log)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go j.Run(ctx)
		w := newWitnesses(newBoard(nil), func(o watch.Observation) { j.Offer(ctx, o) })
		tell := func(id, user string) {
			w.audit([]byte(strings.NewReplacer("%ID%", id, "%USER%", user).Replace(line)))
		}
		told := func(id string) string {
			events, _ := log.After(0, 0)
			for _, e := range events {
				if e.Evidence.ID == id {
					return string(e.Detail)
				}
			}
			return ""
		}
		tell("late", "kubernetes-admin")
		tell("never", "system:kube-scheduler")
		tell("pod", "system:serviceaccount:default:default")
		tell("nobody", "")
		w.audit([]byte(strings.Replace(strings.NewReplacer("%ID%", "exec", "%USER%", "jane").Replace(line), `"code":200`, `"code":101`, 1)))
		time.Sleep(100 * time.Millisecond)
		if told("late") != "" || told("nobody") == "" || told("exec") == "" || told("pod") == "" || strings.Contains(told("pod"), "unseen") {
			t.Errorf("after 100 ms: %q, %q", told("late"), told("pod"))
		}
		w.auditor.passed("late", passage{"kubectl", time.Now(), time.Now()})
		time.Sleep(50 * time.Millisecond)
		if !strings.Contains(told("late"), `"link":"kubectl","sent":`) || told("never") != "" {
			t.Errorf("after its passage: %q, %q", told("late"), told("never"))
		}
		time.Sleep(watch.DefaultPatience)
		if !json.Valid([]byte(told("never"))) || !strings.HasSuffix(told("never"), `,"unseen":true}`) {
			t.Errorf("without one: %q", told("never"))
		}
	})
}
