package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		if person.Named() && !roll.SamePerson(person.Names, person.Born, patient) {
			return errAnotherPerson
		}
	}
	return nil
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
