package push_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/push"
	"vigie/protocols"
)

func status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }
}

func to(address string, level protocols.Level) alerts.Outgoing {
	return alerts.Outgoing{
		ID: "k3message", Channel: alerts.Push, To: address, Alert: "k3alert", Event: alerts.EventRaised, Level: level, Team: "Cardiologie, Mme Roux",
		Created: time.Date(2026, 11, 23, 8, 0, 1, 0, time.UTC),
	}
}

// The telephone of this test opens the example of RFC 8291, section 5: what it opens
// elsewhere is sealed as browsers expect.
func TestTheTelephoneOfTheseTestsOpensTheExampleOfTheStandard(t *testing.T) {
	key, err := ecdh.P256().NewPrivateKey(decode(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	phone := &telephone{key, decode(t, "BTBZMqHH6r4Tts7J_aSIgg")}
	plain, err := phone.open(decode(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"))
	if err != nil || string(plain) != "When I grow up, I want to be a watermelon" {
		t.Errorf("%q, %v", plain, err)
	}
	if want := strings.TrimPrefix(phone.address(""), "#"); !strings.HasSuffix(push.Kind.Example, want) {
		t.Errorf("the example is of another telephone than %s", want)
	}
}

// A message says a reference and a level, and nothing else: not the team, whose name may be
// somebody's.
func TestATelephoneGetsAReferenceAndALevel(t *testing.T) {
	s, phone := newService(t, status(http.StatusCreated)), newTelephone(t)
	channel := s.channel(t)
	if err := channel.Send(t.Context(), to(phone.address(s.URL+"/send/7f3"), protocols.Red)); err != nil {
		t.Fatal(err)
	}
	got := <-s.came
	plain, err := phone.open(got.body)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"k3message","tag":"k3alert","title":"Vigie : à traiter en priorité","body":"Nouvelle alerte (k3alert)","link":"/alerts/k3alert"}`
	if string(plain) != want || got.path != "/send/7f3" {
		t.Errorf("%s gets %s, want %s", got.path, plain, want)
	}
	claims := signed(t, got.header.Get("Authorization"), channel.Key())
	if claims["aud"] != s.URL || claims["sub"] != "mailto:dsi@chu.example" || claims["exp"] != float64(now.Add(12*time.Hour).Unix()) {
		t.Errorf("signed is %v", claims)
	}
	for name, want := range map[string]string{"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream", "Ttl": "43200", "Urgency": "high"} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %s, want %s", name, value, want)
		}
	}
	if _, err := newTelephone(t).open(got.body); err == nil {
		t.Error("another telephone reads it")
	}
}

// The push service sees neither the reference nor, by the length, the level.
func TestThePushServiceLearnsNothing(t *testing.T) {
	s, phone := newService(t, status(http.StatusCreated)), newTelephone(t)
	channel, address := s.channel(t), phone.address(s.URL+"/x")
	var all []received
	digest := to(address, protocols.Yellow)
	digest.Alert, digest.Event = "", alerts.EventDigest
	for _, m := range []alerts.Outgoing{to(address, protocols.Red), to(address, protocols.Orange), digest} {
		if err := channel.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := <-s.came
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, " "), "k3alert") {
				t.Errorf("%s says %v", name, values)
			}
		}
		if bytes.Contains(got.body, []byte("k3alert")) {
			t.Error("the body is readable")
		}
		all = append(all, got)
	}
	if len(all[0].body) != len(all[1].body) || len(all[0].body) != len(all[2].body) {
		t.Errorf("lengths %d, %d, %d tell messages apart", len(all[0].body), len(all[1].body), len(all[2].body))
	}
	topics := []string{all[0].header.Get("Topic"), all[1].header.Get("Topic"), all[2].header.Get("Topic")}
	if topics[0] != topics[1] || topics[0] == topics[2] || len(topics[0]) != 32 || strings.Trim(topics[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("topics %q: one alert has one, of 32 characters of base64url at most", topics)
	}
	if all[1].header.Get("Urgency") != "normal" || all[2].header.Get("Urgency") != "low" || all[1].header.Get("TTL") != "86400" {
		t.Errorf("an orange: %v, a digest: %v", all[1].header, all[2].header)
	}
}

func TestWhatThePushServiceAnswers(t *testing.T) {
	phone := newTelephone(t)
	for code, want := range map[int]string{200: "", 201: "", 202: "", 404: "gone", 410: "gone", 400: "again", 401: "again", 403: "again", 413: "again", 429: "again", 500: "again", 503: "again", 307: "again"} {
		s := newService(t, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Location", "/elsewhere")
			rw.WriteHeader(code)
		})
		err := s.channel(t).Send(t.Context(), to(phone.address(s.URL), protocols.Red))
		got := ""
		switch {
		case errors.Is(err, alerts.ErrGone) && errors.Is(err, alerts.ErrUndeliverable):
			got = "gone"
		case errors.Is(err, alerts.ErrUndeliverable):
			got = "for good"
		case err != nil:
			got = "again"
		}
		if got != want || len(s.came) != 1 {
			t.Errorf("%d: %v, %q after %d calls, want %q", code, err, got, len(s.came), want)
		}
		if err != nil && strings.Contains(err.Error(), phone.address("")) {
			t.Errorf("the error names the device: %v", err)
		}
	}
}

func TestThePushServiceSaysWhenItIsToBeTriedAgain(t *testing.T) {
	for header, want := range map[string]time.Duration{"120": 2 * time.Minute, "Mon, 23 Nov 2026 08:05:30 GMT": 5 * time.Minute, "in a while": 0} {
		s := newService(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", header)
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		err := s.channel(t).Send(t.Context(), to(newTelephone(t).address(s.URL), protocols.Red))
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

// Whoever subscribes names where messages go: never into this network, whatever a name
// turns out to be, unless the operator says so.
func TestNoEndpointLeadsIntoThePrivateNetwork(t *testing.T) {
	s, phone := newService(t, status(http.StatusCreated)), newTelephone(t)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	closed := s.channel(t, func(c *push.Config) { c.Networks = nil })
	for _, endpoint := range []string{s.URL, "https://localhost" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port, "https://0.0.0.0" + port, "https://169.254.169.254/latest", "https://10.0.0.1", "https://192.168.1.1", "https://100.64.0.1", "https://[fe80::1]", "https://[fd00::1]", "https://[64:ff9b::7f00:1]"} {
		err := closed.Send(t.Context(), to(phone.address(endpoint), protocols.Red))
		if !errors.Is(err, alerts.ErrUndeliverable) || !strings.Contains(err.Error(), "private address") {
			t.Errorf("%s: %v, want a refusal", endpoint, err)
		}
	}
	other := s.channel(t, func(c *push.Config) { c.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	if err := other.Send(t.Context(), to(phone.address(s.URL), protocols.Red)); !errors.Is(err, alerts.ErrUndeliverable) {
		t.Errorf("another network than the one that is allowed: %v", err)
	}
	if len(s.came) != 0 {
		t.Errorf("%d messages came", len(s.came))
	}
}

func TestWhatIsNoSubscriptionIsNotTaken(t *testing.T) {
	phone := newTelephone(t)
	good := phone.address("https://push.example/x")
	if !push.Kind.Takes(good) || !push.Kind.Takes(push.Kind.Example) {
		t.Fatalf("%s is not taken", good)
	}
	key := base64.RawURLEncoding.EncodeToString(phone.key.PublicKey().Bytes())
	for name, address := range map[string]string{
		"nothing": "", "no keys": "https://push.example/x", "in the clear": phone.address("http://push.example/x"), "a file": phone.address("file:///etc/passwd"),
		"no host": phone.address("https:///x"), "a user": phone.address("https://a:b@push.example/x"), "no secret": "https://push.example/x#" + key, "a short secret": "https://push.example/x#" + key + ".QUJD",
		"no point of the curve": "https://push.example/x#" + strings.Repeat("B", 87) + ".BTBZMqHH6r4Tts7J_aSIgg", "too long": phone.address("https://push.example/" + strings.Repeat("x", 1024)), "a mail address": "equipe@chu.example",
	} {
		if push.Kind.Takes(address) {
			t.Errorf("%s: %q is taken", name, address)
		}
		s := newService(t, status(http.StatusCreated))
		if err := s.channel(t).Send(t.Context(), to(address, protocols.Red)); !errors.Is(err, alerts.ErrUndeliverable) || len(s.came) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// People are shown the browser, not what a message could be sent with.
func TestPeopleAreShownTheBrowser(t *testing.T) {
	for endpoint, want := range map[string]string{"https://fcm.googleapis.com/fcm/send/x": "Chrome ", "https://updates.push.services.mozilla.com/wpush/v2/x": "Firefox ", "https://web.push.apple.com/x": "Safari ", "https://wns2-par02p.notify.windows.com/w/?token=x": "Edge ", "https://evilgoogleapis.com/x": "evilgoogleapis.com "} {
		address := newTelephone(t).address(endpoint)
		shown := push.Kind.Shown(address)
		if !strings.HasPrefix(shown, want) || len(shown) != len(want)+4 || strings.Contains(shown, "/") {
			t.Errorf("%s is shown as %q", endpoint, shown)
		}
		if shown == push.Kind.Shown(newTelephone(t).address(endpoint)) {
			t.Errorf("two devices are both shown as %q", shown)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("A", 43) + "=", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{255}, 32)), base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		if _, err := push.ParseKey(text); err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") {
			t.Errorf("%q: %v", text, err)
		}
	}
	text, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := push.ParseKey(text + "\n")
	if err != nil || len(key.Public()) != 87 {
		t.Errorf("%v, %v", key, err)
	}
	for i, c := range []push.Config{{}, {Key: key, Now: time.Now}, {Key: key, Now: time.Now, Contact: "dsi@chu.example"}, {Contact: "mailto:a@b.example", Now: time.Now}} {
		if _, err := push.New(c); err == nil {
			t.Errorf("configuration %s is taken", strconv.Itoa(i))
		}
	}
}
