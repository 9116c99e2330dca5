package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vigie/protocols"
)

// measuresCommand prints what can be measured, for device vendors and authors of
// protocols.
func measuresCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "measures",
		Short: "Chaque mesure : composantes, codes, unités, valeurs possibles (every measure)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "MEASURE\tCOMPONENT\tLOINC\tUNITS\tRANGE\t")
			for _, m := range protocols.Measures() {
				for i, c := range m.Components {
					name := c.Name
					if c.Optional {
						name += " (optional)"
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s–%s\t\n", m.ID, name, c.LOINC, strings.Join(m.UnitsFor(i), ", "), c.Low, c.High)
				}
			}
			return table.Flush()
		},
	}
}
