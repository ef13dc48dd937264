package program

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
)

// webhook is agnhost's server of admission webhooks, with those of upstream's
// paths that need nothing of the kinds they look at but metadata, or are about
// ConfigMaps (test/images/agnhost/webhook).
func webhook(ctx context.Context, p *Process) int {
	certFile, keyFile, port := "", "", 443
	_, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.StringVar(&certFile, "tls-cert-file", "", "File containing the default x509 Certificate for HTTPS.")
		f.StringVar(&keyFile, "tls-private-key-file", "", "File containing the default x509 private key matching --tls-cert-file.")
		f.IntVar(&port, "port", port, "Secure port that the webhook listens on.")
	})
	if !ok {
		return bad
	}
	say := p.logger()
	cert, err := p.readFile(certFile)
	if err != nil {
		say.Print(err)
		return 1
	}
	key, err := p.readFile(keyFile)
	if err != nil {
		say.Print(err)
		return 1
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		say.Print(err)
		return 1
	}
	mux := http.NewServeMux()
	for path, judge := range map[string]func(*review) verdict{
		"/always-deny": func(*review) verdict { return denied("this webhook denies all requests") },
		"/add-label":   addLabel, "/configmaps": judgeConfigMap, "/mutating-configmaps": changeConfigMap,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			var ask reviewed
			if err := json.NewDecoder(body(w, r)).Decode(&ask); err != nil || ask.Request == nil {
				http.Error(w, fmt.Sprintf("that is no AdmissionReview: %v", err), http.StatusBadRequest)
				return
			}
			say.Printf("%s: %s of %s/%s", path, ask.Request.Operation, ask.Request.Namespace, ask.Request.Name)
			v := judge(ask.Request)
			v.UID = ask.Request.UID
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(reviewed{Kind: ask.Kind, APIVersion: ask.APIVersion, Response: &v}) // an error means that the client is gone
		})
	}
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	s, err := p.openSiteOn(ctx, mux, func(l net.Listener) net.Listener { return tls.NewListener(l, config) }, port)
	if err != nil {
		say.Print(err)
		return 1
	}
	return s.forever(ctx, p)
}

// reviewed is an AdmissionReview, and review what it asks.
type reviewed struct {
	Kind       string   `json:"kind"`
	APIVersion string   `json:"apiVersion"`
	Request    *review  `json:"request,omitempty"`
	Response   *verdict `json:"response,omitempty"`
}

type review struct {
	UID       string `json:"uid"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Operation string `json:"operation"`
	Object    judged `json:"object"`
	OldObject judged `json:"oldObject"`
}

// judged is what is read of an object.
type judged struct {
	Metadata struct {
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Data map[string]any `json:"data"`
}

type verdict struct {
	UID       string   `json:"uid"`
	Allowed   bool     `json:"allowed"`
	Status    *refusal `json:"status,omitempty"`
	PatchType string   `json:"patchType,omitempty"`
	Patch     []byte   `json:"patch,omitempty"`
}

type refusal struct {
	Message string `json:"message"`
}

func denied(why string) verdict { return verdict{Status: &refusal{why}} }

func patched(patch string) verdict {
	return verdict{Allowed: true, PatchType: "JSONPatch", Patch: []byte(patch)}
}

func addLabel(r *review) verdict {
	switch now, has := r.Object.Metadata.Labels["added-label"]; {
	case len(r.Object.Metadata.Labels) == 0:
		return patched(`[{"op":"add","path":"/metadata/labels","value":{"added-label":"yes"}}]`)
	case !has:
		return patched(`[{"op":"add","path":"/metadata/labels/added-label","value":"yes"}]`)
	case now != "yes":
		return patched(`[{"op":"replace","path":"/metadata/labels/added-label","value":"yes"}]`)
	}
	return verdict{Allowed: true}
}

func judgeConfigMap(r *review) verdict {
	switch {
	case r.Operation == "DELETE" && r.OldObject.Data["webhook-e2e-test"] == "webhook-nondeletable":
		return denied("the configmap cannot be deleted because it contains unwanted key and value")
	case r.Operation != "DELETE" && r.Object.Data["webhook-e2e-test"] == "webhook-disallow":
		return denied("the configmap contains unwanted key and value")
	}
	return verdict{Allowed: true}
}

// changeConfigMap is called by two webhooks in upstream's tests: what the first
// adds makes the second add something, too.
func changeConfigMap(r *review) verdict {
	switch {
	case r.Object.Data["mutation-stage-1"] == "yes":
		return patched(`[{"op":"add","path":"/data/mutation-stage-2","value":"yes"}]`)
	case r.Object.Data["mutation-start"] == "yes":
		return patched(`[{"op":"add","path":"/data/mutation-stage-1","value":"yes"}]`)
	}
	return verdict{Allowed: true}
}
