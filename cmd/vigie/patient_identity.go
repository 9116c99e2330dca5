package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// patientIdentity shows who a patient is, and who he was said to be before.
func patientIdentity(open opener) *cobra.Command {
	var by registry.Access
	command := &cobra.Command{
		Use:   "identity PATIENT --author … --reason …",
		Short: "Ses traits stricts, leur statut, leur historique (the strict traits, their status and history)",
		Long: `Montre les traits stricts d'un patient, en capitales sans accents, leur statut et ce
qu'ils étaient avant. La consultation est tracée.

Show the strict traits of a patient, in capitals without accents, their status and what
they were before. The look is traced.`,
		Example: "  vigie patient identity p-0101 --author \"Mme Hoarau\" --reason \"vérification sur pièce\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) (err error) {
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			by.At = clock()
			versions, err := store.IdentityVersions(command.Context(), args[0], by)
			if err != nil {
				return err
			}
			if len(versions) == 0 {
				return fmt.Errorf("no patient is called %s", args[0])
			}
			table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, v := range versions {
				i := v.Identity.Strict()
				status := string(cmp.Or(i.Status, registry.Provisional))
				if i.Qualified() {
					status += ", qualified"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.At.UTC().Format(time.RFC3339), harmless(v.Author), status,
					harmless(i.BirthName), harmless(i.GivenNames), i.Sex, i.BirthDate, i.BirthPlace, cmp.Or(i.INS, "sans matricule (no matricule)"))
			}
			return table.Flush()
		},
	}
	command.Flags().StringVar(&by.Author, "author", "", "who looks")
	command.Flags().StringVar(&by.Reason, "reason", "", "why")
	return command
}

// traitFlags adds a flag for each trait of an identity.
func traitFlags(command *cobra.Command, i *registry.Identity, oid string) {
	flags := command.Flags()
	flags.StringVar(&i.INS, "ins", "", "the INS, with its key; it may come later")
	flags.StringVar(&i.OID, "oid", oid, "kind of the INS; "+registry.OIDTest+" for a synthetic patient")
	flags.StringVar(&i.BirthName, "birth-name", "", "name at birth")
	flags.StringVar(&i.GivenNames, "given-names", "", "given names, all")
	flags.StringVar(&i.FirstGiven, "first-given-name", "", "the first of them; its first word when empty")
	flags.StringVar(&i.Sex, "sex", "", "M or F")
	flags.StringVar(&i.BirthDate, "birth-date", "", "day, as 1951-03-27")
	flags.StringVar(&i.BirthPlace, "birth-place", "", "INSEE code, as 75056")
	flags.StringVar((*string)(&i.Status), "status", "", "validated where the traits were checked against an identity document, or provisional")
	flags.StringSliceVar(&i.Confirmed, "confirm", nil, "what the INS contradicts and is right all the same: sex, birth_date, birth_place")
}

// patientCorrect corrects an identity, and says that it was checked.
func patientCorrect(open opener) *cobra.Command {
	var e edit
	var given registry.Identity
	command := &cobra.Command{
		Use:   "correct PATIENT [--birth-name … --ins … --status validated]",
		Short: "Corriger une identité, ou la valider sur pièce (correct an identity, or validate it)",
		Long: `Corrige les traits d'un patient et laisse les autres. Un trait corrigé rend l'identité
provisoire, sauf avec --status validated : les traits sont alors vérifiés sur pièce.

Correct traits of a patient and leave the others. A trait that is corrected makes the
identity provisional, except with --status validated: the traits were then checked.`,
		Example: "  vigie patient correct p-0101 --status validated --confirm birth_place --author \"Mme Hoarau\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				by := registry.Access{Author: cmp.Or(e.author, "vigie patient correct"), Reason: "an identity is corrected", At: clock()}
				former, err := store.Identity(command.Context(), args[0], by)
				if errors.Is(err, registry.ErrNotFound) {
					return edited{}, fmt.Errorf("no patient is called %s", args[0])
				}
				if err != nil {
					return edited{}, err
				}
				of := edited{Registry: registry.Registry{Patients: []registry.Patient{{ID: args[0], Identity: former.Corrected(given)}}}}
				if given.Status == registry.ValidIdentity {
					of.means = []string{registry.TraitsName(args[0])}
				}
				return of, nil
			})
		},
	}
	e.flags(command)
	traitFlags(command, &given, "")
	return command
}

func firstWord(text string) string {
	first, _, _ := strings.Cut(text, " ")
	return first
}
