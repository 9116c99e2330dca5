package webhook_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/webhook"
	"vigie/protocols"
)

const secret = "shared secret"

const signatureVector = "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"

var now = time.Date(2026, 11, 23, 8, 0, 30, 0, time.UTC)

// received is what the other system got.
type received struct {
	header http.Header
	body   string
}

// receiver is another system that answers as told.
func receiver(t *testing.T, answer http.HandlerFunc) (address string, calls chan received) {
	t.Helper()
	calls = make(chan received, 10)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- received{r.Header, string(body)}
		answer(rw, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

func status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }
}

func channel(t *testing.T, change ...func(*webhook.Config)) *webhook.Channel {
	t.Helper()
	c := webhook.Config{Secret: secret, Link: "https://vigie.example.org", Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	channel, err := webhook.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

func to(address string) alerts.Outgoing {
	return alerts.Outgoing{
		ID: "k3message", Channel: alerts.Webhook, To: address, Alert: "k3alert", Event: alerts.EventRisen, Level: protocols.Orange,
		Created: time.Date(2026, 11, 23, 8, 0, 1, 0, time.UTC),
	}
}

func TestReceiverCanTellWhoCallsAndWhatAbout(t *testing.T) {
	address, calls := receiver(t, status(http.StatusNoContent))
	if err := channel(t).Send(t.Context(), to(address)); err != nil {
		t.Fatal(err)
	}
	got := <-calls
	want := `{"event":"risen","alert":"k3alert","level":"orange","at":"2026-11-23T08:00:01Z","link":"https://vigie.example.org/alerts/k3alert"}`
	if got.body != want {
		t.Errorf("body %s, want %s", got.body, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "k3message", "Vigie-Timestamp": "1795420830",
		"Vigie-Signature": "v1=" + webhook.Sign([]byte(secret), "1795420830", []byte(got.body)),
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %s, want %s", name, value, want)
		}
	}
}

// The vector can be had with: printf '1700000000.{}' | openssl dgst -sha256 -hmac key
func TestSignatureIsPlainHMAC(t *testing.T) {
	if got := webhook.Sign([]byte("key"), "1700000000", []byte("{}")); got != signatureVector {
		t.Errorf("signature %s, want %s", got, signatureVector)
	}
}

func TestWhatTheReceiverAnswers(t *testing.T) {
	for code, want := range map[int]string{200: "", 202: "", 299: "", 410: "for good", 400: "again", 401: "again", 404: "again", 429: "again", 500: "again", 503: "again", 304: "again"} {
		address, _ := receiver(t, status(code))
		err := channel(t).Send(t.Context(), to(address))
		got := ""
		switch {
		case errors.Is(err, alerts.ErrUndeliverable):
			got = "for good"
		case err != nil:
			got = "again"
		}
		if got != want {
			t.Errorf("%d: %v, want %q", code, err, want)
		}
	}
}

// now is 08:00:30.
func TestReceiverSaysWhenItIsToBeTriedAgain(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "-5": 0, "Mon, 23 Nov 2026 08:05:30 GMT": 5 * time.Minute, "Mon, 23 Nov 2026 08:00:00 GMT": 0,
		"99999999999999": 24 * time.Hour, "99999999999999999999999": 24 * time.Hour, "in a while": 0, "": 0,
	} {
		address, _ := receiver(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", header)
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		err := channel(t).Send(t.Context(), to(address))
		var wait time.Duration
		var later *alerts.NotBefore
		if errors.As(err, &later) {
			wait = later.Wait
		}
		if err == nil || !strings.Contains(err.Error(), "429") || wait != want {
			t.Errorf("Retry-After: %s: %v, wait %v, want %v", header, err, wait, want)
		}
	}
}

func TestRedirectsStayOnTheHostThatWasConfigured(t *testing.T) {
	elsewhere, stolen := receiver(t, status(http.StatusOK))
	address, _ := receiver(t, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, elsewhere, http.StatusTemporaryRedirect)
	})
	if err := channel(t).Send(t.Context(), to(address)); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("got %v, want a refusal", err)
	}
	if len(stolen) != 0 {
		t.Error("the message went to another host")
	}

	address, _ = receiver(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			return
		}
		http.Redirect(rw, r, "/new", http.StatusPermanentRedirect)
	})
	if err := channel(t).Send(t.Context(), to(address)); err != nil {
		t.Errorf("within the host: %v", err)
	}

	address, _ = receiver(t, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/login", http.StatusFound) })
	if err := channel(t).Send(t.Context(), to(address)); err == nil || !strings.Contains(err.Error(), "loses the message") {
		t.Errorf("a redirect that turns the POST into a GET confirms nothing, got %v", err)
	}
}

func TestReceiverThatHangs(t *testing.T) {
	release := make(chan struct{})
	address, _ := receiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	err := channel(t, func(c *webhook.Config) { c.Timeout = 20 * time.Millisecond }).Send(t.Context(), to(address))
	if err == nil || errors.Is(err, alerts.ErrUndeliverable) {
		t.Errorf("got %v, want a failure worth trying again", err)
	}
}

func TestConfirmationCountsWhateverBecomesOfTheRestOfTheAnswer(t *testing.T) {
	release := make(chan struct{})
	for name, after := range map[string]func(){
		"the line goes dead": func() { panic(http.ErrAbortHandler) },
		"it hangs":           func() { <-release },
	} {
		address, calls := receiver(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "1000")
			rw.WriteHeader(http.StatusOK)
			if err := http.NewResponseController(rw).Flush(); err != nil {
				t.Error(err)
			}
			after()
		})
		c := channel(t, func(c *webhook.Config) { c.Timeout = time.Second })
		if err := c.Send(t.Context(), to(address)); err != nil {
			t.Errorf("%s: the message would come a second time: %v", name, err)
		}
		if len(calls) != 1 {
			t.Errorf("%s: %d calls, want 1", name, len(calls))
		}
	}
	close(release)
}

func TestErrorsHideTheAddress(t *testing.T) {
	server := httptest.NewServer(status(200))
	address := server.URL + "/hook?token=hidden"
	server.Close()
	err := channel(t).Send(t.Context(), to(address))
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"ftp://example.org", "example.org/hook", "http://", ":"} {
		if err := channel(t).Send(t.Context(), to(bad)); !errors.Is(err, alerts.ErrUndeliverable) {
			t.Errorf("%q: got %v, want it refused for good", bad, err)
		}
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	if _, err := webhook.New(webhook.Config{Now: time.Now}); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("no secret: %v", err)
	}
	if _, err := webhook.New(webhook.Config{Secret: secret}); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("no clock: %v", err)
	}
}
