package server

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The console runs kubectl with the credentials of the cluster's administrator
// as the user of this computer, for whoever has the page open. Three walls keep
// that to the cluster:
//
//  1. An allow list: only the commands and flags below. A line is parsed as
//     kubectl would, and kubectl is given not the line but what was understood,
//     every flag as --name=value, so that the two cannot understand
//     differently.
//  2. The child process (console.go) finds nothing: an empty environment, an
//     empty directory, no terminal but the one that is made for it (terminal.go).
//  3. Secret values are not printed: formats that show whole objects are
//     refused where the object can be a Secret. What a container prints is the
//     learner's own, even if it prints a Secret it was given.

// said is a sentence in both languages.
type said struct{ en, ko string }

func (s said) in(lang string) string {
	if lang == "ko" {
		return s.ko
	}
	return s.en
}

// refusal says why a command is not run, and what to do instead.
type refusal struct{ why, hint said }

// verb is one command of kubectl that the console runs.
type verb struct {
	name   string // with its parent: "rollout status"
	flags  string // allowed ones: NAME[/SHORT][=[CHECK]]; without = it is on or off
	traits trait
}

type trait int

const (
	objects trait = 1 << iota // -o prints whole objects
	names                     // -o name only: the object may hold a secret, or is gone
	stdin                     // -f - reads the editor pane
	dash                      // words after -- are for the container
	group                     // has commands below it, so takes no words of its own
	table                     // -o wide or name
	text                      // -o yaml or json of what is never a secret
	typing                    // in a terminal it has -i and -t
)

// globals are flags of every command.
const globals = "namespace/n= as= as-group= as-uid= token= request-timeout= v/v=level warnings-as-errors match-server-version help/h"

const (
	selecting = " selector/l= field-selector= all-namespaces/A "
	printing  = " show-managed-fields allow-missing-template-keys "
	writing   = printing + " dry-run=dryrun field-manager= "
	creating  = writing + "save-config validate=?strict "
)

var verbs = []verb{
	{"", "", group},
	{"help", "", 0},
	{"options", "", 0},
	{"version", "client", text},
	{"api-resources", "namespaced api-group= verbs= sort-by= no-headers cached categories=", table},
	{"api-versions", "", 0},
	{"cluster-info", "", group},
	{"explain", "recursive/R api-version= output/o=", 0},

	{"get", selecting + "watch/w watch-only output-watch-events show-labels label-columns/L= sort-by= no-headers show-kind show-managed-fields ignore-not-found chunk-size= subresource= server-print raw=raw allow-missing-template-keys", objects | stdin},
	{"describe", "selector/l= all-namespaces/A show-events chunk-size=", stdin},
	{"events", "for= types= watch/w all-namespaces/A no-headers chunk-size= allow-missing-template-keys", objects},
	{"logs", "follow/f previous/p container/c= all-containers all-pods tail= since= since-time= timestamps limit-bytes= prefix selector/l= max-log-requests= ignore-errors pod-running-timeout=", 0},
	{"exec", "container/c= quiet/q pod-running-timeout=", dash | typing},
	{"attach", "container/c= quiet/q pod-running-timeout=", typing},
	{"debug", "image= target= container/c= env= profile= copy-to= same-node share-processes replace set-image= image-pull-policy= quiet/q attach arguments-only", dash | typing},
	{"top", "", group},
	{"top pod", "containers sort-by= selector/l= field-selector= all-namespaces/A no-headers sum", 0},
	{"top node", "sort-by= selector/l= no-headers show-capacity", 0},
	{"wait", selecting + "for= timeout= all allow-missing-template-keys", objects | stdin},

	{"apply", writing + "validate=?strict selector/l= all server-side force-conflicts force overwrite openapi-patch wait timeout= cascade=?background grace-period= subresource=", objects | stdin | group},
	{"apply view-last-applied", "selector/l= all", stdin | text},
	{"create", creating + "selector/l=", objects | stdin | group},
	{"create clusterrole", creating + "verb= resource= resource-name= non-resource-url= aggregation-rule=", objects},
	{"create clusterrolebinding", creating + "clusterrole= user= group= serviceaccount=", objects},
	{"create configmap", creating + "from-literal= append-hash", objects},
	{"create cronjob", creating + "image= schedule= restart=", objects | dash},
	{"create deployment", creating + "image= replicas/r= port=", objects | dash},
	{"create ingress", creating + "rule= class= default-backend= annotation=", objects},
	{"create job", creating + "image= from=", objects | dash},
	{"create namespace", creating, objects},
	{"create poddisruptionbudget", creating + "selector= min-available= max-unavailable=", objects},
	{"create priorityclass", creating + "value= global-default description= preemption-policy=", objects},
	{"create quota", creating + "hard= scopes=", objects},
	{"create role", creating + "verb= resource= resource-name=", objects},
	{"create rolebinding", creating + "clusterrole= role= user= group= serviceaccount=", objects},
	{"create secret", "", group},
	{"create secret generic", creating + "from-literal= type= append-hash", names},
	{"create secret docker-registry", creating + "docker-server= docker-username= docker-password= docker-email= append-hash", names},
	{"create service", "", group},
	{"create service clusterip", creating + "tcp= clusterip=", objects},
	{"create service externalname", creating + "tcp= external-name=", objects},
	{"create service loadbalancer", creating + "tcp=", objects},
	{"create service nodeport", creating + "tcp= node-port=", objects},
	{"create serviceaccount", creating, objects},
	{"replace", creating + "force cascade=?background grace-period= timeout= wait subresource=", objects | stdin},
	{"delete", selecting + "all cascade=?background force grace-period= now wait timeout= ignore-not-found dry-run=dryrun", names | stdin},
	{"run", writing + "save-config image= image-pull-policy= restart= env= labels/l= annotations= port= expose command attach rm quiet/q privileged override-type= overrides= pod-running-timeout= cascade=?background grace-period= timeout= wait", objects | dash | typing},
	{"expose", writing + "save-config name= port= target-port= protocol= type= selector= labels/l= external-ip= load-balancer-ip= session-affinity= cluster-ip=", objects | stdin},
	{"scale", printing + "dry-run=dryrun replicas= current-replicas= resource-version= selector/l= all timeout=", objects | stdin},
	{"autoscale", writing + "save-config min= max= cpu= memory= name=", objects | stdin},
	{"patch", writing + "patch/p= type= subresource=", objects | stdin},
	{"label", writing + selecting + "all overwrite list resource-version=", objects | stdin},
	{"annotate", writing + selecting + "all overwrite list resource-version=", objects | stdin},
	{"taint", writing + "selector/l= all overwrite validate=?strict", objects},
	{"cordon", "selector/l= dry-run=dryrun", 0},
	{"uncordon", "selector/l= dry-run=dryrun", 0},
	{"drain", "selector/l= pod-selector= ignore-daemonsets delete-emptydir-data disable-eviction force grace-period= timeout= chunk-size= skip-wait-for-delete-timeout= dry-run=dryrun", 0},

	{"rollout", "", group},
	{"rollout history", "selector/l= revision= allow-missing-template-keys show-managed-fields", objects | stdin},
	{"rollout pause", printing + "field-manager= selector/l=", objects | stdin},
	{"rollout restart", printing + "field-manager= selector/l=", objects | stdin},
	{"rollout resume", printing + "field-manager= selector/l=", objects | stdin},
	{"rollout status", "selector/l= watch/w timeout= revision=", stdin},
	{"rollout undo", printing + "dry-run=dryrun selector/l= to-revision=", objects | stdin},

	{"set", "", group},
	{"set env", writing + "all selector/l= containers/c= env/e= from= keys= prefix= list overwrite", objects | stdin},
	{"set image", writing + "all selector/l=", objects | stdin},
	{"set resources", writing + "all selector/l= containers/c= limits= requests=", objects | stdin},
	{"set selector", writing + "all resource-version=", objects | stdin},
	{"set serviceaccount", writing + "all", objects | stdin},
	{"set subject", writing + "all selector/l= user= group= serviceaccount=", objects | stdin},

	{"auth", "", group},
	{"auth can-i", "list all-namespaces/A quiet/q subresource= no-headers", 0},
	{"auth whoami", "", text},
	{"certificate", "", group},
	{"certificate approve", "force", names | stdin},
	{"certificate deny", "force", names | stdin},

	{"config", "", group},
	{"config view", "minify", text},
	{"config current-context", "", 0},
	{"config get-contexts", "no-headers", names},
	{"config get-clusters", "", 0},
	{"config get-users", "", 0},
}

// aliases are other names kubectl has for these commands.
var aliases = map[string]string{
	"log": "logs", "event": "events",
	"top pods": "top pod", "top po": "top pod", "top nodes": "top node", "top no": "top node",
	"create cm": "create configmap", "create cj": "create cronjob", "create deploy": "create deployment",
	"create dep": "create deployment", "create ing": "create ingress", "create ns": "create namespace",
	"create pdb": "create poddisruptionbudget", "create pc": "create priorityclass",
	"create resourcequota": "create quota", "create svc": "create service", "create sa": "create serviceaccount",
	"create service lb": "create service loadbalancer",
	"rollout hist":      "rollout history", "set sa": "set serviceaccount",
}

// Commands that people will try, and why the console does not run them.
var refusedVerbs = map[string]refusal{
	"edit": {said{"edit opens an editor of this computer", "edit는 이 컴퓨터의 편집기를 엽니다"},
		said{"print the object with `kubectl get … -o yaml`, change it in the editor pane, and `kubectl apply -f -`", "`kubectl get … -o yaml`로 출력해 편집 칸에서 고친 뒤 `kubectl apply -f -`를 실행하세요"}},
	"diff": {said{"diff runs a program of this computer", "diff는 이 컴퓨터의 프로그램을 실행합니다"},
		said{"`kubectl apply -f - --dry-run=server -o yaml` shows what would be stored", "`kubectl apply -f - --dry-run=server -o yaml`로 저장될 내용을 볼 수 있습니다"}},
	"cp": {said{"cp reads and writes files of this computer", "cp는 이 컴퓨터의 파일을 읽고 씁니다"},
		said{"`kubectl exec POD -- cat FILE` prints a file of a container", "`kubectl exec POD -- cat FILE`로 컨테이너의 파일을 볼 수 있습니다"}},
	"proxy": {said{"proxy opens a port of this computer", "proxy는 이 컴퓨터의 포트를 엽니다"},
		said{"run it in a terminal: `dashboard kubectl proxy`", "터미널에서 `dashboard kubectl proxy`로 실행하세요"}},
	"port-forward": {said{"port-forward opens a port of this computer", "port-forward는 이 컴퓨터의 포트를 엽니다"},
		said{"run it in a terminal: `dashboard kubectl port-forward …`", "터미널에서 `dashboard kubectl port-forward …`로 실행하세요"}},
	"plugin":     {said{"plugins are programs of this computer", "플러그인은 이 컴퓨터의 프로그램입니다"}, ownTerminal},
	"kustomize":  {said{"kustomize reads files of this computer", "kustomize는 이 컴퓨터의 파일을 읽습니다"}, useEditor},
	"kuberc":     {said{"kuberc changes files of this computer", "kuberc는 이 컴퓨터의 파일을 바꿉니다"}, ownTerminal},
	"completion": {said{"completion is for a shell, and the console has none", "completion은 셸을 위한 것인데 콘솔에는 셸이 없습니다"}, ownTerminal},
	"alpha":      {said{"alpha commands are not offered here", "alpha 명령은 여기서 쓸 수 없습니다"}, ownTerminal},
	"cluster-info dump": {said{"cluster-info dump prints or writes the whole cluster", "cluster-info dump는 클러스터 전체를 출력하거나 파일로 씁니다"},
		said{"`kubectl get all -A` lists what runs", "`kubectl get all -A`로 실행 중인 것을 볼 수 있습니다"}},
	"create token": {said{"create token prints a credential, and credentials stay out of the browser", "create token은 자격 증명을 출력합니다. 자격 증명은 브라우저로 보내지 않습니다"},
		said{"run it in a terminal: `dashboard kubectl create token …`", "터미널에서 `dashboard kubectl create token …`으로 실행하세요"}},
	"create secret tls":       {said{"create secret tls reads files of this computer", "create secret tls는 이 컴퓨터의 파일을 읽습니다"}, useEditor},
	"apply edit-last-applied": {said{"edit-last-applied opens an editor of this computer", "edit-last-applied는 이 컴퓨터의 편집기를 엽니다"}, useEditor},
	"apply set-last-applied":  {said{"set-last-applied is not offered here", "set-last-applied는 여기서 쓸 수 없습니다"}, ownTerminal},
	"auth reconcile":          {said{"auth reconcile is not offered here", "auth reconcile은 여기서 쓸 수 없습니다"}, useEditor},
}

// The config commands that write.
var configWrites = refusal{said{"the console's credentials are not for changing", "콘솔의 자격 증명은 바꿀 수 없습니다"},
	said{"`dashboard kubeconfig` prints the path of a kubeconfig for your own tools", "`dashboard kubeconfig`가 직접 쓸 kubeconfig의 경로를 알려 줍니다"}}

var (
	ownTerminal = said{"run it in a terminal: `dashboard kubectl …`", "터미널에서 `dashboard kubectl …`로 실행하세요"}
	useEditor   = said{"put the manifest into the editor pane and run `kubectl apply -f -`", "매니페스트를 편집 칸에 넣고 `kubectl apply -f -`를 실행하세요"}
	leaveOut    = said{"leave the flag out", "그 플래그를 빼세요"}
)

// Flags that people will try, and why the console has them not. Those of
// credentials, files and terminals are the same for every command.
var refusedFlags = map[string]refusal{
	"output-directory": fileFlag, "template-file": fileFlag, "patch-file": fileFlag, "cert": fileFlag, "key": fileFlag,
	"from-file": fileFlag, "from-env-file": fileFlag, "kuberc": fileFlag, "cache-dir": fileFlag, "log-file": fileFlag, "log-dir": fileFlag,
	"profile": fileFlag, "profile-output": fileFlag, "custom": fileFlag, "recursive": fileFlag, "kustomize": fileFlag, "k": fileFlag, "R": fileFlag,
	"kubeconfig": credentialFlag, "context": credentialFlag, "cluster": credentialFlag, "user": credentialFlag,
	"server": credentialFlag, "s": credentialFlag, "username": credentialFlag, "password": credentialFlag,
	"client-certificate": credentialFlag, "client-key": credentialFlag, "certificate-authority": credentialFlag,
	"tls-server-name": credentialFlag, "insecure-skip-tls-verify": credentialFlag,
	"stdin": terminalFlag, "tty": terminalFlag, "i": terminalFlag, "t": terminalFlag, "interactive": terminalFlag, "edit": terminalFlag,
	"vmodule": secretFlag,
	"resolve": secretFlag, "raw": {said{"--raw talks to the apiserver past kubectl's formats, where Secrets could be read; here it asks what the apiserver says of itself", "--raw는 kubectl의 형식을 거치지 않고 apiserver에 묻기 때문에 Secret을 읽을 수 있습니다. 여기서는 apiserver가 자신에 대해 알려 주는 경로만 됩니다"},
		said{"use `kubectl get --raw` with /version, /readyz?verbose, /api/v1, /apis/apps/v1 or /metrics, or name the resource: `kubectl get TYPE NAME -o yaml`", "`kubectl get --raw`에 /version, /readyz?verbose, /api/v1, /apis/apps/v1, /metrics 같은 경로를 쓰거나, `kubectl get TYPE NAME -o yaml`처럼 리소스를 쓰세요"}},
	"flatten":  secretFlag,
	"template": {said{"--template is not offered here", "--template은 여기서 쓸 수 없습니다"}, said{"write it as -o go-template='…' or -o jsonpath='…'", "-o go-template='…' 또는 -o jsonpath='…'로 쓰세요"}},
}

var (
	fileFlag       = refusal{said{"it reads or writes files of this computer, and the console has none", "이 컴퓨터의 파일을 읽거나 쓰는데, 콘솔에는 파일이 없습니다"}, useEditor}
	credentialFlag = refusal{said{"the console has one cluster and one user, and no other credentials", "콘솔에는 클러스터와 사용자가 하나뿐이고 다른 자격 증명은 없습니다"}, said{"leave it out; --as USER acts as somebody else", "빼세요. 다른 사용자로 실행하려면 --as USER를 쓰세요"}}
	terminalFlag   = refusal{said{"the console cannot type into a running program", "콘솔은 실행 중인 프로그램에 입력할 수 없습니다"}, said{"for exec, run, attach and debug the terminal below the stage has -it; or leave it out and give the whole command: `kubectl exec POD -- ls /`", "exec, run, attach, debug라면 무대 아래의 터미널에서 -it를 쓸 수 있습니다. 아니면 빼고 명령 전체를 쓰세요: `kubectl exec POD -- ls /`"}}
	secretFlag     = refusal{said{"it could print the values of Secrets, which stay out of the browser", "Secret의 값을 출력할 수 있는데, 그 값은 브라우저로 보내지 않습니다"}, leaveOut}
)

// formats are the values of -o, up to the "=". All others read files.
var wholeObject = map[string]bool{"yaml": true, "json": true, "kyaml": true, "jsonpath": true, "jsonpath-as-json": true, "go-template": true, "template": true, "custom-columns": true}

// flag is one flag that a command may have.
type flag struct {
	name    string
	short   byte   // 0: none
	value   bool   // takes a value
	implied string // the value when none is given; then it is never the next word
	check   string // of the value
}

func parseFlags(specs ...string) []flag {
	var flags []flag
	for _, spec := range specs {
		for _, word := range strings.Fields(spec) {
			var f flag
			f.name, f.check, f.value = strings.Cut(word, "=")
			if name, short, ok := strings.Cut(f.name, "/"); ok {
				f.name, f.short = name, short[0]
			}
			if implied, ok := strings.CutPrefix(f.check, "?"); ok {
				f.implied, f.check = implied, ""
			}
			flags = append(flags, f)
		}
	}
	return flags
}

// allowed returns the flags of a command, including those its traits bring.
func (v verb) allowed() []flag {
	flags := parseFlags(v.flags, globals)
	if v.traits&(objects|names|table|text) != 0 {
		flags = append(flags, flag{name: "output", short: 'o', value: true, check: "output"})
	}
	if v.traits&stdin != 0 {
		flags = append(flags, flag{name: "filename", short: 'f', value: true, check: "stdin"})
	}
	return flags
}

// understood is a command line after it was checked.
type understood struct {
	verb  verb
	flags []setFlag
	words []string // positional
	rest  []string // after --
	dash  bool
}

type setFlag struct{ name, value string }

// argv is what kubectl is given.
func (u understood) argv() []string {
	argv := strings.Fields(u.verb.name)
	for _, f := range u.flags {
		argv = append(argv, "--"+f.name+"="+f.value)
	}
	argv = append(argv, u.words...)
	if u.dash {
		argv = append(append(argv, "--"), u.rest...)
	}
	return argv
}

func (u understood) value(name string) (value string, ok bool) {
	for _, f := range u.flags {
		if f.name == name {
			value, ok = f.value, true
		}
	}
	return value, ok
}

// understand parses a command line and refuses what the console does not run.
// In a terminal some commands may be typed into.
func understand(line, input string, terminal bool) (understood, *refusal) {
	words, no := splitWords(line)
	if no != nil {
		return understood{}, no
	}
	if len(words) == 0 || words[0] != "kubectl" && words[0] != "k" {
		return understood{}, &refusal{
			said{"the console runs kubectl only", "콘솔은 kubectl만 실행합니다"},
			said{"begin with kubectl, as in `kubectl get pods`", "`kubectl get pods`처럼 kubectl로 시작하세요"}}
	}
	p := parser{words: words[1:], input: input, terminal: terminal}
	if no := p.parse(); no != nil {
		return understood{}, no
	}
	return p.understood, p.checkSecrets()
}

type parser struct {
	understood
	words    []string // not parsed yet
	input    string
	terminal bool // somebody can type into what runs
}

func (p *parser) parse() *refusal {
	args := p.words
	p.words = nil
	var positional []string
	v, _ := findVerb("")
	// The command's name comes first, but global flags may be in between.
	for len(args) > 0 {
		if isFlag(args[0]) && v.traits&group != 0 {
			n, no := p.flag(args, v, parseFlags(globals))
			if no != nil {
				if len(v.name) == 0 {
					return no
				}
				break // a flag of the group's own, as in create -f -
			}
			args = args[n:]
			continue
		}
		if isFlag(args[0]) || v.traits&group == 0 || args[0] == "--" {
			break
		}
		name := strings.TrimSpace(v.name + " " + args[0])
		next, no := findVerb(name)
		if no != nil {
			return no
		}
		v, args = next, args[1:]
	}
	p.verb = v
	allowed := p.allowed()
	for len(args) > 0 {
		switch {
		case args[0] == "--":
			p.dash, p.rest, args = true, args[1:], nil
		case isFlag(args[0]):
			n, no := p.flag(args, v, allowed)
			if no != nil {
				return no
			}
			args = args[n:]
		default:
			positional = append(positional, args[0])
			args = args[1:]
		}
	}
	p.understood.words = positional
	if v.traits&group != 0 && len(positional)+len(p.rest) > 0 {
		return &refusal{
			said{fmt.Sprintf("`kubectl %s` takes no %q after its flags", v.name, append(positional, p.rest...)[0]), fmt.Sprintf("`kubectl %s` 뒤 플래그 다음에는 %q를 쓸 수 없습니다", v.name, append(positional, p.rest...)[0])},
			said{"write what to do before the flags, as in `kubectl create deployment web --image=nginx`", "`kubectl create deployment web --image=nginx`처럼 할 일을 플래그 앞에 쓰세요"}}
	}
	if p.dash && v.traits&dash == 0 {
		return &refusal{
			said{fmt.Sprintf("`kubectl %s` has no use for --", v.name), fmt.Sprintf("`kubectl %s`에는 --를 쓸 수 없습니다", v.name)},
			said{"leave it out", "빼세요"}}
	}
	return nil
}

// allowed are the flags that the command has here.
func (p *parser) allowed() []flag {
	flags := p.verb.allowed()
	if p.terminal && p.verb.traits&typing != 0 {
		flags = append(flags, parseFlags("stdin/i tty/t")...)
	}
	return flags
}

// isFlag: a single - is a word.
func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' && word != "--" }

func findVerb(name string) (verb, *refusal) {
	if real, ok := aliases[name]; ok {
		name = real
	}
	for _, v := range verbs {
		if v.name == name {
			return v, nil
		}
	}
	if no, ok := refusedVerbs[name]; ok {
		return verb{}, &no
	}
	parent, last := "", name
	if i := strings.LastIndexByte(name, ' '); i >= 0 {
		parent, last = name[:i], name[i+1:]
	}
	if parent == "config" {
		return verb{}, &configWrites
	}
	known := []string{}
	for _, v := range verbs {
		if below, ok := strings.CutPrefix(v.name, parent); ok && v.name != "" {
			below = strings.TrimSpace(below)
			if below != "" && !strings.Contains(below, " ") && (parent == "" || strings.HasPrefix(v.name, parent+" ")) {
				known = append(known, below)
			}
		}
	}
	full := strings.TrimSpace("kubectl " + parent)
	return verb{}, &refusal{
		said{fmt.Sprintf("the console knows no `%s %s`", full, clipWord(last)), fmt.Sprintf("콘솔에는 `%s %s` 명령이 없습니다", full, clipWord(last))},
		said{fmt.Sprintf("after `%s` it knows: %s", full, strings.Join(known, ", ")), fmt.Sprintf("`%s` 다음에 쓸 수 있는 것: %s", full, strings.Join(known, ", "))}}
}

// flag takes one word of flags, and its value, from args, as pflag does.
func (p *parser) flag(args []string, v verb, allowed []flag) (n int, no *refusal) {
	word := args[0]
	if long, ok := strings.CutPrefix(word, "--"); ok {
		name, value, has := strings.Cut(long, "=")
		for _, f := range allowed {
			if f.name == name {
				return p.set(f, "--"+name, value, has, args)
			}
		}
		return 0, unknownFlag(v, "--"+name, name)
	}
	for i := 1; i < len(word); i++ {
		f, ok := byShort(allowed, word[i])
		if !ok {
			return 0, unknownFlag(v, "-"+word[i:i+1], word[i:i+1])
		}
		shown := "-" + word[i:i+1]
		rest := word[i+1:]
		switch {
		case strings.HasPrefix(rest, "="):
			return p.set(f, shown, rest[1:], true, args)
		case f.value && rest != "" && f.implied == "":
			return p.set(f, shown, rest, true, args)
		case f.value:
			return p.set(f, shown, "", false, args)
		}
		if _, no := p.set(f, shown, "", false, args); no != nil {
			return 0, no
		}
	}
	return 1, nil
}

func byShort(flags []flag, short byte) (flag, bool) {
	for _, f := range flags {
		if f.short == short {
			return f, true
		}
	}
	return flag{}, false
}

// set records a flag and returns how many words it took.
func (p *parser) set(f flag, shown, value string, has bool, args []string) (n int, no *refusal) {
	n = 1
	switch {
	case has:
	case !f.value:
		value = "true"
	case f.implied != "":
		value = f.implied
	case len(args) < 2:
		return 0, &refusal{
			said{shown + " needs a value", shown + "에는 값이 필요합니다"},
			said{"write it as " + shown + " VALUE", shown + " 값 처럼 쓰세요"}}
	default:
		value, n = args[1], 2
	}
	if !f.value {
		if _, err := strconv.ParseBool(value); err != nil {
			return 0, &refusal{
				said{fmt.Sprintf("%s is on or off, not %s", shown, clip(value)), fmt.Sprintf("%s는 켜거나 끄는 플래그입니다: %s", shown, clip(value))},
				said{"leave the value out", "값을 빼세요"}}
		}
	}
	if no := p.checkValue(f, shown, value); no != nil {
		return 0, no
	}
	p.flags = append(p.flags, setFlag{f.name, value})
	return n, nil
}

func (p *parser) checkValue(f flag, shown, value string) *refusal {
	switch f.check {
	case "stdin":
		if value != "-" {
			return &refusal{
				said{shown + " can only be -: the console has no files", shown + "에는 -만 쓸 수 있습니다. 콘솔에는 파일이 없습니다"},
				useEditor}
		}
		if strings.TrimSpace(p.input) == "" {
			return &refusal{
				said{shown + " - reads the editor pane, which is empty", shown + " -는 편집 칸을 읽는데, 비어 있습니다"},
				useEditor}
		}
	case "level":
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 7 {
			return &refusal{
				said{"-v is 0 to 7 here: above that, kubectl prints whole answers, Secrets among them", "여기서 -v는 0부터 7까지입니다. 그보다 크면 Secret을 포함한 응답 전체를 출력합니다"},
				said{"-v=6 shows each request and how long it took", "-v=6이면 요청과 걸린 시간을 모두 볼 수 있습니다"}}
		}
	case "dryrun":
		if value != "none" && value != "client" && value != "server" {
			return &refusal{
				said{"--dry-run needs =client or =server", "--dry-run에는 =client나 =server가 필요합니다"},
				said{"=server asks the apiserver, with all its gates, and stores nothing", "=server는 apiserver의 모든 관문을 거치지만 저장하지 않습니다"}}
		}
	case "output":
		return p.checkOutput(shown, value)
	case "raw":
		if !about.MatchString(value) {
			no := refusedFlags["raw"]
			return &no
		}
	}
	return nil
}

// about are the paths at which an apiserver tells of itself: what it offers, how
// it is, how much it does. None of them leads to objects, and nothing in them is
// escaped, so that none can be spelled to lead there.
var about = regexp.MustCompile(`^/(version|metrics|(healthz|livez|readyz)(/[a-z/-]+)?(\?verbose)?|api(/v1)?|apis(/[a-z0-9.-]+(/v[a-z0-9]+)?)?|openapi/v3)?$`)

func (p *parser) checkOutput(shown, value string) *refusal {
	format, _, _ := strings.Cut(value, "=")
	t := p.verbTraits()
	ok := format == "name" && t&(objects|names|table) != 0 ||
		format == "wide" && t&(objects|table) != 0 ||
		(format == "yaml" || format == "json") && t&text != 0 ||
		wholeObject[format] && t&objects != 0
	if ok {
		return nil
	}
	if strings.HasSuffix(format, "file") {
		no := refusal{said{shown + " " + format + " reads a file of this computer, and the console has none", shown + " " + format + "은 이 컴퓨터의 파일을 읽는데, 콘솔에는 파일이 없습니다"},
			said{"write the template itself, as in -o jsonpath='{.items[*].metadata.name}'", "-o jsonpath='{.items[*].metadata.name}'처럼 템플릿을 직접 쓰세요"}}
		return &no
	}
	known := []string{}
	for _, f := range []struct {
		t    trait
		name string
	}{{objects | table, "wide"}, {objects | names | table, "name"}, {objects | text, "yaml"}, {objects | text, "json"}, {objects, "jsonpath=…"}, {objects, "go-template=…"}, {objects, "custom-columns=…"}} {
		if t&f.t != 0 {
			known = append(known, f.name)
		}
	}
	return &refusal{
		said{fmt.Sprintf("%s %s is not offered for this command", shown, clip(format)), fmt.Sprintf("이 명령에는 %s %s를 쓸 수 없습니다", shown, clip(format))},
		said{"choose among: " + strings.Join(known, ", "), "쓸 수 있는 형식: " + strings.Join(known, ", ")}}
}

func (p *parser) verbTraits() trait { return p.verb.traits }

func unknownFlag(v verb, shown, name string) *refusal {
	if no, ok := refusedFlags[name]; ok {
		return &refusal{
			said{shown + ": " + no.why.en, shown + ": " + no.why.ko},
			no.hint}
	}
	full := strings.TrimSpace("kubectl " + v.name)
	return &refusal{
		said{fmt.Sprintf("the console has no flag %s for `%s`", clipWord(shown), full), fmt.Sprintf("콘솔의 `%s`에는 %s 플래그가 없습니다", full, clipWord(shown))},
		said{fmt.Sprintf("`%s --help` explains them all; the console leaves out those that reach beyond the cluster", full), fmt.Sprintf("`%s --help`에 모든 플래그의 설명이 있습니다. 콘솔에는 클러스터 밖에 닿는 것이 빠져 있습니다", full)}}
}

func clipWord(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// checkSecrets refuses to print objects whole when one of them can be a Secret.
func (p *parser) checkSecrets() *refusal {
	output, _ := p.value("output")
	format, _, _ := strings.Cut(output, "=")
	_, sorted := p.value("sort-by")
	waits, _ := p.value("for")
	whole := wholeObject[format] || sorted || strings.HasPrefix(waits, "jsonpath") || p.verb.name == "apply view-last-applied"
	if !whole {
		return nil
	}
	for _, word := range p.understood.words {
		for _, piece := range strings.Split(word, ",") {
			kind, _, _ := strings.Cut(piece, "/")
			kind, _, _ = strings.Cut(strings.ToLower(kind), ".")
			if kind == "secret" || kind == "secrets" {
				return &secretObject
			}
		}
	}
	if _, ok := p.value("filename"); ok && mayHoldSecret(p.input) {
		return &secretInput
	}
	return nil
}

var secretObject = refusal{
	said{"the values of Secrets stay out of the browser, and this format would print them", "Secret의 값은 브라우저로 보내지 않는데, 이 형식은 그 값을 출력합니다"},
	said{"`kubectl get secret` lists them and `kubectl describe secret NAME` shows their keys and sizes; in a terminal, `dashboard kubectl get secret NAME -o yaml` shows all", "`kubectl get secret`은 목록을, `kubectl describe secret NAME`은 키와 크기를 보여 줍니다. 값은 터미널에서 `dashboard kubectl get secret NAME -o yaml`로 볼 수 있습니다"}}

var secretInput = refusal{
	said{"the editor pane may hold a Secret, whose values stay out of the browser, and this format would print them", "편집 칸에 Secret이 있을 수 있습니다. Secret의 값은 브라우저로 보내지 않는데, 이 형식은 그 값을 출력합니다"},
	said{"leave out -o, or use -o name; this is so whenever the text has the word secret, a backslash or an exclamation mark in it", "-o를 빼거나 -o name을 쓰세요. 편집 칸에 secret이라는 말이나 역슬래시, 느낌표가 있으면 이렇게 됩니다"}}

// mayHoldSecret errs on the safe side, because YAML has many ways to spell a
// word: without the word itself, escapes and tags there is none.
func mayHoldSecret(manifest string) bool {
	return strings.ContainsAny(manifest, `\!`) || strings.Contains(strings.ToLower(manifest), "secret")
}
