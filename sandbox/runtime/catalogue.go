package runtime

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
)

// recipe is what the catalogue knows of an image: what an image's
// configuration says (what runs, as whom, where), what its registry says (tags,
// size), and which of the built-in programs are in it.
type recipe struct {
	names      string   // references of the repository, without tag
	tags       tags     // that the registry has; none means any
	entrypoint []string // always first, unless the container has a command
	cmd        []string // after it, unless the container has args
	wraps      bool     // the entrypoint runs args that name a command instead of passing them on
	env        []string
	dir        string    // working directory; empty means /
	user       string    // name or number, and group: as an image's USER; empty means root
	accounts   []account // in /etc/passwd and /etc/group beside root's
	ports      []int     // the program listens on these, whatever the pod declares
	size       uint64    // bytes; 0 means derived from the name
	stop       string    // signal to stop with; empty means SIGTERM
	docroot    string    // folder its server shows
	programs   string    // names of programs that are in this image beside the common ones
	scratch    bool      // the common ones are not
	private    bool      // the registry wants to know who pulls
}

type account struct {
	name     string
	uid, gid int64
}

const (
	httpStandIn  = "Kubestage's built-in HTTP server, not the image's program"
	pauseStandIn = "Kubestage's built-in pause"
)

// serveProgram has a name that is no command's, so that no command can be
// mistaken for it.
const serveProgram = "kubestage-http"

func server(names, tags string, size uint64, ports ...int) recipe {
	return recipe{names: names, tags: parseTags(tags), entrypoint: []string{serveProgram}, wraps: true, ports: ports, size: size}
}

func shell(names, tags string, size uint64, cmd string) recipe {
	return recipe{names: names, tags: parseTags(tags), cmd: []string{cmd}, size: size}
}

// own is an image that exists nowhere but here.
func own(name string, ports ...int) recipe {
	return recipe{
		names: "docker.io/kubestage/" + name, tags: parseTags("latest v1"), entrypoint: []string{"/" + name}, programs: "/" + name,
		user: "1000:1000", accounts: []account{{"kubestage", 1000, 1000}}, ports: ports, size: 8 << 20,
	}
}

const (
	distributions = "alpine bookworm bullseye trixie slim"
	web           = "docker.io/library/"
)

// The private registry of the catalogue, and who may pull from it. Both are in
// the documentation: what they protect is a lesson.
const (
	privateRegistry = "registry.kubestage.example"
	privateUser     = "learner"
	privatePassword = "kubestage"
)

// catalogue holds the images that have something of their own to say. Every
// other reference is a generic server.
var catalogue = []recipe{
	{
		names: web + "nginx registry.k8s.io/nginx-slim registry.k8s.io/e2e-test-images/nginx", tags: parseTags("latest stable mainline 0.8..0.40 1.7..1.31 perl otel " + distributions),
		entrypoint: []string{serveProgram}, wraps: true, ports: []int{80}, size: 72 << 20, stop: "SIGQUIT", docroot: "/usr/share/nginx/html",
		programs: "nginx curl", accounts: []account{{"nginx", 101, 101}},
	},
	{
		names: "docker.io/nginxinc/nginx-unprivileged", tags: parseTags("latest stable mainline 1.16..1.31 perl otel " + distributions),
		entrypoint: []string{serveProgram}, wraps: true, ports: []int{8080}, size: 72 << 20, stop: "SIGQUIT", docroot: "/usr/share/nginx/html",
		programs: "nginx curl", user: "101", accounts: []account{{"nginx", 101, 101}},
	},
	{
		names: web + "httpd registry.k8s.io/e2e-test-images/httpd", tags: parseTags("latest 2.2..2.4 " + distributions),
		entrypoint: []string{serveProgram}, wraps: true, ports: []int{80}, size: 59 << 20, stop: "SIGWINCH", docroot: "/usr/local/apache2/htdocs", dir: "/usr/local/apache2",
		programs: "httpd-foreground", accounts: []account{{"www-data", 33, 33}},
	},
	{
		names: "registry.k8s.io/hpa-example", tags: parseTags("latest v1"),
		entrypoint: []string{"/php-apache"}, ports: []int{80}, size: 180 << 20, stop: "SIGWINCH", dir: "/var/www/html", programs: "/php-apache",
	},
	server(web+"caddy", "latest 2 "+distributions, 20<<20, 80),
	server(web+"traefik", "latest 1..3 "+distributions, 45<<20, 80),
	server(web+"tomcat", "latest 7..11 jdk jre temurin "+distributions, 190<<20, 8080),
	server(web+"wordpress", "latest 4..6 apache fpm cli php "+distributions, 235<<20, 80),
	server(web+"memcached", "latest 1.4..1.6 "+distributions, 32<<20, 11211),
	server(web+"mysql", "latest lts innovation 5.5..9.6 oracle oraclelinux debian", 235<<20, 3306),
	server(web+"mariadb", "latest lts 5.5..12.3 focal jammy noble ubi ", 115<<20, 3306),
	server(web+"postgres", "latest 9..18 "+distributions, 155<<20, 5432),
	server(web+"mongo", "latest 3..8 focal jammy noble", 275<<20, 27017),
	server("gcr.io/google-samples/hello-app us-docker.pkg.dev/google-samples/containers/gke/hello-app", "1.0..2.0", 11<<20, 8080),
	server("gcr.io/google-samples/node-hello", "1.0", 250<<20, 8080),
	server("registry.k8s.io/echoserver", "1.0..1.10", 42<<20, 8080),
	server(privateRegistry+"/private/web", "latest 1.0..1.1", 24<<20, 8080).hidden(),
	{
		names: web + "redis", tags: parseTags("latest 3..8 rc " + distributions),
		cmd: []string{"redis-server"}, ports: []int{6379}, size: 45 << 20, dir: "/data",
		programs: "redis-server redis-cli", accounts: []account{{"redis", 999, 999}},
	},
	shell(web+"busybox registry.k8s.io/busybox registry.k8s.io/e2e-test-images/busybox", "latest stable unstable 1.21..1.37 glibc musl uclibc", 2<<20, "sh"),
	shell(web+"alpine", "latest edge 3.1..3.23", 3<<20, "/bin/sh"),
	shell(web+"debian", "latest stable testing unstable sid oldstable 7..13 wheezy jessie stretch buster backports "+distributions, 48<<20, "bash"),
	shell(web+"ubuntu", "latest rolling devel 14..26 trusty xenial bionic focal jammy noble plucky questing", 29<<20, "/bin/bash"),
	shell(web+"bash", "latest devel 3.0..5.3 alpine", 6<<20, "bash"),
	{names: web + "perl", tags: parseTags("latest stable devel 5.18..5.42 threaded " + distributions), cmd: []string{"perl", "-de0"}, size: 330 << 20, dir: "/usr/src/app", programs: "perl"},
	{
		names: "docker.io/curlimages/curl quay.io/curl/curl", tags: parseTags("latest 7.65..8.19"), entrypoint: []string{"curl"}, cmd: []string{"--help"}, wraps: true,
		size: 9 << 20, user: "curl_user", accounts: []account{{"curl_user", 100, 101}}, programs: "curl", dir: "/home/curl_user",
	},
	{names: "docker.io/polinux/stress", tags: parseTags("latest 1.0"), cmd: []string{"stress"}, size: 4 << 20, programs: "stress"},
	{
		names: "registry.k8s.io/pause", tags: parseTags("latest 3.0..3.10 go"), entrypoint: []string{"/pause"}, programs: "/pause", scratch: true,
		size: 320 << 10, user: "65535:65535",
	},
	{
		names: "registry.k8s.io/e2e-test-images/agnhost", tags: parseTags("latest 2.0..2.70"), entrypoint: []string{"/agnhost"}, cmd: []string{"pause"},
		size: 53 << 20, programs: "/agnhost curl",
	},
	own("crasher"),
	own("memory-eater"),
	own("slow-starter", 8080),
	own("job"),
}

// hidden is a recipe of a registry that wants to know who pulls.
func (r recipe) hidden() recipe {
	r.private = true
	return r
}

var generic = recipe{entrypoint: []string{serveProgram}, wraps: true}

// byName finds recipes by repository.
var byName = func() map[string]*recipe {
	m := map[string]*recipe{}
	for i := range catalogue {
		for _, name := range strings.Fields(catalogue[i].names) {
			m[name] = &catalogue[i]
		}
	}
	return m
}()

// recipeOf returns what is behind an image.
func recipeOf(r reference) *recipe {
	return cmp.Or(byName[r.repository], &generic)
}

// programsOf are the programs in an image.
func programsOf(r *recipe) program.Set {
	var own []string
	if r.programs != "" {
		own = strings.Fields(r.programs)
	}
	if len(r.entrypoint) > 0 && r.entrypoint[0] == serveProgram {
		own = append(own, serveProgram)
	}
	set := program.Set{}
	if !r.scratch {
		set = program.Commands()
	}
	special := program.Special()
	for _, name := range own {
		set[name] = special[strings.TrimPrefix(name, "/")]
	}
	return set
}

// uid finds whom an image runs as. A name that the image has no account for
// cannot be told a number, as in an image's configuration.
func (r *recipe) runsAs() (uid, gid int64, name string) {
	user, group, _ := strings.Cut(r.user, ":")
	if user == "" {
		return 0, 0, ""
	}
	i := slices.IndexFunc(r.accounts, func(a account) bool { return a.name == user })
	if i >= 0 {
		return r.accounts[i].uid, r.accounts[i].gid, user
	}
	return number(user), number(group), ""
}

func number(s string) int64 {
	n := int64(0)
	for _, c := range s {
		n = 10*n + int64(c-'0')
	}
	return n
}
