package storetest

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest/registry"
)

// identityStatus follows one identity from its first day, without a matricule, to a name
// that was corrected after it had been validated.
func identityStatus(t *testing.T, s Registry) {
	reg := ward()
	person := func() *registry.Identity { return &reg.Patients[0].Identity }
	person().INS, person().OID, person().GivenNames, person().FirstGiven = "", "", "Anne-Zoé", "Anne-Zoé"
	reg.Patients[1].Identity.INS, reg.Patients[1].Identity.OID = "", ""
	held, err := s.Holding(t.Context(), reg)
	if err != nil || len(held.Twins) > 0 {
		t.Fatalf("two patients without a matricule are one person: %+v %v", held, err)
	}
	importWard(t, s, reg, "Marie", noon)
	if held, err = s.Holding(t.Context(), reg); err != nil || len(held.Twins) > 0 {
		t.Errorf("two patients without a matricule are one person: %+v %v", held, err)
	}
	person().INS, person().OID, person().Status = "277076322082910", registry.OIDTest, registry.ValidIdentity
	importWard(t, s, reg, "Dr Aubry", noon.Add(time.Hour))

	other := func(name string, status registry.Status, named ...string) error {
		next := *person()
		next.BirthName, next.Status = name, status
		_, err := s.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-1", Identity: next}}, Loosening: named}, "Marie", noon.Add(2*time.Hour))
		return err
	}
	if err := other("MARTIN", registry.ValidIdentity); err == nil || !strings.Contains(err.Error(), "traits:p-1") {
		t.Errorf("another name of a validated identity was kept: %v", err)
	}
	if err := other("Dùrand", registry.ValidIdentity); err != nil {
		t.Errorf("the same strict trait, written otherwise: %v", err)
	}
	if err := other("MARTIN", registry.Provisional); err != nil {
		t.Errorf("another name, to be checked: %v", err)
	}
	if err := other("MARTIN", registry.ValidIdentity); err != nil {
		t.Errorf("the name that was checked: %v", err)
	}
	if err := other("DURAND", registry.ValidIdentity, "traits:p-1"); err != nil {
		t.Errorf("another name that is said to be checked: %v", err)
	}

	if err := other("DURAND", ""); err != nil {
		t.Errorf("a file of before identities had a status: %v", err)
	}

	access := registry.Access{Author: "Marie", Reason: "correct a name", At: noon}
	versions, err := s.IdentityVersions(t.Context(), "p-1", access)
	if err != nil || len(versions) != 6 {
		t.Fatalf("%d versions, want 6: %v", len(versions), err)
	}
	first, second := versions[0], versions[1]
	if last := versions[len(versions)-1]; !last.Identity.Qualified() {
		t.Errorf("a file that says nothing of it took back that the identity was checked: %+v", last)
	}
	if first.Author != "Marie" || first.Identity.INS != "" || first.Identity.GivenNames != "Anne-Zoé" || first.Identity.Qualified() || !first.At.Equal(noon) {
		t.Errorf("first %+v", first)
	}
	if second.Author != "Dr Aubry" || !second.Identity.Qualified() {
		t.Errorf("second %+v", second)
	}
	if _, err := s.IdentityVersions(t.Context(), "p-1", registry.Access{Author: "Marie"}); err == nil {
		t.Error("an identity was read without a reason")
	}
	accesses, err := s.Accesses(t.Context(), "p-1")
	if err != nil || len(accesses) != 1 || accesses[0].Reason != "correct a name" {
		t.Errorf("the reading of the history is not logged: %+v %v", accesses, err)
	}
}
