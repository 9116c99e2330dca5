// Package push tells people by Web Push, on the screen of a telephone (RFC 8030). The
// message is encrypted for the browser (RFC 8291) and signed with the key of this service
// (RFC 8292). It holds a reference, a level, why it comes and until when an answer is due, no value and no name:
//
//	{"id":"k3message","tag":"k3alert","title":"Vigie : à traiter en priorité","body":"Nouvelle alerte, réponse attendue avant 10:40 (k3alert)","link":"/alerts/k3alert"}
//
// The page that the link opens asks for a login.
package push

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// Config is how to sign and where messages may go. Key, Contact and Now are required.
type Config struct {
	Key      *Key
	Contact  string           // whom a push service may write to: "mailto:dsi@chu.example", or an https address
	Language string           // of the messages: "fr" or "en"
	Now      func() time.Time // which push services compare with their clock
	Networks []netip.Prefix   // private ones that hold a push service; none are called else
	Trust    *tls.Config      // the system's authorities when nil
	Timeout  time.Duration    // 10 s when zero
}

// Channel is an alerts.Channel.
type Channel struct {
	key      *Key
	contact  string
	language string
	now      func() time.Time
	client   *http.Client
}

var _ alerts.Channel = (*Channel)(nil)

// New checks the configuration.
func New(c Config) (*Channel, error) {
	if c.Key == nil || c.Now == nil {
		return nil, errors.New("push messages need a key and a clock")
	}
	contact, err := url.Parse(c.Contact)
	if err != nil || contact.Scheme != "mailto" && contact.Scheme != "https" {
		return nil, fmt.Errorf("%q tells push services nobody to write to: give mailto:dsi@chu.example, or an https address", c.Contact)
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: timeout, Control: only(c.Networks)}
	return &Channel{
		key: c.Key, contact: c.Contact, language: c.Language, now: c.Now,
		client: &http.Client{
			Timeout:       timeout,
			Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: c.Trust, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Key is the public key that browsers subscribe with.
func (c *Channel) Key() string { return c.key.Public() }

// errPrivate is what a call to this network comes to. Whoever subscribes names the
// endpoint: it must not lead to what only this machine reaches.
var errPrivate = errors.New("the push service has a private address")

// only refuses to connect to addresses that are not public, but for those networks. It
// sees the address that a name has been found to have.
func only(networks []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		to := at.Addr().Unmap()
		for _, network := range networks {
			if network.Contains(to) {
				return nil
			}
		}
		if !public(to) {
			return errPrivate
		}
		return nil
	}
}

// special are networks that netip takes for public and that lead inside or nowhere (IANA's
// registries of special-purpose addresses).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
}

func public(to netip.Addr) bool {
	for _, network := range special {
		if network.Contains(to) {
			return false
		}
	}
	return to.IsGlobalUnicast() && !to.IsPrivate()
}

// lives says how long a push service keeps a message for a telephone that is off (TTL).
// The urgency says how much of its battery the message is worth (RFC 8030, sections 5.2
// and 5.3). The times are ours. What nobody answers rings again by itself.
func lives(level protocols.Level) (ttl time.Duration, urgency string) {
	switch level {
	case protocols.Red:
		return 12 * time.Hour, "high"
	case protocols.Orange:
		return 24 * time.Hour, "normal"
	}
	return 24 * time.Hour, "low"
}

// Send is part of alerts.Channel. An answer from 200 to 299 confirms. 404 and 410 say that
// the browser has ended its subscription. Anything else is tried again, not before what
// Retry-After says.
func (c *Channel) Send(ctx context.Context, m alerts.Outgoing) error {
	to, ok := read(m.To)
	if !ok {
		return fmt.Errorf("%w: the address is no subscription of a browser", alerts.ErrUndeliverable)
	}
	request, err := c.request(ctx, to, m)
	if err != nil {
		return fmt.Errorf("write push message: %w", err)
	}
	response, err := c.client.Do(request)
	if errors.Is(err, errPrivate) {
		return fmt.Errorf("%w: %w; name its network in push.networks if it is yours", alerts.ErrUndeliverable, errPrivate)
	}
	if err != nil {
		return fmt.Errorf("call push service: %w", alerts.WithoutAddress(err))
	}
	defer response.Body.Close()
	return verdict(response, c.now())
}

func (c *Channel) request(ctx context.Context, to subscription, m alerts.Outgoing) (*http.Request, error) {
	text, err := json.Marshal(c.write(m))
	if err != nil {
		return nil, err
	}
	sealed, err := to.seal(text)
	if err != nil {
		return nil, err
	}
	proof, err := c.key.authorization("https://"+to.endpoint.Host, c.contact, c.now())
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.endpoint.String(), bytes.NewReader(sealed))
	if err != nil {
		return nil, alerts.WithoutAddress(err)
	}
	ttl, urgency := lives(m.Level)
	h := request.Header
	h.Set("Authorization", proof)
	h.Set("Content-Encoding", "aes128gcm")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("TTL", strconv.Itoa(int(ttl.Seconds())))
	h.Set("Urgency", urgency)
	h.Set("Topic", c.key.topic(m.Alert))
	h.Set("User-Agent", "Vigie")
	return request, nil
}

// message is what the script of the browser shows.
type message struct {
	ID    string `json:"id"`
	Tag   string `json:"tag"` // a message with the same takes the place of one that is shown
	Title string `json:"title"`
	Body  string `json:"body"`
	Link  string `json:"link"`
}

func (c *Channel) write(m alerts.Outgoing) message {
	why := m.Said().In(c.language)
	if m.Alert == "" {
		return message{ID: m.ID, Tag: "list", Title: "Vigie", Body: why, Link: "/"}
	}
	colon := protocols.Text{FR: " : ", EN: ": "}.In(c.language)
	return message{ID: m.ID, Tag: m.Alert, Title: "Vigie" + colon + alerts.LevelText(m.Level).In(c.language), Body: why + " (" + m.Alert + ")", Link: "/alerts/" + url.PathEscape(m.Alert)}
}

func verdict(response *http.Response, now time.Time) error {
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: the push service answers %s", alerts.ErrGone, response.Status)
	}
	failure := fmt.Errorf("the push service answers %s", response.Status)
	if wait := alerts.RetryAfter(response.Header.Get("Retry-After"), now); wait > 0 {
		return &alerts.NotBefore{Wait: wait, Err: failure}
	}
	return failure
}
