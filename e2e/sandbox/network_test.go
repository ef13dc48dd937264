//go:build linux

package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubestage/kubestage/e2e/dashboard"
)

// cluster is a running cluster and what a person does with it.
type cluster struct {
	*testing.T
	options dashboard.Options
	kube    *kubernetes.Clientset
}

// in runs a shell's words in a pod and returns what they print, errors too.
func (c *cluster) in(pod, words string) string {
	c.Helper()
	out, err := dashboard.Run(c.options, "kubectl", "--data-dir", c.options.Dir, "exec", pod, "--", "sh", "-c", words+" 2>&1")
	if err != nil {
		c.Fatal(err)
	}
	return out.Stdout
}

// says fails the test unless the words print something that matches, before long.
func (c *cluster) says(pod, words, pattern string) {
	c.Helper()
	wanted := regexp.MustCompile(pattern)
	until(c.T, 20*time.Second, fmt.Sprintf("%q in %s to say %q", words, pod, pattern), func() (bool, string) {
		got := c.in(pod, words)
		return wanted.MatchString(got), got
	})
}

func (c *cluster) kubectl(args ...string) string {
	c.Helper()
	return kubectl(c.T, c.options, args...)
}

func (c *cluster) field(path string, args ...string) string {
	c.Helper()
	return c.kubectl(append(append([]string{"get"}, args...), "-o", "jsonpath="+path)...)
}

const hello = `^Hello from pod `

// A pod reaches pods, Services and the apiserver by address and by name, as in
// any cluster; and nothing of the computer it runs on.
func TestRealNetwork(t *testing.T) {
	o := dashboard.Options{Binary: binary(t), Dir: place(t, os.Geteuid()), Args: []string{"--nodes", "3"}}
	d := ready(t, o)
	c := &cluster{t, o, learner(t, d)}
	before := podSockets(t, d)
	manifest := "testdata/network.yaml"
	c.kubectl("apply", "-f", manifest)
	c.kubectl("wait", "--for=condition=Available", "deployment/web", "deployment/burn", "--timeout=25s")
	c.kubectl("wait", "--for=condition=Ready", "pod/box-1", "pod/box-2", "pod/elsewhere", "pod/solo", "pod/db-0", "pod/db-1", "--timeout=25s")

	sub := func(name string, f func(c *cluster)) {
		t.Run(name, func(t *testing.T) { f(&cluster{t, o, c.kube}) })
	}
	sub("pods by address, on all nodes", func(c *cluster) {
		nodes := map[string]bool{}
		for _, line := range strings.Split(c.field(`{range .items[*]}{.metadata.name} {.status.podIP} {.spec.nodeName}{"\n"}{end}`, "pods", "-l", "app=web"), "\n") {
			var pod, ip, node string
			if n, _ := fmt.Sscan(line, &pod, &ip, &node); n < 3 {
				continue
			}
			nodes[node] = true
			c.says("box-1", "wget -T5 -qO- "+ip, hello+pod)
			mine := c.field("{.status.podIP}", "pod", "box-1")
			if log := c.kubectl("logs", pod); !strings.Contains(log, mine+" - - ") {
				c.Errorf("%s did not see %s come:\n%s", pod, mine, log)
			}
			if got := c.in("box-1", "wget -T5 -qO- "+ip+":81"); !strings.Contains(got, "Connection refused") {
				c.Errorf("a port nobody listens on: %q", got)
			}
		}
		if len(nodes) != 3 {
			c.Errorf("the pods are on %v", nodes)
		}
		if got := c.in("box-1", "wget -T5 -qO- 10.244.0.250"); !strings.Contains(got, "No route to host") {
			c.Errorf("an address no pod has: %q", got)
		}
	})
	sub("a Service by address and name, evenly", func(c *cluster) {
		ip := c.field("{.spec.clusterIP}", "service", "web")
		c.says("box-1", "wget -T5 -qO- "+ip+":8080", hello+"web-")
		for _, name := range []string{"web", "web.default", "web.default.svc", "web.default.svc.cluster.local", "web.default.svc.cluster.local.", "alias"} {
			c.says("box-2", "wget -T5 -qO- "+name+":8080", hello+"web-")
		}
		answers := c.in("box-1", "for i in $(seq 60); do wget -T5 -qO- web:8080 | head -n 1; done")
		for _, node := range []string{"node-1", "node-2", "node-3"} {
			// Each is chosen 20 times of 60; fewer than 3 has a chance of 1 in ten million.
			if n := strings.Count(answers, "on "+node); n < 3 {
				c.Errorf("%s answered %d times of 60", node, n)
			}
		}
		if got := c.in("box-1", "wget -T5 -qO- web:81"); !strings.Contains(got, "Connection refused") {
			c.Errorf("a port the Service does not have: %q", got)
		}
		if got := c.in("box-1", "wget -T5 -qO- nobody"); !strings.Contains(got, "Connection refused") {
			c.Errorf("a Service without endpoints: %q", got)
		}
		if env := c.in("box-1", "env"); !strings.Contains(env, "KUBERNETES_SERVICE_HOST=10.96.0.1\n") {
			c.Errorf("no variables of Services: %s", env)
		}
	})
	sub("admission webhooks, served by a pod", func(c *cluster) { webhooks(c, d) })
	sub("session affinity, until it times out", func(c *cluster) {
		first := c.in("box-1", "wget -T5 -qO- sticky | head -n 1")
		if again := c.in("box-1", "for i in 1 2 3 4 5 6 7 8 9; do wget -T5 -qO- sticky | head -n 1; done"); strings.Count(again, first) != 9 {
			c.Errorf("first %q, then %q", first, again)
		}
		until(c.T, 60*time.Second, "another pod after the timeout", func() (bool, string) {
			got := c.in("box-1", "sleep 3; wget -T5 -qO- sticky | head -n 1")
			return got != first, got
		})
	})
	sub("readiness gates traffic", func(c *cluster) {
		c.says("box-1", "wget -T5 -qO- gate", "Connection refused")
		c.says("box-1", "wget -T5 -qO- gate-anyway", hello+"gate")
		c.kubectl("exec", "gate", "--", "touch", "/tmp/open")
		c.says("box-1", "wget -T5 -qO- gate", hello+"gate")
		c.kubectl("exec", "gate", "--", "rm", "/tmp/open")
		c.says("box-1", "wget -T5 -qO- gate", "Connection refused")
	})
	sub("traffic policies", func(c *cluster) {
		c.says("box-2", "wget -T5 -qO- inside-local", hello+"solo")
		if got := c.in("box-1", "wget -T1 -qO- inside-local"); !strings.Contains(got, "timed out") {
			c.Errorf("internalTrafficPolicy Local, from a node without endpoints: %q", got)
		}
		port := c.field("{.spec.ports[0].nodePort}", "service", "outside-local")
		c.says("box-1", "wget -T5 -qO- 10.0.0.12:"+port, hello+"solo")
		c.says("box-1", "wget -T5 -qO- 10.0.0.11:"+port, hello+"solo") // from inside, Local means nothing
		if _, err := fetch("http://127.0.0.1:"+port, time.Second); err == nil {
			c.Error("externalTrafficPolicy Local: node-1 has no endpoint and answers")
		}
	})
	sub("node ports, from inside and outside", func(c *cluster) {
		port := c.field("{.spec.ports[0].nodePort}", "service", "outside")
		for _, address := range []string{"10.0.0.11", "10.0.0.12", "10.0.0.13"} {
			c.says("box-1", "wget -T5 -qO- "+address+":"+port, hello+"web-")
		}
		if got, err := fetch("http://127.0.0.1:"+port, 5*time.Second); err != nil || !strings.HasPrefix(got, "Hello from pod web-") {
			c.Errorf("from outside: %q, %v", got, err)
		}
		n, _ := strconv.Atoi(port)
		seen := false
		for _, l := range listeners(c.T, d) {
			if !l.address.IsLoopback() {
				c.Errorf("%s listens at %s", l.role, net.JoinHostPort(l.address.String(), strconv.Itoa(l.port)))
			}
			seen = seen || l.port == n
		}
		if !seen {
			c.Errorf("nobody listens on %s", port)
		}
	})
	sub("a node port that is taken is told", func(c *cluster) {
		var taken net.Listener
		port := 0
		for port = 31000; port < 32000 && taken == nil; port++ {
			taken, _ = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		}
		defer taken.Close()
		c.kubectl("create", "service", "nodeport", "taken", "--tcp=80", "--node-port="+strconv.Itoa(port-1))
		until(c.T, 20*time.Second, "an Event", func() (bool, string) {
			got := c.field("{.items[*].message}", "events", "--field-selector", "involvedObject.name=taken")
			return strings.Contains(got, "is not open on 127.0.0.1") && strings.Contains(got, "address already in use"), got
		})
	})
	sub("DNS", func(c *cluster) {
		if got := c.in("box-1", "cat /etc/resolv.conf"); got != "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n" {
			c.Errorf("/etc/resolv.conf is %q", got)
		}
		web := regexp.QuoteMeta(c.field("{.spec.clusterIP}", "service", "web"))
		db0 := regexp.QuoteMeta(c.field("{.status.podIP}", "pod", "db-0"))
		for words, pattern := range map[string]string{
			"nslookup web":      `^Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tweb.default.svc.cluster.local\nAddress: ` + web + `\n`,
			"nslookup headless": `(?s)(Address: 10\.244\.\d+\.\d+\n.*){3}`,
			"nslookup db-0.db":  `Name:\tdb-0.db.default.svc.cluster.local\nAddress: ` + db0 + `\n`,
			"nslookup db-7.db.default.svc.cluster.local.": `can't find .*NXDOMAIN`,
			"nslookup " + db0:                  `name = db-0.db.default.svc.cluster.local`,
			"nslookup -type=srv _http._tcp.db": `(?s)(service = 0 100 80 db-[01]\.db\.default\.svc\.cluster\.local\n.*){2}`,
			"nslookup -type=srv _http._tcp.web.default.svc.cluster.local": `service = 0 100 8080 web.default.svc.cluster.local`,
			"nslookup abroad":                                  `abroad.default.svc.cluster.local\tcanonical name = www.example.org`,
			"nslookup -type=aaaa web":                          `can't find`,
			"nslookup 10-244-1-5.default.pod":                  `Address: 10.244.1.5\n`,
			"nslookup 10.96.0.10":                              `name = kube-dns.kube-system.svc.cluster.local`,
			"nslookup nosuch":                                  `can't find nosuch: NXDOMAIN`,
			"nslookup example.org":                             `can't find example.org: SERVFAIL`, // nothing outside is asked
			"nslookup web.default.svc.cluster.local 192.0.2.1": `no servers could be reached`,
		} {
			c.says("box-1", words, pattern)
		}
		if got := c.in("elsewhere", "cat /etc/resolv.conf; nslookup web"); !strings.Contains(got, "search example.org\nnameserver 192.0.2.53\n") || !strings.Contains(got, "no servers could be reached") {
			c.Errorf("a pod with a DNS server of its own: %q", got)
		}
		if got := c.field(`{.metadata.annotations.kubestage/explanation}`, "service", "kube-dns", "-n", "kube-system"); !strings.Contains(got, "Kubestage") {
			c.Errorf("kube-dns does not say who it is: %q", got)
		}
	})
	sub("the apiserver, by its Service", func(c *cluster) {
		const account = "/var/run/secrets/kubernetes.io/serviceaccount"
		c.says("box-1", `wget -T5 -qO- --header="Authorization: Bearer $(cat `+account+`/token)" --ca-certificate=`+account+`/ca.crt https://kubernetes.default.svc/version`, `"gitVersion": "v1\.`)
		c.says("box-1", `wget -T5 -qO- --ca-certificate=`+account+`/ca.crt https://kubernetes.default.svc/api/v1/pods`, "403 Forbidden|401 Unauthorized")
	})
	sub("nothing of this computer", func(c *cluster) {
		host, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			c.Fatal(err)
		}
		defer host.Close()
		_, port, _ := net.SplitHostPort(host.Addr().String())
		_, page, _ := strings.Cut(strings.TrimPrefix(d.URL, "http://"), ":")
		for _, address := range []string{"127.0.0.1:" + port, "localhost:" + port, "10.0.0.1:" + port, "10.0.0.11:" + port, "0.0.0.0:" + port, "127.0.0.1:" + page, "10.0.0.1:" + page} {
			if got := c.in("box-1", "wget -T1 -qO- "+address); !strings.Contains(got, "can't connect") {
				c.Errorf("%s: %q", address, got)
			}
		}
	})
	sub("from the apiserver", func(c *cluster) {
		pod := c.field("{.items[0].metadata.name}", "pods", "-l", "app=web")
		if got := c.kubectl("get", "--raw", "/api/v1/namespaces/default/pods/"+pod+":80/proxy/"); !strings.HasPrefix(got, "Hello from pod "+pod) {
			c.Errorf("pods/proxy: %q", got)
		}
		if got := c.kubectl("get", "--raw", "/api/v1/namespaces/default/services/web:http/proxy/"); !strings.HasPrefix(got, "Hello from pod web-") {
			c.Errorf("services/proxy: %q", got)
		}
		if got := forwarded(c, "service/web", "8080"); !strings.HasPrefix(got, "Hello from pod web-") {
			c.Errorf("port-forward: %q", got)
		}
	})
	sub("a node that is cut off", func(c *cluster) {
		far := c.field("{.status.podIP}", "pod", "solo") // on node-2
		c.says("box-1", "wget -T5 -qO- "+far, hello+"solo")
		disturb(c, d, "kubelet:node-2", "cut")
		if got := c.in("box-1", "wget -T1 -qO- "+far); !strings.Contains(got, "timed out") {
			c.Errorf("a pod of the node: %q", got)
		}
		disturb(c, d, "kubelet:node-2", "heal")
		c.says("box-1", "wget -T5 -qO- "+far, hello+"solo")
	})
	sub("figures", func(c *cluster) {
		if got := c.kubectl("get", "apiservices", "v1beta1.metrics.k8s.io", "--show-labels"); !regexp.MustCompile(`True .*managed-by=kubestage`).MatchString(got) {
			c.Errorf("the API service: %s", got)
		}
		if got := c.kubectl("top", "nodes"); !regexp.MustCompile(`(?s)(node-\d +\d+m +\d+% +[1-9]\d*Mi +\d+% *\n){3}`).MatchString(got) {
			c.Errorf("kubectl top nodes: %s", got)
		}
		until(c.T, 30*time.Second, "figures of a pod that computes", func() (bool, string) {
			out, err := dashboard.Run(c.options, "kubectl", "--data-dir", c.options.Dir, "top", "pods", "-l", "app=burn")
			if err != nil {
				c.Fatal(err)
			}
			return regexp.MustCompile(`burn-\S+ +[1-9]\d*m +\d+Mi`).MatchString(out.Stdout), out.Stdout + out.Stderr
		})
		out, err := dashboard.Run(c.options, "kubectl", "--data-dir", c.options.Dir, "top", "pods", "--as=nobody-in-particular")
		if err != nil || out.Code == 0 || !strings.Contains(out.Stderr, "cannot list resource \"pods\" in API group \"metrics.k8s.io\"") {
			c.Errorf("somebody without rights: %v %+v", err, out)
		}
		until(c.T, 2*time.Minute, "the autoscaler to scale", func() (bool, string) {
			got := c.field("{.spec.replicas}", "deployment", "burn")
			return got == "2", c.kubectl("get", "hpa", "burn")
		})
	})
	sub("what the log says", func(c *cluster) {
		events, err := d.Events(c.Context(), 0)
		if err != nil {
			c.Fatal(err)
		}
		found := map[string]int{}
		for _, e := range events {
			if e.From == "system:kube-proxy" {
				found[e.Verb+" "+e.Object.Resource]++
				if e.Code >= 400 {
					c.Errorf("kube-proxy was refused: %s", e)
				}
			}
			if e.Kind != "net" {
				continue
			}
			var n struct{ Service, Endpoint, Result, Name, StandIn string }
			if err := json.Unmarshal(e.Detail, &n); err != nil || n.StandIn == "" {
				c.Fatalf("%s: %v", e, err)
			}
			found[e.Verb+" "+n.Result]++
			if n.Service == "default/web:http" && strings.HasPrefix(n.Endpoint, "10.244.") && e.Object != nil && e.Object.Name == "box-1" && len(e.Causes) > 0 {
				found["a Service and its endpoint"]++
			}
		}
		c.Logf("%v", found)
		for _, what := range []string{"watch services", "watch endpointslices", "connect connected", "connect refused", "connect unreachable", "lookup NOERROR", "lookup NXDOMAIN", "a Service and its endpoint"} {
			if found[what] == 0 {
				c.Errorf("no %s", what)
			}
		}
	})
	sub("nothing stays behind", func(c *cluster) {
		port := c.field("{.spec.ports[0].nodePort}", "service", "outside")
		c.kubectl("delete", "-f", manifest, "--wait=false")
		c.kubectl("delete", "service", "taken")
		until(c.T, 60*time.Second, "the pods to go", func() (bool, string) {
			pods, err := c.kube.CoreV1().Pods("default").List(c.Context(), metav1.ListOptions{})
			if err != nil {
				return false, err.Error()
			}
			return len(pods.Items) == 0, fmt.Sprint(len(pods.Items), " pods")
		})
		if _, err := fetch("http://127.0.0.1:"+port, time.Second); err == nil {
			c.Error("the node port of a deleted Service answers")
		}
		for _, l := range listeners(c.T, d) {
			if l.port >= 30000 && l.port < 32768 {
				c.Errorf("%s still listens on %d", l.role, l.port)
			}
		}
		until(c.T, 60*time.Second, "as few sockets of pods as before", func() (bool, string) {
			now := podSockets(c.T, d)
			return now <= before, fmt.Sprintf("%d, before %d", now, before)
		})
	})
	stop(t, d)
}

// podSockets counts the unix sockets that kubelets hold: each connection of a
// pod is two of them.
func podSockets(t *testing.T, d *dashboard.Dashboard) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	owner := owners(d)
	n := 0
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 6 && strings.HasPrefix(owner[f[6]], "kubelet:") {
			n++
		}
	}
	return n
}

// disturb does something to a link, as the page does.
func disturb(c *cluster, d *dashboard.Dashboard, link, how string) {
	c.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"confirm":%q}`, link))
	answer, err := http.Post(d.URL+"/api/links/"+link+"/"+how, "application/json", body)
	if err != nil {
		c.Fatal(err)
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode >= 300 {
		c.Fatalf("%s %s: %s: %s", how, link, answer.Status, said)
	}
}

func fetch(url string, patience time.Duration) (string, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// forwarded asks a port of something in the cluster through kubectl port-forward.
func forwarded(c *cluster, to, port string) string {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, c.options.Binary, "kubectl", "--data-dir", c.options.Dir, "port-forward", to, ":"+port)
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		c.Fatal(err)
	}
	defer func() { cancel(); command.Wait() }()
	line, _ := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	got, err := fetch("http://"+found, 5*time.Second)
	if err != nil {
		c.Errorf("%q: %v", line, err)
	}
	return got
}
