package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
)

func backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE|FOLDER",
		Short: "Copier la base embarquée dans un fichier, pendant que le service tourne (copy the embedded store)",
		Long: `Copie tout ce qui est validé dans un nouveau fichier, pendant que le service tourne :
mesures, évaluation, alertes, messages, registre. Le fichier est vérifié, et ne
porte son nom qu'une fois complet. Dans un dossier, il porte l'heure.

Copies everything that is committed into a new file, while the service goes on:
readings, evaluation, alerts, messages, registry. The file is checked, and appears
under its name only when it is whole. In a folder, it is named after the time.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			file := args[0]
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				file = filepath.Join(file, backupName(time.Now()))
			}
			if err := service.Backup(cmd.Context(), c, file); err != nil {
				return err
			}
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %.1f MiB, checked\n", file, float64(info.Size())/(1<<20))
			return nil
		},
	}
}

// backupName is the name of a backup that was made at a moment, in UTC. Every system
// takes it as a name.
func backupName(at time.Time) string { return at.UTC().Format("vigie-2006-01-02T150405Z.db") }

func restoreCommand() *cobra.Command {
	var lists []string
	command := &cobra.Command{
		Use:   "restore FILE",
		Short: "Remettre une sauvegarde à la place de la base embarquée (put a backup in the place of the store)",
		Long: `Vérifie une sauvegarde et la met dans le dossier de la base (data), où il ne doit
pas y en avoir : rien n'est écrasé. Les messages partis depuis la sauvegarde sont
envoyés de nouveau ; les appareils doivent renvoyer ce qu'ils ont transmis depuis.

Checks a backup and puts it into the folder of the store (data), where there must
be no store: nothing is overwritten. A backup of an older Vigie is brought up to
date; one of a newer Vigie is refused. Who was erased since it was made is erased from
it: by the list in that folder, by that beside the backup, and by those of --erasures.

Messages to people that were sent after the backup was made are sent again, and
devices hold what they were told since to be kept: let them send it again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			if err := service.Restore(cmd.Context(), c, args[0], lists...); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is restored into %s; start the service\n", args[0], c.Data)
			return nil
		},
	}
	command.Flags().StringArrayVar(&lists, "erasures", nil, "list of erasures, as a newer backup has it beside it; may be repeated")
	return command
}
