package outside_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"vigie/deploy/servers"
)

func TestConnectionCutInTheMiddleOfAPacketLosesNothing(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	const n, cuts = 300, 2
	proxy := cutting(t, broker.Address, cuts, 5001)
	in := make(inbox, n)
	door := open(t, options(proxy), in.submit)
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprintf("reading number %d", i))
	}
	device.acknowledged(n)
	in.payloads(t, n)
	if got := door.Figures().Reconnects; got != cuts {
		t.Errorf("%d reconnections, want %d", got, cuts)
	}
}

// cutting starts a proxy that cuts the first connections after so many bytes
// from the broker, and leaves the others alone.
func cutting(t *testing.T, broker string, cuts int64, bytes int64) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var connections atomic.Int64
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", broker)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer server.Close()
				_, _ = io.Copy(server, client)
			}()
			go func() {
				defer client.Close()
				if connections.Add(1) > cuts {
					_, _ = io.Copy(client, server)
					return
				}
				_, _ = io.CopyN(client, server, bytes)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestTLSNeedsATrustedBroker(t *testing.T) {
	dir := t.TempDir()
	roots := certificate(t, dir)
	broker := servers.Mosquitto(t, servers.MosquittoConf{
		Extra: fmt.Sprintf("certfile %s\nkeyfile %s\n", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")),
	})
	in := make(inbox, 10)
	o := options(broker.Address)
	o.URL = "mqtts://" + broker.Address
	if open(t, o, in.submit).Connected() {
		t.Error("a broker that nobody trusts was trusted")
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	door := open(t, o, in.submit)
	if !door.Connected() {
		t.Error("not connected")
	}
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns who trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return roots
}
