package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace"
	"vigie/alerts/workspace/archive"
	"vigie/cmd/vigie/service"
	"vigie/ingest/disk"
)

// patientExport is what `vigie patient export` was asked.
type patientExport struct {
	patient, author, reason, requested, output string
}

func patientExportCommand() *cobra.Command {
	var asked patientExport
	command := &cobra.Command{
		Use:   "export PATIENT --output FILE.zip",
		Short: "Tout ce qui est gardé d'un patient, en une archive (all that is kept of a patient, in one archive)",
		Long: `Écrit tout ce qui est gardé d'un patient dans une archive : identité, suivi et son
histoire, mesures, alertes et ce qui en a été fait, ce qui a été mis de côté, et qui a
consulté le dossier. Chaque table est en CSV, décrite colonne par colonne, et en JSON ;
LISEZMOI.txt la résume ; manifest.json dit la somme SHA-256 de chaque fichier, la
demande, et jusqu'à quand la loi veut une réponse. vigie patient import la relit.

Write all that is kept of a patient into an archive: identity, how he is followed and
was, readings, alerts and what was done about them, what was set aside, and who looked.
Each table is CSV, described column by column, and JSON; LISEZMOI.txt is a summary;
manifest.json has the SHA-256 of each file, the request, and by when the law wants an
answer. "vigie patient import" reads it.`,
		Example: "  vigie patient export p-0012 --author \"Ida Weber\" --reason \"demande du patient\" --requested 2026-11-20 --output p-0012.zip",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked.patient = args[0]
			if asked.author == "" || asked.reason == "" {
				return errors.New("an export reads the identity of the patient, which is logged: give --author and --reason")
			}
			if asked.output == "" {
				return errors.New("say where the archive goes with --output: it holds names and measurements, and is written for you alone")
			}
			return withTools(cmd, func(tools *service.Tools) error { return asked.run(cmd, tools) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&asked.author, "author", "", "who exports it")
	flags.StringVar(&asked.reason, "reason", "", "why, as who has asked")
	flags.StringVar(&asked.requested, "requested", "", "day on which it was asked for; today when empty")
	flags.StringVar(&asked.output, "output", "", "new file for the archive")
	return command
}

func (p *patientExport) run(cmd *cobra.Command, tools *service.Tools) (err error) {
	now := time.Now()
	requested := now
	if p.requested != "" {
		if requested, err = time.Parse(time.DateOnly, p.requested); err != nil {
			return fmt.Errorf("--requested: write the day as 2026-11-21: %w", err)
		}
	}
	sources := archiveSources(tools)
	found, err := archive.Gather(cmd.Context(), sources, archive.Asked{Patient: p.patient, Author: p.author, Reason: p.reason, Requested: requested, Now: now})
	if err != nil {
		return err
	}
	out, err := disk.Create(p.output)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	m, err := found.Write(cmd.Context(), sources, out)
	if err = errors.Join(err, disk.Finish(out)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s : %d fichiers (files). À remettre au plus tard le (due by) %s.\n", p.output, len(m.Files)+1, m.AnswerBy[0].Day)
	if err == nil && !m.Whole {
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "vigie: "+m.Missing)
		err = errors.Join(err, notWhole)
	}
	return err
}

// archiveSources are the tools as an archive reads them.
func archiveSources(tools *service.Tools) archive.Sources {
	traces, _ := tools.Traces()
	written := func(format string) func(io.Writer, archive.Each) error {
		return func(to io.Writer, each archive.Each) error { return workspace.WriteReadings(to, format, each) }
	}
	return archive.Sources{
		Registry: tools, Alerts: tools.Alerts, Reviews: tools.Reviews, Trail: traces, SetAsides: tools.Store, Readings: tools,
		Text: tools.Shelf.Text, Table: written(workspace.CSV), Messages: written(workspace.JSON),
	}
}
