package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
	"vigie/protocols/replay"
)

const readingsHelp = `Écrit les mesures gardées d'un patient, dans l'ordre des mesures, en unités
canoniques, depuis la base ; depuis InfluxDB, celles que la base a oubliées. Si
InfluxDB ne répond pas, ou n'a plus tout, ce qu'il y a est écrit, ce qui manque est
dit, et le statut est 3.

Writes the kept readings of a patient from the store; those that it has forgotten,
from InfluxDB. If InfluxDB does not answer, or has lost some, what there is is
written, what is missing is told, and the status is 3.

CSV has one line per value: time, measure, component, value, unit, device, id,
source. JSON is an array of readings in the shape in which devices send them.`

// everything is a span that holds every reading.
var everything = replay.Span{From: time.Unix(0, 0).UTC(), To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}

// readingsFlags are what the command line of `vigie readings` says.
type readingsFlags struct {
	patient, measure, from, to, zone, format string
}

func readingsCommand() *cobra.Command {
	var flags readingsFlags
	command := &cobra.Command{
		Use:     "readings --patient P",
		Short:   "Les mesures gardées d'un patient (the kept readings of a patient)",
		Long:    readingsHelp,
		Example: "  vigie readings --patient p-0012 --measure weight --from 2026-03-01 --to 2026-03-31 --format csv",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			asked, err := flags.asked()
			if err != nil {
				return err
			}
			tools, err := openTools(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tools.Close()) }()
			err = asked.write(command.Context(), command.OutOrStdout(), command.ErrOrStderr(), tools)
			return whatIsMissing(err, command.ErrOrStderr(), tools.Language)
		},
	}
	f := command.Flags()
	f.StringVar(&flags.patient, "patient", "", "pseudonymous id of the patient")
	f.StringVar(&flags.measure, "measure", "", "one measure, as weight; all when empty")
	f.StringVar(&flags.from, "from", "", "beginning: a day or an instant")
	f.StringVar(&flags.to, "to", "", "end: a day (included) or an instant")
	f.StringVar(&flags.zone, "time-zone", "Europe/Paris", "zone of days and times written without one")
	f.StringVar(&flags.format, "format", workspace.CSV, "csv or json")
	command.AddCommand(readingsSchemaCommand(), readingsCheckCommand(), readingsImportCommand(), readingsRehomeCommand())
	command.AddCommand(readingsStrikeCommands()...)
	return command
}

// askedReadings is what is to be written.
type askedReadings struct {
	patient string
	measure *protocols.Measure
	span    replay.Span
	format  string
}

func (f *readingsFlags) asked() (a askedReadings, err error) {
	a = askedReadings{patient: f.patient, format: f.format}
	if f.patient == "" {
		return a, errors.New("say whose readings with --patient")
	}
	if f.format != workspace.CSV && f.format != workspace.JSON {
		return a, fmt.Errorf("--format is csv or json, not %q", f.format)
	}
	if f.measure != "" {
		if a.measure = protocols.MeasureByID(f.measure); a.measure == nil {
			return a, fmt.Errorf("--measure %q is not known: vigie measures lists them", f.measure)
		}
	}
	if a.span, err = spanOf(f.from, f.to, f.zone); err != nil {
		return a, err
	}
	if a.span.From.IsZero() {
		a.span.From = everything.From
	}
	if a.span.To.IsZero() {
		a.span.To = everything.To
	}
	return a, nil
}

// write writes the readings that the history holds, and says aside when there are
// none: an id that was misspelt has none either.
func (a *askedReadings) write(ctx context.Context, out, aside io.Writer, history workspace.History) error {
	none := true
	err := workspace.WriteReadings(out, a.format, func(yield func(*protocols.Reading) bool) error {
		return history.History(ctx, a.patient, a.measure, a.span.From, a.span.To, func(r *protocols.Reading) bool {
			none = false
			return yield(r)
		})
	})
	if err != nil || !none {
		return err
	}
	_, err = fmt.Fprintf(aside, "vigie: no reading of patient %s is kept of that time; are the id and the time right?\n", a.patient)
	return err
}

// notWhole is the status of an answer in which some of the past is missing.
const notWhole exitStatus = 3

// whatIsMissing says what an answer lacks that is not whole, and gives the command
// its status.
func whatIsMissing(err error, aside io.Writer, language string) error {
	var missing *ingest.NotWholeError
	if !errors.As(err, &missing) {
		return err
	}
	from := missing.From.UTC().Format(time.RFC3339)
	said := protocols.Text{
		FR: "vigie : ce qui a été mesuré avant le " + from + " est dans InfluxDB, qui ne répond pas",
		EN: "vigie: what was measured before " + from + " is in InfluxDB, which does not answer",
	}
	if missing.Differs() {
		said = protocols.Text{
			FR: "vigie : ce qui a été mesuré avant le " + from + " est dans InfluxDB, qui n'en a plus tout ; vigie influx compare dit quels jours",
			EN: "vigie: what was measured before " + from + " is in InfluxDB, which no longer has all of it; vigie influx compare says which days",
		}
	}
	if _, err := fmt.Fprintf(aside, "%s (%s)\n", said.In(language), influx.In(missing.Err, language)); err != nil {
		return err
	}
	return notWhole
}
