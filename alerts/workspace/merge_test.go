package workspace_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// Two records of one person stand in one row of the worklist once somebody who may change
// both has said so, and in two once that is taken back.
func TestTwoRecordsOfOnePersonAreMergedOverHTTP(t *testing.T) {
	var w *ward
	w = enrolled(t, func(o *workspace.Options) {
		o.Persons = func(ctx context.Context) (registry.Persons, error) {
			merges, err := w.store.Merges(ctx)
			return registry.PersonsOf(merges), err
		}
	})
	identity := registry.Identity{INS: "277076322082910", OID: registry.OIDTest, BirthName: "ROUX", GivenNames: "INES", FirstGiven: "INES", Sex: "F", BirthDate: "1977-07-04", BirthPlace: "63220"}
	if _, err := w.store.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-2", Identity: identity}}}, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	w.raise("weight-fast", protocols.Orange) // of p-1
	f := storetest.Finding(protocols.Raised, "weight-gain", "ep-2", protocols.Orange, 0)
	f.Patient, f.Enrolment = "p-2", "e-2"
	w.found(f)
	rows := func() int {
		t.Helper()
		var list struct{ Patients []struct{ Patient string } }
		w.read("/api/v1/worklist", &list)
		return len(list.Patients)
	}
	physician := w.colleague("payet", "Dr Payet", access.Physician, "team-a")
	nurse := w.colleague("marc", "Marc", access.Nurse, "team-b")
	do := func(path, body string, headers []string) answer {
		t.Helper()
		return w.ask("POST", "/api/v1/patients/"+path, body, headers...)
	}
	if got := rows(); got != 2 {
		t.Fatalf("%d rows at first", got)
	}
	w.wantProblem(do("p-2/merge", `{"into":"p-1"}`, physician), http.StatusUnprocessableEntity, alerts.NoReason, "pourquoi")
	w.wantProblem(do("p-2/merge", `{"into":"p-2","reason":"x"}`, physician), http.StatusConflict, registry.MergeSelf, "lui-même")
	if got := do("p-2/merge", `{"into":"p-1","reason":"x"}`, nurse); got.StatusCode == http.StatusOK {
		t.Errorf("another team merges: %s", got.body)
	}
	if got := do("p-2/merge", `{"into":"p-1","reason":"saisie deux fois","dry_run":true}`, physician); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"unresolved":2`) || rows() != 2 {
		t.Errorf("tried: %s %s", got.Status, got.body)
	}
	if got := do("p-2/merge", `{"into":"p-1","reason":"saisie deux fois"}`, physician); got.StatusCode != http.StatusOK || rows() != 1 {
		t.Errorf("merged: %s %s, %d rows", got.Status, got.body, rows())
	}
	desk := w.pageAs(physician, "/")
	if n := strings.Count(desk, `data-alert="p.`); n != 1 {
		t.Errorf("%d rows on the page, of one person", n)
	}
	list, err := w.store.Alerts(t.Context(), alerts.Filter{})
	if err != nil || len(list) != 2 {
		t.Fatal(len(list), err)
	}
	if _, beside, _ := strings.Cut(w.pageAs(physician, "/alerts/"+list[0].ID), `class="beside"`); !strings.Contains(beside, "/alerts/"+list[1].ID) {
		t.Error("what the other record has is not beside the alert of this one")
	}
	w.wantProblem(do("p-1/merge", `{"into":"p-2","reason":"x"}`, physician), http.StatusConflict, registry.MergeBefore, "déjà réuni")
	if got := do("p-2/unmerge", `{"reason":"deux sœurs"}`, physician); got.StatusCode != http.StatusOK || rows() != 2 {
		t.Errorf("taken back: %s %s, %d rows", got.Status, got.body, rows())
	}
	for _, want := range []string{"Dr Payet: act POST /api/v1/patients/{id}/merge [p-1]", "Dr Payet: act POST /api/v1/patients/{id}/merge [p-2]",
		"Dr Payet: act POST /api/v1/patients/{id}/unmerge [p-1]", "Dr Payet: act POST /api/v1/patients/{id}/unmerge [p-2]"} {
		n := 0
		for _, line := range w.traced() {
			if line == want {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the trail has %d times %q", n, want)
		}
	}
}

// Two records are merged on a page, which shows first what that changes; what is stale,
// sent twice or not hers is refused, and a colleague takes it back.
func TestTwoRecordsAreMergedOnTheirPage(t *testing.T) {
	var w *ward
	w = enrolled(t, func(o *workspace.Options) {
		o.Persons = func(ctx context.Context) (registry.Persons, error) {
			merges, err := w.store.Merges(ctx)
			return registry.PersonsOf(merges), err
		}
	})
	identity := registry.Identity{INS: "277076322082910", OID: registry.OIDTest, BirthName: "ROUX", GivenNames: "INES", FirstGiven: "INES", Sex: "F", BirthDate: "1977-07-04", BirthPlace: "63220"}
	if _, err := w.store.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-2", Identity: identity}}}, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	w.raise("weight-fast", protocols.Orange) // of p-1
	physician, stranger := w.colleague("payet", "Dr Payet", access.Physician, "team-a"), w.colleague("marc", "Marc", access.Physician, "team-b")
	const page = "/patients/p-2/merge"
	refused := func(what string, who []string, form url.Values, status int, says string) {
		t.Helper()
		if got := w.postAs(who, page, form); got.StatusCode != status || !strings.Contains(got.body, says) {
			t.Errorf("%s: %s, want %d and %q\n%s", what, got.Status, status, says, got.body)
		}
	}
	form := func(into, reason string) url.Values { return url.Values{"into": {into}, "reason": {reason}} }
	w.wantText(w.pageAs(physician, "/patients/p-1"), `href="/patients/p-1/merge"`)
	w.wantText(w.pageAs(physician, page), "Sa référence")
	w.wantText(w.pageAs(physician, page+"?into=p-1"), "1 alerte à traiter des deux dossiers", "garde ses mesures", `value="p-1"`, ">Réunir<")
	w.wantText(w.pageAs(physician, page+"?into=p-1&lang=en"), "1 unresolved alert of both", ">Merge<")
	refused("with itself", physician, form("p-2", "x"), http.StatusConflict, "lui-même")
	refused("without a reason", physician, form("p-1", " "), http.StatusUnprocessableEntity, "pourquoi")
	refused("with a hidden character", physician, form("p-1", "de\u202eux"), http.StatusUnprocessableEntity, "")
	refused("with nobody", physician, form("p-9", "x"), http.StatusNotFound, "")
	refused("by another team", stranger, form("p-1", "x"), http.StatusNotFound, "")
	refused("apart before", physician, url.Values{"undo": {"1"}, "reason": {"x"}}, http.StatusConflict, "aucun autre")
	merges := func() int {
		list, err := w.store.Merges(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := merges(); n != 0 {
		t.Fatalf("%d merges by what was refused", n)
	}
	got := w.postAs(physician, page, form("p-1", "saisie <b>deux</b> fois"))
	if got.StatusCode != http.StatusSeeOther || merges() != 1 {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	after, _, _ := strings.Cut(got.Header.Get("Location"), "#")
	w.wantText(w.pageAs(physician, after), "les deux dossiers sont réunis", "Dr Payet", "saisie &lt;b&gt;deux", ">Séparer<")
	refused("twice", physician, form("p-1", "x"), http.StatusConflict, "déjà réuni")
	if got := w.postAs(physician, page, url.Values{"undo": {"1"}, "reason": {"deux sœurs"}}); got.StatusCode != http.StatusSeeOther || merges() != 0 {
		t.Errorf("apart: %s %s", got.Status, got.body)
	}
	w.wantText(w.pageAs(physician, page+"?done=apart"), "sont séparés", "Sa référence")
	lines := 0
	for _, line := range w.traced() {
		if strings.HasPrefix(line, "Dr Payet: act POST /patients/{id}/merge") {
			lines++
		}
	}
	if lines != 4 {
		t.Errorf("the trail has %d acts, want one for each record, and as many for taking it back", lines)
	}
}
