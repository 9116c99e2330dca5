package main

import (
	"fmt"
	"io"
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
		Short: "Chaque mesure, sorte d'appareil et drapeau : codes, unités, valeurs possibles (every measure, kind of device and flag)",
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
			if err := table.Flush(); err != nil {
				return err
			}
			return writeVocabulary(cmd.OutOrStdout())
		},
	}
}

// writeVocabulary prints which kinds of device measure what, and the flags that are
// known.
func writeVocabulary(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nKIND\t\tMEASURES\t")
	for _, k := range protocols.Kinds() {
		measures := strings.Join(k.Measures, ", ")
		if k.Measures == nil {
			measures = "all"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", k.ID, k.Title.FR, measures)
	}
	fmt.Fprintln(table, "\nFLAG\t\tALSO WRITTEN\t")
	for _, f := range protocols.Flags() {
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", f.Word, f.Title.FR, strings.Join(f.Spellings, ", "))
	}
	return table.Flush()
}
