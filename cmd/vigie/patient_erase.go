package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vigie/alerts/erasure"
	"vigie/cmd/vigie/service"
)

func patientErase() *cobra.Command {
	var e service.Erasing
	command := &cobra.Command{
		Use:   "erase PATIENT --reason TEXT --author NAME",
		Short: "Effacer un patient pour toujours (erase a patient for good)",
		Long: `Efface tout ce qui est gardé d'un patient : identité, suivi, mesures, alertes, messages mis
de côté, ce que les traces disent de lui, et ses points dans InfluxDB. Rien ne le ramène.
Le service doit être arrêté. --dry-run compte, par catégorie, et dit ce qui reste et
pourquoi. Le dossier médical peut devoir être gardé : remettez d'abord l'archive de vigie
patient export à qui le garde.

Une sauvegarde d'avant le tient encore. La liste des effacements (erasures, dans le dossier
de la base, et à côté de chaque sauvegarde) l'efface de nouveau avant que rien n'en soit
servi : gardez-la aussi ailleurs.

Erase all that is kept of a patient: identity, follow-up, readings, alerts, messages set
aside, what the trail says of him, and his points in InfluxDB. Nothing brings him back. The
service must be stopped. --dry-run counts, by category, and says what stays and why. The
medical record may have to be kept: hand the archive of vigie patient export to who keeps
it, first.

A backup from before still holds him. The list of erasures (erasures, in the folder of the
store, and beside each backup) erases him again before anything of it is served: keep a
copy of it elsewhere.`,
		Example: `  vigie patient erase p-0012 --dry-run
  vigie patient erase p-0012 --reason "demande du 20/11" --author "Mme Hoarau"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			e.Patient, e.Now = args[0], clock()
			erased, err := service.Erase(cmd.Context(), c, e, slog.Default())
			if err != nil {
				return err
			}
			return writeErased(cmd.OutOrStdout(), tongue(c.Language), erased, e.DryRun)
		},
	}
	flags := command.Flags()
	flags.StringVar(&e.Reason, "reason", "", "why, without the name; kept in the list of erasures")
	flags.StringVar(&e.Author, "author", "", "who decides it; kept in the list of erasures")
	flags.BoolVar(&e.DryRun, "dry-run", false, "count what would go and say what stays, and erase nothing")
	return command
}

// fate says what becomes of a category.
func fate(stays, dry bool) string {
	switch {
	case stays:
		return "gardé (kept)"
	case dry:
		return "à effacer (would go)"
	}
	return "effacé (erased)"
}

func writeErased(out io.Writer, in tongue, erased *service.Erased, dry bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range erasure.Categories {
		count := fmt.Sprint(erased.Counts[c.Key])
		until := ""
		switch {
		case c.Stays:
			count, until = "", ", "+in.say(c.Until)
		case c.Key == erasure.InfluxDB && erased.InfluxDB:
			count = "…"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s%s\n", fate(c.Stays, dry), count, in.say(c.Name), in.say(c.Ground), until)
	}
	err := table.Flush()
	said := []string{"Effacement (erasure) " + erased.Record.ID}
	if dry {
		said = []string{"Rien n'est effacé (nothing was erased)."}
	}
	if erased.Stays {
		said = append(said, "InfluxDB 3 n'efface rien : ses points y restent (deletes nothing: the points stay there).")
	}
	for _, left := range erased.Left {
		said = append(said, fmt.Sprintf("à relire (look at): %s, %d : le patient y est nommé par un autre dossier (named in records of others)", left.Table, left.Rows))
	}
	if erased.Unclean != nil {
		said = append(said, fmt.Sprintf("à finir (to be finished): %v", erased.Unclean))
	}
	if err == nil {
		_, err = fmt.Fprintln(out, strings.Join(said, "\n"))
	}
	return err
}
