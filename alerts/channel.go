package alerts

import (
	"regexp"
	"slices"
	"strings"
)

// Mail and Webhook name the channels that ship. An address without the name of a channel
// is one of Mail.
const (
	Mail    = "mail"
	Webhook = "webhook"
)

// Kind is a channel by which messages leave, as the channel's own package describes it.
type Kind struct {
	// Name stands before an address of the channel, in the outbox, the configuration and
	// the metrics. It holds small letters, digits and dashes.
	Name string
	// System is true for a channel that calls another system: it hears of everything at
	// once. The others call people.
	System bool
	// Takes reports whether an address is one of this channel.
	Takes func(address string) bool
	// Shown is an address for people, without what may be a secret.
	Shown func(address string) string
	// Example is an address of the channel, for whoever has to write one.
	Example string
}

var kinds []Kind

// Register adds a channel. It is called before anything else uses the channels, by
// whoever wires the service; a second call for the same name changes nothing.
func Register(k Kind) {
	if !slices.ContainsFunc(kinds, func(known Kind) bool { return known.Name == k.Name }) {
		kinds = append(kinds, k)
	}
}

// Kinds lists the channels that were registered, in that order.
func Kinds() []Kind { return slices.Clone(kinds) }

// Contact writes how somebody is reached: an address, and the channel that serves it.
func Contact(channel, address string) string {
	if channel == Mail {
		return address
	}
	return channel + ":" + address
}

var channelName = regexp.MustCompile(`^[a-z0-9-]+$`)

// ChannelOf takes a contact apart into its channel and its address.
func ChannelOf(contact string) (channel, address string) {
	if name, rest, found := strings.Cut(contact, ":"); found && channelName.MatchString(name) {
		return name, rest
	}
	return Mail, contact
}

// ShownContact is a contact for people, without what may be a secret. Of a channel that
// was never registered it shows the name alone.
func ShownContact(contact string) string {
	channel, address := ChannelOf(contact)
	for _, k := range kinds {
		if k.Name == channel {
			return k.Shown(address)
		}
	}
	return channel
}

// Recipient names who was to get a message, for people.
func (m Outgoing) Recipient() string { return ShownContact(Contact(m.Channel, m.To)) }
