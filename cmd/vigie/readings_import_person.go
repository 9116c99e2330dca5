package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace/roll"
	"vigie/ingest/formats/recorded"
	"vigie/ingest/registry"
)

// errAnotherPerson names nobody: neither the file's person nor the patient.
var errAnotherPerson = errors.New("the file names a person who is not the patient by the registry: look at both, and say --same-person if they are one; nothing was entered")

// hold holds whom the files name against the patient. A file that names nobody passes.
func (f *importFlags) hold(ctx context.Context, named []recorded.Person, identity func(context.Context) (*registry.Identity, error)) error {
	if f.samePerson || !slices.ContainsFunc(named, recorded.Person.Named) {
		return nil
	}
	patient, err := identity(ctx)
	if err != nil {
		return fmt.Errorf("hold the name in the file against the patient: %w; or look yourself, and say --same-person", err)
	}
	for _, person := range named {
		if person.Named() && !isPatient(person, patient) {
			return errAnotherPerson
		}
	}
	return nil
}

// isPatient reports whether a person of a file may be the patient: the birth name and a
// given name are among the words of the file, and the day of birth, if any, is the same.
func isPatient(person recorded.Person, patient *registry.Identity) bool {
	if patient == nil || patient.BirthName == "" || person.Born != "" && !sameDay(person.Born, patient.BirthDate) {
		return false
	}
	if len(person.Names) == 0 {
		return true
	}
	words := strings.Fields(roll.Fold(strings.Join(person.Names, " ")))
	among := func(word string) bool { return slices.Contains(words, word) }
	family, given := strings.Fields(roll.Fold(patient.BirthName)), strings.Fields(roll.Fold(patient.FirstGiven+" "+patient.GivenNames))
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

// identityOf is the identity of a patient in the store. The trail notes the look.
func identityOf(cmd *cobra.Command, patient string) (identity *registry.Identity, err error) {
	tools, err := openTools(cmd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return tools.Identity(cmd.Context(), patient, registry.Access{Author: "vigie readings import", Reason: "a file that names a person is imported", At: time.Now()})
}
