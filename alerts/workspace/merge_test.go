package workspace_test

import (
	"context"
	"net/http"
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
