package runtime

// recipe is what the catalogue knows of an image: what runs when a container
// gives no command, as in an image's configuration, and what it looks like.
type recipe struct {
	entrypoint []string // always first, unless the container has a command
	cmd        []string // after it, unless the container has args
	wraps      bool     // the entrypoint runs args that name a command instead of passing them on
	ports      []int    // the program listens on these, whatever the pod declares
	size       uint64   // bytes; 0 means derived from the name
	stop       string   // signal to stop with; empty means SIGTERM
	standIn    string   // what really runs, in words
	docroot    string   // folder its server shows
}

const (
	httpStandIn  = "Kubestage's built-in HTTP server, not the image's program"
	shellStandIn = "Kubestage's built-in shell and commands, not the image's"
	pauseStandIn = "Kubestage's built-in pause"
)

// The names of programs that no image has, so that no command can be mistaken for them.
const (
	serveProgram = "kubestage-http"
	pauseProgram = "pause"
)

func server(size uint64, ports ...int) recipe {
	return recipe{entrypoint: []string{serveProgram}, wraps: true, ports: ports, size: size, standIn: httpStandIn}
}

func shell(size uint64, name string) recipe {
	return recipe{cmd: []string{name}, size: size, standIn: shellStandIn}
}

// catalogue holds the images that have something of their own to say. Every
// other reference is a generic server.
var catalogue = map[string]recipe{
	"docker.io/library/nginx":                 {entrypoint: []string{serveProgram}, wraps: true, ports: []int{80}, size: 72 << 20, stop: "SIGQUIT", standIn: httpStandIn, docroot: "/usr/share/nginx/html"},
	"docker.io/library/httpd":                 {entrypoint: []string{serveProgram}, wraps: true, ports: []int{80}, size: 59 << 20, standIn: httpStandIn, docroot: "/usr/local/apache2/htdocs"},
	"docker.io/library/caddy":                 server(20<<20, 80),
	"docker.io/library/traefik":               server(45<<20, 80),
	"docker.io/library/tomcat":                server(190<<20, 8080),
	"docker.io/library/wordpress":             server(235<<20, 80),
	"docker.io/library/redis":                 server(45<<20, 6379),
	"docker.io/library/memcached":             server(32<<20, 11211),
	"docker.io/library/mysql":                 server(235<<20, 3306),
	"docker.io/library/mariadb":               server(115<<20, 3306),
	"docker.io/library/postgres":              server(155<<20, 5432),
	"docker.io/library/mongo":                 server(275<<20, 27017),
	"docker.io/library/busybox":               shell(2<<20, "sh"),
	"docker.io/library/alpine":                shell(3<<20, "/bin/sh"),
	"docker.io/library/debian":                shell(48<<20, "bash"),
	"docker.io/library/ubuntu":                shell(29<<20, "/bin/bash"),
	"docker.io/library/bash":                  shell(6<<20, "bash"),
	"registry.k8s.io/pause":                   {entrypoint: []string{"/pause"}, size: 320 << 10, standIn: pauseStandIn},
	"registry.k8s.io/e2e-test-images/agnhost": {entrypoint: []string{serveProgram}, ports: []int{8080}, size: 53 << 20, standIn: httpStandIn},
}

// recipeOf returns what is behind an image.
func recipeOf(r reference) recipe {
	if known, ok := catalogue[r.repository]; ok {
		return known
	}
	return recipe{entrypoint: []string{serveProgram}, wraps: true, standIn: httpStandIn}
}
