package workspace_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// diary is a ward whose patient p-1, born on 12 May 1992, has a scale, a cuff and a diary.
func diary(t *testing.T, c *clerk, more ...func(*workspace.Options)) *ward {
	t.Helper()
	return open(t, append(more, named(face("p-1", "ROUX", "Inès")), followed("p-1", shipped(t, "heart-failure"), func(e *registry.Enrolment) { e.Devices = []string{"scale-1", "cuff-1", "diary-1"} }), func(o *workspace.Options) {
		o.Enter = c.enter
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			kind := map[string]string{"scale-1": "scale", "cuff-1": "blood-pressure-monitor", "diary-1": "symptom-app"}[name]
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: kind}}, nil
		}
	})...)
}

var ownLink = regexp.MustCompile(`/mine\?key=([A-Z2-7]+)`)

// keyFor has a nurse give the patient a link, and returns what stands in it.
func (w *ward) keyFor(nurse string) string {
	w.Helper()
	got := w.post("/patients/p-1/own", nurse, url.Values{"act": {"give"}})
	found := ownLink.FindStringSubmatch(got.body)
	if found == nil {
		w.Fatalf("no link is given: %s\n%s", got.Status, got.body)
	}
	return found[1]
}

// opened is the browser of a patient who has shown the link and the date of birth.
func (w *ward) opened(key, born string) (cookie string, got answer) {
	w.Helper()
	got = w.post("/mine/open", "", url.Values{"key": {key}, "born": {born}})
	for _, c := range got.Cookies() {
		if c.Name == "vigie-own" && c.MaxAge > 0 {
			cookie = c.Name + "=" + c.Value
		}
	}
	return cookie, got
}

const inesWasBorn = "1992-05-12"

func TestAPatientEntersReadingsHimself(t *testing.T) {
	c := &clerk{}
	w := diary(t, c)
	nurse := w.login("Lea Nurse", access.Nurse)
	w.wantText(w.page("/patients/p-1", nurse), `href="/patients/p-1/own"`)
	w.wantText(w.page("/patients/p-1/own", nurse), "ROUX Inès", "n&#39;a pas de lien")
	key := w.keyFor(nurse)
	if page := w.page("/patients/p-1/own", nurse); strings.Contains(page, key) {
		t.Error("the link is shown twice")
	}

	if page := w.page("/mine?key="+key, ""); strings.Contains(page, "Inès") || !strings.Contains(page, "Date de naissance") {
		t.Errorf("the link alone shows\n%s", page)
	}
	cookie, got := w.opened(key, inesWasBorn)
	if cookie == "" || got.Header.Get("Location") != "/mine" {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	page := w.page("/mine", cookie)
	w.wantText(page, "Bonjour Inès", `href="/mine?measure=weight"`, `href="/mine?measure=blood-pressure"`, `href="/mine?measure=symptom"`, "15 ou le 112")
	for _, other := range []string{"glucose", "ROUX", "Alertes", "Se déconnecter"} {
		if strings.Contains(page, other) {
			t.Errorf("the patient is shown %q", other)
		}
	}

	// A number that is not usual is looked at twice.
	page = w.page("/mine?measure=weight", cookie)
	typed := url.Values{"value.value": {"8,6"}, "device": {"scale-1"}, "at": {"2026-11-23T11:30"}}
	got = w.post("/mine", cookie, sentAgain(page, typed))
	if w.wantText(got.body, "Relisez", "8,6\u202fkg", `value="8,6"`); len(c.asked) != 0 {
		t.Fatal("it was kept before it was looked at")
	}
	again := sentAgain(got.body, typed)
	for range 2 { // sent twice, it has one id
		if got = w.post("/mine", cookie, again); got.Header.Get("Location") != "/mine?done=1" {
			t.Fatalf("%s %s", got.Status, got.body)
		}
	}
	w.wantText(w.page("/mine?done=1", cookie), "Votre équipe la lira")
	var reading struct {
		ID, Time, Measure, Source string
		Values                    map[string]float64
	}
	if err := json.Unmarshal(c.asked[0].Readings[0], &reading); err != nil {
		t.Fatal(err)
	}
	if a := c.asked[0]; a.Patient != "p-1" || a.Device != "scale-1" || reading.Source != "patient" || reading.Time != "2026-11-23T11:30:00+04:00" || reading.Values["value"] != 8.6 || string(a.Readings[0]) != string(c.asked[1].Readings[0]) {
		t.Errorf("asked for %+v, %+v", a, reading)
	}
	if got := w.traced(); !slices.Contains(got, "patient p-1: act POST /mine [p-1]") || !slices.Contains(got, "Lea Nurse: act POST /patients/{id}/own [p-1]") {
		t.Errorf("the trail holds %q", got)
	}

	// Questions are answered by choosing words, in both languages.
	page = w.page("/mine?measure=symptom&lang=en", cookie)
	w.wantText(page, "Hello Inès", `<legend>breathlessness`, "at rest", `type="radio" name="value.breathlessness" value="3"`)
	answers := url.Values{"device": {"diary-1"}, "at": {"2026-11-23T11:40"}}
	for i := range protocols.MeasureByID("symptom").Components {
		answers.Set("value."+protocols.MeasureByID("symptom").Components[i].Name, "1")
	}
	if got := w.post("/mine", cookie, sentAgain(page, answers)); got.StatusCode != http.StatusSeeOther || len(c.asked) != 3 {
		t.Errorf("the answers: %s %s", got.Status, got.body)
	}
	c.refuse = protocols.Reason{Code: protocols.Implausible, Path: "values.value"}
	got = w.post("/mine", cookie, again)
	w.wantText(got.body, "Valeur impossible", "appelez votre équipe")
}

// Who finds a link gets nowhere without the date of birth, and nowhere else with it.
func TestAStrangerGetsNowhereWithALink(t *testing.T) {
	c := &clerk{}
	w := diary(t, c)
	nurse := w.login("Lea Nurse", access.Nurse)
	key := w.keyFor(nurse)
	for _, path := range []string{"/mine", "/mine?measure=weight"} {
		if got := w.ask("GET", path, "", "Authorization", ""); got.StatusCode != http.StatusUnauthorized || strings.Contains(got.body, "Inès") {
			t.Errorf("without a link, %s: %s", path, got.Status)
		}
	}
	cookie, _ := w.opened(key, inesWasBorn)
	for _, headers := range [][]string{{"Authorization", "Bearer " + key}, {"Authorization", "", "Cookie", cookie}, {"Authorization", "", "Cookie", "vigie-session=" + key}} {
		for _, path := range []string{"/api/v1/alerts", "/api/v1/patients/p-1/readings", "/patients/p-1", "/", "/patients/p-1/own"} {
			if got := w.ask("GET", path, "", headers...); got.StatusCode != http.StatusUnauthorized && got.StatusCode != http.StatusSeeOther {
				t.Errorf("a key of a patient opens %s: %s", path, got.Status)
			}
		}
	}
	form := url.Values{"measure": {"weight"}, "reading": {"entered-1"}, "value.value": {"80"}, "device": {"scale-1"}, "at": {"2026-11-23T11:30"}, "sure": {"weight/scale-1/80"}}
	with := func(name, value string) url.Values {
		other := url.Values{}
		for n, v := range form {
			other[n] = v
		}
		other.Set(name, value)
		return other
	}
	for name, value := range map[string]string{"device": "scale-b", "measure": "glucose", "value.value": "<script>alert(1)</script>", "at": "\u202e", "source": "device"} {
		got := w.post("/mine", cookie, with(name, value))
		if name == "source" { // is not asked for
			continue
		}
		if got.StatusCode != http.StatusUnprocessableEntity || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s %q: %s", name, value, got.Status)
		}
	}
	if len(c.asked) != 1 || !strings.Contains(string(c.asked[0].Readings[0]), `"source":"patient"`) {
		t.Errorf("kept: %+v", c.asked)
	}
	if got := w.post("/mine", cookie, form, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
	for n := range 45 {
		got := w.post("/mine", cookie, with("reading", "entered-"+string(rune('a'+n%26))))
		if n == 44 && got.StatusCode != http.StatusTooManyRequests {
			t.Errorf("45 readings in an hour: %s", got.Status)
		}
	}

	// Ten wrong dates end the link, however slowly they come.
	for n := range 12 {
		w.now = w.now.Add(time.Hour)
		if cookie, got := w.opened(key, "1990-01-"+time.Date(2026, 1, n+1, 0, 0, 0, 0, time.UTC).Format("02")); cookie != "" || got.StatusCode != http.StatusUnauthorized {
			t.Errorf("a wrong date: %s", got.Status)
		}
	}
	if cookie, got := w.opened(key, inesWasBorn); cookie != "" {
		t.Errorf("after twelve wrong dates the right one opens: %s", got.Status)
	}
	if got := w.ask("GET", "/mine", "", "Authorization", "", "Cookie", cookie); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("who was in stays in: %s", got.Status)
	}
	nurse = w.login("Lea Nurse", access.Nurse) // half a day later
	w.wantText(w.page("/patients/p-1/own", nurse), "n&#39;est plus valable")

	// Quick ones wait; another link takes the place of the former one, and a nurse ends it.
	key = w.keyFor(nurse)
	status := 0
	for range 8 {
		_, got := w.opened(key, "1990-02-01")
		status = got.StatusCode
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("eight quick tries: %d", status)
	}
	former := w.keyFor(nurse)
	w.now = w.now.Add(10 * time.Minute)
	if cookie, _ := w.opened(key, inesWasBorn); cookie != "" {
		t.Error("a link that was replaced opens")
	}
	w.now = w.now.Add(2 * time.Minute)
	cookie, _ = w.opened(former, inesWasBorn)
	w.page("/mine", cookie)
	w.post("/patients/p-1/own", nurse, url.Values{"act": {"end"}})
	if got := w.ask("GET", "/mine", "", "Authorization", "", "Cookie", cookie); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the link was ended: %s", got.Status)
	}
	last := w.keyFor(nurse)
	w.now = w.now.Add(366 * 24 * time.Hour)
	if cookie, _ := w.opened(last, inesWasBorn); cookie != "" {
		t.Error("a link opens after a year")
	}
}

// Links are given by who may enter readings of the patient. Lists of programs' tokens do not
// show them, nor whose they are.
func TestWhoGivesAPatientALink(t *testing.T) {
	w := diary(t, &clerk{})
	other := w.colleague("autre", "Autre Nurse", access.Nurse, "team-b")
	if got := w.ask("GET", "/patients/p-1/own", "", other...); got.StatusCode != http.StatusNotFound {
		t.Errorf("a nurse of another team: %s", got.Status)
	}
	if got := w.post("/patients/p-1/own", w.login("Ops", access.Operator), url.Values{"act": {"give"}}); got.StatusCode != http.StatusForbidden {
		t.Errorf("an operator: %s", got.Status)
	}
	w.keyFor(w.login("Lea Nurse", access.Nurse))
	boss := w.login("Chef Admin", access.Administrator)
	for _, path := range []string{"/tokens", "/accounts/" + w.accountID("lea.nurse")} {
		if page := w.page(path, boss); strings.Contains(page, "p-1") || strings.Contains(page, "own entry") {
			t.Errorf("%s shows the link of a patient", path)
		}
	}
	unknown := open(t, followed("p-1", shipped(t, "heart-failure")))
	nurse := unknown.login("Lea Nurse", access.Nurse)
	unknown.wantText(unknown.page("/patients/p-1/own", nurse), "date de naissance")
	if got := unknown.post("/patients/p-1/own", nurse, url.Values{"act": {"give"}}); ownLink.MatchString(got.body) {
		t.Error("a link is given to a patient whose date of birth nobody knows")
	}
}
