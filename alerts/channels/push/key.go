package push

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Key is the key by which push services know this service (RFC 8292). A browser
// subscribes to one key and takes messages of no other.
type Key struct {
	signs *ecdsa.PrivateKey
	bytes []byte
}

// NewKey makes a key. It writes the form that ParseKey reads.
func NewKey() (text string, err error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key for push messages: %w", err)
	}
	return base64.StdEncoding.EncodeToString(key.Bytes()), nil
}

// ParseKey reads 32 bytes in base64.
func ParseKey(text string) (*Key, error) {
	unpadded := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(strings.TrimSpace(text))
	raw, err := base64.RawURLEncoding.DecodeString(unpadded)
	if err != nil || len(raw) != 32 {
		return nil, errors.New("the key of push messages must be 32 bytes in base64; make one with: openssl rand -base64 32")
	}
	signs, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, errors.New("the key of push messages is no number of the curve P-256; make another with: openssl rand -base64 32")
	}
	return &Key{signs, raw}, nil
}

// Public is the key that a browser subscribes with, in base64url.
func (k *Key) Public() string {
	point, err := k.signs.PublicKey.Bytes()
	if err != nil {
		return "" // a key of ParseKey is on its curve
	}
	return base64.RawURLEncoding.EncodeToString(point)
}

// lasts is how long a token holds. RFC 8292 allows a day at most; half of it leaves room
// for a clock that is wrong.
const lasts = 12 * time.Hour

// header is the same for every token.
var header = base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`))

// authorization proves to the push service at an origin who sends (RFC 8292, section 3).
func (k *Key) authorization(origin, contact string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": origin, "exp": now.Add(lasts).Unix(), "sub": contact})
	if err != nil {
		return "", err
	}
	signed := header + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.signs, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64) // r and s, 32 bytes each (RFC 7518, section 3.4)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return "vapid t=" + signed + "." + base64.RawURLEncoding.EncodeToString(signature) + ", k=" + k.Public(), nil
}

// topic names what a message is about, for the push service: a later one with the same
// name takes the place of one that waits (RFC 8030, section 5.4). It says nothing to who
// lacks the key.
func (k *Key) topic(about string) string {
	mac := hmac.New(sha256.New, k.bytes)
	mac.Write([]byte(about))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:32]
}
