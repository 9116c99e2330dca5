package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"vigie/ingest/conformance"
)

// Certificates are an authority of the bench's own, the right certificate of its server,
// and the bad ones.
type Certificates struct {
	authority []byte // PEM
	right     *tls.Config
	bad       map[conformance.Trial]*tls.Config
}

// another is a name that the bench does not have.
const another = "another.invalid"

// NewCertificates makes them, for the names and addresses under which devices reach the
// bench.
func NewCertificates(names []string, now time.Time) (*Certificates, error) {
	ours, err := newAuthority("Vigie bench", now)
	if err != nil {
		return nil, err
	}
	theirs, err := newAuthority("An unknown authority", now)
	if err != nil {
		return nil, err
	}
	const day = 24 * time.Hour
	c := &Certificates{bad: map[conformance.Trial]*tls.Config{}, authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours.certificate.Raw})}
	if c.right, err = ours.server(names, now.Add(-day), now.Add(30*day)); err != nil {
		return nil, err
	}
	if c.bad[conformance.WrongName], err = ours.server([]string{another}, now.Add(-day), now.Add(30*day)); err != nil {
		return nil, err
	}
	if c.bad[conformance.Expired], err = ours.server(names, now.Add(-30*day), now.Add(-day)); err != nil {
		return nil, err
	}
	c.bad[conformance.UnknownAuthority], err = theirs.server(names, now.Add(-day), now.Add(30*day))
	return c, err
}

// Authority is the certificate that devices have to trust, in PEM.
func (c *Certificates) Authority() []byte { return c.authority }

func (c *Certificates) config(t conformance.Trial) *tls.Config {
	if bad := c.bad[t]; bad != nil {
		return bad
	}
	return c.right
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(name string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-90 * 24 * time.Hour), NotAfter: now.Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(raw)
	return &authority{certificate, key}, err
}

// server makes a certificate of a server under these names.
func (a *authority) server(names []string, from, to time.Time) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: names[0]}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, nil
}
