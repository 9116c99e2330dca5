package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/danger"
)

// measuresCommand prints what can be measured, for device vendors and authors of
// protocols.
func measuresCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "measures",
		Short: "Chaque mesure, sorte d'appareil et drapeau : codes, unités, valeurs possibles (every measure, kind of device and flag)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return writeManual(cmd.OutOrStdout())
			}
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
	command.Flags().BoolVar(&asJSON, "json", false, "for programs: measures, kinds, flags and codes")
	return command
}

// The manual as programs read it. Fields are added, and never change their meaning.
type (
	manual struct {
		Measures []measureJSON    `json:"measures"`
		Kinds    []kindJSON       `json:"kinds"`
		Flags    []flagJSON       `json:"flags"`
		Meals    []flagJSON       `json:"meals"` // moments by a meal, in context.meal
		Lines    []lineJSON       `json:"lines"` // the table of danger
		Codes    []protocols.Code `json:"codes"`
	}
	measureJSON struct {
		ID         string          `json:"id"`
		Title      protocols.Text  `json:"title"`
		LOINC      string          `json:"loinc,omitempty"`
		Variants   []string        `json:"variants,omitempty"`
		Components []componentJSON `json:"components"`
	}
	componentJSON struct {
		Name     string           `json:"name"`
		Title    protocols.Text   `json:"title"`
		LOINC    string           `json:"loinc,omitempty"`
		Units    []unitJSON       `json:"units"`
		OwnUnit  bool             `json:"own_unit,omitempty"` // "unit" of the reading is not its own
		Optional bool             `json:"optional,omitempty"`
		Whole    bool             `json:"whole,omitempty"`
		Decimals int              `json:"decimals"`
		Grades   []protocols.Text `json:"grades,omitempty"` // in words, from 0 on
		SumOf    []string         `json:"sum_of,omitempty"` // a score, which may be left to the service
		Low      protocols.Value  `json:"low"`              // in the first unit
		High     protocols.Value  `json:"high"`
	}
	unitJSON struct {
		UCUM      string   `json:"ucum"`
		Spellings []string `json:"spellings,omitempty"`
	}
	kindJSON struct {
		ID       string         `json:"id"`
		Title    protocols.Text `json:"title"`
		Measures []string       `json:"measures"` // null for all
		Specimen string         `json:"specimen,omitempty"`
	}
	lineJSON struct {
		Name      string              `json:"name"`
		Measure   string              `json:"measure"`
		Component string              `json:"component,omitempty"`
		Variant   string              `json:"variant,omitempty"`
		Per       string              `json:"per,omitempty"`
		Statistic protocols.Statistic `json:"statistic,omitempty"`
		Operator  protocols.Operator  `json:"operator"`
		Value     protocols.Value     `json:"value"`
		Danger    bool                `json:"danger,omitempty"` // one value beyond it reaches a team within the hour
		Scale     int                 `json:"scale,omitempty"`  // of NEWS2
		Origin    protocols.Text      `json:"origin"`
	}
	flagJSON struct {
		Word      string         `json:"word"`
		Title     protocols.Text `json:"title"`
		Spellings []string       `json:"spellings,omitempty"`
	}
)

func writeManual(out io.Writer) error {
	all := manual{Codes: append(protocols.Codes(), protocols.UnknownWord, protocols.OtherSpelling)}
	for _, m := range protocols.Measures() {
		measure := measureJSON{ID: m.ID, Title: m.Title, LOINC: m.LOINC, Variants: m.Variants}
		for i, c := range m.Components {
			component := componentJSON{Name: c.Name, Title: c.Title, LOINC: c.LOINC, OwnUnit: c.Own, Optional: c.Optional, Whole: c.Whole, Decimals: c.Decimals, Low: c.Low, High: c.High, Grades: c.Grades}
			for _, part := range c.SumOf {
				component.SumOf = append(component.SumOf, m.Components[part].Name)
			}
			for _, unit := range m.UnitsFor(i) {
				component.Units = append(component.Units, unitJSON{unit, protocols.Spellings(unit)})
			}
			measure.Components = append(measure.Components, component)
		}
		all.Measures = append(all.Measures, measure)
	}
	for _, k := range protocols.Kinds() {
		all.Kinds = append(all.Kinds, kindJSON{k.ID, k.Title, k.Measures, k.Specimen})
	}
	for _, l := range danger.Lines() {
		all.Lines = append(all.Lines, lineJSON{l.Name, l.Measure, l.Component, l.Variant, l.Per, l.Statistic, l.Operator, l.Value, l.Danger, l.Scale, l.Origin})
	}
	for _, f := range protocols.Flags() {
		all.Flags = append(all.Flags, flagJSON{f.Word, f.Title, f.Spellings})
	}
	for _, m := range protocols.Meals() {
		all.Meals = append(all.Meals, flagJSON{string(m.Meal), m.Title, m.Spellings})
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}

// lineOf is what a line of the table of danger is about, as a protocol writes it.
func lineOf(l *danger.Line) string {
	words := []string{l.Measure}
	for _, word := range []string{l.Component, l.Variant, string(l.Statistic), string(l.Operator), l.Value.String()} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// writeVocabulary prints which kinds of device measure what, the table of danger, and
// the flags and moments by a meal that are known.
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
	fmt.Fprintln(table, "\nLINE OF DANGER\t\tORIGIN\t")
	for _, l := range danger.Lines() {
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", l.Name, lineOf(&l), l.Origin.FR)
	}
	fmt.Fprintln(table, "\nFLAG\t\tALSO WRITTEN\t")
	for _, f := range protocols.Flags() {
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", f.Word, f.Title.FR, strings.Join(f.Spellings, ", "))
	}
	fmt.Fprintln(table, "\nMOMENT BY A MEAL\t\tALSO WRITTEN\t")
	for _, m := range protocols.Meals() {
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", m.Meal, m.Title.FR, strings.Join(m.Spellings, ", "))
	}
	return table.Flush()
}
