package workspace_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
)

var shownOnce = regexp.MustCompile(`<code>([^<]+)</code>`)

// accountID is the id of an account by its login.
func (w *ward) accountID(login string) string {
	w.Helper()
	account, err := w.people.Store.AccountByLogin(w.Context(), login)
	if err != nil {
		w.Fatal(err)
	}
	return account.ID
}

func TestAnAdministratorAddsSomebody(t *testing.T) {
	w := open(t)
	admin := w.login("Chef Admin", access.Administrator)
	page := w.page("/accounts", admin)
	w.wantText(page, "<h1>Comptes</h1>", "Chef Admin", "administrateur", "ouvrir le dossier d'une autre équipe pour une raison", "aucun droit pour l'instant", `href="/accounts" aria-current="page"`)
	form := url.Values{"login": {"lea"}, "name": {"Léa <b>Morel"}, "role": {"nurse"}, "team": {"team-a"}, "identifier": {"RPPS:10001234565"}}
	got := w.post("/accounts", admin, form)
	link := shownOnce.FindStringSubmatch(got.body)
	if got.StatusCode != http.StatusOK || link == nil || strings.Contains(got.body, "<b>Morel") {
		t.Fatalf("%s\n%s", got.Status, got.body)
	}
	address, err := url.Parse(html.UnescapeString(link[1]))
	if err != nil {
		t.Fatal(err)
	}
	w.wantText(w.page(address.RequestURI(), ""), "Bienvenue")
	// Sent twice, there is one account; what is wrong is said beside what was typed.
	again := w.post("/accounts", admin, form)
	if w.wantText(again.body, "déjà cet identifiant", `value="lea"`, `value="nurse" checked`); again.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("sent twice: %s", again.Status)
	}
	for field, c := range map[string]struct{ value, says string }{
		"login": {"é à", "Identifiant de connexion"}, "name": {"a\u202eb", "le nom"}, "team": {"team-x", "registre"}, "identifier": {"X:1", "identifiant national"}, "role": {"king", "n'existe pas"},
	} {
		wrong := url.Values{"login": {"autre"}, "name": {"Autre"}, "role": {"nurse"}, "team": {"team-a"}}
		wrong.Set(field, c.value)
		if got := w.post("/accounts", admin, wrong); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(got.body), c.says) {
			t.Errorf("%s: %s", field, got.Status)
		}
	}
	if got := w.post("/accounts", admin, form, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
}

func TestAnAdministratorChangesResetsAndDisables(t *testing.T) {
	w := open(t)
	admin := w.login("Chef Admin", access.Administrator)
	nurse := w.login("Lea Nurse")
	id := w.accountID("lea.nurse")
	path := "/accounts/" + id
	w.wantText(w.page(path, admin), "Lea Nurse", "Sessions ouvertes", `name="role" value="nurse" checked`)
	change := sentAgain(w.page(path, admin), url.Values{"name": {"Léa Nurse"}, "role": {"nurse", "coordinator"}, "team": {"team-a"}})
	if got := w.post(path+"/change", admin, change); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if got := w.post(path+"/change", admin, change); got.StatusCode != http.StatusPreconditionFailed || !strings.Contains(got.body, "modifié ce compte depuis") {
		t.Errorf("what somebody else has changed since: %s", got.Status)
	}
	w.wantText(w.page("/account", nurse), "Léa Nurse", "coordinateur")

	if got := w.post(path+"/sessions", admin, nil); got.StatusCode != http.StatusSeeOther {
		t.Errorf("ending sessions: %s", got.Status)
	}
	if got := w.ask("GET", "/", "", "Authorization", "", "Cookie", nurse); got.StatusCode != http.StatusSeeOther {
		t.Errorf("an ended session lets in: %s", got.Status)
	}
	got := w.post(path+"/reset", admin, nil)
	if shownOnce.FindStringSubmatch(got.body) == nil {
		t.Errorf("a new link: %s", got.Status)
	}
	if w.post(path+"/disable", admin, nil); !strings.Contains(w.page(path, admin), "désactivé") {
		t.Error("the account is not disabled")
	}
	if w.post(path+"/enable", admin, nil); strings.Contains(w.page(path, admin), "désactivé") {
		t.Error("the account is disabled still")
	}

	// Nobody locks themselves out.
	own := "/accounts/" + w.accountID("chef.admin")
	w.wantText(w.post(own+"/disable", admin, nil).body, "votre propre compte")
	w.wantText(w.post(own+"/change", admin, sentAgain(w.page(own, admin), url.Values{"name": {"Chef"}, "role": {"nurse"}, "team": {"team-a"}})).body, "retirer le rôle d'administrateur")
	if got := w.post("/accounts/none/disable", admin, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("nobody's account: %s", got.Status)
	}
	if got := w.post(path+"/promote", admin, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("an act that does not exist: %s", got.Status)
	}
	rows, err := w.store.Trail().Find(t.Context(), trail.Filter{Account: w.accountID("chef.admin")})
	if err != nil {
		t.Fatal(err)
	}
	var deeds []string
	for i := range rows {
		if e, err := rows[i].Entry(); err == nil && e.About == id {
			deeds = append(deeds, e.Deed)
		}
	}
	if got := strings.Join(deeds, " "); got != "account-enable account-disable account-link sessions-end account-change" {
		t.Errorf("the trail holds %q", got)
	}
}

func TestATokenIsGivenOnceAndRevoked(t *testing.T) {
	w := open(t)
	admin := w.login("Chef Admin", access.Administrator)
	w.invite("Lea Nurse")
	path := "/accounts/" + w.accountID("lea.nurse")
	give := url.Values{"name": {"tableau <i>de bord"}, "scope": {"see-patients", "see-figures"}, "team": {"team-a"}, "until": {w.now.AddDate(0, 1, 0).Format(time.DateOnly)}}
	got := w.post(path+"/token", admin, give)
	secret := shownOnce.FindStringSubmatch(got.body)
	if got.StatusCode != http.StatusOK || secret == nil || strings.Contains(got.body, "<i>de bord") {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if got := w.ask("GET", "/api/v1/alerts", "", "Authorization", "Bearer "+secret[1]); got.StatusCode != http.StatusOK {
		t.Errorf("the token lets nobody in: %s", got.Status)
	}
	if got := w.post(path+"/token", admin, give); got.StatusCode != http.StatusUnprocessableEntity || shownOnce.MatchString(got.body) {
		t.Errorf("sent twice: %s", got.Status)
	}
	for field, value := range map[string]string{"scope": "manage-accounts", "team": "team-b", "until": "2020-01-01", "name": ""} {
		wrong := url.Values{"name": {"autre"}, "scope": {"see-patients"}, "until": give["until"]}
		wrong.Set(field, value)
		if got := w.post(path+"/token", admin, wrong); got.StatusCode != http.StatusUnprocessableEntity || shownOnce.MatchString(got.body) {
			t.Errorf("%s %q: %s", field, value, got.Status)
		}
	}
	page := w.page("/tokens", admin)
	w.wantText(page, "tableau &lt;i&gt;de bord", "Lea Nurse", "voir les chiffres", "valable")
	if strings.Contains(page, secret[1]) {
		t.Error("the secret is shown again")
	}
	revoke := sentAgain(regexp.MustCompile(`(?s)/revoke">.*?</form>`).FindString(w.page(path, admin)), nil)
	if w.post(path+"/revoke", admin, revoke); !strings.Contains(w.page("/tokens", admin), "révoqué") {
		t.Error("the token holds still")
	}
	if got := w.ask("GET", "/api/v1/alerts", "", "Authorization", "Bearer "+secret[1]); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a revoked token lets in: %s", got.Status)
	}
}

func TestTheTrailIsSearched(t *testing.T) {
	w := open(t)
	admin := w.login("Chef Admin", access.Administrator)
	nurse := w.login("Lea Nurse")
	w.ask("GET", "/api/v1/patients/p-1/readings", "", "Authorization", "", "Cookie", nurse)
	w.people.Trail.Note(t.Context(), access.Who{Account: "x", Name: "<script>\u202e"}, "break-glass", "", "p-2", "raison <b>") //nolint:errcheck // the page shows whether it was written
	page := w.page("/trail?patient=p-1", admin)
	w.wantText(page, "Lea Nurse", "infirmier", "a consulté", "GET /api/v1/patients/{id}/readings", "p-1")
	if strings.Contains(page, "p-2") {
		t.Error("another patient is shown")
	}
	page = w.page("/trail?patient=p-2", admin)
	if w.wantText(page, "break-glass", "raison &lt;b&gt;", `\u202e`); strings.Contains(page, "<script>") || strings.Contains(page, "\u202e") {
		t.Error("a hostile name is shown as it is")
	}
	w.wantText(w.page("/trail?login=lea.nurse", admin), "Lea Nurse")
	w.wantText(w.page("/trail?login=personne", admin), "Aucun compte n'a cet identifiant")
	w.wantText(w.page("/trail?to=2020-01-01", admin), "Aucune trace")
	if got := w.ask("GET", "/trail?from=lundi", "", "Authorization", "", "Cookie", admin); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a date that is none: %s", got.Status)
	}
	// Who searches is in the trail as well.
	w.wantText(w.page("/trail?login=chef.admin", admin), "GET /trail")
}
