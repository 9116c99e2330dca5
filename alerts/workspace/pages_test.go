package workspace_test

import (
	"compress/gzip"
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// accounts lets people of the ward in, with a password alone; the second factor has
// tests of its own.
func (w *ward) accounts(store access.Store) {
	w.Helper()
	var err error
	w.people, err = access.New(access.Options{
		Store: store, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler), OneFactor: true,
		Teams:   func(context.Context) ([]string, error) { return []string{"team-a", "team-b"}, nil },
		Limits:  access.Limits{Idle: 12 * time.Hour},
		Hashing: argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	if err != nil {
		w.Fatal(err)
	}
}

const password = "trois petits chats bleus"

// invite gives a person of team-a an account, a nurse's unless said, and returns its
// login.
func (w *ward) invite(name string, roles ...access.Role) string {
	w.Helper()
	if len(roles) == 0 {
		roles = []access.Role{access.Nurse}
	}
	login := strings.ToLower(strings.ReplaceAll(name, " ", "."))
	link, err := w.people.Add(w.Context(), access.Account{Login: login, Name: name, Roles: roles, Teams: []string{"team-a"}})
	var refused *access.Refused
	if errors.As(err, &refused) && refused.Code == access.LoginTaken {
		return login
	}
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.people.Choose(w.Context(), link, password); err != nil {
		w.Fatal(err)
	}
	return login
}

// enter sends the form of the login.
func (w *ward) enter(login, password, next string, headers ...string) answer {
	w.Helper()
	return w.post("/login", "", url.Values{"login": {login}, "password": {password}, "next": {next}}, headers...)
}

// login logs a person in and returns the session cookie.
func (w *ward) login(name string, roles ...access.Role) string {
	w.Helper()
	got := w.enter(w.invite(name, roles...), password, "/")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" {
		w.Fatalf("login: %s to %s", got.Status, got.Header.Get("Location"))
	}
	cookie, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	return cookie
}

func (w *ward) post(path, cookie string, form url.Values, headers ...string) answer {
	w.Helper()
	headers = append([]string{"Authorization", "", "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded"}, headers...)
	return w.ask("POST", path, form.Encode(), headers...)
}

func (w *ward) page(path, cookie string, headers ...string) string {
	w.Helper()
	got := w.ask("GET", path, "", append([]string{"Authorization", "", "Cookie", cookie}, headers...)...)
	if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		w.Fatalf("GET %s: %s\n%s", path, got.Status, got.body)
	}
	return got.body
}

func (w *ward) wantText(page string, want ...string) {
	w.Helper()
	for _, text := range want {
		if !strings.Contains(page, text) && !strings.Contains(html.UnescapeString(page), text) {
			_, main, _ := strings.Cut(page, "<main")
			w.Errorf("the page lacks %q:\n%s", text, main)
		}
	}
}

func TestPersonLogsInAndOut(t *testing.T) {
	w := open(t)
	w.wantText(w.page("/login", ""), "Connexion", "Mot de passe")
	login := w.invite("Dr Payet")
	wrong := w.enter(login, "guess guess guess", "/")
	if wrong.StatusCode != http.StatusUnauthorized || wrong.Header.Get("Set-Cookie") != "" {
		t.Errorf("a wrong password: %s, cookie %q", wrong.Status, wrong.Header.Get("Set-Cookie"))
	}
	w.wantText(wrong.body, "incorrect", `value="dr.payet"`, `aria-invalid="true"`)
	if strings.Contains(wrong.body, "guess guess") {
		t.Error("the page repeats the password")
	}

	got := w.enter(login, password, "/alerts/x")
	cookie := got.Header.Get("Set-Cookie")
	for _, attribute := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("cookie %q lacks %s", cookie, attribute)
		}
	}
	if got.Header.Get("Location") != "/alerts/x" {
		t.Errorf("then to %s", got.Header.Get("Location"))
	}

	session := w.login("Dr Payet")
	w.wantText(w.page("/alerts", session), "Dr Payet", "Se déconnecter")
	out := w.post("/logout", session, nil)
	if out.StatusCode != http.StatusSeeOther || !strings.Contains(out.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %s, cookie %q", out.Status, out.Header.Get("Set-Cookie"))
	}
	if copied := w.ask("GET", "/", "", "Authorization", "", "Cookie", session); copied.StatusCode != http.StatusSeeOther {
		t.Errorf("a copy of the cookie of a session that was ended: %s", copied.Status)
	}
}

func TestSessionEndsAndCannotBeForged(t *testing.T) {
	w := open(t)
	session := w.login("Dr Payet")
	refused := func(cookie, why string) {
		t.Helper()
		if got := w.ask("GET", "/", "", "Authorization", "", "Cookie", cookie); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %s", why, got.Status)
		}
	}
	refused(session[:len(session)-2]+"xx", "another secret")
	refused("vigie-session=..", "nonsense")
	refused("vigie-session=", "nothing")
	w.now = w.now.Add(12 * time.Hour)
	refused(session, "after its time")
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	w := open(t)
	login := w.invite("Dr Payet")
	for _, next := range []string{"https://elsewhere.example", "//elsewhere.example", `/\elsewhere.example`, "javascript:alert(1)", ""} {
		got := w.enter(login, password, next)
		if to := got.Header.Get("Location"); to != "/" {
			t.Errorf("next %q leads to %q", next, to)
		}
	}
	got := w.ask("GET", "/alerts/x?lang=en", "", "Authorization", "")
	if to := got.Header.Get("Location"); to != "/login?next=%2Falerts%2Fx%3Flang%3Den" {
		t.Errorf("to %s, want the login that comes back", to)
	}
}

func TestAnotherSiteCannotAct(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://elsewhere.example"}} {
		got := w.post("/alerts/"+id+"/acknowledge", session, nil, header...)
		w.wantProblem(got, http.StatusForbidden, "cross-origin", "autre site")
	}
	var a alerts.Alert
	w.read("/api/v1/alerts/"+id, &a)
	if a.State != alerts.Open {
		t.Errorf("the alert is %s", a.State)
	}
}

func TestWorklistThenAlertThenDone(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")

	list := w.page("/alerts", session)
	w.wantText(list, "Prise de poids", "Le poids a augmenté.", "à traiter", "p-1", "Cardiologie, Saint-Denis",
		"il y a 1 h 29", "12:00", // raised at 08:00:01 UTC, which is noon on Réunion
		"dans 2 h 30", "À prendre en charge <b>1</b>")

	page := w.page("/alerts/"+id, session)
	w.wantText(page, "Pourquoi cette alerte", "poids, variation", "2,1\u202fkg", "≥", "2,0\u202fkg", "le protocole", "condition remplie",
		"Mesures à l'appui", "82,1\u202fkg", "scale-1", "lun. 23 nov., 12:00 (UTC+4)", "icc", "weight-fast", "Alerte signalée")

	got := w.post("/alerts/"+id+"/acknowledge", session, url.Values{"note": {"j'appelle"}, "back": {"/alerts?state=open"}})
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/alerts?done="+id+"&state=open" {
		t.Fatalf("acknowledge: %s to %s", got.Status, got.Header.Get("Location"))
	}
	w.wantText(w.page("/alerts", session), "Aucune alerte à prendre en charge.")
	w.wantText(w.page("/alerts?state=acknowledged", session), "Prise de poids", "Dr Payet")

	got = w.post("/alerts/"+id+"/resolve", session, url.Values{"note": {"à revoir"}})
	if got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("resolve without outcome: %s", got.Status)
	}
	w.wantText(got.body, `role="alert"`, "Indiquez l'issue", "à revoir")
	if strings.Contains(got.body, "live.") || strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("a page in which somebody writes is loaded again")
	}

	got = w.post("/alerts/"+id+"/resolve", session, url.Values{"outcome": {"patient-called"}, "note": {"<script>alert(1)</script>"}})
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/alerts/"+id+"#done" {
		t.Fatalf("resolve: %s to %s", got.Status, got.Header.Get("Location"))
	}
	page = w.page("/alerts/"+id, session)
	w.wantText(page, "patient joint et conseillé", "&lt;script&gt;", "Cette alerte est close.")
	if strings.Contains(page, "<script>alert") {
		t.Error("a note runs as a script")
	}
	w.wantText(w.page("/alerts?state=resolved", session), "patient joint et conseillé")
}

func TestPagesInEnglish(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	for _, page := range []string{
		w.page("/alerts/"+id, session, "Accept-Language", "en-US,en;q=0.9"),
		w.page("/alerts/"+id+"?lang=en", session),
		w.page("/alerts/"+id, session+"; vigie-language=en"),
	} {
		w.wantText(page, `<html lang="en">`, "Why this alert", "Weight gain", "body weight, change", "2.1\u202fkg", "Mon 23 Nov, 12:00 (UTC+4)", "1 h 29 ago")
	}
	w.wantText(w.page("/alerts", session, "Accept-Language", "de"), `<html lang="fr">`)
	got := w.ask("GET", "/alerts?lang=en", "", "Authorization", "", "Cookie", session)
	if !strings.Contains(got.Header.Get("Set-Cookie"), "vigie-language=en") {
		t.Errorf("the language is not remembered: %q", got.Header.Get("Set-Cookie"))
	}
}

func TestFiltersOnThePage(t *testing.T) {
	w := open(t)
	w.raise("weight-fast", protocols.Orange)
	w.raise("spo2-low", protocols.Red)
	session := w.login("Dr Payet")
	count := func(path string) int { return strings.Count(w.page(path, session), "data-alert=") }
	for path, want := range map[string]int{"/alerts": 2, "/alerts?state=&level=&team=&patient=": 2, "/alerts?level=red": 1, "/alerts?patient=nobody": 0, "/alerts?team=team-a": 2, "/alerts?limit=1": 1} {
		if got := count(path); got != want {
			t.Errorf("%s shows %d alerts, want %d", path, got, want)
		}
	}
	page := w.page("/alerts?limit=1", session)
	next := regexp.MustCompile(`href="([^"]*after=[^"]*)" rel="next"`).FindStringSubmatch(page)
	if next == nil {
		t.Fatalf("no next page:\n%s", page)
	}
	second := w.page(strings.ReplaceAll(next[1], "&amp;", "&"), session)
	w.wantText(second, "Retour au début")
	if strings.Count(second, "data-alert=") != 1 || strings.Contains(second, "data-stream") {
		t.Error("the second page holds one alert and stays still")
	}
	got := w.ask("GET", "/alerts?level=purple", "", "Authorization", "", "Cookie", session)
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "red, orange, yellow ou technical") {
		t.Errorf("%s %s", got.Status, got.body)
	}
}

func TestMessageThatNeverArrivesIsSeen(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	due, err := w.store.Outbox(t.Context(), alerts.Mail, w.now, 1)
	if err != nil || len(due) != 1 {
		t.Fatal(err)
	}
	if err := w.store.Refuse(t.Context(), due[0].ID, w.now, "550 no such user"); err != nil {
		t.Fatal(err)
	}
	session := w.login("Dr Payet")
	w.wantText(w.page("/alerts", session), "1 message d'alerte n'a pas pu être remis")
	w.wantText(w.page("/alerts/"+id, session), "Message non remis", "equipe@example.org")
	var list struct{ Messages []map[string]any }
	w.read("/api/v1/messages/undelivered", &list)
	if len(list.Messages) != 1 || list.Messages[0]["error"] != "550 no such user" {
		t.Errorf("undelivered %v", list)
	}
}

func TestSilenceDoesNotHideWhatWasFoundTooLate(t *testing.T) {
	w := open(t)
	f := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, -96*time.Hour)
	f.Found, f.TooLate = storetest.Morning, true
	w.found(f)
	w.wantText(w.page("/", w.login("Dr Payet")), "constatée trop tard pour agir", "dans 23 h")
}

// pagesOf are all pages in both languages.
func pagesOf(w *ward) map[string]string {
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	pages := map[string]string{}
	for _, language := range []string{"fr", "en"} {
		for _, path := range []string{"/", "/?q=personne", "/?tab=mine", "/alerts", "/alerts?state=acknowledged&patient=x", "/alerts?state=resolved", "/alerts/" + id, "/login"} {
			address := path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "lang=" + language
			pages[address] = w.page(address, session)
		}
	}
	return pages
}

func TestAPageGoesOutSmallToWhoCanReadItSo(t *testing.T) {
	w := open(t)
	plain := w.ask("GET", "/login", "", "Accept-Encoding", "identity")
	small := w.ask("GET", "/login", "", "Accept-Encoding", "gzip")
	if plain.Header.Get("Content-Encoding") != "" || small.Header.Get("Content-Encoding") != "gzip" || len(small.body) >= len(plain.body) {
		t.Fatalf("%d bytes, and %d as %q", len(plain.body), len(small.body), small.Header.Get("Content-Encoding"))
	}
	unpacked, err := gzip.NewReader(strings.NewReader(small.body))
	if err != nil {
		t.Fatal(err)
	}
	if page, err := io.ReadAll(unpacked); err != nil || string(page) != plain.body {
		t.Errorf("it is another page, %v", err)
	}
}

func TestPagesHoldNothingInlineAndFetchNothingElsewhere(t *testing.T) {
	w := open(t)
	inline := regexp.MustCompile(`(?i)<style|<script(?:\s[^>]*)?>[^<]|\sstyle=|\son[a-z]+=|javascript:|https?://`)
	for path, page := range pagesOf(w) {
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
		for _, file := range regexp.MustCompile(`/assets/[^"]+`).FindAllString(page, -1) {
			got := w.ask("GET", file, "", "Authorization", "")
			if got.StatusCode != 200 || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s %s", file, got.Status, got.Header.Get("Cache-Control"))
			}
		}
	}
	got := w.ask("GET", "/login", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
	} {
		if !strings.Contains(got.Header.Get(name), want) {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if policy := got.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy %q", policy)
	}
}

func TestPagesCanBeReadWithoutSeeing(t *testing.T) {
	w := open(t)
	field := regexp.MustCompile(`<(?:input|select|textarea)([^>]*)>`)
	for path, page := range pagesOf(w) {
		for _, want := range []string{`<html lang="`, `<main id="content"`, `class="skip" href="#content"`, "<h1>", "<title>"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %s", path, want)
			}
		}
		if n := strings.Count(page, "<h1>"); n != 1 {
			t.Errorf("%s has %d main headings", path, n)
		}
		if strings.Contains(page, "<th>") || strings.Contains(page, "<th class") {
			t.Errorf("%s has a table header without scope", path)
		}
		for _, match := range field.FindAllStringSubmatchIndex(page, -1) {
			attributes := page[match[2]:match[3]]
			if strings.Contains(attributes, `type="hidden"`) {
				continue
			}
			id := regexp.MustCompile(`\bid="([^"]+)"`).FindStringSubmatch(attributes)
			before := page[:match[0]]
			wrapped := strings.LastIndex(before, "<label") > strings.LastIndex(before, "</label>")
			if !wrapped && (id == nil || !strings.Contains(page, `for="`+id[1]+`"`)) {
				t.Errorf("%s has a field without label: %s", path, attributes)
			}
		}
		for _, svg := range regexp.MustCompile(`<svg[^>]*>`).FindAllString(page, -1) {
			if !strings.Contains(svg, `aria-hidden="true"`) && !strings.Contains(svg, "aria-label=") {
				t.Errorf("%s has a picture that is neither named nor hidden: %s", path, svg)
			}
		}
		if strings.HasPrefix(path, "/?lang") || strings.HasPrefix(path, "/alerts") {
			if !strings.Contains(page, `aria-live="polite"`) {
				t.Errorf("%s does not say aloud what is new", path)
			}
		}
	}
}

// TestEveryWordIsInTheCatalogue reads the templates for the words they use.
func TestEveryWordIsInTheCatalogue(t *testing.T) {
	files, err := filepath.Glob("templates/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	source, err := os.ReadFile("catalogue.go")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, m := range regexp.MustCompile(`(?m)^\t"([^"]+)":\s+\{FR: "(.+?)", EN: "(.+?)"\}`).FindAllStringSubmatch(string(source), -1) {
		known = append(known, m[1])
	}
	if total := strings.Count(string(source), "{FR: "); total != len(known) {
		t.Errorf("%d words in the catalogue, %d of them in both languages", total, len(known))
	}
	used := regexp.MustCompile(`\.T (?:"([^"]+)"|\(printf "([^"%]+)%s")`)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(body), -1) {
			there := slices.Contains(known, m[1])
			if m[2] != "" {
				there = slices.ContainsFunc(known, func(key string) bool { return strings.HasPrefix(key, m[2]) })
			}
			if !there {
				t.Errorf("%s uses %q, which the catalogue lacks", file, m[1]+m[2])
			}
		}
	}
}

// However many sessions end before their time, a copy of the cookie of none of them
// lets anybody in again.
func TestNoSessionThatWasEndedComesBack(t *testing.T) {
	w := open(t)
	var first, last string
	for i := range 10_050 {
		w.now = w.now.Add(time.Second)
		last = w.login("Dr Payet")
		if i == 0 {
			first = last
		}
		w.post("/logout", last, nil)
	}
	w.now = w.now.Add(time.Second)
	stays := w.login("Dr Payet")
	for name, session := range map[string]string{"the first": first, "the last": last} {
		if got := w.ask("GET", "/", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s session that was ended lets in: %s", name, got.Status)
		}
	}
	if got := w.ask("GET", "/", "", "Authorization", "", "Cookie", stays); got.StatusCode != http.StatusOK {
		t.Errorf("a session that was not: %s", got.Status)
	}
}

// The list of alerts names whom each is about, as the list of patients does, and counts none
// as the French do.
func TestTheListOfAlertsNamesItsPatients(t *testing.T) {
	w := open(t, named(face("p-1", "ROUX", "Inès")))
	w.ring("p-1", "weight-fast", protocols.Orange, 0)
	w.ring("p-2", "weight-fast", protocols.Orange, 0)
	session := w.login("Lea Nurse")
	w.wantText(w.page("/alerts", session), `state=open">ROUX Inès</a><span class="sub">p-1</span>`, `state=open">p-2</a>`, ", ROUX Inès</span></button>")
	w.wantText(w.page("/alerts/"+alertOf(w, "p-1"), session), "0 mesure<")
	w.wantText(w.page("/alerts/"+alertOf(w, "p-1")+"?lang=en", session), "0 readings<")
}
