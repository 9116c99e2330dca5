package workspace_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// TestEveryRoleMeetsEveryRoute walks the table of routes with every role.
func TestEveryRoleMeetsEveryRoute(t *testing.T) {
	w := enrolled(t)
	id := w.raise("weight-fast", protocols.Orange)
	fill := strings.NewReplacer("{$}", "", "{id}", id, "{act}", "resolve", "{name}", "style.css")
	for _, role := range access.Roles() {
		session := w.login("Role "+string(role.ID), role.ID)
		for _, route := range w.space.Routes() {
			method, path, both := strings.Cut(route.Pattern, " ")
			if !both {
				method, path = "GET", route.Pattern
			}
			if route.Open || path == "/api/v1/stream" && slices.Contains(role.Rights, route.Needs) {
				continue // a stream does not end; who may open it is tried elsewhere
			}
			if path = fill.Replace(path); strings.HasSuffix(route.Pattern, "/") {
				path += "nowhere"
			}
			anybody := w.ask(method, path, "", "Authorization", "")
			if anybody.StatusCode != http.StatusUnauthorized && anybody.StatusCode != http.StatusSeeOther {
				t.Errorf("%s %s: nobody gets %s", method, path, anybody.Status)
			}
			got := w.ask(method, path, "", "Authorization", "", "Cookie", session, "Content-Type", "application/x-www-form-urlencoded")
			may := route.Needs == "" || slices.Contains(role.Rights, route.Needs)
			if refused := got.StatusCode == http.StatusForbidden; refused == may {
				t.Errorf("%s: %s %s: %s, want that they may: %v", role.ID, method, path, got.Status, may)
			}
		}
	}
}

// TestNoOtherMethodLeadsIn tries every role with every method that a path of the table does
// not have.
func TestNoOtherMethodLeadsIn(t *testing.T) {
	w := enrolled(t)
	fill := strings.NewReplacer("{$}", "", "{id}", "p-1", "{act}", "resolve", "{name}", "style.css", "{number}", "1")
	served := map[string]map[string]bool{}
	for _, route := range w.space.Routes() {
		if method, path, both := strings.Cut(route.Pattern, " "); both {
			if served[path] == nil {
				served[path] = map[string]bool{}
			}
			served[path][method] = true
		}
	}
	for _, role := range access.Roles() {
		session := w.login("Role "+string(role.ID), role.ID)
		for path, methods := range served {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				if methods[method] {
					continue
				}
				got := w.ask(method, fill.Replace(path), "{}", "Authorization", "", "Cookie", session)
				if got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed && got.StatusCode != http.StatusForbidden && (got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(path, "/alerts/{id}/")) {
					t.Errorf("%s: %s %s: %s", role.ID, method, path, got.Status)
				}
			}
		}
	}
}

// TestNoPageShowsAnotherTeams tries every page about a patient, an alert, an enrolment or a
// device, and every form of it, with every role of another team.
func TestNoPageShowsAnotherTeams(t *testing.T) {
	w := enrolled(t)
	ids := map[string]string{"patients": "p-1", "devices": "scale-1", "enrolments": "e-1", "alerts": w.raise("weight-fast", protocols.Orange)}
	theirs := map[access.Role][]string{}
	for _, role := range access.Roles() {
		if role.InTeams {
			theirs[role.ID] = w.colleague("other-"+string(role.ID), "Other "+string(role.ID), role.ID, "team-b")
		}
	}
	tried := 0
	for _, route := range w.space.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		steps := strings.Split(path, "/")
		if len(steps) < 3 || ids[steps[1]] == "" || steps[2] != "{id}" || route.Open {
			continue
		}
		path = strings.NewReplacer("{id}", ids[steps[1]], "{act}", "resolve", "{step}", "settings").Replace(path)
		for role, who := range theirs {
			info, _ := role.Info()
			if !slices.Contains(info.Rights, route.Needs) {
				continue
			}
			tried++
			got := w.ask(method, path, "", with(who, "Content-Type", "application/x-www-form-urlencoded")...)
			if got.StatusCode != http.StatusNotFound || strings.Contains(got.body, "DURAND") || strings.Contains(got.body, "weight-fast") {
				t.Errorf("%s of another team: %s %s: %s", role, method, path, got.Status)
			}
		}
	}
	if tried < 40 {
		t.Errorf("%d pages and forms were tried", tried)
	}
}

// TestEveryTeamSeesItsOwnPatients tries a person and a program of one team against the
// patients of another, on every way to a patient.
func TestEveryTeamSeesItsOwnPatients(t *testing.T) {
	team := "team-a"
	w := open(t, func(o *workspace.Options) {
		o.TeamsOf = func(context.Context, string) ([]string, error) { return []string{team}, nil }
	})
	id := w.raise("weight-fast", protocols.Orange) // of team-a, patient p-1
	ours := w.login("Lea Nurse")
	link, err := w.people.Add(t.Context(), access.Account{Login: "other", Name: "Autre", Roles: []access.Role{access.Nurse}, Teams: []string{"team-b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.people.Choose(t.Context(), link, password); err != nil {
		t.Fatal(err)
	}
	cookie, _, _ := strings.Cut(w.enter("other", password, "/").Header.Get("Set-Cookie"), ";")
	token, err := w.people.Give(t.Context(), "other", access.Token{Name: "tableau", Scopes: []access.Right{access.SeePatients, access.Act}, Until: w.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string][]string{"person": {"Authorization", "", "Cookie", cookie}, "program": {"Authorization", "Bearer " + token}}
	for name, headers := range theirs {
		for _, path := range []string{"/api/v1/alerts", "/api/v1/alerts?patient=p-1", "/api/v1/alerts?team=team-a", "/api/v1/alerts?order=newest"} {
			if got := w.ask("GET", path, "", headers...); got.StatusCode != http.StatusOK || strings.Contains(got.body, id) {
				t.Errorf("%s: GET %s: %s shows the alert of another team", name, path, got.Status)
			}
		}
		for _, c := range [][2]string{
			{"GET", "/api/v1/alerts/" + id}, {"POST", "/api/v1/alerts/" + id + "/acknowledge"},
			{"POST", "/api/v1/alerts/" + id + "/resolve"}, {"GET", "/api/v1/patients/p-1/readings"},
		} {
			body := ""
			if strings.HasSuffix(c[1], "resolve") {
				body = `{"outcome":"no-action"}`
			}
			got := w.ask(c[0], c[1], body, headers...)
			w.wantProblem(got, http.StatusNotFound, alerts.Unknown, "Aucune alerte")
		}
	}
	if page := w.page("/alerts", cookie); strings.Contains(page, `data-alert="`+id) {
		t.Error("the list shows the alert of another team")
	}
	if got := w.ask("GET", "/alerts/"+id, "", theirs["person"]...); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page of the alert: %s", got.Status)
	}
	if got := w.ask("GET", "/api/v1/patients/p-1/readings", "", "Authorization", "", "Cookie", ours); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "r-1") {
		t.Errorf("the patient's own team: %s", got.Status)
	}
	if got, err := w.store.Alert(t.Context(), id); err != nil || got.State != alerts.Open {
		t.Errorf("the alert is %+v, %v: want it open", got, err)
	}

	who, err := w.people.Person(t.Context(), strings.TrimPrefix(cookie, "vigie-session="), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.people.Break(t.Context(), who, "p-1", "appel de la famille, équipe fermée"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/alerts?patient=p-1", "/api/v1/alerts/" + id, "/api/v1/patients/p-1/readings"} {
		if got := w.ask("GET", path, "", theirs["person"]...); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "weight") {
			t.Errorf("through the broken glass, GET %s: %s", path, got.Status)
		}
	}
	if got := w.ask("GET", "/api/v1/alerts/"+id, "", theirs["program"]...); got.StatusCode != http.StatusNotFound {
		t.Errorf("the glass that a person broke lets a program in: %s", got.Status)
	}
}

func TestAnActIsSignedByItsAccount(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	got := w.ask("POST", "/api/v1/alerts/"+id+"/acknowledge", `{"author":"Dr Autre"}`)
	w.wantProblem(got, http.StatusUnprocessableEntity, "author-given", "signé par le compte")
	session := w.login("Dr Payet", access.Physician)
	w.post("/alerts/"+id+"/acknowledge", session, nil)
	if got, err := w.store.Alert(t.Context(), id); err != nil || got.AcknowledgedBy != "Dr Payet" {
		t.Errorf("acknowledged by %+v, %v", got, err)
	}
}

func TestTheStreamTellsATeamOfItsOwnAlerts(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.TeamsOf = func(context.Context, string) ([]string, error) { return []string{"team-a"}, nil }
	})
	w.invite("Lea Nurse")
	link, err := w.people.Add(t.Context(), access.Account{Login: "other", Name: "Autre", Roles: []access.Role{access.Nurse}, Teams: []string{"team-b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.people.Choose(t.Context(), link, password); err != nil {
		t.Fatal(err)
	}
	id := w.raise("weight-fast", protocols.Orange)
	own := w.raise("spo2-low", protocols.Red)
	// What another team may see comes behind: an alert that nobody is in charge of.
	w.care.Team.ID = ""
	last := w.raise("nobody", protocols.Red)
	for login, want := range map[string][]string{"lea.nurse": {id, own, last}, "other": {last}} {
		token, err := w.people.Give(t.Context(), login, access.Token{Name: "flux", Scopes: []access.Right{access.SeePatients}, Until: w.now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		lines, stop := w.listen("Authorization", "Bearer "+token, "Last-Event-ID", "0")
		var told []string
		for len(told) < len(want) {
			event, _ := w.next(lines)
			told = append(told, event.Alert)
		}
		stop()
		if !slices.Equal(told, want) {
			t.Errorf("%s is told of %v, want %v", login, told, want)
		}
	}
}

// secretIn is the secret of a factor as the page shows it.
var secretIn = regexp.MustCompile(`name="secret" value="([A-Z2-7]+)"`)

func TestSecondFactorIsSetUpAndAskedFor(t *testing.T) {
	w := open(t)
	login := w.invite("Dr Payet", access.Physician)
	w.people.OneFactor = false
	code := func(secret string) string {
		code, err := totp.GenerateCodeCustom(secret, w.now, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	half := func() string {
		got := w.enter(login, password, "/alerts/x")
		if to := got.Header.Get("Location"); to != "/login/code?next=%2Falerts%2Fx" {
			t.Fatalf("after the password: %s to %q", got.Status, to)
		}
		cookie, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
		return cookie
	}
	session := half()
	if got := w.ask("GET", "/", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusSeeOther {
		t.Errorf("with the password alone: %s", got.Status)
	}
	page := w.page("/login/code?next=/alerts/x", session)
	w.wantText(page, "Protégez votre compte", "<svg", `<path class="ink"`)
	secret := secretIn.FindStringSubmatch(page)
	if secret == nil {
		t.Fatal("the page shows no secret")
	}
	wrong := w.post("/login/code", session, url.Values{"secret": {secret[1]}, "code": {"000000"}, "next": {"/alerts/x"}})
	if again := secretIn.FindStringSubmatch(wrong.body); wrong.StatusCode != http.StatusUnauthorized || again == nil || again[1] != secret[1] {
		t.Errorf("a wrong code: %s, and another secret to scan", wrong.Status)
	}
	done := w.post("/login/code", session, url.Values{"secret": {secret[1]}, "code": {code(secret[1])}, "next": {"/alerts/x"}})
	w.wantText(done.body, "Codes de secours", `href="/alerts/x"`)
	if got := w.ask("GET", "/account", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusSeeOther {
		t.Errorf("what the browser kept before the second factor: %s", got.Status)
	}
	session, _, _ = strings.Cut(done.Header.Get("Set-Cookie"), ";")
	w.wantText(w.page("/alerts", session), "Dr Payet")

	w.now = w.now.Add(time.Minute)
	session = half()
	w.wantText(w.page("/login/code", session), "code à six chiffres de votre application")
	stolen := w.post("/login/code", session, url.Values{"secret": {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "code": {code("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}})
	if stolen.StatusCode != http.StatusUnauthorized {
		t.Errorf("a factor of the thief's own: %s", stolen.Status)
	}
	if got := w.post("/login/code", session, url.Values{"code": {code(secret[1])}, "next": {"/alerts/x"}}); got.Header.Get("Location") != "/alerts/x" {
		t.Errorf("the right code: %s", got.Status)
	}
}

func TestWhoGuessesPasswordsIsSlowedDown(t *testing.T) {
	w := open(t)
	w.invite("Dr Payet")
	for i := range 20 {
		got := w.enter("dr.payet", "guess number "+strconv.Itoa(i), "/", "Accept-Language", "fr")
		if got.StatusCode != http.StatusTooManyRequests {
			continue
		}
		w.wantText(got.body, "Trop d'essais")
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
			t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
		}
		if i < 4 {
			t.Errorf("slowed down at try %d", i)
		}
		return
	}
	t.Error("twenty guesses in a row are heard")
}

// served is a workspace behind a proxy that takes care of encryption.
func served(o *workspace.Options) {
	o.Address, o.Proxies = "https://vigie.example.org", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("198.51.100.0/24")}
}

// Of a request through two proxies of ours, the last address that is not ours counts,
// and what stands before it was written by whoever calls.
func TestAddressBehindTwoProxiesIsThatOfTheCaller(t *testing.T) {
	w := open(t, served)
	login := w.invite("Dr Payet")
	for i := range 6 {
		w.enter("nobody"+strconv.Itoa(i), "guess guess guess", "/", "X-Forwarded-For", "198.18.0."+strconv.Itoa(i)+", 192.0.2.1, 198.51.100.7")
	}
	if got := w.enter(login, password, "/", "X-Forwarded-For", "192.0.2.1"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("whoever guessed: %s", got.Status)
	}
	if got := w.enter(login, password, "/", "X-Forwarded-For", "192.0.2.2"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("somebody else: %s", got.Status)
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
			w.enter("nobody"+strconv.Itoa(i), "guess", "/", "X-Forwarded-For", "192.0.2."+strconv.Itoa(i))
		}
		if got := w.enter("nobody", "guess", "/", "X-Forwarded-For", "192.0.2.99"); got.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: a sixth guess: %s", name, got.Status)
		}
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

func TestInvitationIsUsedOnce(t *testing.T) {
	w := open(t)
	link, err := w.people.Add(t.Context(), access.Account{Login: "lea", Name: "Léa <b>Morel</b>", Roles: []access.Role{access.Nurse}, Teams: []string{"team-a"}})
	if err != nil {
		t.Fatal(err)
	}
	w.wantText(w.page("/welcome?link="+link, ""), "Léa <b>Morel</b>, choisissez")
	choose := func(one, two string) answer {
		return w.post("/welcome", "", url.Values{"link": {link}, "password": {one}, "again": {two}})
	}
	w.wantText(choose(password, password+"x").body, "diffèrent")
	w.wantText(choose("court", "court").body, "12 caractères")
	if got := choose(password, password); got.Header.Get("Location") != "/login" {
		t.Errorf("a good password: %s", got.Status)
	}
	if got := choose(password, password); got.StatusCode != http.StatusGone {
		t.Errorf("the link again: %s", got.Status)
	}
	if got := w.ask("GET", "/welcome?link=", "", "Authorization", ""); got.StatusCode != http.StatusGone {
		t.Errorf("no link: %s", got.Status)
	}
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	w := open(t)
	login := w.invite("Dr Payet")
	here := w.login("Dr Payet")
	got := w.enter(login, password, "/", "User-Agent", "Phone <script>")
	there, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	page := w.page("/account", here)
	w.wantText(page, "Dr Payet", "infirmier", "cette session", "Phone &lt;script&gt;")
	again := w.post("/login", there, url.Values{"login": {login}, "password": {password}})
	if got := w.ask("GET", "/account", "", "Authorization", "", "Cookie", there); got.StatusCode != http.StatusSeeOther {
		t.Errorf("what the browser kept before it logged in again: %s", got.Status)
	}
	there, _, _ = strings.Cut(again.Header.Get("Set-Cookie"), ";")
	page = w.page("/account", here)
	session := regexp.MustCompile(`name="session" value="([0-9a-f]+)"`).FindStringSubmatch(page)
	if session == nil {
		t.Fatalf("no other session is listed:\n%s", page)
	}
	nosy := w.login("Une Autre")
	w.post("/account/sessions/end", nosy, url.Values{"session": {session[1]}, "former": {password}})
	w.page("/account", there)
	wrong := w.post("/account/sessions/end", here, url.Values{"session": {session[1]}, "former": {"guess guess guess"}})
	if w.wantText(wrong.body, "rien n'a changé"); wrong.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without the password: %s", wrong.Status)
	}
	w.page("/account", there)
	w.post("/account/sessions/end", here, url.Values{"session": {session[1]}, "former": {password}})
	if got := w.ask("GET", "/account", "", "Authorization", "", "Cookie", there); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the session that was ended: %s", got.Status)
	}
	w.page("/account", here)
}

func TestAPasswordIsChangedByItsOwner(t *testing.T) {
	w := open(t)
	login := w.invite("Dr Payet")
	here := w.login("Dr Payet")
	there, _, _ := strings.Cut(w.enter(login, password, "/").Header.Get("Set-Cookie"), ";")
	const next = "quatre grands chiens roux"
	change := func(former, next, again string) answer {
		return w.post("/account/password", here, url.Values{"former": {former}, "password": {next}, "again": {again}, "others": {"1"}})
	}
	for name, got := range map[string]answer{"diffèrent": change(password, next, next+"x"), "rien n'a changé": change("guess guess guess", next, next), "12 caractères": change(password, "court", "court")} {
		if w.wantText(got.body, name); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	if got := change(password, next, next); got.Header.Get("Location") != "/account?changed" {
		t.Errorf("a good password: %s", got.Status)
	}
	w.wantText(w.page("/account?changed", here), "Le mot de passe est changé")
	if got := w.ask("GET", "/account", "", "Authorization", "", "Cookie", there); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the other session: %s", got.Status)
	}
	if got := w.enter(login, password, "/"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("the former password: %s", got.Status)
	}
}

// Every field for a password hides it, and lets a password manager fill it.
func TestPasswordsAreHiddenAndMayBePasted(t *testing.T) {
	files, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range regexp.MustCompile(`<input[^>]* name="(password|again|former)"[^>]*>`).FindAllString(string(text), -1) {
			fields++
			if !strings.Contains(field, `type="password"`) || !regexp.MustCompile(`autocomplete="(current|new)-password"`).MatchString(field) || strings.Contains(field, "onpaste") {
				t.Errorf("%s: %s", name, field)
			}
		}
	}
	if fields < 5 {
		t.Errorf("%d fields were looked at", fields)
	}
}

// Whoever is in finds the way out on every page.
func TestEveryPageLeadsOut(t *testing.T) {
	w := enrolled(t)
	id := w.raise("weight-fast", protocols.Orange)
	fill := strings.NewReplacer("{$}", "", "{id}", id)
	pages := 0
	for _, role := range []access.Role{access.Physician, access.Administrator} {
		session := w.login("Role "+string(role), role)
		for _, route := range w.space.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if route.Open || method != "GET" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/mine") {
				continue
			}
			got := w.ask("GET", fill.Replace(path), "", "Authorization", "", "Cookie", session)
			if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || got.StatusCode == http.StatusSeeOther {
				continue
			}
			if pages++; !strings.Contains(got.body, `action="/logout"`) {
				t.Errorf("%s: %s: the page does not lead out", path, got.Status)
			}
		}
	}
	if pages < 20 {
		t.Errorf("%d pages were looked at", pages)
	}
}
