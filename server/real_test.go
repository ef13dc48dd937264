package server

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// realKubectl is the console's program when a built dashboard is at hand
// (make test-sandbox builds one).
func realKubectl(t *testing.T) []string {
	binary := os.Getenv("KUBESTAGE_BINARY")
	if binary == "" {
		t.Skip("KUBESTAGE_BINARY is not set: run `make test-sandbox`")
	}
	return []string{binary, "component", "kubectl"}
}

var (
	helpFlag    = regexp.MustCompile(`(?m)^    (?:-(\w), )?--([\w-]+)=(.*):$`)
	helpAliases = regexp.MustCompile(`(?m)^Aliases:\n(.*)$`)
)

// The table says of every command and flag what kubectl itself says, so a new
// release of kubectl that differs is noticed here.
func TestRealKubectlIsAsTheTableSays(t *testing.T) {
	program := realKubectl(t)
	help := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), program[0], append(program[1:len(program):len(program)], args...)...)
		cmd.Env = environment("/nonexistent", t.TempDir(), t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	type shape struct {
		short string
		onOff bool
	}
	read := func(text string) map[string]shape {
		flags := map[string]shape{}
		for _, m := range helpFlag.FindAllStringSubmatch(text, -1) {
			flags[m[2]] = shape{m[1], m[3] == "true" || m[3] == "false"}
		}
		return flags
	}
	options := read(help("options"))
	if len(options) < 10 {
		t.Fatalf("the help of kubectl is not understood: %v", options)
	}
	for _, v := range verbs {
		if v.name == "" || v.name == "help" || v.name == "options" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			text := help(append(strings.Fields(v.name), "--help")...)
			if below := strings.Contains(text, "Available Commands:"); below != (v.traits&group != 0) {
				t.Errorf("has commands below it: %v; the table says %v", below, !below)
			}
			flags := read(text)
			for _, f := range v.allowed() {
				got, ok := flags[f.name]
				if !ok {
					got, ok = options[f.name]
				}
				if f.name == "help" {
					continue
				}
				if !ok {
					t.Errorf("has no --%s", f.name)
					continue
				}
				short := ""
				if f.short != 0 {
					short = string(f.short)
				}
				if got.short != short || got.onOff == f.value {
					t.Errorf("--%s: kubectl has -%s, on or off %v; the table has -%s, %v", f.name, got.short, got.onOff, short, !f.value)
				}
			}
			if m := helpAliases.FindStringSubmatch(text); m != nil {
				names := strings.Split(m[1], ",")
				parent := v.name[:strings.LastIndexByte(" "+v.name, ' ')]
				for _, name := range names[1:] {
					name = strings.TrimSpace(strings.TrimSpace(parent) + " " + strings.TrimSpace(name))
					if aliases[name] != v.name {
						t.Errorf("is also called %q", name)
					}
				}
			}
		})
	}
}

// Against the real kubectl too, what gets past the policy finds nothing, and it
// speaks before there is a cluster.
func TestRealKubectlInTheConsole(t *testing.T) {
	program := realKubectl(t)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: {token: very-secret}}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(c *Config, _ *limits) {
		c.Kubectl = program
		c.KubeconfigPath = func() string { return config }
	})
	if out, _, exit := console(t, s, "kubectl version --client", ""); exit != 0 || !strings.Contains(out, "Client Version") {
		t.Errorf("version: exit %d, %s", exit, out)
	}
	if out, _, exit := console(t, s, "kubectl config view", ""); exit != 0 || !strings.Contains(out, "REDACTED") || strings.Contains(out, "very-secret") {
		t.Errorf("config view: exit %d, %s", exit, out)
	}
	if _, err, exit := console(t, s, "kubectl get pods", ""); exit == 0 || !strings.Contains(err, "127.0.0.1:1") {
		t.Errorf("without a cluster: exit %d, %s", exit, err)
	}
	if out, err, exit := console(t, s, "kubectl create deployment web --image=nginx --dry-run=client -o yaml", ""); exit != 0 || !strings.Contains(out, "kind: Deployment") {
		t.Errorf("dry run: exit %d, %s %s", exit, out, err)
	}
	// Past the policy, as if the table had a hole.
	c := &command{server: s.Server, understood: understood{verb: verb{name: "config"}, words: []string{"view"}, flags: []setFlag{{"kubeconfig", "kubeconfig"}}}, config: config}
	s.running <- struct{}{}
	defer c.release()
	var out strings.Builder
	if _, err := c.run(context.Background(), func(_, data string) error { out.WriteString(data); return nil }); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "c:") && strings.Contains(out.String(), "127.0.0.1") {
		t.Errorf("a relative path finds a file: %s", out.String())
	}
	if left, _ := os.ReadDir(filepath.Join(filepath.Dir(config))); len(left) != 1 {
		t.Errorf("files appeared: %v", left)
	}
}
