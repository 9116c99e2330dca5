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
		Short: "Copy the embedded store into one file, while the service runs",
		Long: `Copies everything that is committed into a new file, while the service goes on:
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
				file = filepath.Join(file, time.Now().UTC().Format("vigie-2006-01-02T150405Z.db"))
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

func restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the embedded store",
		Long: `Checks a backup and puts it into the folder of the store (data), where there must
be no store: nothing is overwritten. A backup of an older Vigie is brought up to
date; one of a newer Vigie is refused.

Messages to people that were sent after the backup was made are sent again, and
devices hold what they were told since to be kept: let them send it again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			if err := service.Restore(cmd.Context(), c, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is restored into %s; start the service\n", args[0], c.Data)
			return nil
		},
	}
}
