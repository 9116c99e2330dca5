// Package webhook tells another system about alerts by HTTP POST. The body is
// JSON and carries a reference and a link, no value and no name:
//
//	{"event":"raised","alert":"k3…","level":"orange","at":"2026-11-21T06:02:12Z","link":"https://…/alerts/k3…"}
//
// The receiver recognises the sender by the header Vigie-Signature, "v1=" and the
// hexadecimal HMAC-SHA256, under the shared secret, of the header Vigie-Timestamp
// (seconds since 1970), a point and the body. It should refuse a timestamp older
// than a few minutes. Idempotency-Key is the same when a message comes again.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// Config is how to sign and what to link to. Secret, Link and Now are required.
type Config struct {
	Secret    string
	Link      string           // address of the workspace: "https://vigie.example.org"
	Now       func() time.Time // for the timestamp, which receivers compare with their clock
	Timeout   time.Duration    // 10 s when zero
	Transport http.RoundTripper
}

// Channel is an alerts.Channel.
type Channel struct {
	secret []byte
	link   string
	now    func() time.Time
	client *http.Client
}

var _ alerts.Channel = (*Channel)(nil)

// New checks the configuration.
func New(c Config) (*Channel, error) {
	if c.Secret == "" {
		return nil, errors.New("webhooks need a secret to sign with, so that receivers can tell who calls: configure one")
	}
	if c.Now == nil {
		return nil, errors.New("webhooks need a clock for their timestamps")
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &Channel{
		secret: []byte(c.Secret), link: strings.TrimSuffix(c.Link, "/"), now: c.Now,
		client: &http.Client{Timeout: timeout, Transport: c.Transport, CheckRedirect: stay},
	}, nil
}

// stay follows a redirect only within the host that was configured, and only as
// long as it is still the same POST.
func stay(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case r.URL.Host != first.URL.Host || r.URL.Scheme != first.URL.Scheme:
		return fmt.Errorf("it redirects to another host, %s, which nobody has configured", r.URL.Host)
	case r.Method != first.Method:
		return errors.New("it redirects in a way that loses the message: let it answer 307 or 308")
	case len(via) > 3:
		return errors.New("it redirects too often")
	}
	return nil
}

// message is the body.
type message struct {
	Event alerts.EventKind `json:"event"`
	Alert string           `json:"alert"`
	Level protocols.Level  `json:"level"`
	At    time.Time        `json:"at"`
	Link  string           `json:"link"`
}

// Send is part of alerts.Channel. An answer from 200 to 299 confirms; 410 says
// that nobody lives there any more; anything else is tried again, not before what
// Retry-After says.
func (c *Channel) Send(ctx context.Context, m alerts.Outgoing) error {
	body, err := json.Marshal(message{m.Event, m.Alert, m.Level, m.Created.UTC(), c.link + "/alerts/" + m.Alert})
	if err != nil {
		return fmt.Errorf("write webhook: %w", err)
	}
	target, err := url.Parse(m.To)
	if err != nil || (target.Scheme != "https" && target.Scheme != "http") || target.Host == "" {
		return fmt.Errorf("%w: the address of the webhook is not an http address", alerts.ErrUndeliverable)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("write webhook: %w", err)
	}
	timestamp := strconv.FormatInt(c.now().Unix(), 10)
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Vigie")
	h.Set("Idempotency-Key", m.ID)
	h.Set("Vigie-Timestamp", timestamp)
	h.Set("Vigie-Signature", "v1="+Sign(c.secret, timestamp, body))
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("call webhook: %w", alerts.WithoutAddress(err))
	}
	defer response.Body.Close()
	return verdict(response, c.now())
}

// verdict is what the status says. The rest of the answer is not waited for: one
// that breaks off or hangs would turn a confirmation into a second message.
func verdict(response *http.Response, now time.Time) error {
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return nil
	case response.StatusCode == http.StatusGone:
		return fmt.Errorf("%w: the webhook answers %s", alerts.ErrUndeliverable, response.Status)
	}
	failure := fmt.Errorf("the webhook answers %s", response.Status)
	if wait := alerts.RetryAfter(response.Header.Get("Retry-After"), now); wait > 0 {
		return &alerts.NotBefore{Wait: wait, Err: failure}
	}
	return failure
}

// Sign returns the hexadecimal signature of a body, for receivers as well.
func Sign(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
