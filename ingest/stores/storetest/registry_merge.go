package storetest

import (
	"errors"
	"testing"
	"time"

	"vigie/ingest/registry"
)

// mergedRecords merges the records of one person and takes that back: nothing of either is
// moved, an import of the same patients leaves the merge, and it is refused where it would
// have one person followed twice.
func mergedRecords(t *testing.T, s Registry) {
	reg := ward()
	importWard(t, s, reg, "admin", noon)
	version := func() int64 {
		t.Helper()
		v, err := s.RegistryVersion(t.Context())
		expect(t, "error", err, nil)
		return v
	}
	code := func(m registry.Merge) string {
		t.Helper()
		err := m.Make(t.Context(), s)
		var cannot *registry.CannotMerge
		if errors.As(err, &cannot) {
			return cannot.Code
		}
		expect(t, "error", err, nil)
		return "done"
	}
	m := registry.Merge{From: "p-2", Into: "p-1", Author: "Mme Hoarau", Reason: "saisie deux fois", At: noon.Add(time.Hour)}
	expect(t, "followed under one protocol at the same time", code(m), registry.MergeFollowed)
	reg.Enrolments[1].Prescription = noon
	reg.Loosening = []string{"enrolment e-2 prescription_end"}
	if _, err := s.Import(t.Context(), reg, "admin", noon); err != nil {
		t.Fatal(err)
	}
	before := version()
	expect(t, "once one has ended", code(m), "done")
	expect(t, "the registry has another version", version() > before, true)
	merges, err := s.Merges(t.Context())
	expect(t, "error", err, nil)
	expect(t, "merges", merges, []registry.Merge{m})
	persons := registry.PersonsOf(merges)
	expect(t, "the person of p-2", persons.Person("p-2"), "p-1")
	expect(t, "the same as p-1", persons.Same("p-1"), []string{"p-2"})
	expect(t, "the same as p-2", persons.Same("p-2"), []string{"p-1"})
	expect(t, "once more", code(m), registry.MergeBefore)
	back := registry.Merge{From: "p-1", Into: "p-2", Author: "Mme Hoarau", Reason: "l'autre", At: noon.Add(time.Hour)}
	expect(t, "the other way", code(back), registry.MergeBefore)
	back.Into = "p-1"
	expect(t, "with itself", code(back), registry.MergeSelf)
	back.Into = "p-9"
	expect(t, "with nobody", code(back), registry.MergeUnknown)

	reg.Patients[1].Identity.BirthName = "DUPONT"
	importWard(t, s, reg, "admin", noon.Add(2*time.Hour))
	merges, err = s.Merges(t.Context())
	expect(t, "error", err, nil)
	expect(t, "merges after another import", merges, []registry.Merge{m})
	enrolments, err := s.EnrolmentsOf(t.Context(), "p-2")
	expect(t, "error", err, nil)
	expect(t, "enrolments that stay", len(enrolments), 1)

	exported, err := s.Export(t.Context(), registry.Access{Author: "Op", Reason: "déménagement", At: noon})
	expect(t, "error", err, nil)
	expect(t, "merges of an export", exported.Merges, []registry.Merge{m})

	undo := registry.Merge{From: "p-2", Author: "Dr Payet", Reason: "deux sœurs", At: noon.Add(3 * time.Hour)}
	expect(t, "taken back", code(undo), "done")
	expect(t, "taken back twice", code(undo), registry.MergeNot)
	merges, err = s.Merges(t.Context())
	expect(t, "error", err, nil)
	expect(t, "merges that stand", len(merges), 0)
}
