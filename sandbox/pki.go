package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// authority signs the certificates of one trust domain. Who trusts one
// authority does not trust another: a certificate that opens etcd does not
// open the apiserver.
type authority struct {
	name    string
	cert    *x509.Certificate
	certPEM []byte
	key     *ecdsa.PrivateKey
}

// leaf says what a certificate is for.
type leaf struct {
	file    string // name without extension, in the pki directory
	user    string // common name: the Kubernetes user, or the server's name
	groups  []string
	servers []string // names and addresses a server answers to; none for a client only
	client  bool
}

// pair is a certificate with its key, in files.
type pair struct {
	CertFile, KeyFile string
	cert, key         []byte // PEM
}

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	clockSkew     = time.Hour // certificates are valid from a little before they are made
)

// keptAuthority reads an authority from dir, or makes it there. One that is
// there but cannot be used is an error: what it signed may be in use elsewhere.
func keptAuthority(dir, name string, now time.Time) (*authority, error) {
	certFile, keyFile := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	certPEM, err1 := os.ReadFile(certFile)
	keyPEM, err2 := os.ReadFile(keyFile)
	if errors.Is(err1, fs.ErrNotExist) || errors.Is(err2, fs.ErrNotExist) {
		return newAuthority(dir, name, now)
	}
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	a := &authority{name: name, certPEM: certPEM}
	var err error
	if a.cert, a.key, err = parsePair(certPEM, keyPEM); err != nil {
		return nil, fmt.Errorf("the certificate authority in %s is damaged (%w): move %s.crt and %s.key away to have a new one made", dir, err, name, name)
	}
	if now.After(a.cert.NotAfter.Add(-leafLife)) {
		return newAuthority(dir, name, now)
	}
	return a, nil
}

func newAuthority(dir, name string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{name: name, key: key}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "kubestage " + name},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.certPEM = encodePEM("CERTIFICATE", der)
	_, err = writePair(dir, name, a.certPEM, key, true)
	return a, err
}

// issue returns the leaf's certificate: the one in dir when it is what is
// asked for, signed by this authority, and not about to expire; else a new one.
func (a *authority) issue(dir string, l leaf, now time.Time) (pair, error) {
	p := pair{CertFile: filepath.Join(dir, l.file+".crt"), KeyFile: filepath.Join(dir, l.file+".key")}
	var err1, err2 error
	p.cert, err1 = os.ReadFile(p.CertFile)
	p.key, err2 = os.ReadFile(p.KeyFile)
	if err1 == nil && err2 == nil && a.current(p, l, now) {
		return p, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: l.user, Organization: l.groups},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	template.DNSNames, template.IPAddresses = split(l.servers)
	if l.client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if len(l.servers) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return pair{}, err
	}
	return writePair(dir, l.file, encodePEM("CERTIFICATE", der), key, false)
}

func (a *authority) current(p pair, l leaf, now time.Time) bool {
	cert, _, err := parsePair(p.cert, p.key)
	if err != nil || cert.CheckSignatureFrom(a.cert) != nil ||
		now.Before(cert.NotBefore) || now.After(cert.NotAfter.Add(-renewBefore)) {
		return false
	}
	names, ips := split(l.servers)
	return cert.Subject.CommonName == l.user &&
		slices.Equal(cert.Subject.Organization, l.groups) &&
		slices.Equal(cert.DNSNames, names) &&
		slices.EqualFunc(cert.IPAddresses, ips, net.IP.Equal) &&
		slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) == l.client
}

// twin returns a certificate for the same name and groups as another one of
// this authority, with a key that is only here and no longer life.
func (a *authority) twin(of *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		RawSubject:            of.RawSubject,
		NotBefore:             of.NotBefore,
		NotAfter:              of.NotAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// split tells names from addresses.
func split(servers []string) (names []string, ips []net.IP) {
	for _, s := range servers {
		if ip := net.ParseIP(s); ip != nil {
			ips = append(ips, ip)
		} else {
			names = append(names, s)
		}
	}
	return names, ips
}

// keptKey reads or makes the pair of keys that signs service account tokens.
func keptKey(dir, name string) (keyFile, pubFile string, err error) {
	keyFile, pubFile = filepath.Join(dir, name+".key"), filepath.Join(dir, name+".pub")
	b, err := os.ReadFile(keyFile)
	if err == nil {
		key, err := parseKey(b)
		if err != nil {
			return "", "", fmt.Errorf("the key %s is damaged (%w): move it away to have a new one made; tokens signed with it end", keyFile, err)
		}
		return keyFile, pubFile, writePublic(pubFile, key)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("read the service account key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", "", err
	}
	if err := replaceFile(keyFile, encodePEM("EC PRIVATE KEY", der), true); err != nil {
		return "", "", err
	}
	return keyFile, pubFile, writePublic(pubFile, key)
}

func writePublic(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return replaceFile(file, encodePEM("PUBLIC KEY", der), false)
}

func writePair(dir, name string, certPEM []byte, key *ecdsa.PrivateKey, sync bool) (pair, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	p := pair{
		CertFile: filepath.Join(dir, name+".crt"), cert: certPEM,
		KeyFile: filepath.Join(dir, name+".key"), key: encodePEM("EC PRIVATE KEY", der),
	}
	// The old key goes first and the new one comes last, so that a start that
	// is interrupted leaves no key beside a certificate it does not belong to.
	if err = os.Remove(p.KeyFile); err == nil || errors.Is(err, fs.ErrNotExist) {
		if err = replaceFile(p.CertFile, p.cert, sync); err == nil {
			err = replaceFile(p.KeyFile, p.key, sync)
		}
	}
	if err != nil {
		return pair{}, fmt.Errorf("write the certificate %s: %w", name, err)
	}
	return p, nil
}

func parsePair(certPEM, keyPEM []byte) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, nil, errors.New("no certificate in the file")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, nil, err
	}
	if pub, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, nil, errors.New("certificate and key do not belong together")
	}
	return cert, key, nil
}

func parseKey(keyPEM []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil || block.Type != "EC PRIVATE KEY" {
		return nil, errors.New("no key in the file")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

func encodePEM(kind string, der []byte) []byte {
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}) // a bytes.Buffer takes everything
	return b.Bytes()
}

func serial() *big.Int {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil { // crypto/rand does not fail
		panic(err)
	}
	return n.Add(n, big.NewInt(1))
}
