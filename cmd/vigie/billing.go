package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/billing"
	"vigie/cmd/vigie/service"
)

func billingCommand() *cobra.Command {
	var month, format string
	command := &cobra.Command{
		Use:   "billing --month 2026-10",
		Short: "Extrait mensuel pour la facturation (monthly extract for billing)",
		Long: `Écrit, par patient, inclusion et mois civil, ce qui était attendu, ce qui a été transmis
et par qui, les pauses, les alertes et les actes. Avec --format json, chaque colonne a sa
définition. L'extrait ne dit pas ce qui est payé.

Write, by patient, enrolment and civil month, what was due, what was transmitted and by
whom, pauses, alerts and acts. With --format json each column has its definition. The
extract does not say what is paid.`,
		Example: "  vigie billing --month 2026-10 --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := time.Parse("2006-01", month)
			if err != nil {
				return fmt.Errorf("--month %q: write it as 2026-10", month)
			}
			write := map[string]func(io.Writer, []*billing.Line) error{"csv": billingCSV, "json": billingJSON}[format]
			if write == nil {
				return fmt.Errorf("--format %q: csv or json", format)
			}
			return withTools(cmd, func(tools *service.Tools) error {
				lines, err := billed(cmd.Context(), tools, first, time.Now())
				if err != nil {
					return err
				}
				return write(cmd.OutOrStdout(), lines)
			})
		},
	}
	command.Flags().StringVar(&month, "month", "", "the civil month: 2026-10")
	command.Flags().StringVar(&format, "format", "csv", "csv or json")
	return command
}

// billed reads the lines of a month from the store.
func billed(ctx context.Context, tools *service.Tools, first, now time.Time) ([]*billing.Line, error) {
	all, err := allEnrolments(ctx, tools)
	if err != nil {
		return nil, err
	}
	followed := make([]billing.Followed, len(all))
	for i := range all {
		e := &all[i]
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			return nil, fmt.Errorf("the time zone of enrolment %s: %w", e.ID, err)
		}
		followed[i] = billing.Followed{
			Enrolment: e.ID, Patient: e.Patient, Protocol: e.Protocol, Version: e.Version, Team: e.Team, Physician: e.Physician,
			Zone: zone, Rules: tools.Protocol(e.Protocol, e.Version), Covers: e.Covers, Consents: e.Consent.At, Pauses: e.Pauses,
		}
	}
	traces, _ := tools.Traces()
	return billing.Month(ctx, billing.Sources{Readings: tools, Alerts: tools.Alerts, Reviews: tools.Reviews, Trail: traces}, followed, first, now)
}

func billingCSV(to io.Writer, lines []*billing.Line) error {
	table := csv.NewWriter(to)
	names := make([]string, len(billing.Columns))
	for i, c := range billing.Columns {
		names[i] = c.Name
	}
	if err := table.Write(names); err != nil {
		return err
	}
	for _, b := range lines {
		cells := b.Cells()
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func billingJSON(to io.Writer, lines []*billing.Line) error {
	rows := make([]map[string]string, len(lines))
	for i, b := range lines {
		rows[i] = map[string]string{}
		for j, cell := range b.Cells() {
			rows[i][billing.Columns[j].Name] = cell
		}
	}
	out := json.NewEncoder(to)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"columns": billing.Columns, "rows": rows})
}
