package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/protocols"
)

func checkCommand() *cobra.Command {
	var store bool
	var in tongue
	command := &cobra.Command{
		Use:   "check --store",
		Short: "Vérifier la base et nommer les patients touchés (verify the store, and name the patients)",
		Long: `Lit toute la base, aussi pendant que le service tourne, et compare chaque ligne dont
dépend une décision à sa somme de contrôle. Nomme les lignes abîmées et les patients
(leur pseudonyme) : leurs mesures abîmées sont laissées de côté, et aucune de leurs
alertes ne se termine.

Reads the whole store, also while the service runs, and compares each row that a
decision rests on with its checksum. Names the damaged rows and the patients (their
pseudonyms): their damaged readings are left out, and none of their alerts ends.

It ends with status 1 when something is damaged. What was damaged can be found in a
backup made before.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := in.check(); err != nil {
				return err
			}
			if !store {
				return errors.New("say what to check: vigie check --store (dites quoi vérifier)")
			}
			c, err := configOf(command)
			if err != nil {
				return err
			}
			if err := service.Standing(c); err != nil {
				return err
			}
			tools, err := service.OpenTools(command.Context(), c)
			if err != nil {
				return err
			}
			rows, err := tools.Verify(command.Context())
			if err = errors.Join(err, tools.Close()); err != nil {
				return err
			}
			command.Print(in.damages(rows))
			if len(rows) > 0 {
				return exitStatus(1)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&store, "store", false, "verify the store")
	in.register(command.Flags())
	return command
}

// damages says which rows are damaged, one a line.
func (in tongue) damages(rows ingest.DamagedRows) string {
	if len(rows) == 0 {
		return in.say(protocols.Text{FR: "La base est intacte.\n", EN: "The store is intact.\n"})
	}
	said := in.say(protocols.Text{FR: "Lignes abîmées : %d.\n", EN: "Damaged rows: %d.\n"}, len(rows))
	for _, row := range rows {
		said += row.Table + " " + harmless(row.Row)
		if row.Patient != "" {
			said += in.say(protocols.Text{FR: ", patient %s", EN: ", patient %s"}, harmless(row.Patient))
		}
		switch {
		case !row.From.IsZero():
			said += in.say(protocols.Text{FR: ", mesures du %s au %s", EN: ", readings from %s until %s"}, row.From.Format(time.RFC3339), row.To.Format(time.RFC3339))
		case !row.To.IsZero():
			said += in.say(protocols.Text{FR: ", mesures jusqu'au %s", EN: ", readings until %s"}, row.To.Format(time.RFC3339))
		}
		said += "\n"
	}
	return said
}
