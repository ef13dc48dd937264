//go:build linux

package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// webhooks: the apiserver asks a pod behind a Service what it thinks of an
// object, takes its changes and its refusal, and the log says so.
func webhooks(c *cluster, d *dashboard.Dashboard) {
	c.Helper()
	cert, key := selfSigned(c.T, "judge.default.svc")
	labels := map[string]string{"app": "judge"}
	core := c.kube.CoreV1()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "judge"}, Data: map[string][]byte{"tls.crt": cert, "tls.key": key}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "judge", Labels: labels}, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{
			Name: "judge", Image: "registry.k8s.io/e2e-test-images/agnhost:2.53",
			Args:         []string{"webhook", "--tls-cert-file=/tls/tls.crt", "--tls-private-key-file=/tls/tls.key", "--port=8443"},
			VolumeMounts: []corev1.VolumeMount{{Name: "tls", MountPath: "/tls"}},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
				HTTPGet: &corev1.HTTPGetAction{Scheme: corev1.URISchemeHTTPS, Port: intstr.FromInt32(8443), Path: "/readyz"},
			}},
		}},
		Volumes: []corev1.Volume{{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "judge"}}}},
	}}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "judge"}, Spec: corev1.ServiceSpec{
		Selector: labels, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(8443)}},
	}}
	do := func(_ any, err error) {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
	}
	do(core.Secrets("default").Create(c.Context(), secret, metav1.CreateOptions{}))
	do(core.Pods("default").Create(c.Context(), pod, metav1.CreateOptions{}))
	do(core.Services("default").Create(c.Context(), service, metav1.CreateOptions{}))
	defer c.kubectl("delete", "pod/judge", "service/judge", "secret/judge", "mutatingwebhookconfiguration/judge", "validatingwebhookconfiguration/judge", "--wait=false")
	c.kubectl("wait", "--for=condition=Ready", "pod/judge", "--timeout=30s")

	at := func(path string) admissionv1.WebhookClientConfig {
		return admissionv1.WebhookClientConfig{CABundle: cert, Service: &admissionv1.ServiceReference{Namespace: "default", Name: "judge", Path: &path}}
	}
	about := []admissionv1.RuleWithOperations{{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}}
	only := &metav1.LabelSelector{MatchLabels: map[string]string{"judged": "yes"}}
	none := admissionv1.SideEffectClassNone
	do(c.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(c.Context(), &admissionv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "judge"},
		Webhooks: []admissionv1.MutatingWebhook{{
			Name: "add.judge.test", ClientConfig: at("/add-label"), Rules: about, ObjectSelector: only, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}))
	do(c.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(c.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "judge"},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "look.judge.test", ClientConfig: at("/configmaps"), Rules: about, ObjectSelector: only, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}))

	const why = "the configmap contains unwanted key and value"
	configMap := func(name, value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: only.MatchLabels}, Data: map[string]string{"webhook-e2e-test": value}}
	}
	// The apiserver hears of the configurations a moment later, of one of them first.
	until(c.T, 20*time.Second, "the refusal by the webhook", func() (bool, string) {
		trial := configMap("", "webhook-disallow")
		trial.GenerateName = "refused-"
		_, err := core.ConfigMaps("default").Create(c.Context(), trial, metav1.CreateOptions{})
		return err != nil && strings.Contains(err.Error(), `admission webhook "look.judge.test" denied the request: `+why), "answered: " + errorText(err)
	})
	until(c.T, 20*time.Second, "the label that the webhook adds", func() (bool, string) {
		trial := configMap("", "good")
		trial.GenerateName = "changed-"
		got, err := core.ConfigMaps("default").Create(c.Context(), trial, metav1.CreateOptions{})
		return err == nil && got.Labels["added-label"] == "yes", "answered: " + errorText(err)
	})

	type step struct {
		Step       string
		Refused    bool
		Attributes struct {
			Plugins []struct {
				Plugin, Refused string
				Changed         []string
			}
		}
	}
	told := func(what, plugin string, is func(changed []string, refused string) bool) {
		c.Helper()
		until(c.T, 10*time.Second, what, func() (bool, string) {
			events, err := d.Events(c.Context(), 0)
			if err != nil {
				return false, err.Error()
			}
			for _, e := range events {
				if e.Kind != "span" || e.Object == nil || e.Object.Resource != "configmaps" {
					continue
				}
				var detail struct{ Steps []step }
				if err := json.Unmarshal(e.Detail, &detail); err != nil {
					return false, err.Error()
				}
				for _, s := range detail.Steps {
					for _, p := range s.Attributes.Plugins {
						if p.Plugin == plugin && is(p.Changed, p.Refused) {
							return true, ""
						}
					}
				}
			}
			return false, "no span says so"
		})
	}
	told("the log to say what a webhook changed", "MutatingAdmissionWebhook", func(changed []string, _ string) bool {
		return strings.Contains(strings.Join(changed, " "), "metadata.labels")
	})
	told("the log to say why a webhook refused", "ValidatingAdmissionWebhook", func(_ []string, refused string) bool { return strings.Contains(refused, why) })
	c.says("box-1", "wget --no-check-certificate -T5 -qO- https://judge/readyz", "^ok")
}

func errorText(err error) string {
	if err == nil {
		return "accepted"
	}
	return err.Error()
}

// selfSigned is a certificate that is its own authority, and its key, in PEM.
func selfSigned(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
