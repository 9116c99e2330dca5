package live_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/conformance/live"
	"vigie/ingest/formats/native"
	"vigie/ingest/yaml"
	"vigie/protocols/library"
)

// benchPage is a bench with its page.
func benchPage(t *testing.T) (*conformance.Bench, *live.Page) {
	t.Helper()
	profile := conformance.Profile{Measures: []string{"weight", "oxygen-saturation", "blood-pressure", "glucose"}, Clock: conformance.OwnClock}
	bench := conformance.New(conformance.Options{Profile: profile, Device: "bench-1", Prefix: "vigie/v1", Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Trials: []conformance.Trial{conformance.Broken}}, time.Now())
	page := &live.Page{Bench: bench, Profile: profile, Address: "tcp://127.0.0.1:1883", Device: "bench-1", Password: "secret-of-a-test", Topic: "vigie/v1/bench-1/readings", Language: "fr", Now: time.Now,
		Rules: sync.OnceValue(func() *live.Rules {
			shipped, err := library.Library(yaml.Parse)
			if err != nil {
				t.Error(err)
			}
			return live.NewRules(shipped)
		})}
	return bench, page
}

// judged has a bench judge some messages, good and bad.
func judged(bench *conformance.Bench) {
	now := time.Now().UTC()
	for _, payload := range []string{
		`{"id":"a","time":"AT","measure":"weight","values":{"value":82.1},"unit":"kg"}`,
		`{"id":"b","time":"AT","measure":"oxygen-saturation","values":{"value":81},"unit":"%"}`,
		`{"id":"c","time":"AT","measure":"blood-pressure","values":{"systolic":212,"diastolic":131},"unit":"mm[Hg]"}`,
		`{"id":"d","time":"AT","measure":"glucose","values":{"value":42},"unit":"mg/dL","context":{"specimen":"capillary"}}`,
		`{"id":"<script>alert(1)</script>","time":"AT","measure":"weight","values":{"value":"LOW"},"unit":"kg"}`,
		"\x00\x01\xff\xfe",
	} {
		bench.Message(1, ingest.Message{Topic: "vigie/v1/bench-1/readings", Payload: []byte(strings.ReplaceAll(payload, "AT", now.Format(time.RFC3339))), Received: now, QoS: 1})
	}
}

// The page shows each message as it came and as it was read, what was wrong and how to
// mend it, and the rule of an example that it would meet: in French first.
func TestThePageOfABench(t *testing.T) {
	bench, page := benchPage(t)
	get := func(path string) (string, http.Header) {
		t.Helper()
		w := httptest.NewRecorder()
		page.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		return w.Body.String(), w.Header()
	}
	if text, _ := get("/"); !strings.Contains(text, "Aucun message") || !strings.Contains(text, "secret-of-a-test") {
		t.Errorf("before anything came:\n%s", text)
	}
	judged(bench)
	text, header := get("/")
	for _, want := range []string{
		`<html lang="fr">`, `<script src="/bench.js" defer></script>`, "Recharger", "82,1 kg", "serait regardée par", "sonnerait", "saturation en oxygène", "not-a-number", "→ écrire {", "M6/weight", "glucose : l&#39;unité est mg/dL ou mmol/L ou g/L.",
		"la connexion est coupée exprès", "&lt;script&gt;", "mise de côté", "0001 fffe", "pas encore vue",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Count(text, "<script") != 1 || strings.Contains(text, "style=") || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'") {
		t.Errorf("the page has another script, or a style within; %v", header)
	}
	if english, _ := get("/?language=en"); !strings.Contains(english, "would ring") || !strings.Contains(english, "82.1 kg") || !strings.Contains(english, "→ write {") {
		t.Errorf("in English:\n%s", english)
	}
	if style, header := get("/bench.css"); len(style) == 0 || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Error("there is no style")
	}
	if t.Failed() {
		t.Log(text)
	}
}
