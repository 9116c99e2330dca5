package workspace_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// An identity is corrected and validated on its page; what the matricule contradicts is
// confirmed there, and each version stays with who made it.
func TestAnIdentityIsCorrectedAndValidatedOnItsPage(t *testing.T) {
	w := enrolled(t)
	const page = "/patients/p-1/identity"
	aubry, nurse := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a"), w.colleague("lea", "Lea Nurse", access.Nurse, "team-a")
	stranger := w.colleague("marc", "Marc", access.Physician, "team-b")
	seen := func(body string) string {
		t.Helper()
		found := regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("no form in\n%s", body)
		}
		return found[1]
	}
	form := func(body string, changes ...string) url.Values {
		f := url.Values{"seen": {seen(body)}, "birth_name": {"DURAND"}, "given_names": {"ANNE MARIE"}, "first_given_name": {"ANNE"}, "sex": {"F"}, "birth_date": {"1977-07-04"},
			"birth_place": {"63220"}, "ins": {"277076322082910"}, "oid": {registry.OIDTest}, "status": {"provisional"}}
		for i := 0; i < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}
		return f
	}
	first := w.pageAs(aubry, page)
	w.wantText(first, "Qualifiée", "DURAND, ANNE MARIE, F, 1977-07-04, 63220", "277076322082910", "Historique")
	w.wantText(w.pageAs(aubry, "/patients/p-1"), `href="/patients/p-1/identity"`)
	if body := w.pageAs(nurse, page); strings.Contains(body, "<form class=\"act") {
		t.Error("a nurse is offered to correct an identity")
	}
	if got := w.postAs(nurse, page, form(first)); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse corrects: %s", got.Status)
	}
	if got := w.postAs(stranger, page, form(first)); got.StatusCode != http.StatusNotFound {
		t.Errorf("another team corrects: %s", got.Status)
	}

	denied := w.postAs(aubry, page, form(first, "birth_place", "63221", "status", "validated"))
	w.wantText(denied.body, "Matricule INS", "née ailleurs", `name="confirmed" value="birth_place"`)
	if denied.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a contradiction is validated: %s", denied.Status)
	}
	if got := w.postAs(aubry, page, form(first, "birth_place", "75X56")); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "INSEE") {
		t.Errorf("a place that is none: %s", got.Status)
	}
	kept := w.postAs(aubry, page, form(denied.body, "birth_place", "63221", "birth_name", "Dürand", "status", "validated", "confirmed", "birth_place"))
	if kept.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", kept.Status, kept.body)
	}
	if got := w.postAs(aubry, page, form(first)); got.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("what somebody changed since: %s", got.Status)
	}
	second := w.pageAs(aubry, page)
	w.wantText(second, "Qualifiée", "DURAND, ANNE MARIE, F, 1977-07-04, 63221", `value="Dürand"`, `value="birth_place" checked`, "Dr Aubry")
	if got := w.postAs(aubry, page, form(second, "ins", "")); got.StatusCode != http.StatusSeeOther {
		t.Errorf("without a matricule: %s\n%s", got.Status, got.body)
	}

	var said struct {
		Strict         registry.Identity
		Qualified      bool
		Contradictions []string
		History        []registry.IdentityVersion
	}
	if err := json.Unmarshal([]byte(w.ask("GET", "/api/v1/patients/p-1/identity", "", aubry...).body), &said); err != nil {
		t.Fatal(err)
	}
	if said.Strict.BirthPlace != "63220" || said.Strict.INS != "" || said.Qualified || len(said.Contradictions) != 0 || len(said.History) != 3 || said.History[1].Author != "Dr Aubry" {
		t.Errorf("a program reads %+v", said)
	}
}

// What a validated identity says is not replaced by other traits unchecked.
func TestOtherTraitsOfAValidatedIdentityAreRefusedOverHTTP(t *testing.T) {
	w := enrolled(t)
	who := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	tag := w.ask("GET", "/api/v1/patients/p-1", "", who...).Header.Get("ETag")
	got := w.ask("PATCH", "/api/v1/patients/p-1", `{"identity":{"birth_name":"MARTIN"}}`, with(who, "If-Match", tag)...)
	w.wantProblem(got, http.StatusUnprocessableEntity, "unacceptable", "")
	w.wantText(got.body, "traits-unchecked", "traits:p-1")
	for _, good := range []struct{ query, body string }{
		{"", `{"identity":{"birth_name":"MARTIN","status":"provisional"}}`}, {"", `{"identity":{"status":"validated"}}`},
		{"?allow_loosening=traits:p-1", `{"identity":{"birth_name":"MARTINE"}}`},
	} {
		got := w.ask("PATCH", "/api/v1/patients/p-1"+good.query, good.body, with(who, "If-Match", tag)...)
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", good.body, got.Status, got.body)
		}
		tag = got.Header.Get("ETag")
	}
}
