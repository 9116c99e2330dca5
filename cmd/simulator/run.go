package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"vigie/seeds/scenario"
)

// running is what `simulator run` was asked.
type running struct {
	truth string
	days  int
	seed  uint64
}

func runCommand() *cobra.Command {
	var r running
	var list strings.Builder
	for _, s := range scenario.All {
		fmt.Fprintf(&list, "\n  %-20s %s (%s)", s.Name, s.Title.FR, s.Title.EN)
	}
	command := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Écrit ce que publient les appareils d'un patient, et la vérité à côté (what a patient's devices publish, and the truth beside)",
		Long: `Écrit, une ligne JSON par message, ce que publient les appareils d'un patient simulé
pendant des semaines : l'heure, le sujet, le contenu. --truth écrit à côté ce qui est
vraiment arrivé, et ce que des personnes ou des appareils ont fait des mesures. Le même
scénario et la même graine donnent les mêmes octets.

Writes what the devices of a simulated patient publish over some weeks, one JSON line a
message: the moment, the topic, the payload. --truth writes what really happened beside,
and what people and devices did to the readings. The same scenario and seed give the same
bytes.
` + list.String(),
		Example: "  simulator run decompensation --seed 7 --truth truth.json > messages.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return r.run(command.OutOrStdout(), args[0])
		},
	}
	flags := command.Flags()
	flags.StringVar(&r.truth, "truth", "", "file in which the truth is written, as JSON")
	flags.IntVar(&r.days, "days", 60, "how many days it lasts")
	flags.Uint64Var(&r.seed, "seed", 1, "another seed, another patient")
	return command
}

func (r *running) run(out io.Writer, name string) error {
	all, truth, err := scenario.Play(name, r.days, r.seed)
	if err != nil {
		return err
	}
	if r.truth != "" {
		text, err := json.MarshalIndent(truth, "", "  ")
		if err != nil {
			return fmt.Errorf("write the truth: %w", err)
		}
		if err := os.WriteFile(r.truth, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("write the truth: %w", err)
		}
	}
	lines := bufio.NewWriter(out)
	encoder := json.NewEncoder(lines)
	encoder.SetEscapeHTML(false)
	for i := range all {
		if err := encoder.Encode(&all[i]); err != nil {
			return fmt.Errorf("write a message: %w", err)
		}
	}
	return lines.Flush()
}
