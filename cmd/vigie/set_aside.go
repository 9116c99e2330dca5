package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vigie/alerts/access"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/protocols"
)

func setAsideCommand() *cobra.Command {
	command := &cobra.Command{Use: "set-aside", Short: "Ce qui n'a pas pu servir : le voir, le réessayer (what could not be used)"}
	command.AddCommand(setAsideListCommand(), setAsideRetryCommand(), setAsideDeleteCommand())
	return command
}

// setAsideFlags narrow what is looked at.
type setAsideFlags struct {
	device, code string
	limit        int
	all          bool
	json         bool
}

func (f *setAsideFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.device, "device", "", "only this device")
	flags.StringVar(&f.code, "code", "", "only this reason, as unknown-device")
}

func (f *setAsideFlags) filter() ingest.SetAsideFilter {
	return ingest.SetAsideFilter{Device: f.device, Code: protocols.Code(f.code), Open: !f.all, Limit: f.limit}
}

func setAsideListCommand() *cobra.Command {
	var flags setAsideFlags
	command := &cobra.Command{
		Use:   "list",
		Short: "Ce qui a été mis de côté, le plus récent d'abord (list what was set aside)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			tools, err := openTools(cmd)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tools.Close()) }()
			records, err := tools.Store.SetAsides(cmd.Context(), flags.filter())
			if err != nil {
				return err
			}
			return writeSetAsides(cmd.OutOrStdout(), records, flags.json)
		},
	}
	flags.register(command.Flags())
	command.Flags().IntVar(&flags.limit, "limit", 100, "at most this many")
	command.Flags().BoolVar(&flags.all, "all", false, "also what was accepted after another try")
	command.Flags().BoolVar(&flags.json, "json", false, "one JSON object per line, with the payload in base64")
	return command
}

func writeSetAsides(out io.Writer, records []ingest.SetAsideRecord, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		for _, record := range records {
			if err := encoder.Encode(record); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NO\tRECEIVED\tDEVICE\tCODE\tPATH\tREASON\t")
	for _, record := range records {
		for _, reason := range record.Reasons {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t\n", record.ID, record.Received.Format(time.RFC3339), harmless(record.Device), reason.Code, harmless(reason.Path), harmless(reason.Message))
		}
	}
	return table.Flush()
}

// harmless writes text that a device or a person chose for a terminal: what would move the
// cursor, change colours or the direction of writing stands as an escape.
func harmless(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }) {
		return text
	}
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

func setAsideRetryCommand() *cobra.Command {
	var flags setAsideFlags
	command := &cobra.Command{
		Use:   "retry",
		Short: "Réessayer après une correction (try again after a correction)",
		Long: `Réessaie ce qui a été mis de côté, une fois le registre ou un protocole corrigé. Un
service qui tourne le fait de lui-même ; cette commande est pour une base sur
laquelle aucun service ne tourne.

Tries again what was set aside, after the registry or a protocol was corrected.

A running service does so by itself each time the registry changes; this command
is for a store that no service is running on.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return retrySetAsides(cmd.Context(), cmd, flags.filter()) },
	}
	flags.register(command.Flags())
	return command
}

func setAsideDeleteCommand() *cobra.Command {
	var code, age string
	command := &cobra.Command{
		Use:   "delete",
		Short: "Effacer ce qui a été mis de côté, par code et par âge (delete by code and age)",
		Long: `Efface ce qui a été mis de côté sous un code, et reçu il y a plus longtemps que
--older-than. Ce qu'InfluxDB a refusé reste : il est encore à transmettre. L'acte est
consigné dans les traces, avec le nombre.

Deletes what was set aside under a code and was received longer ago than --older-than.
What InfluxDB refused stays: it is still to be sent. The act is in the trail, with the
number.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if !slices.Contains(protocols.Codes(), protocols.Code(code)) {
				return fmt.Errorf("--code: %q is none of the codes of readings: %s", code, codes())
			}
			old, err := config.ParseDuration(age)
			if err != nil || old < 0 {
				return fmt.Errorf("--older-than: %q is no age: write 30d or 12h", age)
			}
			tools, err := openTools(cmd)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tools.Close()) }()
			before := time.Now().Add(-old)
			deleted, err := tools.Kept.DeleteSetAsides(cmd.Context(), protocols.Code(code), before)
			about := fmt.Sprintf("%s, before %s: %d", code, before.UTC().Format(time.RFC3339), deleted)
			if err := errors.Join(err, tools.Note(cmd.Context(), access.Who{}, "", about, "", "")); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d deleted\n", deleted)
			return err
		},
	}
	command.Flags().StringVar(&code, "code", "", "under this reason, as malformed")
	command.Flags().StringVar(&age, "older-than", "", "received longer ago than that, as 30d")
	return command
}

// codes lists the codes of readings.
func codes() string {
	var list []string
	for _, code := range protocols.Codes() {
		list = append(list, string(code))
	}
	return strings.Join(list, ", ")
}

func retrySetAsides(ctx context.Context, cmd *cobra.Command, filter ingest.SetAsideFilter) error {
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	if err := service.Standing(c); err != nil {
		return err
	}
	retried, err := service.Retry(ctx, service.Options{Config: c, Now: time.Now, Log: logTo(os.Stderr, c.Log, new(slog.LevelVar))}, filter)
	if errors.Is(err, service.ErrRunning) {
		return fmt.Errorf("%w; it tries set-aside readings again by itself when the registry changes", service.ErrRunning)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d tried again: %d accepted, %d still set aside\n", retried.Tried, retried.Accepted, retried.Refused+retried.Failed)
	if retried.Failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of them met a fault: the log above says which and why", retried.Failed))
	}
	return err
}
