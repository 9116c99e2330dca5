package workspace_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"vigie/alerts/workspace"
)

// enter tries a token at the login, by a proxy that says where it has it from.
func (w *ward) enter(token, from string) answer {
	w.Helper()
	return w.post("/login", "", url.Values{"person": {"Dr Payet"}, "token": {token}}, "X-Forwarded-For", "203.0.113.250, "+from, "Accept-Language", "fr")
}

// served is a workspace behind a proxy that takes care of encryption.
func served(o *workspace.Options) { o.Address = "https://vigie.example.org" }

func TestWhoeverTriesTokensIsSlowedDown(t *testing.T) {
	w := open(t, served)
	tried, hour := 0, w.now.Add(time.Hour)
	for w.now.Before(hour) && tried < 200 {
		got := w.enter("guess "+strconv.Itoa(tried), "192.0.2.1")
		switch got.StatusCode {
		case http.StatusUnauthorized:
			tried++
		case http.StatusTooManyRequests:
			w.wantText(got.body, "Patientez une minute", "Trop de jetons")
			seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
			if err != nil || seconds < 1 || seconds > 60 {
				t.Fatalf("Retry-After: %q", got.Header.Get("Retry-After"))
			}
			w.now = w.now.Add(time.Duration(seconds) * time.Second)
		default:
			t.Fatalf("a guess: %s", got.Status)
		}
	}
	if tried < 60 || tried > 75 {
		t.Errorf("%d tokens were tried within an hour, want about one a minute", tried)
	}
	if got := w.enter("a last guess", "192.0.2.1"); got.StatusCode != http.StatusUnauthorized {
		t.Fatalf("once the wait is over: %s", got.Status)
	}
	if got := w.enter(secret, "192.0.2.1"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right token amid guesses: %s, which tells that it is right", got.Status)
	}
	if got := w.enter(secret, "192.0.2.2"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("somebody else: %s", got.Status)
	}
	w.now = w.now.Add(time.Minute)
	if got := w.enter(secret, "192.0.2.1"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("who found the right token again, after a minute: %s", got.Status)
	}
}

func TestPersonMayMistypeNowAndThen(t *testing.T) {
	w := open(t, served)
	for range 20 {
		for range 4 {
			if got := w.enter("mistyped", "192.0.2.1"); got.StatusCode != http.StatusUnauthorized {
				t.Fatalf("mistyped: %s", got.Status)
			}
		}
		if got := w.enter(secret, "192.0.2.1"); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("the right token: %s", got.Status)
		}
	}
	for range 6 {
		w.enter("mistyped", "2001:db8::1")
	}
	if got := w.enter(secret, "2001:db8::2"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("another address of the same network: %s", got.Status)
	}
	w.now = w.now.AddDate(0, 0, -1)
	if got := w.enter(secret, "2001:db8::1"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the clock was put back: %s", got.Status)
	}
}

// Who says that they come from elsewhere each time is heard only where a proxy is.
func TestAddressIsNotTakenFromTheOneWhoGuesses(t *testing.T) {
	w := open(t)
	for i := range 5 {
		w.enter("guess", "192.0.2."+strconv.Itoa(i))
	}
	if got := w.enter("guess", "192.0.2.99"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a sixth guess: %s", got.Status)
	}
}

// Far more addresses than are remembered try; those that stay are still slowed down.
func TestGuessesFromEverywhereTakeNoMoreMemory(t *testing.T) {
	w := open(t, served)
	for range 12 {
		w.now = w.now.Add(time.Second)
		w.enter("guess", "192.0.2.1")
	}
	for i := range 1500 {
		w.enter("guess", "198.18."+strconv.Itoa(i/250)+"."+strconv.Itoa(i%250))
	}
	if got := w.enter("guess", "192.0.2.1"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("whoever was slowed down before: %s", got.Status)
	}
}

func TestBrowsersStayWithEncryptionOnceTheyHaveIt(t *testing.T) {
	for address, want := range map[string]string{"": "", "http://vigie.example.org": "", "https://vigie.example.org": "max-age=31536000"} {
		w := open(t, func(o *workspace.Options) { o.Address = address })
		for _, path := range []string{"/login", "/healthz", "/api/v1/alerts"} {
			if got := w.ask("GET", path, "").Header.Get("Strict-Transport-Security"); got != want {
				t.Errorf("%s at %q: %q, want %q", path, address, got, want)
			}
		}
	}
}
