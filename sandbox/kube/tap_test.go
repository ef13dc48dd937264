//go:build !nosandbox

package kube

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// stored encodes an object as the apiserver stores it.
func asStored(t *testing.T, obj runtime.Object) []byte {
	t.Helper()
	codec := legacyscheme.Codecs.EncoderForVersion(protobuf.NewSerializer(legacyscheme.Scheme, legacyscheme.Scheme), corev1.SchemeGroupVersion)
	var b bytes.Buffer
	if err := codec.Encode(obj, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSecretsAreToldWithoutTheirValues(t *testing.T) {
	const hidden = "correct-horse-battery-staple"
	value := asStored(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "cred", UID: "u-1",
			Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"password":"` + hidden + `"}}`},
		},
		Data: map[string][]byte{"password": []byte(hidden)},
	})
	if !bytes.Contains(value, []byte(hidden)) {
		t.Fatal("the test's own Secret does not hold its value")
	}
	o, text, _ := decodeStored("/registry/secrets/default/cred", value)
	if o.Resource != "secrets" || o.Name != "cred" || o.UID != "u-1" {
		t.Errorf("got %+v", o)
	}
	if !strings.Contains(string(text), `"password"`) {
		t.Errorf("the key's name is missing: %s", text)
	}
	for _, leak := range []string{hidden, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ"} {
		if strings.Contains(string(text), leak) {
			t.Errorf("the value is told: %s", text)
		}
	}
}

func TestStoredObjectsKeepTheirIdentity(t *testing.T) {
	pod := asStored(t, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hello", UID: "u-2", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}},
		Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "c", Image: "nginx"}}},
	})
	o, text, p := decodeStored("/registry/pods/default/hello", pod)
	if o.Key() != "pods/default/hello" || o.Version != "v1" || p == nil || p.Spec.NodeName != "node-1" {
		t.Errorf("got %+v, pod %v", o, p)
	}
	if strings.Contains(string(text), "managedFields") {
		t.Error("managedFields are told")
	}
	custom := []byte(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"namespace":"team","name":"w","uid":"u-3"}}`)
	if o, _, _ := decodeStored("/registry/example.com/widgets/team/w", custom); o.Key() != "example.com/widgets/team/w" || o.UID != "u-3" {
		t.Errorf("custom resource: %+v", o)
	}
	if o, text, _ := decodeStored("/registry/ranges/serviceips", []byte("not an object")); o.Resource != "ranges" || text != nil {
		t.Errorf("unreadable value: %+v %s", o, text)
	}
}

func TestObjectOfKey(t *testing.T) {
	for key, want := range map[string]string{
		"/registry/pods/default/hello":                         "pods/default/hello",
		"/registry/minions/node-1":                             "minions/node-1",
		"/registry/apiregistration.k8s.io/apiservices/v1.apps": "apiregistration.k8s.io/apiservices/v1.apps",
		"/registry/services/endpoints/default/web":             "services/endpoints/default/web",
		"/registry/masterleases/10.0.0.1":                      "masterleases/10.0.0.1",
		"/registry/example.com/widgets/team/w":                 "example.com/widgets/team/w",
	} {
		if got := objectOfKey(key).Key(); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}
