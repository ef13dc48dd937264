package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// Every error tells what is wrong in which file, and what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	unauthorized := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { status(w, http.StatusUnauthorized, "Unauthorized") }))
	defer unauthorized.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0) // it will complain about a client that does not trust it
	stranger.StartTLS()
	defer stranger.Close()
	website := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") }))
	defer website.Close()

	config := func(change ...string) string {
		text, err := os.ReadFile(kubeconfig(t, "https://127.0.0.1:1"))
		if err != nil {
			t.Fatal(err)
		}
		return write(t, strings.NewReplacer(change...).Replace(string(text)))
	}
	for _, c := range []struct {
		name    string
		options Options
		want    []string
	}{
		{"no file", Options{Kubeconfig: "/nowhere/config"}, []string{"/nowhere/config does not exist", "--kubeconfig"}},
		{"garbage", Options{Kubeconfig: write(t, "\x00{[")}, []string{"is not one", "--kubeconfig"}},
		{"empty", Options{Kubeconfig: write(t, "")}, []string{"has no contexts", "--kubeconfig"}},
		{"no current context", Options{Kubeconfig: config(`"current-context":"here",`, "")}, []string{"no current context", "--context", "here"}},
		{"unknown context", Options{Kubeconfig: config(), Context: "there"}, []string{`no context "there"`, "--context", "here"}},
		{"no cluster", Options{Kubeconfig: config(`"cluster":"c"`, `"cluster":"x"`)}, []string{`cluster "x"`, "set-cluster"}},
		{"no user", Options{Kubeconfig: config(`"user":"u"`, `"user":"x"`)}, []string{`user "x"`, "set-credentials"}},
		{"expired certificate", Options{Kubeconfig: config(`{"token":"t"}`, expired(t))}, []string{"expired on 2020-01-02", "get a new kubeconfig"}},
		{"missing certificate", Options{Kubeconfig: config(`{"token":"t"}`, `{"client-certificate":"/nowhere/crt","client-key":"/nowhere/key"}`)}, []string{"/nowhere/crt", `context "here"`}},
		{"nothing listens", Options{Kubeconfig: kubeconfig(t, freePort(t))}, []string{"nothing listens there", "start the cluster"}},
		{"no such host", Options{Kubeconfig: kubeconfig(t, "https://kubestage.invalid:6443")}, []string{"kubestage.invalid", "correct the server address"}},
		{"not authorized", Options{Kubeconfig: kubeconfig(t, unauthorized.URL)}, []string{`credentials of user "u"`, "log in again"}},
		{"unknown authority", Options{Kubeconfig: kubeconfig(t, stranger.URL)}, []string{"authority", "new kubeconfig"}},
		{"a website", Options{Kubeconfig: kubeconfig(t, website.URL)}, []string{"not a Kubernetes apiserver", "kubectl --context here version"}},
		{"no login program", Options{Kubeconfig: config(`{"token":"t"}`, `{"exec":{"apiVersion":"client.authentication.k8s.io/v1","command":"no-such-login","interactiveMode":"Never"}}`)}, []string{`credentials of user "u"`, "install it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.options)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, which does not say %q", err, want)
				}
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	d := openDoor(t)
	s, err := New(Options{Kubeconfig: kubeconfig(t, d.server.URL), Context: "here"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Describe(), "context here at "+d.server.URL+" (v1.36.3), read-only"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// expired is a kubeconfig user, as JSON, whose certificate ended in 2020.
func expired(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return fmt.Sprintf(`{"client-certificate-data":%q,"client-key-data":%q}`, text("CERTIFICATE", der), text("PRIVATE KEY", secret))
}
