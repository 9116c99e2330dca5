package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

const mergeHelp = `Dit que deux dossiers sont ceux d'une même personne, avec un motif : la liste de travail et
les messages les réunissent. Rien n'est déplacé, et patient unmerge les sépare. C'est refusé
tant que les deux sont suivis selon le même protocole.

Says that two records are about one person, with a reason: the worklist and the messages
join them. Nothing is moved, and patient unmerge takes it back. It is refused as long as
both are followed under the same protocol.`

// mergeFlags are what both commands are asked.
type mergeFlags struct {
	author, reason string
	dryRun         bool
}

func (f *mergeFlags) command(use, short, example string, args int, open opener) *cobra.Command {
	command := &cobra.Command{
		Use: use, Short: short, Long: mergeHelp, Example: example, Args: cobra.ExactArgs(args),
		RunE: func(command *cobra.Command, args []string) error {
			m := registry.Merge{From: args[0], Author: f.author, Reason: f.reason, At: clock().UTC()}
			if len(args) > 1 {
				m.Into = args[1]
			}
			return f.run(command, open, m)
		},
	}
	command.Flags().StringVar(&f.author, "author", "", "who says so; kept with it")
	command.Flags().StringVar(&f.reason, "reason", "", "why")
	command.Flags().BoolVar(&f.dryRun, "dry-run", false, "say whether it can be done, and do nothing")
	return command
}

func patientMerge(open opener) *cobra.Command {
	return new(mergeFlags).command("merge PATIENT INTO", "Deux dossiers, une personne (two records are one person)",
		"  vigie patient merge p-0013 p-0012 --reason \"saisie deux fois\" --author \"Mme Hoarau\"", 2, open)
}

func patientUnmerge(open opener) *cobra.Command {
	return new(mergeFlags).command("unmerge PATIENT", "Séparer ce qui avait été réuni (take a merge back)",
		"  vigie patient unmerge p-0013 --reason \"deux sœurs\" --author \"Mme Hoarau\"", 1, open)
}

func (f *mergeFlags) run(command *cobra.Command, open opener, m registry.Merge) (err error) {
	if m.Author == "" || m.Reason == "" {
		return errors.New("say why with --reason, and who says so with --author")
	}
	store, err := open(command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	said := "séparé (taken back)"
	if m.Into != "" {
		said = "réuni à (merged into) " + harmless(m.Into)
	}
	if f.dryRun {
		if err := m.Check(command.Context(), store); err != nil {
			return err
		}
		said = "serait (would be) " + said
	} else if err := f.make(command, store, m); err != nil {
		return err
	}
	_, err = fmt.Fprintf(command.OutOrStdout(), "%s : %s\n", harmless(m.From), said)
	return err
}

// make writes the act into the trail of both patients, then does it.
func (f *mergeFlags) make(command *cobra.Command, store registryStore, m registry.Merge) error {
	if err := m.Check(command.Context(), store); err != nil {
		return err
	}
	if tools, traced := store.(interface {
		Note(ctx context.Context, who access.Who, deed, about, patient, reason string) error
	}); traced {
		for _, patient := range []string{m.From, m.Into} {
			if patient == "" {
				continue
			}
			if err := tools.Note(command.Context(), access.Who{}, "", m.Author, patient, m.Reason); err != nil {
				return err
			}
		}
	}
	return m.Make(command.Context(), store)
}
