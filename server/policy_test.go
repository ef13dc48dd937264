package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/content"
)

const aPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"

// What kubectl is given for a line: the command, its flags in one form, words.
func TestUnderstood(t *testing.T) {
	for line, want := range map[string]string{
		"kubectl":                                                          "",
		"kubectl get pods":                                                 "get|pods",
		"k get po":                                                         "get|po",
		"  kubectl   get\tpods  ":                                          "get|pods",
		"kubectl get pods # all of them":                                   "get|pods",
		"kubectl get pods \\\n  -o wide":                                   "get|--output=wide|pods",
		"kubectl -n kube-system get pods":                                  "get|--namespace=kube-system|pods",
		"kubectl --namespace kube-system get po":                           "get|--namespace=kube-system|po",
		"kubectl get -nkube-system pods":                                   "get|--namespace=kube-system|pods",
		"kubectl get pods -Aowide":                                         "get|--all-namespaces=true|--output=wide|pods",
		"kubectl get pods -wA":                                             "get|--watch=true|--all-namespaces=true|pods",
		"kubectl get pods -w=false":                                        "get|--watch=false|pods",
		"kubectl get pods --watch=false":                                   "get|--watch=false|pods",
		"kubectl get pods -o=jsonpath='{.items}'":                          "get|--output=jsonpath={.items}|pods",
		`kubectl get po -o "custom-columns=A:.metadata.name"`:              "get|--output=custom-columns=A:.metadata.name|po",
		"kubectl get deploy,rs,po -o yaml":                                 "get|--output=yaml|deploy,rs,po",
		"kubectl create deployment web --image=nginx --replicas 3":         "create deployment|--image=nginx|--replicas=3|web",
		"kubectl create deploy web --image=nginx --dry-run=client -o yaml": "create deployment|--image=nginx|--dry-run=client|--output=yaml|web",
		"kubectl create -n a deployment web --image=nginx":                 "create deployment|--namespace=a|--image=nginx|web",
		"kubectl create -f -":                                              "create|--filename=-",
		"kubectl apply -f-":                                                "apply|--filename=-",
		"kubectl apply --filename=- --server-side":                         "apply|--filename=-|--server-side=true",
		"kubectl apply -f - --dry-run=server -o yaml":                      "apply|--filename=-|--dry-run=server|--output=yaml",
		"kubectl apply -f - --validate":                                    "apply|--filename=-|--validate=strict",
		"kubectl delete pod p --cascade --now":                             "delete|--cascade=background|--now=true|pod|p",
		"kubectl delete pod p --cascade=orphan -o name":                    "delete|--cascade=orphan|--output=name|pod|p",
		"kubectl scale deployment/web --replicas=5":                        "scale|--replicas=5|deployment/web",
		"kubectl rollout status deployment web -w":                         "rollout status|--watch=true|deployment|web",
		"kubectl set image deployment/web nginx=nginx:1.29":                "set image|deployment/web|nginx=nginx:1.29",
		"kubectl exec web -- ls -l /":                                      "exec|web|--|ls|-l|/",
		"kubectl exec -n a web -c c -- sh -c 'echo \"$HOME\" | cat; kubectl --server=evil'": "exec|--namespace=a|--container=c|web|--|sh|-c|echo \"$HOME\" | cat; kubectl --server=evil",
		"kubectl run p --image=busybox --restart=Never --command -- sleep 1d":               "run|--image=busybox|--restart=Never|--command=true|p|--|sleep|1d",
		"kubectl logs -f web --tail 5":                                "logs|--follow=true|--tail=5|web",
		"kubectl logs -fp web":                                        "logs|--follow=true|--previous=true|web",
		"kubectl patch deploy web -p '{\"spec\":{\"replicas\":2}}'":   "patch|--patch={\"spec\":{\"replicas\":2}}|deploy|web",
		"kubectl label pod p a=b c-":                                  "label|pod|p|a=b|c-",
		"kubectl annotate pod p 'note=two words'":                     "annotate|pod|p|note=two words",
		"kubectl wait --for=jsonpath='{.status.phase}'=Running pod/p": "wait|--for=jsonpath={.status.phase}=Running|pod/p",
		"kubectl --as=system:anonymous get pods":                      "get|--as=system:anonymous|pods",
		"kubectl get nodes -v=6":                                      "get|--v=6|nodes",
		"kubectl get nodes -v6":                                       "get|--v=6|nodes",
		"kubectl get --help":                                          "get|--help=true",
		"kubectl rollout -h":                                          "rollout|--help=true",
		"kubectl help get":                                            "help|get",
		"kubectl explain pod.spec":                                    "explain|pod.spec",
		"kubectl auth can-i create pods --as system:anonymous":        "auth can-i|--as=system:anonymous|create|pods",
		"kubectl get secrets":                                         "get|secrets",
		"kubectl get secret -o wide":                                  "get|--output=wide|secret",
		"kubectl get secret x -o name":                                "get|--output=name|secret|x",
		"kubectl describe secret x":                                   "describe|secret|x",
		"kubectl create secret generic s --from-literal=a=b":          "create secret generic|--from-literal=a=b|s",
		"kubectl config view":                                         "config view",
		"kubectl top pods -A":                                         "top pod|--all-namespaces=true",
		"kubectl get pods --token not-a-token":                        "get|--token=not-a-token|pods",
		"kubectl get --raw /apis/apps/v1":                             "get|--raw=/apis/apps/v1",
		"kubectl get --raw='/readyz?verbose'":                         "get|--raw=/readyz?verbose",
		"kubectl get pods ''":                                         "get|pods|",
	} {
		u, no := understand(line, aPod, false)
		if no != nil {
			t.Errorf("%s\n refused: %s: %s", line, no.why.en, no.hint.en)
			continue
		}
		got := strings.Join(u.argv(), "|")
		if u.verb.name != "" {
			got = u.verb.name + strings.TrimPrefix(got, strings.ReplaceAll(u.verb.name, " ", "|"))
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// What the console does not run, and a word of the reason. Each line is a way
// out of the cluster that somebody may try: to files, credentials, programs, ports
// or terminals of this computer, or to the values of Secrets.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ line, because string }{
		// no shell
		{"", "kubectl only"},
		{"ls -l", "kubectl only"},
		{"/usr/bin/kubectl get pods", "kubectl only"},
		{"KUBECONFIG=/x kubectl get pods", "kubectl only"},
		{"kubectl get pods | cat", "without a shell"},
		{"kubectl get pods > /tmp/x", "without a shell"},
		{"kubectl get pods; ls", "without a shell"},
		{"kubectl get pods && ls", "without a shell"},
		{"kubectl get pods & ", "without a shell"},
		{"kubectl get $(ls)", "without a shell"},
		{"kubectl get `ls`", "without a shell"},
		{"kubectl get \"`ls`\"", "without a shell"},
		{"kubectl get $HOME", "without a shell"},
		{"kubectl get \"$HOME\"", "without a shell"},
		{"kubectl apply -f - <<EOF", "without a shell"},
		{"kubectl get pods\nkubectl get nodes", "one command at a time"},
		{"kubectl get 'pods", "ends inside"},
		{"kubectl get \"pods", "ends inside"},
		{"kubectl get pods \\", "ends inside"},
		{"kubectl get \x00", "not text"},
		{"kubectl get \xff", "not text"},

		// other credentials and clusters
		{"kubectl get pods --kubeconfig=/etc/kubernetes/admin.conf", "no other credentials"},
		{"kubectl get pods --kubeconfig /x", "no other credentials"},
		{"kubectl --kubeconfig=/x get pods", "no other credentials"},
		{"kubectl --kubeconfig /x get pods", "no other credentials"},
		{"kubectl get pods -s http://evil", "no other credentials"},
		{"kubectl get pods -shttp://evil", "no other credentials"},
		{"kubectl get pods -s=http://evil", "no other credentials"},
		{"kubectl get pods -ws http://evil", "no other credentials"},
		{"kubectl get pods -Ashttp://evil", "no other credentials"},
		{"kubectl get pods --server=http://evil", "no other credentials"},
		{"kubectl get pods --user=x", "no other credentials"},
		{"kubectl get pods --context=x", "no other credentials"},
		{"kubectl get pods --client-certificate=/x", "no other credentials"},
		{"kubectl get pods --client-key=/x", "no other credentials"},
		{"kubectl get pods --certificate-authority=/x", "no other credentials"},
		{"kubectl get pods --insecure-skip-tls-verify", "no other credentials"},
		{"kubectl get pods --kubeconf=/x", "no flag --kubeconf"},
		{"kubectl get pods --serve=http://evil", "no flag --serve"},
		{"kubectl get pods --KUBECONFIG=/x", "no flag"},
		{"kubectl get pods ---kubeconfig=/x", "no flag"},
		{"kubectl get pods '--kubeconfig=/x'", "no other credentials"},
		{"kubectl get pods --kube\"config=/x\"", "no other credentials"},
		{"kubectl get pods -- --kubeconfig=/x", "no use for --"},
		{"kubectl -- get pods", "takes no"},
		{"kubectl config set-cluster kubestage --server=http://evil", "not for changing"},
		{"kubectl config set users.x.token y", "not for changing"},
		{"kubectl config use-context x", "not for changing"},
		{"kubectl config delete-user x", "not for changing"},
		{"kubectl config view --raw", "--raw"},
		{"kubectl config view --flatten", "Secrets"},
		{"kubectl create token default", "credential"},

		// files
		{"kubectl apply -f /etc/passwd", "can only be -"},
		{"kubectl apply -f/etc/passwd", "can only be -"},
		{"kubectl apply -f=/etc/passwd", "can only be -"},
		{"kubectl apply -f -,/etc/passwd", "can only be -"},
		{"kubectl apply -f - -f /etc/passwd", "can only be -"},
		{"kubectl apply -f ./-", "can only be -"},
		{"kubectl apply -f '- '", "can only be -"},
		{"kubectl apply -f https://evil/x.yaml", "can only be -"},
		{"kubectl apply --filename=/etc/passwd", "can only be -"},
		{"kubectl apply --filename /etc/passwd", "can only be -"},
		{"kubectl apply -Rf /etc", "files"},
		{"kubectl apply -R -f -", "files"},
		{"kubectl apply -k /etc", "files"},
		{"kubectl apply -k=/etc", "files"},
		{"kubectl apply --kustomize /etc", "files"},
		{"kubectl get -k /etc", "files"},
		{"kubectl get -wk /etc", "files"},
		{"kubectl apply -f", "needs a value"},
		{"kubectl logs -f/etc/passwd web", "no flag"},
		{"kubectl patch pod p --patch-file /etc/passwd", "files"},
		{"kubectl patch pod p --patch-file=/etc/passwd", "files"},
		{"kubectl create configmap c --from-file=/etc/passwd", "files"},
		{"kubectl create cm c --from-file /etc/passwd", "files"},
		{"kubectl create configmap c --from-env-file=/etc/passwd", "files"},
		{"kubectl create secret generic s --from-file=/etc/passwd", "files"},
		{"kubectl create secret generic s --from-env-file=/etc/passwd", "files"},
		{"kubectl create secret docker-registry s --from-file=/etc/passwd", "files"},
		{"kubectl create secret tls s --cert=/x --key=/y", "files"},
		{"kubectl get pods -o jsonpath-file=/etc/passwd", "file"},
		{"kubectl get pods -ojsonpath-file=/etc/passwd", "file"},
		{"kubectl get pods -o go-template-file=/etc/passwd", "file"},
		{"kubectl get pods -o templatefile=/etc/passwd", "file"},
		{"kubectl get pods -o custom-columns-file=/etc/passwd", "file"},
		{"kubectl get pods -o go-template-file --template=/etc/passwd", "file"},
		{"kubectl get pods --output go-template-file=/etc/passwd", "file"},
		{"kubectl get pods -o CUSTOM-COLUMNS-FILE=/etc/passwd", "not offered"},
		{"kubectl get pods -o ' jsonpath-file=/etc/passwd'", "file"},
		{"kubectl get pods --template=/etc/passwd", "--template"},
		{"kubectl get pods --template-file=/etc/passwd", "files"},
		{"kubectl cp web:/etc/passwd /tmp/x", "files"},
		{"kubectl cp /etc/passwd web:/tmp/x", "files"},
		{"kubectl cluster-info dump --output-directory=/tmp/x", "whole cluster"},
		{"kubectl cluster-info --output-directory=/tmp/x dump", "files"},
		{"kubectl kustomize /etc", "files"},
		{"kubectl get pods --cache-dir=/tmp/x", "files"},
		{"kubectl get pods --profile=cpu --profile-output=/tmp/x", "files"},
		{"kubectl get pods --profile-output=/tmp/x", "files"},
		{"kubectl get pods --log-file=/tmp/x", "files"},
		{"kubectl get pods --log_file=/tmp/x", "no flag"},
		{"kubectl get pods --kuberc=/x", "files"},
		{"kubectl kuberc set --section defaults", "files"},
		{"kubectl debug node/n --custom=/etc/passwd", "files"},
		{"kubectl apply set-last-applied -f -", "not offered"},
		{"kubectl auth reconcile -f /x", "not offered"},

		// a command below a group, past the words that are looked at
		{"kubectl create -f - token default", "takes no"},
		{"kubectl create --dry-run=client token default", "takes no"},
		{"kubectl create -o yaml secret tls s --cert=/x", "files"},
		{"kubectl config --help set users.x.token y", "not for changing"},
		{"kubectl cluster-info -n x dump", "whole cluster"},
		{"kubectl apply -f - edit-last-applied", "takes no"},
		{"kubectl rollout -n x nothing", "knows no"},

		// programs, ports and terminals
		{"kubectl edit pod p", "editor"},
		{"kubectl create -f - --edit", "type into"},
		{"kubectl apply edit-last-applied pod/p", "editor"},
		{"kubectl diff -f -", "program"},
		{"kubectl plugin list", "programs"},
		{"kubectl foo", "knows no"},
		{"kubectl ./foo", "knows no"},
		{"kubectl proxy --address=0.0.0.0", "port"},
		{"kubectl port-forward web 80 --address=0.0.0.0", "port"},
		{"kubectl attach web -i", "type into"},
		{"kubectl exec -it web -- sh", "type into"},
		{"kubectl exec -ti web -- sh", "type into"},
		{"kubectl exec web -i -- sh", "type into"},
		{"kubectl exec web --stdin=true -- sh", "type into"},
		{"kubectl exec web --tty -- sh", "type into"},
		{"kubectl run p --image=busybox -it --rm", "type into"},
		{"kubectl debug web -it --image=busybox", "type into"},
		{"kubectl delete pods --all -i", "type into"},
		{"kubectl completion bash", "shell"},
		{"kubectl alpha x", "alpha"},

		// Secrets
		{"kubectl get secret x -o yaml", "Secrets stay out"},
		{"kubectl get secrets -o json", "Secrets stay out"},
		{"kubectl get Secrets -oyaml", "Secrets stay out"},
		{"kubectl get secret.v1. x -o yaml", "Secrets stay out"},
		{"kubectl get secrets.v1 x -o yaml", "Secrets stay out"},
		{"kubectl get secret/x -o jsonpath={.data}", "Secrets stay out"},
		{"kubectl get pods,secrets -o yaml", "Secrets stay out"},
		{"kubectl get pod/p secret/x -o yaml", "Secrets stay out"},
		{"kubectl get secret x --output go-template='{{.data}}'", "Secrets stay out"},
		{"kubectl get secret x -o custom-columns=A:.data.a", "Secrets stay out"},
		{"kubectl get secret x -o kyaml", "Secrets stay out"},
		{"kubectl get secrets --sort-by={.data.a}", "Secrets stay out"},
		{"kubectl get secrets -w -o yaml", "Secrets stay out"},
		{"kubectl label secret x a=b -o yaml", "Secrets stay out"},
		{"kubectl annotate secret x a=b -o json", "Secrets stay out"},
		{"kubectl patch secret x -p '{}' -o yaml", "Secrets stay out"},
		{"kubectl wait secret/x --for=jsonpath={.data.a}=Yg==", "Secrets stay out"},
		{"kubectl apply view-last-applied secret/x", "Secrets stay out"},
		{"kubectl create secret generic s --from-literal=a=b -o yaml", "not offered"},
		{"kubectl delete secret x -o yaml", "not offered"},
		{"kubectl get --raw /api/v1/namespaces/default/secrets/x", "--raw"},
		{"kubectl get --raw=/api/v1/secrets", "--raw"},
		{"kubectl get --raw=/api/v1/%73ecrets", "--raw"},
		{"kubectl get --raw=/api/v1/../v1/secrets", "--raw"},
		{"kubectl get --raw=//api/v1", "--raw"},
		{"kubectl get --raw=/api/v1?limit=1", "--raw"},
		{"kubectl get --raw=/apis/apps/v1/deployments", "--raw"},
		{"kubectl get --raw=/apis/apps/../secrets", "--raw"},
		{"kubectl get --raw=/debug/pprof/heap", "--raw"},
		{"kubectl get --raw=/logs/", "--raw"},
		{"kubectl get --raw=/healthz/../api", "--raw"},
		{"kubectl get --raw=https://other/version", "--raw"},
		{"kubectl create --raw=/api -f -", "--raw"},
		{"kubectl set env deploy/web --list --resolve", "Secrets"},
		{"kubectl get secrets -v=8", "0 to 7"},
		{"kubectl get secrets -v8", "0 to 7"},
		{"kubectl get secrets --v=9", "0 to 7"},
		{"kubectl get secrets -v=0x9", "0 to 7"},
		{"kubectl get secrets --vmodule=*=9", "Secrets"},

		// values
		{"kubectl get pods --watch=/etc/passwd", "on or off"},
		{"kubectl get pods -n", "needs a value"},
		{"kubectl apply -f - --dry-run", "needs a value"},
		{"kubectl apply -f - --dry-run=true", "=client or =server"},
		{"kubectl get pods -o xml", "not offered"},
	} {
		u, no := understand(c.line, aPod, false)
		if no == nil {
			t.Errorf("%s\n is run as %q", c.line, u.argv())
			continue
		}
		if !strings.Contains(no.why.en, c.because) {
			t.Errorf("%s\n got %q\nwant ... %q", c.line, no.why.en, c.because)
		}
		for lang, s := range map[string]string{"en": no.why.en, "ko": no.why.ko, "hint en": no.hint.en, "hint ko": no.hint.ko} {
			if s == "" {
				t.Errorf("%s: nothing is said in %s", c.line, lang)
			}
		}
		if no.why.ko == no.why.en {
			t.Errorf("%s: the reason is not translated", c.line)
		}
	}
}

// Manifests can hold Secrets too, however they are spelled.
func TestManifestsWithSecrets(t *testing.T) {
	for _, manifest := range []string{
		"kind: Secret", "kind: secret", `kind: "Secret"`, `{"kind":"\u0053ecret"}`, `kind: "Sec\x72et"`, "kind: \"Sec\\\n  ret\"",
		"kind: !!binary U2VjcmV0", "kind: !<tag:yaml.org,2002:binary> U2VjcmV0", "kind: List\nitems: [{kind: Secret}]", "a: &s Secret\nkind: *s",
	} {
		for _, line := range []string{"kubectl apply -f - -o yaml", "kubectl get -f - -o json", "kubectl apply view-last-applied -f -", "kubectl replace -f - -ojsonpath={.data}"} {
			if u, no := understand(line, manifest, false); no == nil {
				t.Errorf("%q: %s is run as %q", manifest, line, u.argv())
			}
		}
		if _, no := understand("kubectl apply -f - -o name", manifest, false); no != nil {
			t.Errorf("%q: %s", manifest, no.why.en)
		}
	}
	if _, no := understand("kubectl apply -f -", " \n", false); no == nil || !strings.Contains(no.why.en, "empty") {
		t.Error("an empty editor pane is not told")
	}
}

// Tables are easily written wrong.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range verbs {
		if seen[v.name] {
			t.Errorf("%q is there twice", v.name)
		}
		seen[v.name] = true
		if _, ok := refusedVerbs[v.name]; ok {
			t.Errorf("%q is both run and refused", v.name)
		}
		if i := strings.LastIndexByte(v.name, ' '); i > 0 {
			if parent, no := findVerb(v.name[:i]); no != nil || parent.traits&group == 0 {
				t.Errorf("%q stands below %q, which is no group", v.name, v.name[:i])
			}
		}
		names, shorts := map[string]bool{}, map[byte]string{}
		for _, f := range v.allowed() {
			if names[f.name] {
				t.Errorf("%q has --%s twice", v.name, f.name)
			}
			names[f.name] = true
			if other, ok := shorts[f.short]; ok && f.short != 0 {
				t.Errorf("%q: -%c is --%s and --%s", v.name, f.short, other, f.name)
			}
			shorts[f.short] = f.name
		}
	}
	for from, to := range aliases {
		if !seen[to] || seen[from] {
			t.Errorf("the alias %q of %q", from, to)
		}
	}
}

// The book's own commands pass.
func TestBookCommandsAreRun(t *testing.T) {
	book, err := content.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range book.Chapters {
		for _, a := range slices.Concat(c.Scene.Actions(), c.Scene.Reset, c.Scene.Solution, c.Scene.Wrong) {
			if a.Order != nil {
				continue
			}
			if _, no := understand(a.Run, a.Stdin, false); no != nil {
				t.Errorf("chapter %s: %s: %s", c.ID, a.Run, no.why.en)
			}
		}
		for _, l := range c.TextLines() {
			if l.Skip != "" {
				continue
			}
			if _, no := understand(l.Line, "kind: Pod", false); no != nil {
				t.Errorf("chapter %s, in its text: %s: %s", c.ID, l.Line, no.why.en)
			}
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	f.Add("kubectl get pods -n default -o yaml", "kind: Pod")
	f.Add("kubectl create -f - --server=x", "")
	f.Add(`kubectl exec "a b" -c 'd' -- ls -l`, "")
	f.Fuzz(func(t *testing.T, line, input string) {
		u, no := understand(line, input, false)
		if no != nil {
			return
		}
		// Nothing but what the table allows is given on, in one form only.
		allowed := map[string]bool{}
		for _, fl := range u.verb.allowed() {
			allowed[fl.name] = true
		}
		for i, word := range u.argv() {
			if word == "--" {
				return
			}
			if i < len(strings.Fields(u.verb.name)) || !strings.HasPrefix(word, "-") || word == "-" {
				continue
			}
			name, _, has := strings.Cut(strings.TrimPrefix(word, "--"), "=")
			if !strings.HasPrefix(word, "--") || !has || !allowed[name] {
				t.Fatalf("%q gives kubectl %q", line, word)
			}
		}
	})
}
