package cluster

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// target is where a kubeconfig points.
type target struct {
	file      string // for error messages
	context   string
	namespace string // of the context; "default" when it names none
	user      string // the kubeconfig's name for it
	config    *rest.Config
}

func findTarget(o Options) (*target, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	file := strings.Join(rules.GetLoadingPrecedence(), ", ")
	if o.Kubeconfig != "" {
		rules.ExplicitPath, file = o.Kubeconfig, o.Kubeconfig
	}
	raw, err := rules.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("kubeconfig %s does not exist: give the path of one with --kubeconfig, or run without --kubeconfig and --context for a sandbox", file)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("kubeconfig %s cannot be read: make it readable for this user (%w)", file, err)
	case err != nil:
		return nil, fmt.Errorf("kubeconfig %s is not one: correct it, or give another with --kubeconfig (%w)", file, err)
	}
	t := &target{file: file, context: o.Context}
	if t.context == "" {
		t.context = raw.CurrentContext
	}
	kubeContext, err := t.checkContext(raw)
	if err != nil {
		return nil, err
	}
	t.user = kubeContext.AuthInfo
	if t.namespace = kubeContext.Namespace; t.namespace == "" {
		t.namespace = "default"
	}
	t.config, err = clientcmd.NewNonInteractiveClientConfig(*raw, t.context, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("context %q of kubeconfig %s cannot be used: %w", t.context, file, err)
	}
	if err := t.checkCertificate(time.Now()); err != nil {
		return nil, err
	}
	t.config.UserAgent = "kubestage"
	t.config.WarningHandler = rest.NoWarnings{} // that Endpoints are deprecated is not our user's doing
	t.config.QPS, t.config.Burst = 25, 100      // one burst covers the lists of an ordinary cluster
	return t, nil
}

func (t *target) checkContext(raw *clientcmdapi.Config) (*clientcmdapi.Context, error) {
	var names []string
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	has := "it has these contexts: " + strings.Join(names, ", ")
	if len(names) == 0 {
		return nil, fmt.Errorf("kubeconfig %s has no contexts: is it the file you meant? Give another with --kubeconfig", t.file)
	}
	if t.context == "" {
		return nil, fmt.Errorf("kubeconfig %s has no current context: choose one with --context; %s", t.file, has)
	}
	c, ok := raw.Contexts[t.context]
	if !ok {
		return nil, fmt.Errorf("kubeconfig %s has no context %q: choose one with --context; %s", t.file, t.context, has)
	}
	if raw.Clusters[c.Cluster] == nil || raw.Clusters[c.Cluster].Server == "" {
		return nil, fmt.Errorf("context %q of kubeconfig %s names cluster %q, which has no server address there: add it with kubectl config set-cluster, or choose another context; %s", t.context, t.file, c.Cluster, has)
	}
	if c.AuthInfo != "" && raw.AuthInfos[c.AuthInfo] == nil {
		return nil, fmt.Errorf("context %q of kubeconfig %s names user %q, which is not in the file: add it with kubectl config set-credentials, or choose another context; %s", t.context, t.file, c.AuthInfo, has)
	}
	return c, nil
}

// checkCertificate finds an expired client certificate before the apiserver
// answers it with a bare "Unauthorized".
func (t *target) checkCertificate(now time.Time) error {
	data := t.config.CertData
	if len(data) == 0 && t.config.CertFile != "" {
		var err error
		if data, err = os.ReadFile(t.config.CertFile); err != nil {
			return fmt.Errorf("the client certificate of user %q in kubeconfig %s cannot be read: correct its path (%w)", t.user, t.file, err)
		}
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil // no certificate, or one that TLS will complain about in its own words
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	if now.After(certificate.NotAfter) {
		return fmt.Errorf("the client certificate of user %q in kubeconfig %s expired on %s: get a new kubeconfig from whoever runs the cluster (with kubeadm: kubeadm certs renew admin.conf)",
			t.user, t.file, certificate.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// explain says what to do about an error of the connection.
func (t *target) explain(err error) error {
	say := func(format string, args ...any) error {
		return fmt.Errorf("context %q at %s: %s (%w)", t.context, t.config.Host, fmt.Sprintf(format, args...), err)
	}
	var (
		expired   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		lookup    *net.DNSError
		address   *url.Error
		timeout   net.Error
		noProgram *exec.Error
	)
	switch {
	case apierrors.IsUnauthorized(err):
		return say("the apiserver does not accept the credentials of user %q: log in again, or get a new kubeconfig", t.user)
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		return say("the apiserver's own certificate has expired: whoever runs the cluster must renew it")
	case errors.As(err, &authority):
		return say("the apiserver's certificate is signed by an authority the kubeconfig does not name: was the cluster made anew? Then get its new kubeconfig")
	case errors.As(err, &hostname):
		return say("the apiserver's certificate is for another address: correct the server address in %s", t.file)
	case errors.As(err, &lookup):
		return say("this address has no entry in DNS: correct the server address in %s, or connect to the network it is in", t.file)
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("nothing listens there: start the cluster, or choose another context with --context")
	case errors.As(err, &noProgram), strings.Contains(err.Error(), "exec plugin"), strings.Contains(err.Error(), "executable"):
		return say("the program that fetches the credentials of user %q does not run: install it or log in with it, then try again", t.user)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say("no answer in time: is the cluster running, and is its network reachable from here (VPN)?")
	case errors.As(err, &address):
		return say("the apiserver cannot be reached: check the server address in %s", t.file)
	}
	return say("the apiserver did not answer as expected: check with kubectl --context %s version", t.context)
}

// askVersion is the first request: it shows that somebody answers, that it is
// an apiserver, and that it knows us.
func askVersion(ctx context.Context, client rest.Interface) (string, error) {
	body, err := client.Get().AbsPath("/version").Do(ctx).Raw()
	if apierrors.IsForbidden(err) {
		return "version not told", nil // we are known, and may not ask that
	}
	if err != nil {
		return "", err
	}
	var v struct{ GitVersion string }
	if err := json.Unmarshal(body, &v); err != nil || v.GitVersion == "" {
		return "", errors.New("what answers is not a Kubernetes apiserver")
	}
	return v.GitVersion, nil
}
