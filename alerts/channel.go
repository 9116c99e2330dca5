package alerts

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mail and Webhook name the channels that ship. An address without the name of a channel
// is one of Mail.
const (
	Mail    = "mail"
	Webhook = "webhook"
	Push    = "push"
)

// Kind is a channel by which messages leave, as the channel's own package describes it.
type Kind struct {
	// Name stands before an address of the channel, in the outbox, the configuration and
	// the metrics. It holds small letters, digits and dashes.
	Name string
	// System is true for a channel that calls another system: it hears of everything at
	// once. The others call people.
	System bool
	// Vanishes is true for a channel whose addresses end by themselves, as when somebody
	// clears a browser. A list of contacts needs one of another channel beside.
	Vanishes bool
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

// RetryAfter reads the header of that name, which holds seconds or a date (RFC 9110,
// section 10.2.3). It returns zero where the header says nothing.
func RetryAfter(header string, now time.Time) time.Duration {
	const most = 24 * 60 * 60 // seconds; nobody is waited for that long
	// A number that is too large to be held counts as the largest that is.
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(max(0, min(seconds, most))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return date.Sub(now)
	}
	return 0
}

// WithoutAddress drops the address from the error of a call: it may hold a secret.
func WithoutAddress(err error) error {
	var failure *url.Error
	if errors.As(err, &failure) {
		return failure.Err
	}
	return err
}
