package webauthn

import (
	"net/netip"
	"net/url"
	"strings"
)

// Party is the site that a passkey is for.
type Party struct {
	ID     string // the host, "vigie.example.org": passkeys hold for it alone
	Origin string // "https://vigie.example.org"
}

// PartyOf is the site at an address. Browsers have passkeys for a name over TLS, or on the
// machine itself as localhost: ok is false for any other address.
func PartyOf(address string) (p Party, ok bool) {
	at, err := url.Parse(address)
	if err != nil {
		return Party{}, false
	}
	host, port := strings.ToLower(at.Hostname()), at.Port()
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if _, err := netip.ParseAddr(host); err == nil || host == "" || at.Scheme != "https" && (at.Scheme != "http" || !local) {
		return Party{}, false
	}
	origin := at.Scheme + "://" + host
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[at.Scheme] {
		origin += ":" + port
	}
	return Party{ID: host, Origin: origin}, true
}
