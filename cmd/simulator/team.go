package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/workload"
	"vigie/seeds"
	"vigie/seeds/simulation"
)

// teamFlags are what `simulator team` was asked.
type teamFlags struct {
	cohort simulation.Cohort
	staff  string
	format string
}

func teamCommand() *cobra.Command {
	var f teamFlags
	command := &cobra.Command{
		Use:   "team",
		Short: "Mesure ce que les alertes demandent à une équipe simulée (what alerts ask of a simulated team)",
		Long: `Fait vivre une cohorte simulée et une équipe simulée sur tout le service, horloge
avancée : messages par patient et par semaine, délai avant qu'une alerte rouge soit
vue, rouges que personne n'a vues, répétitions. C'est une simulation : elle compare
deux versions de Vigie, elle ne prouve rien sur des patients.

Lets a simulated cohort and a simulated team live on the whole service, with its
clock moved: messages per patient and week, time until a red is seen, reds that
nobody saw, repeats. It is a simulation: it compares two versions of Vigie and
proves nothing about patients. seeds/team.yaml holds the habits of the team.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return f.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.IntVar(&f.cohort.Patients, "patients", 200, "size of the cohort")
	flags.IntVar(&f.cohort.Days, "days", 90, "days that are simulated")
	flags.Uint64Var(&f.cohort.Seed, "seed", 1, "seed: the same one gives the same patients")
	flags.StringVar(&f.staff, "staff", "", "file of teams and habits (default: the one that ships, seeds/team.yaml)")
	flags.StringVar(&f.format, "format", "text", "text or json")
	return command
}

func (f *teamFlags) run(ctx context.Context, out, errs io.Writer) error {
	if f.format != "text" && f.format != "json" {
		return fmt.Errorf("--format is text or json, not %q", f.format)
	}
	if f.cohort.Patients < 1 || f.cohort.Days < 1 {
		return fmt.Errorf("--patients and --days must be above 0")
	}
	var data []byte
	if f.staff != "" {
		var err error
		if data, err = os.ReadFile(f.staff); err != nil {
			return err
		}
	}
	staff, err := seeds.ReadStaff(data)
	if err != nil {
		return err
	}
	bar := newProgress(errs)
	figures, err := workload.Run(ctx, workload.Options{Cohort: f.cohort, Staff: staff, Progress: func(day, days int) { bar.show(day, days, "jours") }})
	if err != nil {
		return err
	}
	bar.finish(f.cohort.Days, f.cohort.Days, "jours")
	if f.format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(figures)
	}
	return writeFigures(out, &figures)
}

func writeFigures(out io.Writer, f *workload.Figures) error {
	text := fmt.Sprintf("Simulation : %d patients, %d jours, %d mesures, %d alertes\n\n", f.Patients, f.Days, f.Readings, f.Alerts)
	text += "messages par patient et par semaine (messages per patient-week)\n"
	total := 0.0
	for _, level := range slices.Sorted(maps.Keys(f.Messages)) {
		text += fmt.Sprintf("  %-10s %6.2f\n", level, f.Messages[level])
		total += f.Messages[level]
	}
	text += fmt.Sprintf("  %-10s %6.2f  (%d, dont répétitions / repeats: %d)\n\n", "total", total, f.Mails, f.Repeats)
	text += "mails, par motif (mails by why)\n"
	for _, why := range slices.Sorted(maps.Keys(f.Why)) {
		text += fmt.Sprintf("  %-12s %5d\n", why, f.Why[why])
	}
	text += fmt.Sprintf("\nrouges trouvées (reds found)                     %d\n", f.Reds)
	text += fmt.Sprintf("  vues après, médiane (seen after, median)       %.1f h\n", f.RedSeen.Median)
	text += fmt.Sprintf("  vues après, 95e centile (seen after, p95)      %.1f h\n", f.RedSeen.P95)
	text += fmt.Sprintf("  jamais vues (never seen)                       %d\n", f.RedNever)
	_, err := io.WriteString(out, text)
	return err
}
