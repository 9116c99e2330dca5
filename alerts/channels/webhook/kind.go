package webhook

import (
	"net/url"

	"vigie/alerts"
)

// Kind describes the channel. An address is a URL of another system, of which people are
// shown the host alone: the rest may hold a secret.
var Kind = alerts.Kind{
	Name:    alerts.Webhook,
	System:  true,
	Takes:   func(address string) bool { return host(address) != "?" },
	Shown:   host,
	Example: "https://records.example/alerts",
}

// host is that of a URL of the web, "?" for what is none.
func host(address string) string {
	target, err := url.Parse(address)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return "?"
	}
	return target.Host
}
