package mail_test

import (
	"errors"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/protocols"
)

var message = alerts.Outgoing{
	ID: "k3message", Channel: alerts.Mail, To: "equipe@example.org", Alert: "k3alert", Event: alerts.EventRaised,
	Team: "Cardiologie", Level: protocols.Red, Created: time.Date(2026, 11, 23, 8, 0, 1, 0, time.UTC), AnswerBy: time.Date(2026, 11, 23, 10, 40, 0, 0, time.UTC),
}

func channel(t *testing.T, s *server, change ...func(*mail.Config)) *mail.Channel {
	t.Helper()
	c := mail.Config{
		Host: "127.0.0.1", Port: s.port(), Security: mail.StartTLS, From: "Vigie <vigie@example.org>",
		Link: "https://vigie.example.org/", Hello: "vigie.example.org", Trust: s.trust(), Timeout: 10 * time.Second,
	}
	for _, f := range change {
		f(&c)
	}
	channel, err := mail.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

func TestMailCarriesAReferenceAndALinkOnly(t *testing.T) {
	s := serve(t)
	if err := channel(t, s).Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	got := s.only()
	if got.to != "<equipe@example.org>" || got.from != "<vigie@example.org>" || !got.encrypted {
		t.Errorf("from %s to %s, encrypted %v", got.from, got.to, got.encrypted)
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(got.content))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<k3message@example.org>", "Auto-Submitted": "auto-generated", "To": "<equipe@example.org>",
		"Date": "Mon, 23 Nov 2026 08:00:01 +0000",
	} {
		if value := parsed.Header.Get(name); value != want {
			t.Errorf("%s: %s, want %s", name, value, want)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	text := subject + string(body)
	for _, want := range []string{"Vigie – Cardiologie – à traiter en priorité : Nouvelle alerte, réponse attendue avant 10:40 / New alert, answer expected by 10:40 (k3alert)", "Answer expected by 23 Nov at 10:40 UTC.", "https://vigie.example.org/alerts/k3alert", "15 ou le 112"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"red", "rouge", "priorit"} { // the level stands in the subject alone
		if strings.Contains(strings.ToLower(string(body)), secret) {
			t.Errorf("the mail says %q:\n%s", secret, text)
		}
	}
}

func TestAuthenticationComesAfterEncryption(t *testing.T) {
	s := serve(t)
	c := channel(t, s, func(c *mail.Config) { c.Username, c.Password = "vigie", "pass" })
	if err := c.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if got := s.only(); !got.authenticated {
		t.Error("the mail came without authentication")
	}
	wrong := channel(t, s, func(c *mail.Config) { c.Username, c.Password = "vigie", "wrong" })
	if err := wrong.Send(t.Context(), message); err == nil || errors.Is(err, alerts.ErrUndeliverable) {
		t.Errorf("a password that is refused is worth another try once it is repaired, got %v", err)
	}
}

func TestServerWithoutEncryptionGetsNothing(t *testing.T) {
	s := serve(t, func(s *server) { s.noTLS = true })
	err := channel(t, s).Send(t.Context(), message)
	if err == nil || errors.Is(err, alerts.ErrUndeliverable) || len(s.all()) != 0 {
		t.Errorf("got %v and %d mails, want a refusal to send in the clear", err, len(s.all()))
	}
	if err := channel(t, s, func(c *mail.Config) { c.Security = mail.Clear }).Send(t.Context(), message); err != nil {
		t.Errorf("a relay that is trusted in the clear: %v", err)
	}
}

func TestServerWithAnUnknownCertificateGetsNothing(t *testing.T) {
	s := serve(t)
	c := channel(t, s, func(c *mail.Config) { c.Trust = nil })
	if err := c.Send(t.Context(), message); err == nil || len(s.all()) != 0 {
		t.Errorf("got %v and %d mails, want a refusal of the certificate", err, len(s.all()))
	}
}

func TestTLSFromTheFirstByte(t *testing.T) {
	s := serve(t, func(s *server) { s.implicit = true })
	c := channel(t, s, func(c *mail.Config) { c.Security = mail.TLS })
	if err := c.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if got := s.only(); !got.encrypted {
		t.Error("the mail came in the clear")
	}
}

func TestWhatTheServerAnswers(t *testing.T) {
	for _, c := range []struct {
		name      string
		change    func(*server)
		delivered bool
		forGood   bool
	}{
		{"no such user", func(s *server) { s.rcpt = "550 5.1.1 <equipe@example.org>: there is no equipe here" }, false, true},
		{"mailbox full", func(s *server) { s.rcpt = "452 4.2.2 mailbox full" }, false, false},
		{"content refused", func(s *server) { s.data = "554 5.6.0 refused" }, false, true},
		{"content deferred", func(s *server) { s.data = "451 4.3.0 try again later" }, false, false},
		{"nothing relayed for us", func(s *server) { s.rcpt = "554 5.7.1 relay access denied" }, false, false},
		{"nothing relayed without a password", func(s *server) { s.rcpt = "530 authentication required" }, false, false},
		{"taken for spam", func(s *server) { s.data = "550 5.7.1 rejected by policy" }, false, false},
		{"sender refused", func(s *server) { s.mail = "550 5.7.1 not allowed" }, false, false},
		{"accepted, then the line goes dead", func(s *server) { s.hangUp = true }, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.change)
			err := channel(t, s).Send(t.Context(), message)
			if (err == nil) != c.delivered || errors.Is(err, alerts.ErrUndeliverable) != c.forGood {
				t.Errorf("got %v; want delivered %v, refused for good %v", err, c.delivered, c.forGood)
			}
			if c.delivered {
				s.only()
			}
			if err != nil && strings.Contains(err.Error(), "equipe") {
				t.Errorf("whoever reads the log learns the address: %v", err)
			}
		})
	}
}

// TestServerThatHangs lets the server fall silent at every step.
func TestServerThatHangs(t *testing.T) {
	for _, verb := range []string{"CONNECT", "EHLO", "STARTTLS", "NOOP", "MAIL", "RCPT", "DATA", "CONTENT", "RSET", "QUIT"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(s *server) { s.hangsAt = verb })
			err := channel(t, s, func(c *mail.Config) { c.Timeout = 200 * time.Millisecond }).Send(t.Context(), message)
			accepted := verb == "RSET" || verb == "QUIT"
			if (err == nil) != accepted || errors.Is(err, alerts.ErrUndeliverable) {
				t.Errorf("got %v; accepted before it hung: %v", err, accepted)
			}
			if err != nil && strings.Contains(err.Error(), "equipe") {
				t.Errorf("whoever reads the log learns the address: %v", err)
			}
			if got := len(s.all()); accepted && got != 1 {
				t.Errorf("the server has %d mails, want 1", got)
			}
		})
	}
}

func TestNothingIsSlippedIntoAMail(t *testing.T) {
	s := serve(t)
	for _, to := range []string{"equipe@example.org\r\nBcc: other@example.org", "equipe@example.org, other@example.org", "equipe@example.org>\r\nRCPT TO:<other@example.org", "\"a\r\nDATA\"@example.org"} {
		bad := message
		bad.To = to
		if err := channel(t, s).Send(t.Context(), bad); !errors.Is(err, alerts.ErrUndeliverable) || len(s.all()) != 0 {
			t.Errorf("%q: got %v and %d mails, want it refused for good", to, err, len(s.all()))
		}
	}
}

func TestServerAway(t *testing.T) {
	s := serve(t)
	c := channel(t, s)
	s.close()
	if err := c.Send(t.Context(), message); err == nil || errors.Is(err, alerts.ErrUndeliverable) {
		t.Errorf("got %v, want a failure worth trying again", err)
	}
}

func TestAddressThatCannotBeRead(t *testing.T) {
	s := serve(t)
	bad := message
	bad.To = "equipe at example"
	if err := channel(t, s).Send(t.Context(), bad); !errors.Is(err, alerts.ErrUndeliverable) {
		t.Errorf("got %v, want it refused for good", err)
	}
	if err := channel(t, s).Send(t.Context(), bad); strings.Contains(err.Error(), "equipe") {
		t.Errorf("whoever reads the log learns the address: %v", err)
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	good := mail.Config{Host: "mail.example.org", From: "vigie@example.org", Link: "https://vigie.example.org"}
	if _, err := mail.New(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*mail.Config){
		"not a mail address":    func(c *mail.Config) { c.From = "vigie" },
		"starttls, tls or none": func(c *mail.Config) { c.Security = "ssl3" },
		"in the clear":          func(c *mail.Config) { c.Security, c.Username = mail.Clear, "vigie" },
		"mail server":           func(c *mail.Config) { c.Host = "" },
	} {
		c := good
		change(&c)
		if _, err := mail.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
