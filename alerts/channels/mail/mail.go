// Package mail sends messages about alerts by SMTP. A mail carries the level, the name
// of the team, a reference and a link: no value and nothing of the patient, because
// ordinary mail is no place for health data.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"vigie/alerts"
)

// Security says how the connection to the server is protected.
type Security string

// The ways of protection.
const (
	StartTLS Security = "starttls" // begins in the clear and must change to TLS, usually port 587
	TLS      Security = "tls"      // TLS from the first byte, usually port 465
	Clear    Security = "none"     // for a relay on the same machine only
)

// Config is how to reach the server. Host, From and Link are required.
type Config struct {
	Host     string
	Port     int // 587, 465 or 25 by Security when zero
	Security Security
	Username string // no authentication when empty
	Password string
	From     string        // "Vigie <vigie@example.org>"
	Link     string        // address of the workspace: "https://vigie.example.org"
	Hello    string        // the name given to the server; that of the machine when empty
	Timeout  time.Duration // of one connection; 20 s when zero
	Trust    *tls.Config   // the system's authorities when nil
}

// Channel is an alerts.Channel.
type Channel struct {
	client *gomail.Client
	from   string
	domain string
	link   string
}

var _ alerts.Channel = (*Channel)(nil)

// New checks the configuration; it does not connect.
func New(c Config) (*Channel, error) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("the sender %q is not a mail address: write it as “Vigie <vigie@example.org>”", c.From)
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	client, err := gomail.NewClient(c.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail server %q: %w", c.Host, err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	return &Channel{client: client, from: from.String(), domain: domain, link: strings.TrimSuffix(c.Link, "/")}, nil
}

func (c Config) options() ([]gomail.Option, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 20 * time.Second
	}
	options := []gomail.Option{gomail.WithTimeout(timeout)}
	switch c.Security {
	case StartTLS, "":
		options = append(options, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	case TLS:
		options = append(options, gomail.WithSSLPort(false))
	case Clear:
		options = append(options, gomail.WithTLSPortPolicy(gomail.NoTLS))
		if c.Username != "" {
			return nil, errors.New("a password is never sent in the clear: use starttls or tls, or no user name")
		}
	default:
		return nil, fmt.Errorf("mail security %q: use starttls, tls or none", c.Security)
	}
	if c.Port != 0 {
		options = append(options, gomail.WithPort(c.Port))
	}
	if c.Trust != nil {
		options = append(options, gomail.WithTLSConfig(c.Trust))
	}
	if c.Hello != "" {
		options = append(options, gomail.WithHELO(c.Hello))
	}
	if c.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.Username), gomail.WithPassword(c.Password))
	}
	return options, nil
}

// Send is part of alerts.Channel. The server has confirmed the mail once it has
// accepted its content, whatever becomes of the connection afterwards.
func (c *Channel) Send(ctx context.Context, m alerts.Outgoing) error {
	message, err := c.write(m)
	if err != nil {
		return err
	}
	err = c.client.DialAndSendWithContext(ctx, message)
	if err == nil || message.IsDelivered() {
		return nil
	}
	if refusedForGood(err) {
		return fmt.Errorf("%w: %s", alerts.ErrUndeliverable, inCodes(err))
	}
	return fmt.Errorf("send mail: %s", inCodes(err))
}

// inCodes says what failed without saying for whom: logs carry no name and no address.
// Of an answer of the server that is the step and its codes, as its own words, and
// those of the library, name the recipient as they like.
func inCodes(err error) string {
	var failure *gomail.SendError
	if errors.As(err, &failure) && failure.ErrorCode() != 0 {
		return strings.TrimSpace(fmt.Sprintf("%s: the server answers %d %s", failure.Reason, failure.ErrorCode(), failure.EnhancedStatusCode()))
	}
	return address.ReplaceAllString(err.Error(), "(address)")
}

var address = regexp.MustCompile(`[^\s<>",;:()]+@[^\s<>",;:()]+`)

// refusedForGood reports whether the server has refused this recipient or this
// mail with a permanent code. A sender or password that it refuses is for the
// operator to repair, and the mail waits for that; so it does where the server
// relays nothing for us, or not without a password, which it says when it is told
// the recipient: 530 (RFC 4954) or an enhanced code 5.7 (RFC 3463, policy).
func refusedForGood(err error) bool {
	var failure *gomail.SendError
	if !errors.As(err, &failure) || failure.ErrorCode() < 500 {
		return false
	}
	if failure.ErrorCode() == 530 || strings.HasPrefix(failure.EnhancedStatusCode(), "5.7.") {
		return false
	}
	switch failure.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return true
	}
	return false
}

func (c *Channel) write(m alerts.Outgoing) (*gomail.Msg, error) {
	message := gomail.NewMsg()
	if err := message.From(c.from); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := message.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: the address of the recipient cannot be read", alerts.ErrUndeliverable)
	}
	link := c.link + "/alerts/" + m.Alert
	if m.Alert == "" {
		link = c.link + "/"
	}
	subject, body := words(m, link)
	message.Subject(subject)
	message.SetDateWithValue(m.Created)
	message.SetMessageIDWithValue(m.ID + "@" + c.domain)
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, body)
	return message, nil
}
