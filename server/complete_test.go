package server

import (
	"strings"
	"testing"
)

// What kubectl is asked to complete: never more than the console would run.
func TestBeginning(t *testing.T) {
	for line, want := range map[string]string{
		"kubectl ":                         "|",
		"kubectl cre":                      "|cre",
		"kubectl create dep":               "create|dep",
		"kubectl get ":                     "get|",
		"k get po":                         "get|po",
		"kubectl get pods -n kube-system ": "get|--namespace=kube-system|pods|",
		"kubectl get pods -n ":             "get|pods|--namespace=",
		"kubectl get pods -n kube":         "get|pods|--namespace=kube",
		"kubectl get pods --namespace=ku":  "get|pods|--namespace=ku",
		"kubectl get pods --sho":           "get|pods|--sho",
		"kubectl exec -it we":              "exec|--stdin=true|--tty=true|we",
		"kubectl logs web -c ":             "logs|web|--container=",
		"kubectl apply -f - --dry":         "apply|--filename=-|--dry",

		"":                                         "no",
		"kubectl":                                  "no",
		"ls ":                                      "no",
		"kubectl edit pod ":                        "no",
		"kubectl get pods --kubeconfig ":           "no",
		"kubectl get pods --kubeconfig=/x/":        "no",
		"kubectl get pods --server=http://evil ":   "no",
		"kubectl get pods | ":                      "no",
		"kubectl get 'po":                          "no",
		"kubectl exec web -- l":                    "no",
		"kubectl get --raw=/api/v1/secrets/ ":      "no",
		"kubectl get pods --raw ":                  "no",
		"kubectl apply -f /etc/":                   "no",
		"kubectl create secret generic x --from-f": "create|secret|generic|x|--from-f",
	} {
		got := "no"
		if b, ok := beginning(line); ok {
			got = strings.Join(b.args, "|")
		}
		if got = strings.TrimPrefix(got, "|"); got != strings.TrimPrefix(want, "|") {
			t.Errorf("%q\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	s := serve(t)
	for command, want := range map[string]string{
		"kubectl cre":          `{"typed":"cre","choices":[{"text":"create","says":"Make something"}]}`, // and not what it does not run
		"kubectl get pods we":  `{"typed":"we","choices":[{"text":"we","says":"as asked"},{"text":"web-1"}]}`,
		"kubectl edit pod ":    `{"typed":"","choices":[]}`,
		"kubectl get pods -n ": `{"typed":"","choices":[{"text":"--namespace=","says":"as asked"},{"text":"web-1"},{"text":"other"}]}`,
	} {
		res, body := do(t, request(t, "POST", s.url("/api/complete"), `{"command":"`+command+`"}`, "Content-Type: application/json"))
		if res.StatusCode != 200 || strings.TrimSpace(body) != want {
			t.Errorf("%s: %s\n got %s\nwant %s", command, res.Status, body, want)
		}
	}
}
