//go:build !nosandbox

package kube

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

// dns answers as the cluster's DNS does: the records are those of the
// specification for DNS-based service discovery, version 1.1.0
// (github.com/kubernetes/dns, docs/specification.md), pods' included. It runs on
// each node, as NodeLocal DNSCache does in other clusters. There is nothing
// behind it: a name outside the cluster is answered with SERVFAIL.
type dns struct {
	domain   string // cluster.local
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

func newDNS(domain string, s corelisters.ServiceLister, e discoverylisters.EndpointSliceLister) *dns {
	return &dns{domain, s, e}
}

const dnsTTL = 5 // seconds; what the specification's servers use by default

// answer answers one packet.
func (d *dns) answer(packet []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
		return nil, errDNSPacket
	}
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	m.Response, m.RecursionAvailable, m.Authoritative = true, true, true
	m.Answers, m.Additionals, m.Authorities = nil, nil, nil
	found, ours := d.find(name)
	switch {
	case !ours:
		m.Authoritative, m.RCode = false, dnsmessage.RCodeServerFailure
	case found == nil:
		m.RCode = dnsmessage.RCodeNameError
	default:
		for _, body := range found {
			kind := typeOf(body)
			if q.Type == kind || q.Type == dnsmessage.TypeALL || kind == dnsmessage.TypeCNAME {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{
					Name: q.Name, Type: kind, Class: dnsmessage.ClassINET, TTL: dnsTTL}, Body: body})
			}
		}
	}
	if alias, ok := aliasIn(m.Answers); ok && q.Type != dnsmessage.TypeCNAME {
		records, _ := d.find(alias)
		for _, body := range records {
			if typeOf(body) == q.Type {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{
					Name: dnsName(alias), Type: q.Type, Class: dnsmessage.ClassINET, TTL: dnsTTL}, Body: body})
			}
		}
	}
	if ours && len(m.Answers) == 0 {
		m.Authorities = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsName(d.domain), Type: dnsmessage.TypeSOA, Class: dnsmessage.ClassINET, TTL: dnsTTL},
			Body:   &dnsmessage.SOAResource{NS: dnsName("ns.dns." + d.domain), MBox: dnsName("hostmaster." + d.domain), Serial: 1, Refresh: 7200, Retry: 1800, Expire: 86400, MinTTL: dnsTTL},
		}}
	}
	return m.Pack()
}

// aliasIn returns what an answer says the real name is.
func aliasIn(answers []dnsmessage.Resource) (string, bool) {
	for _, a := range answers {
		if alias, ok := a.Body.(*dnsmessage.CNAMEResource); ok {
			return strings.ToLower(strings.TrimSuffix(alias.CNAME.String(), ".")), true
		}
	}
	return "", false
}

var errDNSPacket = &net.ParseError{Type: "DNS question"}

func typeOf(b dnsmessage.ResourceBody) dnsmessage.Type {
	switch b.(type) {
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	case *dnsmessage.CNAMEResource:
		return dnsmessage.TypeCNAME
	case *dnsmessage.PTRResource:
		return dnsmessage.TypePTR
	default:
		return dnsmessage.TypeTXT
	}
}

// dnsName makes a name of a text; one that is too long cannot be asked for
// either, and becomes the root.
func dnsName(s string) dnsmessage.Name {
	n, err := dnsmessage.NewName(strings.TrimSuffix(s, ".") + ".")
	if err != nil {
		return dnsmessage.MustNewName(".")
	}
	return n
}

func address(ip string) dnsmessage.ResourceBody {
	addr, err := netip.ParseAddr(ip)
	if err != nil || !addr.Is4() {
		return nil
	}
	return &dnsmessage.AResource{A: addr.As4()}
}

// find returns all records of a name: nil when there is no such name, empty
// when there is, but without records.
func (d *dns) find(name string) (records []dnsmessage.ResourceBody, ours bool) {
	if reversed, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		return d.reverse(reversed)
	}
	if name == "dns-version."+d.domain {
		return []dnsmessage.ResourceBody{&dnsmessage.TXTResource{TXT: []string{"1.1.0"}}}, true
	}
	rest, ok := strings.CutSuffix(name, "."+d.domain)
	if !ok {
		return nil, name == d.domain || !strings.Contains(name, ".") // there are no top-level domains here
	}
	parts := strings.Split(rest, ".")
	switch last := len(parts) - 1; {
	case parts[last] == "pod" && last == 2:
		// 10-244-1-5.NAMESPACE.pod: the server does not look whether there is
		// such a pod (the mode "insecure", which kubeadm's clusters use).
		if a := address(strings.ReplaceAll(parts[0], "-", ".")); a != nil {
			return []dnsmessage.ResourceBody{a}, true
		}
	case parts[last] == "svc" && last >= 2:
		return d.service(parts[:last]), true
	}
	return nil, true
}

// service returns the records of a name below svc: SERVICE.NAMESPACE, with a
// host or with _PORT._PROTOCOL in front.
func (d *dns) service(parts []string) []dnsmessage.ResourceBody {
	front, name, namespace := parts[:len(parts)-2], parts[len(parts)-2], parts[len(parts)-1]
	s, err := d.services.Services(namespace).Get(name)
	if err != nil {
		return nil
	}
	full := name + "." + namespace + ".svc." + d.domain
	records := []dnsmessage.ResourceBody{}
	switch {
	case s.Spec.Type == v1.ServiceTypeExternalName:
		if len(front) > 0 {
			return nil
		}
		return append(records, &dnsmessage.CNAMEResource{CNAME: dnsName(s.Spec.ExternalName)})
	case s.Spec.ClusterIP != v1.ClusterIPNone:
		if len(front) == 0 {
			if a := address(s.Spec.ClusterIP); a != nil {
				records = append(records, a)
			}
		}
		for _, port := range s.Spec.Ports {
			if len(front) == 0 || isPort(front, port.Name, port.Protocol) {
				records = append(records, &dnsmessage.SRVResource{Weight: 100, Port: uint16(port.Port), Target: dnsName(full)})
			}
		}
	default: // headless
		for _, e := range d.ready(s) {
			host := e.host + "." + full
			switch {
			case len(front) == 0:
				records = append(records, e.records(host, nil)...)
				records = append(records, address(e.address))
			case len(front) == 1 && front[0] == e.host:
				records = append(records, address(e.address))
			case len(front) == 2:
				records = append(records, e.records(host, front)...)
			}
		}
		if len(front) == 0 && len(records) == 0 {
			return nil // as CoreDNS: a headless Service without endpoints is NXDOMAIN
		}
	}
	if len(front) > 0 && len(records) == 0 {
		return nil
	}
	return records
}

func isPort(front []string, name string, protocol v1.Protocol) bool {
	return len(front) == 2 && name != "" && front[0] == "_"+name && front[1] == "_"+strings.ToLower(string(protocol))
}

// dnsEndpoint is a ready endpoint as DNS names it.
type dnsEndpoint struct {
	address, host string
	ports         []discoveryv1.EndpointPort
}

// records are those of the endpoint's ports, of all or of the one in front.
func (e dnsEndpoint) records(host string, front []string) []dnsmessage.ResourceBody {
	var records []dnsmessage.ResourceBody
	for _, p := range e.ports {
		if p.Port == nil || p.Name == nil || p.Protocol == nil || front != nil && !isPort(front, *p.Name, *p.Protocol) {
			continue
		}
		records = append(records, &dnsmessage.SRVResource{Weight: 100, Port: uint16(*p.Port), Target: dnsName(host)})
	}
	return records
}

// ready returns the ready endpoints of a Service. Those of one that publishes
// not ready addresses are told as ready by the EndpointSlice controller.
func (d *dns) ready(s *v1.Service) []dnsEndpoint {
	of, err := d.slices.EndpointSlices(s.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: s.Name}))
	if err != nil {
		return nil
	}
	var all []dnsEndpoint
	for _, slice := range of {
		if slice.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			for _, ip := range e.Addresses {
				host := strings.ReplaceAll(ip, ".", "-")
				if e.Hostname != nil && *e.Hostname != "" {
					host = *e.Hostname
				}
				all = append(all, dnsEndpoint{ip, host, slice.Ports})
			}
		}
	}
	slices.SortFunc(all, func(a, b dnsEndpoint) int { return strings.Compare(a.address, b.address) })
	return all
}

// reverse names the Service or the endpoint that has an address.
func (d *dns) reverse(reversed string) ([]dnsmessage.ResourceBody, bool) {
	parts := strings.Split(reversed, ".")
	slices.Reverse(parts)
	ip := strings.Join(parts, ".")
	all, err := d.services.List(labels.Everything())
	if err != nil {
		return nil, false
	}
	var records []dnsmessage.ResourceBody
	for _, s := range all {
		full := s.Name + "." + s.Namespace + ".svc." + d.domain
		if s.Spec.ClusterIP == ip {
			return []dnsmessage.ResourceBody{&dnsmessage.PTRResource{PTR: dnsName(full)}}, true
		}
		if s.Spec.ClusterIP != v1.ClusterIPNone {
			continue
		}
		for _, e := range d.ready(s) {
			if e.address == ip {
				records = append(records, &dnsmessage.PTRResource{PTR: dnsName(e.host + "." + full)})
			}
		}
	}
	return records, true
}
