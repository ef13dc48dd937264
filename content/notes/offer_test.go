package notes

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestLostLineBreaksAreOffered(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a pod": {"apiVersion: v1 kind: Pod metadata: name: web spec: containers: - name: web image: nginx:1.29 ports: - containerPort: 80 protocol: TCP restartPolicy: Never", `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: nginx:1.29
    ports:
    - containerPort: 80
      protocol: TCP
  restartPolicy: Never`},
		"a static pod, its list as dots": {`apiVersion: v1 kind: Pod metadata: annotations: kubeadm.kubernetes.io/endpoint: 192.168.49.2:8443 creationTimestamp: null labels: component: kube-apiserver tier: control-plane name: kube-apiserver namespace: kube-system spec: containers:
• command:
  • kube-apiserver
  • –etcd-servers=https://127.0.0.1:2379
  • –insecure-port=0 image: registry.k8s.io/kube-apiserver:v1.36.3 livenessProbe: failureThreshold: 8 httpGet: host: 192.168.49.2 path: /livez port: 8443 scheme: HTTPS initialDelaySeconds: 10 name: kube-apiserver resources: requests: cpu: 250m volumeMounts:
  • mountPath: /etc/ssl/certs name: ca-certs readOnly: true hostNetwork: true volumes:
  • hostPath: path: /etc/ssl/certs type: DirectoryOrCreate name: ca-certs status: {}`, `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/endpoint: 192.168.49.2:8443
  creationTimestamp: null
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --etcd-servers=https://127.0.0.1:2379
    - --insecure-port=0
    image: registry.k8s.io/kube-apiserver:v1.36.3
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: 192.168.49.2
        path: /livez
        port: 8443
        scheme: HTTPS
      initialDelaySeconds: 10
    name: kube-apiserver
    resources:
      requests:
        cpu: 250m
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
  hostNetwork: true
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
status: {}`},
		"a deployment": {"apiVersion: apps/v1 kind: Deployment metadata: name: web spec: replicas: 3 selector: matchLabels: app: web template: metadata: labels: app: web spec: containers: - image: nginx name: web", `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - image: nginx
        name: web`},
	} {
		offer, ok := rebuild(c.text)
		if got := strings.Join(offer.Lines, "\n"); !ok || got != c.want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, ok, got, c.want)
		}
	}
	for _, text := range []string{"apiVersion: v1", "apiVersion: v1 kind: Pod strange: thing", "kind: - - - apiVersion: :", "", "apiVersion: kind: metadata:"} {
		if offer, ok := rebuild(text); ok && text != "apiVersion: kind: metadata:" {
			t.Errorf("%q was rebuilt as %q", text, offer.Lines)
		}
	}
}

func TestMisplacedKeysAreOffered(t *testing.T) {
	broken := `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - image: user/simple-server # 이미지
    name: web

    ports:
    - containerPort: 8080
    protocol: TCP
  restartPolicy: Never`
	got, ok := mend(strings.Split(broken, "\n"))
	want := `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - image: user/simple-server # 이미지
      name: web

      ports:
      - containerPort: 8080
        protocol: TCP
  restartPolicy: Never`
	if strings.Join(got, "\n") != want || !ok {
		t.Errorf("%v, got\n%s", ok, strings.Join(got, "\n"))
	}
	if _, ok := mend([]string{"a: b", " c: [", "d"}); ok {
		t.Error("what cannot be mended was")
	}
}

// Whatever was flattened, an offer decodes.
func FuzzRebuild(f *testing.F) {
	f.Add("apiVersion: v1 kind: Pod metadata: name: web spec: containers: - name: web image: nginx")
	f.Add("apiVersion: v1 kind: List - - : # \" ' {} [] • –x")
	f.Fuzz(func(t *testing.T, text string) {
		offer, ok := rebuild(text)
		var any map[string]any
		if err := yaml.Unmarshal([]byte(strings.Join(offer.Lines, "\n")), &any); ok && err != nil {
			t.Fatalf("%q became\n%s\n%v", text, strings.Join(offer.Lines, "\n"), err)
		}
	})
}
