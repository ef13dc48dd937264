package program

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

var questionTypes = map[string]dnsmessage.Type{
	"a": dnsmessage.TypeA, "aaaa": dnsmessage.TypeAAAA, "srv": dnsmessage.TypeSRV, "ptr": dnsmessage.TypePTR,
	"cname": dnsmessage.TypeCNAME, "txt": dnsmessage.TypeTXT, "ns": dnsmessage.TypeNS, "soa": dnsmessage.TypeSOA, "any": dnsmessage.TypeALL,
}

// nslookup asks DNS and prints what it said, as busybox does:
// nslookup [-type=TYPE] NAME [SERVER].
func nslookup(ctx context.Context, p *Process) int {
	kind, named := dnsmessage.TypeA, false
	var args []string
	for _, a := range p.Args[1:] {
		value, ok := strings.CutPrefix(a, "-type=")
		if !ok {
			value, ok = strings.CutPrefix(a, "-q=")
		}
		switch {
		case ok:
			if kind, named = questionTypes[strings.ToLower(value)]; !named {
				p.complain("invalid query type %q", value)
				return 1
			}
		case strings.HasPrefix(a, "-"):
		default:
			args = append(args, a)
		}
	}
	if len(args) < 1 || len(args) > 2 {
		p.complain("usage: nslookup [-type=QUERY_TYPE] HOST [DNS_SERVER]")
		return 1
	}
	r := p.resolver(ctx)
	if len(args) == 2 {
		address, err := p.resolve(ctx, args[1])
		if err != nil {
			p.complain("bad address '%s'", args[1])
			return 1
		}
		r.servers = []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(address), 53)}
	}
	if len(r.servers) == 0 {
		r.servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")} // resolv.conf(5)
	}
	name := args[0]
	if addr, err := netip.ParseAddr(name); err == nil && addr.Is4() && !named {
		b := addr.As4()
		name, kind, named = fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0]), dnsmessage.TypePTR, true
	}
	answer, err := r.ask(ctx, name, kind)
	if errors.Is(err, errNoServer) {
		fmt.Fprint(p.Stdout, ";; connection timed out; no servers could be reached\n\n")
		return 1
	}
	fmt.Fprintf(p.Stdout, "Server:\t\t%s\nAddress:\t%s\n\n", answer.server.Addr(), answer.server)
	if err != nil {
		fmt.Fprintf(p.Stdout, "** server can't find %s: %v\n\n", strings.TrimSuffix(answer.name, "."), err)
		return 1
	}
	for _, a := range answer.all {
		fmt.Fprint(p.Stdout, record(a))
	}
	fmt.Fprintln(p.Stdout)
	return 0
}

// record prints one record of an answer.
func record(r dnsmessage.Resource) string {
	name := bare(r.Header.Name)
	switch b := r.Body.(type) {
	case *dnsmessage.AResource:
		return fmt.Sprintf("Name:\t%s\nAddress: %s\n", name, netip.AddrFrom4(b.A))
	case *dnsmessage.CNAMEResource:
		return fmt.Sprintf("%s\tcanonical name = %s\n", name, bare(b.CNAME))
	case *dnsmessage.PTRResource:
		return fmt.Sprintf("%s\tname = %s\n", name, bare(b.PTR))
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%s\tservice = %d %d %d %s\n", name, b.Priority, b.Weight, b.Port, bare(b.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s\n\torigin = %s\n\tmail addr = %s\n", name, bare(b.NS), bare(b.MBox))
	default:
		return fmt.Sprintf("%s\t%s\n", name, strings.TrimPrefix(r.Header.Type.String(), "Type"))
	}
}

func bare(n dnsmessage.Name) string { return strings.TrimSuffix(n.String(), ".") }
