package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// patientCommand is `vigie patient`.
func patientCommand(open opener) *cobra.Command {
	command := &cobra.Command{
		Use:   "patient",
		Short: "Patients : voir leur suivi, exporter tout d'un patient, le relire (see how patients are followed, export one, read one)",
	}
	command.AddCommand(patientShow(open), patientList(), patientAdd(open), patientIdentity(open), patientCorrect(open), patientMerge(open), patientUnmerge(open), patientErase(), patientExportCommand(), patientImportCommand())
	return command
}

func patientShow(open opener) *cobra.Command {
	return &cobra.Command{
		Use:   "show PATIENT",
		Short: "Ses inclusions, réglages, appareils, consentement, pauses (how a patient is followed)",
		Long: `Montre comment un patient est suivi : ses inclusions, et pour chacune l'équipe, les
appareils, les réglages, le consentement et les pauses. L'identité n'est pas lue.

Show how a patient is followed: the enrolments, and of each the team, the devices, the
settings, the consent and the pauses. The identity is not read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) (err error) {
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			enrolments, err := store.EnrolmentsOf(command.Context(), args[0])
			if err != nil {
				return err
			}
			if known, err := store.HasPatient(command.Context(), args[0]); err != nil || !known {
				return errors.Join(err, fmt.Errorf("no patient is called %s", args[0]))
			}
			for i := range enrolments {
				if err := writeEnrolment(command.OutOrStdout(), &enrolments[i], clock()); err != nil {
					return err
				}
			}
			if len(enrolments) == 0 {
				_, err = fmt.Fprintln(command.OutOrStdout(), "Aucune inclusion (not enrolled).")
			}
			return err
		},
	}
}

// writeEnrolment writes how a patient is followed, by the calendar of where he lives.
func writeEnrolment(out io.Writer, e *registry.Enrolment, now time.Time) error {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return fmt.Errorf("the time zone of enrolment %s: %w", e.ID, err)
	}
	state := map[registry.State]string{registry.Proposed: "proposée, à valider", registry.Validated: "à venir", registry.Active: "en cours", registry.Suspended: "en pause", registry.Ended: "finie"}[e.StateAt(now)]
	if _, err := fmt.Fprintf(out, "%s  %s\n  protocole %s, version %s\n  équipe %s, depuis le %s\n  appareils : %s\n",
		e.ID, state, e.Protocol, e.Version, e.Team, e.From.In(zone).Format("02/01/2006"), strings.Join(e.Devices, ", ")); err != nil {
		return err
	}
	for _, write := range []func(io.Writer, *registry.Enrolment) error{writeEnd, writeConsent, writeSettings} {
		if err := write(out, e); err != nil {
			return err
		}
	}
	for _, p := range e.Pauses {
		if _, err := fmt.Fprintf(out, "  pause du %s au %s (%s : %s)\n", p.From.In(zone).Format("02/01/2006 15:04"), p.Until.In(zone).Format("02/01/2006 15:04"), p.Author, p.Reason); err != nil {
			return err
		}
	}
	return nil
}
