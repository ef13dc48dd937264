package program

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubestage/kubestage/sandbox/overlay"
)

// What can become of a question to DNS.
var (
	errNoName   = errors.New("NXDOMAIN") // or there is nothing of the type asked for
	errServFail = errors.New("SERVFAIL")
	errNoServer = errors.New("no servers could be reached")
)

// resolver asks the servers of /etc/resolv.conf, as a C library does.
type resolver struct {
	network Network
	servers []netip.AddrPort
	search  []string
	ndots   int
	timeout time.Duration
	tries   int
}

func (p *Process) resolver(ctx context.Context) *resolver {
	r := &resolver{network: p.Network, ndots: 1, timeout: 5 * time.Second, tries: 2} // resolv.conf(5)
	f, err := p.Files.Open("/etc/resolv.conf", os.O_RDONLY, 0)
	if err != nil {
		return r
	}
	defer f.Close()
	p.eachLine(ctx, f, func(line string) error {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil
		}
		switch fields[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(fields[1]); err == nil && len(r.servers) < 3 {
				r.servers = append(r.servers, netip.AddrPortFrom(a, 53))
			}
		case "search":
			r.search = fields[1:]
		case "options":
			for _, o := range fields[1:] {
				name, value, _ := strings.Cut(o, ":")
				switch n, err := strconv.Atoi(value); {
				case err != nil || n < 0 || n > 15:
				case name == "ndots":
					r.ndots = n
				case name == "timeout" && n > 0:
					r.timeout = time.Duration(n) * time.Second
				case name == "attempts" && n > 0:
					r.tries = n
				}
			}
		}
		return nil
	})
	return r
}

// names are what a name may mean, in the order in which they are asked for.
func (r *resolver) names(name string) []string {
	if full, ok := strings.CutSuffix(name, "."); ok {
		return []string{full}
	}
	var all []string
	for _, domain := range r.search {
		all = append(all, name+"."+strings.TrimSuffix(domain, "."))
	}
	if strings.Count(name, ".") >= r.ndots {
		return append([]string{name}, all...)
	}
	return append(all, name)
}

// reply is what a server said.
type reply struct {
	server netip.AddrPort
	name   string // that was asked for in the end
	all    []dnsmessage.Resource
}

// ask asks for a name as it is written, or completed with the search list. The
// error is that of the name which came furthest.
func (r *resolver) ask(ctx context.Context, name string, kind dnsmessage.Type) (reply, error) {
	worst := errNoName
	last := reply{name: name}
	for _, full := range r.names(name) {
		answer, err := r.askOne(ctx, full, kind)
		last = answer
		switch {
		case err == nil && len(answer.all) > 0:
			return answer, nil
		case errors.Is(err, errNoServer):
			return answer, err
		case errors.Is(err, errServFail):
			worst = err
		}
	}
	return last, worst
}

func (r *resolver) askOne(ctx context.Context, name string, kind dnsmessage.Type) (reply, error) {
	answer := reply{name: name}
	qname, err := dnsmessage.NewName(strings.ToLower(name) + ".")
	if err != nil {
		return answer, errNoName
	}
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(time.Now().UnixNano()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: qname, Type: kind, Class: dnsmessage.ClassINET}},
	}
	packet, err := question.Pack()
	if err != nil {
		return answer, errNoName
	}
	for range r.tries {
		for _, server := range r.servers {
			answer.server = server
			trying, cancel := context.WithTimeout(ctx, r.timeout)
			back, err := r.network.Ask(trying, server, packet)
			cancel()
			if ctx.Err() != nil {
				return answer, errNoServer
			}
			var m dnsmessage.Message
			if err != nil || m.Unpack(back) != nil || m.ID != question.ID {
				continue
			}
			switch m.RCode {
			case dnsmessage.RCodeSuccess:
				answer.all = m.Answers
				return answer, nil
			case dnsmessage.RCodeNameError:
				return answer, errNoName
			default:
				return answer, errServFail
			}
		}
	}
	return answer, errNoServer
}

// addresses are the IPv4 addresses in an answer.
func (a reply) addresses() []string {
	var all []string
	for _, r := range a.all {
		if body, ok := r.Body.(*dnsmessage.AResource); ok {
			all = append(all, netip.AddrFrom4(body.A).String())
		}
	}
	return all
}

// resolve finds the address of a name: in /etc/hosts, or else by DNS.
func (p *Process) resolve(ctx context.Context, name string) (string, error) {
	if _, err := netip.ParseAddr(name); err == nil {
		return name, nil
	}
	if address := p.hosts(ctx, name); address != "" {
		return address, nil
	}
	answer, err := p.resolver(ctx).ask(ctx, name, dnsmessage.TypeA)
	if err != nil {
		return "", err
	}
	if all := answer.addresses(); len(all) > 0 {
		return all[0], nil
	}
	return "", errNoName
}

// hosts finds the address of a name in /etc/hosts.
func (p *Process) hosts(ctx context.Context, name string) string {
	f, err := p.Files.Open("/etc/hosts", os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	address := ""
	p.eachLine(ctx, f, func(line string) error {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for i, n := range fields {
			if a, err := netip.ParseAddr(fields[0]); i > 0 && strings.EqualFold(n, name) && err == nil && a.Is4() {
				address = fields[0]
				return errEnough
			}
		}
		return nil
	})
	return address
}

// isNoName reports an error that means a name has no address, or nobody knows.
func isNoName(err error) bool {
	return errors.Is(err, errNoName) || errors.Is(err, errServFail) || errors.Is(err, errNoServer)
}

// dialReason is what the C library says of a connection that did not come about.
func dialReason(err error) string {
	for known, text := range map[error]string{
		overlay.ErrRefused: "Connection refused", overlay.ErrUnreachable: "No route to host",
		overlay.ErrTimeout: "Connection timed out", context.DeadlineExceeded: "Connection timed out",
	} {
		if errors.Is(err, known) {
			return text
		}
	}
	return sentence(err)
}
