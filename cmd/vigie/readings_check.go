package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

func readingsSchemaCommand() *cobra.Command {
	topics := slices.Sorted(maps.Keys(native.Schemas))
	return &cobra.Command{
		Use:       "schema [" + strings.Join(topics, "|") + "]",
		Short:     "Imprimer le schéma JSON des messages (print the JSON Schema of the messages)",
		ValidArgs: topics,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			topic := ingest.ReadingsTopic
			if len(args) > 0 {
				topic = args[0]
			}
			_, err := cmd.OutOrStdout().Write(native.Schemas[topic]())
			return err
		},
	}
}

func readingsCheckCommand() *cobra.Command {
	var format, topic string
	var spoken tongue
	command := &cobra.Command{
		Use:   "check FILE…",
		Short: "Dire ce qui ne va pas dans des messages, hors ligne (say what is wrong with messages, offline)",
		Long: `Dire ce qui ne va pas dans des messages, chacun dans son fichier ; - est l'entrée
standard. Ils sont lus comme le service les lit. Ce que seul le service sait n'est pas
regardé : l'heure, l'appareil, le patient.

Say what is wrong with messages, one per file; - is standard input. They are read as
the service reads them. What only the service knows is not looked at: the time, the
device, the patient. --format json writes the receipts. The exit status is 1 when a
reading would be set aside.`,
		Example: "  vigie readings check message.json\n  mosquitto_sub -C 1 -t vigie/v1/bp-1/readings | vigie readings check -",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %s: use text or json", format)
			}
			if err := spoken.check(); err != nil {
				return err
			}
			decoder, known := service.Formats()[topic]
			if !known {
				return fmt.Errorf("--topic %s: use one of %s", topic, strings.Join(slices.Sorted(maps.Keys(service.Formats())), ", "))
			}
			receipts := []ingest.Receipt{}
			for _, name := range names {
				found, err := receiptsOf(cmd.InOrStdin(), name, decoder)
				if err != nil {
					return err
				}
				receipts = append(receipts, found...)
			}
			write := writeReceipts
			if format == "json" {
				write = writeReceiptsJSON
			}
			if err := write(cmd.OutOrStdout(), spoken, receipts); err != nil {
				return fmt.Errorf("write what was found: %w", err)
			}
			if slices.ContainsFunc(receipts, refused) {
				return exitStatus(1)
			}
			return nil
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text or json")
	command.Flags().StringVar(&topic, "topic", ingest.ReadingsTopic, "the format, by the end of its topic: "+strings.Join(slices.Sorted(maps.Keys(service.Formats())), ", "))
	spoken.register(command.Flags())
	return command
}

func refused(r ingest.Receipt) bool { return r.Verdict == ingest.SetAside }

// receiptsOf reads one message, and says what the decoder alone makes of it.
func receiptsOf(in io.Reader, name string, decoder ingest.Decoder) (receipts []ingest.Receipt, err error) {
	payload, err := messageOf(in, name)
	if err != nil {
		return nil, err
	}
	var batch ingest.Batch
	decoder.Decode("", "", payload, &batch)
	for i := range batch.Readings {
		receipt := ingest.Receipt{ID: batch.Readings[i].ID, Verdict: ingest.Accepted}
		for _, w := range batch.Warnings {
			if w.Reading == i {
				receipt.Warnings = append(receipt.Warnings, w.Reason)
			}
		}
		receipts = append(receipts, receipt)
	}
	for i := range batch.Refused {
		r := &batch.Refused[i]
		receipts = append(receipts, ingest.Receipt{ID: r.Reading.ID, Verdict: ingest.SetAside, Reasons: r.Reasons})
	}
	return receipts, nil
}

func writeReceiptsJSON(out io.Writer, _ tongue, receipts []ingest.Receipt) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(receipts)
}

// What a check says.
var (
	readingGood    = protocols.Text{FR: "%s : lisible\n", EN: "%s: readable\n"}
	readingRefused = protocols.Text{FR: "%s : serait mise de côté\n", EN: "%s: would be set aside\n"}
	readingWarned  = protocols.Text{FR: "  avertissement %s %s : %s\n", EN: "  warning %s %s: %s\n"}
	readingFault   = protocols.Text{FR: "  %s %s : %s\n", EN: "  %s %s: %s\n"}
	readingNoID    = protocols.Text{FR: "(sans id)", EN: "(no id)"}
)

func writeReceipts(out io.Writer, in tongue, receipts []ingest.Receipt) error {
	var text strings.Builder
	for _, r := range receipts {
		id, verdict := r.ID, readingGood
		if id == "" {
			id = in.say(readingNoID)
		}
		if refused(r) {
			verdict = readingRefused
		}
		text.WriteString(in.say(verdict, id))
		for _, reason := range r.Reasons {
			text.WriteString(in.say(readingFault, reason.Code, reason.Path, reason.Message))
		}
		for _, w := range r.Warnings {
			text.WriteString(in.say(readingWarned, w.Code, w.Path, w.Message))
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}
