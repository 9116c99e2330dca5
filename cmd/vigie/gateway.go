package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/formats/gateway"
	"vigie/protocols/document"
)

const gatewayHelp = `Les passerelles publient sous des sujets à elles ; une correspondance, qui est un
fichier, dit où sont l'appareil, les valeurs, l'unité et l'heure. topics.gateways nomme
celles qui servent ; le registre dit à quelle passerelle un appareil est confié (gateway).

Gateways publish under topics of their own. A mapping, which is a file, says where the
device, the values, the unit and the time stand. topics.gateways names those in use, and
the registry says to which gateway a device is entrusted (gateway).`

func gatewayCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "gateway",
		Short: "Ce que publient des passerelles, et comment il est lu (what gateways publish, and how it is read)",
		Long:  gatewayHelp,
	}
	command.AddCommand(gatewayListCommand(), gatewayShowCommand(), gatewayCheckCommand(), gatewayTestCommand())
	return command
}

func gatewayListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Les correspondances livrées (the mappings that ship)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, id := range gateway.IDs() {
				format, err := mappingOf(id, "UTC")
				if err != nil {
					return err
				}
				fmt.Fprintf(table, "%s\t%s\t%s\n", id, format.Filter(), format.Title())
			}
			return table.Flush()
		},
	}
}

func gatewayShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Écrire une correspondance, pour en faire la sienne (write a mapping, to make one's own of it)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := service.Mapping(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func gatewayCheckCommand() *cobra.Command {
	var spoken tongue
	command := &cobra.Command{
		Use:   "check FILE…",
		Short: "Dire ce qui ne va pas dans des correspondances (say what is wrong with mappings)",
		Long: `Dire ce qui ne va pas dans des correspondances, exemples compris.

Say what is wrong with mappings, their own samples included. The exit status is 1 when
there is something.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := spoken.check(); err != nil {
				return err
			}
			var all []document.Problem
			for _, name := range names {
				text, err := service.Mapping(name)
				if err != nil {
					return err
				}
				for _, p := range gateway.Try(text) {
					p.File = name
					all = append(all, p)
				}
			}
			if err := listProblems(cmd.OutOrStdout(), spoken, all); err != nil {
				return err
			}
			if len(all) > 0 {
				return exitStatus(1)
			}
			return nil
		},
	}
	spoken.register(command.Flags())
	return command
}

func gatewayTestCommand() *cobra.Command {
	var topic, zone string
	command := &cobra.Command{
		Use:   "test NAME|FILE --topic TOPIC MESSAGE…",
		Short: "Dire ce qu'une correspondance lit dans des messages (say what a mapping reads in messages)",
		Long: `Dire ce qu'une correspondance lit dans des messages, chacun dans son fichier ; - est
l'entrée standard. Une ligne par mesure : appareil, mesure, valeurs, heure.

Say what a mapping reads in messages, one per file; - is standard input. One line a
reading: device, measure, values in canonical units, time. The exit status is 1 when
something is refused.`,
		Example: "  mosquitto_sub -C 1 -t home/OMG/BTtoMQTT/AABBCCDDEEFF | vigie gateway test theengs --topic home/OMG/BTtoMQTT/AABBCCDDEEFF -",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := mappingOf(args[0], zone)
			if err != nil {
				return err
			}
			if !format.Owns(topic) {
				return fmt.Errorf("--topic %q is no topic of %s: it reads %s", topic, args[0], format.Filter())
			}
			return tryMessages(cmd, format, topic, args[1:])
		},
	}
	command.Flags().StringVar(&topic, "topic", "", "topic of the messages")
	command.Flags().StringVar(&zone, "time-zone", "Europe/Paris", "zone of local times, where the mapping leaves it to topics.gateway_zone")
	return command
}

func tryMessages(cmd *cobra.Command, format *gateway.Format, topic string, names []string) error {
	refused := false
	for _, name := range names {
		payload, err := messageOf(cmd.InOrStdin(), name)
		if err != nil {
			return err
		}
		lines := format.Lines(topic, payload)
		if len(lines) == 0 {
			lines = []string{name + ": no reading / aucune mesure"}
		}
		for _, line := range lines {
			refused = refused || strings.HasPrefix(line, "refused ")
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
				return err
			}
		}
	}
	if refused {
		return exitStatus(1)
	}
	return nil
}

// mappingOf is a mapping that may be used, or the first thing that is wrong with it.
func mappingOf(name, zone string) (*gateway.Format, error) {
	text, err := service.Mapping(name)
	if err != nil {
		return nil, err
	}
	format, problems := gateway.Parse(text, zone)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s:%d: %s; vigie gateway check says the rest", name, problems[0].Line, problems[0].Message.EN)
	}
	return format, nil
}

// messageOf reads one message from a file; - is standard input.
func messageOf(in io.Reader, name string) (payload []byte, err error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the message: %w", err)
		}
		defer file.Close()
		in = file
	}
	payload, err = io.ReadAll(io.LimitReader(in, ingest.MaxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	if len(payload) > ingest.MaxPayload {
		return nil, errors.New(name + " is larger than a message may be: 1 MiB")
	}
	return payload, nil
}
