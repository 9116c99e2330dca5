package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// registryHistoryCommand reads back what the registry held of an enrolment.
func registryHistoryCommand(open func(*cobra.Command) (registryStore, error)) *cobra.Command {
	var at string
	command := &cobra.Command{
		Use:   "history ENROLMENT",
		Short: "Les réglages et versions d'une inclusion, à toute date (settings and versions at any date)",
		Long: `Liste chaque version d'une inclusion : sa date, son auteur, son protocole et ses
réglages. Avec --at, écrit l'inclusion telle qu'elle était alors, en JSON.

Lists every version of an enrolment: when it was made, by whom, its protocol and
its settings. With --at, prints the enrolment as it was then, in JSON.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) (err error) {
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			if at != "" {
				return writeEnrolmentAt(command, store, args[0], at)
			}
			versions, err := store.Versions(command.Context(), args[0])
			if err != nil {
				return err
			}
			if len(versions) == 0 {
				return fmt.Errorf("enrolment %s: %w", args[0], registry.ErrNotFound)
			}
			return writeVersions(command.OutOrStdout(), versions)
		},
	}
	command.Flags().StringVar(&at, "at", "", "as it was then, RFC 3339: 2026-11-21T08:00:00+01:00")
	return command
}

func writeEnrolmentAt(command *cobra.Command, store registryStore, id, at string) error {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return fmt.Errorf("--at: %q is not a time: write 2026-11-21T08:00:00+01:00", at)
	}
	enrolment, err := store.EnrolmentAt(command.Context(), id, t)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(command.OutOrStdout())
	encoder.SetIndent("", "  ")
	return encoder.Encode(enrolment)
}

func writeVersions(out io.Writer, versions []registry.Version) error {
	for _, v := range versions {
		if _, err := fmt.Fprintf(out, "%s  %s\n  protocole %s, version %s\n", v.At.Format(time.RFC3339), harmless(v.Author), v.Enrolment.Protocol, v.Enrolment.Version); err != nil {
			return err
		}
		if err := writeEnd(out, &v.Enrolment); err != nil {
			return err
		}
		if err := writeConsent(out, &v.Enrolment); err != nil {
			return err
		}
		if err := writeSettings(out, &v.Enrolment); err != nil {
			return err
		}
	}
	return nil
}

// writeEnd writes up to when the patient is followed, by the calendar of where the patient
// lives: the last day, or an hour.
func writeEnd(out io.Writer, e *registry.Enrolment) error {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return err
	}
	end := registry.LastDay(e.Prescription, zone)
	said := end.Format("02/01/2006 à 15:04")
	if !end.Equal(e.Prescription) {
		said = end.Format("02/01/2006") + " inclus"
	}
	_, err = fmt.Fprintf(out, "  ordonnance jusqu'au %s\n", said)
	return err
}

// writeConsent writes the patient's word, by the calendar of where the patient lives.
func writeConsent(out io.Writer, e *registry.Enrolment) error {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return err
	}
	day := func(t time.Time) string { return t.In(zone).Format("02/01/2006") }
	said := "refusé le " + day(e.Consent.Date)
	if e.Consent.Given {
		said = "donné le " + day(e.Consent.Date)
	}
	if !e.Consent.Withdrawn.IsZero() {
		said += ", retiré le " + e.Consent.Withdrawn.In(zone).Format("02/01/2006 à 15:04")
	}
	if !e.Consent.History.IsZero() {
		said += ", y compris ce qui fut mesuré avant, depuis le " + day(e.Consent.History)
	}
	_, err = fmt.Fprintf(out, "  consentement %s\n", said)
	return err
}

// writeSettings writes who set what, by the calendar of where the patient lives.
func writeSettings(out io.Writer, e *registry.Enrolment) error {
	settings, err := e.LocalSettings()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := settings[name]
		if _, err := fmt.Fprintf(out, "  %s = %s (%s, le %s : %s)\n", name, s.Value.French(), harmless(s.Author), s.Date.Format("02/01/2006"), harmless(s.Reason)); err != nil {
			return err
		}
	}
	return nil
}
