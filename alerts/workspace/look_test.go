package workspace_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/protocols"
)

// A patient is told once of each professional who opened his record, by his page or by the
// team, and can be given his own trail.
func TestAPatientIsToldWhoOpenedHisRecord(t *testing.T) {
	w := diary(t, &clerk{}, rostered(&lateRegistry{}))
	id := w.raise("weight-fast", protocols.Orange)
	lea, payet := w.login("Lea Nurse"), w.login("Dr Payet", access.Physician)
	w.page("/alerts", lea) // a list is no look
	if page := w.page("/team", lea); strings.Contains(page, "À dire aux patients") {
		t.Error("the patient is to be told of a list")
	}
	w.page("/alerts/"+id, lea)
	w.now = w.now.Add(time.Hour)
	w.page("/patients/p-1", lea)
	w.page("/patients/p-1", payet)
	page := w.page("/team", lea)
	w.wantText(page, "À dire aux patients", "ROUX Inès", "Lea Nurse", "Dr Payet")
	upTo := between(t, page, `name="up-to" value="`, `"`)

	theirs := w.member("max", "Max Hoarau", "team-b")
	if got := w.post("/team/told", theirs, url.Values{"patient": {"p-1"}, "up-to": {upTo}, "team": {"team-a"}}); got.StatusCode != http.StatusNotFound {
		t.Errorf("another team says that the patient was told: %s", got.Status)
	}
	third := w.login("Ida Nurse")
	w.now = w.now.Add(time.Minute)
	w.page("/patients/p-1", third) // after the page was shown: still to be told
	w.post("/team/told", lea, url.Values{"patient": {"p-1"}, "up-to": {upTo}, "team": {"team-a"}})
	page = w.page("/team?told=1", lea)
	w.wantText(page, "le patient le sait", "Ida Nurse")
	if strings.Contains(page, "Dr Payet") {
		t.Error("the patient is to be told of a second look")
	}

	cookie, _ := w.opened(w.keyFor(lea), inesWasBorn)
	w.wantText(w.page("/team", lea), "le lira sur sa page")
	w.wantText(w.page("/mine", cookie), "Qui a ouvert votre dossier", "Ida Nurse", "Dr Payet", `href="/mine/accesses"`)
	if page := w.page("/team", lea); strings.Contains(page, "À dire aux patients") {
		t.Error("who has read it on his own page is still to be told")
	}

	for path, session := range map[string]string{"/mine/accesses": cookie, "/patients/p-1/accesses": lea} {
		page = w.page(path, session)
		w.wantText(page, "Lea Nurse", "a lu une alerte", "a ouvert le dossier", "a lu une liste", "Ida Nurse")
		if strings.Contains(page, "127.0.0.1") || strings.Contains(page, "patient p-1") {
			t.Errorf("%s tells of addresses or of what he did himself", path)
		}
	}
	if got := w.ask("GET", "/patients/p-1/accesses", "", "Authorization", "", "Cookie", theirs); got.StatusCode != http.StatusNotFound {
		t.Errorf("another team is given the trail: %s", got.Status)
	}
}

func TestATrailOfManyTellsAPatientOfHimselfAlone(t *testing.T) {
	w := diary(t, &clerk{})
	lea := w.login("Lea Nurse")
	for range 3 {
		if err := w.traces.Write(t.Context(), trail.Entry{Kind: trail.Read, Deed: "GET /{$}", Name: "Lea Nurse", Patients: []string{"p-1", "p-secret"}}); err != nil {
			t.Fatal(err)
		}
	}
	page := w.page("/patients/p-1/accesses", lea)
	w.wantText(page, "(3 fois)")
	if strings.Contains(page, "p-secret") {
		t.Error("another patient is named")
	}
}

func between(t *testing.T, text, begins, ends string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, begins)
	if !found {
		t.Fatalf("no %s in\n%s", begins, text)
	}
	between, _, _ := strings.Cut(rest, ends)
	return between
}
