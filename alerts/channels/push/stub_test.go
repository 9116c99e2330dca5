package push_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vigie/alerts/channels/push"
)

var now = time.Date(2026, 11, 23, 8, 0, 30, 0, time.UTC)

func decode(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// telephone is a browser that has subscribed.
type telephone struct {
	key    *ecdh.PrivateKey
	secret []byte
}

func newTelephone(t *testing.T) *telephone {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 16)
	rand.Read(secret)
	return &telephone{key, secret}
}

func (p *telephone) address(endpoint string) string {
	return endpoint + "#" + base64.RawURLEncoding.EncodeToString(p.key.PublicKey().Bytes()) + "." + base64.RawURLEncoding.EncodeToString(p.secret)
}

// open decrypts as a browser does (RFC 8291, RFC 8188).
func (p *telephone) open(body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("no header")
	}
	salt, size, point, rest := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+body[20]], body[21+body[20]:]
	if len(rest) > int(size) {
		return nil, errors.New("more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, err
	}
	shared, err := p.key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	both, err := hkdf.Key(sha256.New, shared, p.secret, "WebPush: info\x00"+string(p.key.PublicKey().Bytes())+string(point), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, both, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, both, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, rest, nil)
	if err != nil {
		return nil, err
	}
	plain = []byte(strings.TrimRight(string(plain), "\x00"))
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("the record is not the last one")
	}
	return plain[:len(plain)-1], nil
}

// service is a push service.
type service struct {
	*httptest.Server
	came chan received
}

type received struct {
	header http.Header
	path   string
	body   []byte
}

func newService(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{came: make(chan received, 10)}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.came <- received{r.Header, r.URL.Path, body}
		answer(rw, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func (s *service) channel(t *testing.T, change ...func(*push.Config)) *push.Channel {
	t.Helper()
	text, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := push.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	c := push.Config{Key: key, Contact: "mailto:dsi@chu.example", Language: "fr", Now: func() time.Time { return now }, Networks: loopback, Trust: s.trust()}
	for _, f := range change {
		f(&c)
	}
	channel, err := push.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

// signed checks who signs, as a push service does (RFC 8292), and returns the claims.
func signed(t *testing.T, header, key string) map[string]any {
	t.Helper()
	var token, named string
	if _, err := fmt.Sscanf(strings.ReplaceAll(header, ",", ""), "vapid t=%s k=%s", &token, &named); err != nil || named != key {
		t.Fatalf("%s: %v, want the key %s", header, err, key)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || string(decode(t, parts[0])) != `{"typ":"JWT","alg":"ES256"}` {
		t.Fatalf("the token is %s", token)
	}
	signer, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), decode(t, key))
	if err != nil {
		t.Fatal(err)
	}
	digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decode(t, parts[2])
	if len(signature) != 64 || !ecdsa.Verify(signer, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature does not hold")
	}
	var claims map[string]any
	if err := json.Unmarshal(decode(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
