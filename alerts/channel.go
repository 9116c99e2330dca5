package alerts

import (
	"net/url"
	"strings"
)

// The channels by which messages leave. Each has a row in Kinds.
const (
	Mail    = "mail"
	Webhook = "webhook"
)

// Kind is what alerts need to know of a channel: which addresses are its own, and how
// one is shown. The channel itself stands in a folder of its own beside channels/mail.
type Kind struct {
	Name string // in the outbox, the configuration and the metrics
	// Takes reports whether an address is one of this channel. The addresses of a team
	// and of its rota say so by their form: "equipe@chu.example", "https://…".
	Takes func(address string) bool
	// Shown is an address for people, without what may be a secret.
	Shown func(address string) string
	// Example is an address of the channel, for whoever has to write one.
	Example string
}

// Kinds lists the channels there are. An address is one of the first that takes it.
var Kinds = []Kind{
	{Webhook, isWeb, hostOf, "https://records.example/alerts"},
	{Mail, func(address string) bool { return strings.Contains(address, "@") }, whole, "equipe@chu.example"},
}

func whole(address string) string { return address }

func isWeb(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// hostOf is the host of a URL alone, because the rest may hold a secret.
func hostOf(address string) string {
	if target, err := url.Parse(address); err == nil && target.Host != "" {
		return target.Host
	}
	return "?"
}

// ChannelOf names the channel of an address. An address that no channel takes is one of
// Mail's, which refuses it and says so.
func ChannelOf(address string) string {
	for _, k := range Kinds {
		if k.Takes(address) {
			return k.Name
		}
	}
	return Mail
}

// Recipient names who was to get a message, for people.
func (m Outgoing) Recipient() string {
	for _, k := range Kinds {
		if k.Name == m.Channel {
			return k.Shown(m.To)
		}
	}
	return "?"
}
