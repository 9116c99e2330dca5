package roll

import (
	"slices"
	"strings"
	"time"

	"vigie/ingest/registry"
)

// SamePerson reports whether a person whom a file names may be the patient: the birth name
// and a given name are among the words of names, and born, if any, is the day of birth.
func SamePerson(names []string, born string, patient *registry.Identity) bool {
	if patient == nil || patient.BirthName == "" || born != "" && !sameDay(born, patient.BirthDate) {
		return false
	}
	if len(names) == 0 {
		return true
	}
	words := strings.Fields(Fold(strings.Join(names, " ")))
	among := func(word string) bool { return slices.Contains(words, word) }
	family, given := strings.Fields(Fold(patient.BirthName)), strings.Fields(Fold(patient.FirstGiven+" "+patient.GivenNames))
	return !slices.ContainsFunc(family, func(word string) bool { return !among(word) }) && slices.ContainsFunc(given, among)
}

// sameDay reports whether a file writes that day of birth.
func sameDay(written, day string) bool {
	for _, form := range []string{time.DateOnly, "02/01/2006", "02-01-2006", "02.01.2006", "01/02/2006"} {
		if t, err := time.Parse(form, written); err == nil && t.Format(time.DateOnly) == day {
			return true
		}
	}
	return false
}
