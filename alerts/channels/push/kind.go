package push

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"vigie/alerts"
)

// Kind describes the channel. An address is what a browser subscribed with,
// "endpoint#p256dh.auth": the address at the push service, the key and the secret of the
// browser, both in base64url without padding. Whoever clears the browser ends it.
var Kind = alerts.Kind{
	Name:     alerts.Push,
	Vanishes: true,
	Takes:    func(address string) bool { _, ok := read(address); return ok },
	Shown:    shown,
	Example:  "https://push.example/send/7f3#BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4.BTBZMqHH6r4Tts7J_aSIgg",
}

// longest bounds an endpoint. Those of the large services have some 200 characters.
const longest = 1024

// subscription is an address, taken apart.
type subscription struct {
	endpoint *url.URL
	key      *ecdh.PublicKey
	secret   []byte // 16 bytes
}

func read(address string) (s subscription, ok bool) {
	endpoint, rest, _ := strings.Cut(address, "#")
	key, secret, _ := strings.Cut(rest, ".")
	target, err := url.Parse(endpoint)
	if err != nil || len(endpoint) > longest || target.Scheme != "https" || target.Hostname() == "" || target.User != nil {
		return s, false
	}
	point, err := base64.RawURLEncoding.Strict().DecodeString(key)
	if err != nil {
		return s, false
	}
	s.endpoint = target
	if s.key, err = ecdh.P256().NewPublicKey(point); err != nil {
		return s, false
	}
	s.secret, err = base64.RawURLEncoding.Strict().DecodeString(secret)
	return s, err == nil && len(s.secret) == 16
}

// services are the push services of the browsers in use, by the end of their host.
var services = []struct{ host, browser string }{
	{"googleapis.com", "Chrome"},
	{"mozilla.com", "Firefox"},
	{"push.apple.com", "Safari"},
	{"notify.windows.com", "Edge"},
}

// shown names the browser, and tells two of a kind apart by four digits.
func shown(address string) string {
	s, ok := read(address)
	if !ok {
		return "?"
	}
	name, sum := s.endpoint.Hostname(), sha256.Sum256([]byte(address))
	for _, known := range services {
		if name == known.host || strings.HasSuffix(name, "."+known.host) {
			name = known.browser
			break
		}
	}
	return name + " " + hex.EncodeToString(sum[:2])
}
