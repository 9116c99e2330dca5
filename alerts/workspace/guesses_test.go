package workspace_test

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
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
func served(o *workspace.Options) {
	o.Address, o.Proxies = "https://vigie.example.org", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("198.51.100.0/24")}
}

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
	for name, proxies := range map[string]string{"no proxy": "", "a proxy elsewhere": "198.51.100.0/24"} {
		w := open(t, func(o *workspace.Options) {
			o.Address = "https://vigie.example.org"
			if proxies != "" {
				o.Proxies = []netip.Prefix{netip.MustParsePrefix(proxies)}
			}
		})
		for i := range 5 {
			w.enter("guess", "192.0.2."+strconv.Itoa(i))
		}
		if got := w.enter("guess", "192.0.2.99"); got.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: a sixth guess: %s", name, got.Status)
		}
	}
}

// Of a request through two proxies of ours, the last address that is not ours counts,
// and what stands before it was written by whoever calls.
func TestAddressBehindTwoProxiesIsThatOfTheCaller(t *testing.T) {
	w := open(t, served)
	for i := range 6 {
		w.enter("guess", "198.18.0."+strconv.Itoa(i)+", 192.0.2.1, 198.51.100.7")
	}
	if got := w.enter(secret, "192.0.2.1"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("whoever guessed: %s", got.Status)
	}
	if got := w.enter(secret, "192.0.2.2"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("somebody else: %s", got.Status)
	}
}

func TestProgramThatTriesTokensIsSlowedDownAndItsNeighbourIsNot(t *testing.T) {
	var said strings.Builder
	w := open(t, served, func(o *workspace.Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	show := func(token string) answer {
		return w.ask("GET", "/api/v1/alerts", "", "Authorization", "Bearer "+token, "X-Forwarded-For", "192.0.2.1")
	}
	if got := show(secret); got.StatusCode != http.StatusOK {
		t.Fatalf("the right token: %s", got.Status)
	}
	tried := 0
	for i := range 100 {
		if got := show("guess " + strconv.Itoa(i)); got.StatusCode == http.StatusUnauthorized {
			tried++
		} else if got.Header.Get("Retry-After") == "" {
			t.Fatalf("without a word on when to come again: %s", got.Status)
		}
	}
	if tried > 5 {
		t.Errorf("%d tokens were tried at once", tried)
	}
	if got := show(secret); got.StatusCode != http.StatusOK {
		t.Errorf("a program at the same address, with the token that it has always used: %s", got.Status)
	}
	w.wantProblem(show("another-secret"), http.StatusTooManyRequests, "too-many-tokens", "Retry-After")
	if lines := strings.Count(said.String(), "unknown token"); lines != tried || strings.Contains(said.String(), "guess") {
		t.Errorf("%d tries in the log, want %d and no token:\n%s", lines, tried, said.String())
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
