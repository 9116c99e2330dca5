package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/erasure"
	"vigie/cmd/vigie/service"
)

// retentionCommand is `vigie retention`.
func retentionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retention",
		Short: "Combien de temps chaque chose est gardée, pourquoi, et ce qui partirait (what is kept how long, and why)",
		Long: `Dit pour chaque catégorie combien de temps elle est gardée, sur quel fondement, et
combien partirait aujourd'hui. Rien ne change : le service l'applique une fois par jour.
Rien ne part de ce dont une alerte ouverte ou un suivi en cours a besoin. Les durées et
les fondements sont dans la configuration, sous retention.

Says for each category how long it is kept, on which ground, and how much would go today.
Nothing changes: the service applies it once a day. Nothing goes that an open alert or a
running enrolment needs. Times and grounds stand in the configuration, under retention.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTools(cmd, func(tools *service.Tools) error {
				list, err := tools.Retained(cmd.Context(), time.Now())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for i := range list {
					k := &list[i]
					age, due := "∞", "-"
					if k.For > 0 {
						age = fmt.Sprintf("%dd", int(k.For/(24*time.Hour)))
					}
					if k.Due != erasure.Uncounted {
						due = fmt.Sprint(k.Due)
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.Key, age, due, k.Name.In(tools.Language), harmless(k.Ground.In(tools.Language)))
				}
				return table.Flush()
			})
		},
	}
}
