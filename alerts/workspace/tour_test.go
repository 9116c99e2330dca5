package workspace_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// stop is a page in one of its states. Pages are looked at, and held against axe-core, stop
// by stop.
type stop struct {
	name   string // of its picture
	path   string
	by     string // who looks: a key of tour.sessions
	status int    // what is answered; 0 for 200
}

// tour is a ward in which every page has something to show, and a way through it.
type tour struct {
	*ward
	sessions map[string]string
	stops    []stop
}

// longNamed is a patient whose name takes all the room that there is.
func longNamed() registry.Face {
	f := face("p-5", "DE LA ROCHEFOUCAULD-MONTMORENCY", "Marie-Antoinette-Joséphine")
	f.Contact = &registry.Contact{Phone: "+262 692 00 00 01", Hours: "plutôt le matin, avant le passage de l'infirmière", Carer: &registry.Carer{Name: "Anne-Charlotte DE LA ROCHEFOUCAULD", Tie: "belle-fille", Phone: "06 39 98 00 01"}}
	return f
}

func touring(t *testing.T) *tour {
	first := face("p-1", "ROUX", "Inès")
	first.Followed[0].Devices = []string{"sensor-1", "scale-1", "pen-3"}
	w := crowd(t, everything(t), pushed, func(o *workspace.Options) {
		diabetes := shipped(t, "diabetes")
		o.Library = func() []*protocols.Protocol { return []*protocols.Protocol{diabetes} }
		o.Roll = names([]registry.Face{first, face("p-2", "VIDAL", "Paul"), face("p-3", "FABRE", "Anna"), face("p-4", "BERTIN", "Hugo"), longNamed()})
	})
	ines := registry.Patient{ID: "p-1", Identity: registry.Identity{BirthName: "ROUX", GivenNames: "INES MARIE", FirstGiven: "INES", Sex: "F", BirthDate: inesWasBorn, BirthPlace: "97411"}}
	paul := registry.Patient{ID: "p-2", Identity: registry.Identity{BirthName: "VIDAL", GivenNames: "PAUL", FirstGiven: "PAUL", Sex: "M", BirthDate: "1960-01-31", BirthPlace: "75056"}}
	if _, err := w.store.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{ines, paul}}, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	w.ring("p-1", "weight-fast", protocols.Orange, 0)
	w.ring("p-4", "battery", protocols.Technical, 0)
	w.ring("p-5", "spo2-low", protocols.Red, 0)
	nurse := w.login("Lea Nurse")
	taken, closed := alertOf(w, "p-2"), alertOf(w, "p-3")
	w.post("/alerts/"+taken+"/acknowledge", nurse, nil)
	if err := alerts.Close(t.Context(), w.store, closed, "Lea Nurse", []string{"appointment", "telecare"}, "vue", w.now); err != nil {
		t.Fatal(err)
	}
	list, err := w.store.Alerts(t.Context(), alerts.Filter{Patient: "p-1", Rule: "spo2-low"})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d alerts, %v", len(list), err)
	}
	own, _ := w.opened(w.keyFor(nurse), inesWasBorn)
	s := &tour{ward: w, sessions: map[string]string{
		"nurse": nurse, "doctor": w.login("Dr Caron", access.Physician), "runs": w.login("Cora Dinatrice", access.Coordinator),
		"boss": w.login("Chef Admin", access.Administrator), "patient": own, "stranger": "vigie-session=nobody", "half": w.halfWay("Dr Payet"),
	}}
	w.post("/account/device", s.sessions["doctor"], url.Values{"address": {deviceOf("https://updates.push.services.mozilla.com/wpush/v2/abc")}})
	s.nurseStops(list[0].ID, taken, closed)
	s.otherStops()
	return s
}

// halfWay is somebody who has shown a password, and is to show a second factor.
func (w *ward) halfWay(name string) string {
	w.Helper()
	login := w.invite(name, access.Physician)
	w.people.OneFactor = false
	defer func() { w.people.OneFactor = true }()
	cookie, _, _ := strings.Cut(w.enter(login, password, "/").Header.Get("Set-Cookie"), ";")
	return cookie
}

func (s *tour) nurseStops(red, taken, closed string) {
	for _, p := range []stop{
		{"worklist", "/", "", 0}, {"worklist-devices", "/?tab=devices", "", 0}, {"worklist-empty", "/?tab=reread", "", 0}, {"worklist-mine", "/?tab=mine", "", 0},
		{"search", "/?q=roux", "", 0}, {"search-nobody", "/?q=xyz", "", 0}, {"no-such-tab", "/?tab=none", "", http.StatusBadRequest},
		{"alerts", "/alerts", "", 0}, {"closed", "/alerts?state=resolved", "", 0}, {"alerts-empty", "/alerts?patient=nobody", "", 0},
		{"alert", "/alerts/" + red, "", 0}, {"alert-taken", "/alerts/" + taken, "", 0}, {"alert-closed", "/alerts/" + closed, "", 0}, {"alert-long", "/alerts/" + alertOf(s.ward, "p-5"), "", 0},
		{"no-such-page", "/alerts/none", "", http.StatusNotFound},
		{"patient", "/patients/p-1", "", 0}, {"patient-day", "/patients/p-1?last=24h", "", 0}, {"patient-compared", "/patients/p-1?last=14d&compare=before", "", 0},
		{"patient-empty", "/patients/p-2", "", 0}, {"patient-interval", "/patients/p-2?from=2020-01-01&to=2020-01-02", "", 0}, {"patient-link", "/patients/p-1/own", "", 0},
		{"accesses", "/patients/p-1/accesses", "", 0}, {"merge", "/patients/p-1/merge", "runs", 0}, {"identity", "/patients/p-1/identity", "runs", 0}, {"summary", "/patients/p-1/summary", "", 0},
		{"strike", "/patients/p-1/strike?" + strikeQuery, "", 0}, {"strike-wide", widePath, "", 0},
		{"enter", "/patients/p-1/enter", "", 0}, {"enter-glucose", "/patients/p-1/enter?measure=glucose", "", 0}, {"enter-questions", "/patients/p-1/enter?measure=symptom", "", 0},
		{"set-aside", "/set-aside", "", 0}, {"set-aside-empty", "/set-aside?code=malformed", "", 0}, {"devices", "/devices", "", 0}, {"devices-all", "/devices?show=all", "", 0}, {"devices-none", "/devices?q=nobody", "", 0},
		{"team", "/team", "", 0}, {"figures", "/figures", "", 0}, {"figures-empty", "/figures?from=2020-01-01&to=2020-01-02", "", 0}, {"report", "/figures?month=2026-11", "", 0},
		{"account", "/account", "", 0}, {"glass", "/glass", "", 0},
	} {
		if p.by == "" {
			p.by = "nurse"
		}
		s.stops = append(s.stops, p)
	}
}

func (s *tour) otherStops() {
	s.stops = append(s.stops,
		stop{"team-runs", "/team", "runs", 0}, stop{"enrol", "/enrol", "runs", 0}, stop{"enrol-2", "/patients/p-1/enrol", "runs", 0}, stop{"account-push", "/account?said=subscribed", "doctor", 0},
		stop{"accounts", "/accounts", "boss", 0}, stop{"account-edit", "/accounts/" + s.accountID("lea.nurse"), "boss", 0}, stop{"tokens", "/tokens", "boss", 0},
		stop{"retention", "/retention", "boss", 0}, stop{"trail", "/trail", "boss", 0}, stop{"trail-empty", "/trail?login=nobody", "boss", 0},
		stop{"own-birth", "/mine?key=none", "patient", 0}, stop{"own", "/mine", "patient", 0}, stop{"own-glucose", "/mine?measure=glucose", "patient", 0},
		stop{"own-questions", "/mine?measure=symptom", "patient", 0}, stop{"own-accesses", "/mine/accesses", "patient", 0},
		stop{"login", "/login", "stranger", 0}, stop{"welcome", "/welcome?" + url.Values{"link": {s.invitation()}}.Encode(), "stranger", 0}, stop{"welcome-over", "/welcome?link=none", "stranger", http.StatusGone}, stop{"code", "/login/code", "half", 0},
	)
}

// invitation is a link by which somebody chooses a password.
func (s *tour) invitation() string {
	s.Helper()
	link, err := s.people.Add(s.Context(), access.Account{Login: "new", Name: "Nouvelle", Roles: []access.Role{access.Nurse}, Teams: []string{"team-a"}})
	if err != nil {
		s.Fatal(err)
	}
	return link
}

// elsewhere are the patterns that no stop is for: what is no page, and pages that stand in a
// test of their own.
var elsewhere = []string{
	"GET /healthz", "GET /readyz", "GET /status", "GET /metrics", "GET /assets/{name}", "GET /app.webmanifest", "GET /push-worker.js",
	"GET /alerts/{id}/{act}", // leads to the alert
	"GET /enrolments/{id}",   // TestTheEnrolmentPagesFit
}

// TestThePagesOfTheTour holds the tour against the table of routes: every page stands in it,
// and every stop shows what it is to show, not why it could not be shown.
func TestThePagesOfTheTour(t *testing.T) {
	s := touring(t)
	for _, p := range s.stops {
		want := p.status
		if want == 0 {
			want = http.StatusOK
		}
		if got := s.ask("GET", p.path, "", "Authorization", "", "Cookie", s.sessions[p.by]); got.StatusCode != want {
			t.Errorf("%s, %s: %s, want %d", p.name, p.path, got.Status, want)
		}
	}
	for _, route := range s.space.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if method != "GET" || strings.HasPrefix(path, "/api/") || slices.Contains(elsewhere, route.Pattern) {
			continue
		}
		shape := regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSuffix(path, "{$}")), "[^/]+") + "$")
		if !slices.ContainsFunc(s.stops, func(p stop) bool { at, _, _ := strings.Cut(p.path, "?"); return shape.MatchString(at) }) {
			t.Errorf("nobody looks at %s", route.Pattern)
		}
	}
}

// TestPictures holds every page to its width: nothing has to be moved sideways. Into the
// folder that VIGIE_PICTURES names it writes a picture of each, at four widths, in the light
// and in the dark:
//
//	VIGIE_PICTURES=/tmp/pictures go test ./alerts/workspace -run 'TestPictures|TestTheEnrolmentPagesFit'
func TestPictures(t *testing.T) {
	s, browsers := touring(t), map[string]*browser{}
	for _, p := range s.stops {
		if browsers[p.by] == nil {
			browsers[p.by] = browse(s.ward, s.sessions[p.by])
		}
		b := browsers[p.by]
		for _, width := range []int64{1440, 1024, 390, 320} { // 320 is 1280 at 400 %
			if width == 1024 && !pictured() {
				continue
			}
			b.do(chromedp.EmulateViewport(width, 900))
			b.open(p.path)
			if over := b.eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
				t.Errorf("%s is %s pixels wider than %d; the widest: %s", p.path, over, width,
					b.eval(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + "." + e.className).slice(0, 5).join(" ")`))
			}
			b.picture(p.name, width)
			if pictured() && width != 320 {
				b.prefers("prefers-color-scheme", "dark")
				b.picture(p.name+"-dark", width)
				b.prefers("prefers-color-scheme", "light")
			}
		}
	}
}
