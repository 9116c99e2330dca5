package workspace_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// proposal is an enrolment of p-1 that somebody proposes.
func (w *ward) proposal(proposed bool) string {
	w.Helper()
	e, err := w.store.Enrolment(w.Context(), "e-1")
	if err != nil {
		w.Fatal(err)
	}
	object, err := registry.Object(e)
	if err != nil {
		w.Fatal(err)
	}
	delete(object, "settings")
	object["id"], object["from"], object["prescription_end"] = "e-9", "2026-11-20", "2027-06-30"
	if proposed {
		object["proposed"] = true
	}
	text, err := json.Marshal(object)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// A coordinator proposes; nobody is followed before a physician has validated it, and the
// physician finds it on the worklist.
func TestACoordinatorProposesAndAPhysicianValidates(t *testing.T) {
	w := enrolled(t)
	coordinator := w.colleague("co", "Co Ordo", access.Coordinator, "team-a")
	nurse := w.colleague("nu", "Nu Rse", access.Nurse, "team-a")
	physician := w.colleague("ph", "Dr Validante", access.Physician, "team-a")
	if got := w.ask("POST", "/api/v1/enrolments", w.proposal(false), coordinator...); got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, "proposed") {
		t.Fatalf("a coordinator enrols: %s %s", got.Status, got.body)
	}
	if got := w.ask("POST", "/api/v1/enrolments", w.proposal(true), coordinator...); got.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	for _, who := range [][]string{coordinator, physician} {
		if page := w.ask("GET", "/", "", who...); !strings.Contains(page.body, "/enrolments/e-9") || !strings.Contains(page.body, "à valider par un médecin") {
			t.Error("the worklist does not say that an enrolment waits to be validated")
		}
	}
	if list := w.ask("GET", "/api/v1/enrolments?state=proposed", "", physician...); !strings.Contains(list.body, `"e-9"`) || strings.Contains(list.body, `"e-1"`) {
		t.Error(list.body)
	}
	tagOf := func() string { return w.ask("GET", "/api/v1/enrolments/e-9", "", physician...).Header.Get("ETag") }
	// While it is a proposal, who proposes may change all of it but the validation.
	if got := w.ask("PATCH", "/api/v1/enrolments/e-9", `{"prescription_end":"2027-05-31"}`, append(coordinator, "If-Match", tagOf())...); got.StatusCode != http.StatusOK {
		t.Errorf("%s %s", got.Status, got.body)
	}
	for what, ask := range map[string]func(who []string) answer{
		"validate": func(who []string) answer {
			return w.ask("POST", "/api/v1/enrolments/e-9/validate", "", append(who, "If-Match", tagOf())...)
		},
		"patch": func(who []string) answer {
			return w.ask("PATCH", "/api/v1/enrolments/e-9", `{"proposed":false}`, append(who, "If-Match", tagOf())...)
		},
	} {
		for _, who := range [][]string{coordinator, nurse} {
			if got := ask(who); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s by who may not: %s", what, got.Status)
			}
		}
	}
	if got := w.ask("PATCH", "/api/v1/enrolments/e-9", `{"proposed":false,"validated":{"author":"Dr Autre","at":"2026-11-23T00:00:00Z"}}`, append(physician, "If-Match", tagOf())...); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a validation in another's name: %s", got.Status)
	}
	got := w.ask("POST", "/api/v1/enrolments/e-9/validate", "", append(physician, "If-Match", tagOf())...)
	if got.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	e, err := w.store.Enrolment(t.Context(), "e-9")
	if err != nil || e.Proposed || e.Validated.Author != "Dr Validante" || !e.From.Equal(e.Validated.At) || e.StateAt(w.now) == registry.Proposed {
		t.Errorf("%+v %v", e, err)
	}
	if got := w.ask("POST", "/api/v1/enrolments/e-9/validate", "", append(physician, "If-Match", tagOf())...); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("validated twice: %s", got.Status)
	}
	if page := w.ask("GET", "/enrolments/e-9", "", physician...); !strings.Contains(page.body, "Validée par Dr Validante") {
		t.Error("the page does not say who validated it")
	}
}

// The page leads there too, and a prescription that ends soon stands beside the list.
func TestWhatWaitsForAPhysicianStandsBesideTheList(t *testing.T) {
	w := enrolled(t)
	w.now = w.now.AddDate(0, 0, 10) // 27 days before the end
	physician := w.colleague("ph", "Dr Validante", access.Physician, "team-a")
	other := w.colleague("ot", "Dr Ailleurs", access.Physician, "team-b")
	if page := w.ask("GET", "/", "", physician...); !strings.Contains(page.body, "à renouveler") || !strings.Contains(page.body, "DURAND ANNE") {
		t.Error("a prescription that ends soon is not shown")
	}
	if page := w.ask("GET", "/", "", other...); strings.Contains(page.body, "DURAND") {
		t.Error("another team reads the name")
	}
	if list := w.ask("GET", "/api/v1/enrolments?ending=30", "", physician...); !strings.Contains(list.body, `"e-1"`) {
		t.Error(list.body)
	}
	if list := w.ask("GET", "/api/v1/enrolments?ending=7", "", physician...); strings.Contains(list.body, `"e-1"`) {
		t.Error(list.body)
	}
	if got := w.ask("POST", "/api/v1/enrolments", w.proposal(true), physician...); got.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if page := w.ask("GET", "/", "", physician...); !strings.Contains(page.body, "à renouveler") {
		t.Error("a proposal hides that the prescription ends")
	}
	e, err := w.store.Enrolment(t.Context(), "e-9")
	if err != nil {
		t.Fatal(err)
	}
	form := "seen=" + registry.Tag(e)
	if got := w.ask("POST", "/enrolments/e-9/validate", form, append(physician, "Content-Type", "application/x-www-form-urlencoded")...); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if page := w.ask("GET", "/", "", physician...); strings.Contains(page.body, `id="paperwork"`) {
		t.Error("what is renewed is still to be renewed")
	}
}
