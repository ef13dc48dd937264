package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	goruntime "runtime"
)

// The configuration files of the components. They are JSON where nobody reads
// them but programs (every JSON document is a YAML document), and written
// again at each start, so that an edit cannot break a later one.

// object is a configuration document.
type object map[string]any

func writeConfig(path string, doc any) error {
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(path, append(b, '\n'), false); err != nil {
		return fmt.Errorf("write a configuration file: %w", err)
	}
	return nil
}

// kubeconfig is YAML, because people open this one. It holds the keys
// themselves, so that it can be copied to where other tools look for it.
func kubeconfig(server string, ca *authority, user string, p pair) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: kubestage
contexts:
- name: kubestage
  context:
    cluster: kubestage
    user: %[1]s
clusters:
- name: kubestage
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`, user, server, b64(ca.certPEM), b64(p.cert), b64(p.key))
}

// auditPolicy decides how much the apiserver tells. Bodies are needed of
// writes only, and of these the request: what an answer has beside it, the
// gates tell. Renewed leases pass no gate, and where nothing is told on file
// descriptor 3 there are none. What may hold secrets is told without any body.
func auditPolicy() object {
	bodies := "Request"
	if goruntime.GOOS == "windows" {
		bodies = "RequestResponse"
	}
	return object{
		"apiVersion":        "audit.k8s.io/v1",
		"kind":              "Policy",
		"omitManagedFields": true,
		"omitStages":        []string{"RequestReceived"},
		"rules": []object{
			// Health checks, several a second while the cluster starts, are
			// the supervisor's own.
			{"level": "None", "nonResourceURLs": []string{"/healthz*", "/livez*", "/readyz*"}},
			{"level": "Metadata", "resources": []object{
				{"group": "", "resources": []string{"secrets", "serviceaccounts/token"}},
				{"group": "authentication.k8s.io", "resources": []string{"tokenreviews"}},
			}},
			{"level": "RequestResponse", "verbs": writeVerbs, "resources": []object{{"group": "coordination.k8s.io", "resources": []string{"leases"}}}},
			{"level": bodies, "verbs": writeVerbs},
			{"level": "Metadata"},
		},
	}
}

var writeVerbs = []string{"create", "update", "patch", "delete", "deletecollection"}

// authenticationConfig lets those in who show no certificate or token only to
// ask whether the apiserver is alive.
func authenticationConfig() object {
	return object{
		"apiVersion": "apiserver.config.k8s.io/v1",
		"kind":       "AuthenticationConfiguration",
		"anonymous": object{
			"enabled":    true,
			"conditions": []object{{"path": "/livez"}, {"path": "/readyz"}, {"path": "/healthz"}},
		},
	}
}

// egressConfig sends the apiserver's connections to nodes through the
// supervisor, which knows where a node's address really is.
func egressConfig(socket string) object {
	return object{
		"apiVersion": "apiserver.k8s.io/v1beta1",
		"kind":       "EgressSelectorConfiguration",
		"egressSelections": []object{{
			"name": "cluster",
			"connection": object{
				"proxyProtocol": "HTTPConnect",
				"transport":     object{"uds": object{"udsName": socket}},
			},
		}},
	}
}

func schedulerConfig(kubeconfig string) object {
	return object{
		"apiVersion":       "kubescheduler.config.k8s.io/v1",
		"kind":             "KubeSchedulerConfiguration",
		"clientConnection": object{"kubeconfig": kubeconfig, "qps": 1000, "burst": 2000},
		"leaderElection":   object{"leaderElect": true},
	}
}
