package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
)

const replayHelp = `Évalue des mesures passées contre un protocole, avant de l'activer : chaque alerte
qui aurait été levée, expliquée ; les totaux pour 100 jours-patient par règle et
par niveau ; les heures ; les règles qui sonnent ensemble.

Evaluates past readings against a protocol before it is switched on: every alert
that would have been raised, explained, with totals per 100 patient-days.

Where the readings come from, one of:
  --csv FILE          a recorded series, one column of times and one per component;
                      repeat --measure and --column together for several measures
  --patient P         one patient of the store (--data or --config)
  --cohort all        every patient of the store who is under this protocol
  --cohort simulated  patients who do not exist, with a fixed seed

--from and --to take an instant (2026-03-01T08:00:00+01:00) or a day; a day given
to --to is included. --against compares with another protocol (a file or an id) or
with other settings (name=value, or a file of them).`

// replayFlags are what the command line of a replay says.
type replayFlags struct {
	protocol string
	settings []string
	against  string
	from, to string
	format   string
	language tongue
	output   string
	recorded recordedFlags
	kept     keptFlags
	cohort   string
	patients int
	days     int
	seed     uint64
	open     func() (pastStore, error)
}

// replayCommand is `vigie replay`. open opens the store that the command line
// names; it is called only when readings come from there.
func replayCommand(open openPast) *cobra.Command {
	var flags replayFlags
	command := &cobra.Command{
		Use:     "replay --protocol FILE|ID (--csv FILE … | --patient P | --cohort simulated|all)",
		Short:   "Ce qu'un protocole aurait signalé sur des mesures passées (what a protocol would have raised)",
		Long:    replayHelp,
		Example: "  vigie replay --protocol diabetes --csv glucose.csv --measure glucose --column gl --time-column time --format html --output relecture.html",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			flags.open = func() (pastStore, error) { return open(command) }
			return runReplay(command.Context(), &flags, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	f := command.Flags()
	f.StringVar(&flags.protocol, "protocol", "", "file, or id of the library: heart-failure, diabetes@1")
	f.StringArrayVar(&flags.settings, "settings", nil, "settings of the patient: name=value, or a YAML file of them; may be repeated")
	f.StringVar(&flags.against, "against", "", "another protocol or other settings to compare with")
	f.StringVar(&flags.from, "from", "", "beginning: a day or an instant")
	f.StringVar(&flags.to, "to", "", "end: a day (included) or an instant")
	f.StringVar(&flags.format, "format", "text", "text, json or html")
	f.StringVar(&flags.output, "output", "", "file to write; standard output when empty")
	f.StringVar(&flags.cohort, "cohort", "", "simulated, or all of the store")
	f.IntVar(&flags.patients, "patients", 200, "size of the simulated cohort")
	f.IntVar(&flags.days, "days", 90, "days of the simulated cohort")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the simulated cohort")
	flags.language.register(f)
	flags.recorded.register(f)
	flags.kept.register(f)
	return command
}

// candidate is one side of a replay: a protocol with settings in place.
type candidate struct {
	protocol *protocols.Protocol
	settings protocols.Settings
	title    string
	start    replay.Start
}

func newCandidate(p *protocols.Protocol, settings protocols.Settings, title string) (*candidate, error) {
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, err
	}
	c := &candidate{protocol: p, settings: settings, title: title}
	c.start = func(e protocols.Enrolment) (protocols.Evaluator, error) {
		e.Settings = c.inForce(e.Settings)
		return plan.For(e)
	}
	return c, nil
}

// inForce are the settings in place: the patient's own, as far as the protocol
// knows them, under those of the command line.
func (c *candidate) inForce(own protocols.Settings) protocols.Settings {
	return own.Under(c.protocol).With(c.settings)
}

// replayed is everything a replay found.
type replayed struct {
	versions   []*candidate // one, or two when compared
	outcomes   []*replay.Outcome
	source     *pastSource
	span       replay.Span
	statistics replay.Statistics
}

func runReplay(ctx context.Context, flags *replayFlags, out, progress io.Writer) (err error) {
	if err := flags.language.check(); err != nil {
		return err
	}
	versions, err := flags.versions()
	if err != nil {
		return err
	}
	write, err := reportIn(flags.format)
	if err != nil {
		return err
	}
	source, err := flags.source(ctx, versions[0].protocol)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	for _, note := range source.notes {
		fmt.Fprintln(progress, note)
	}
	found, err := evaluate(ctx, source, versions, newProgress(progress, flags.language, source.counts, source.size))
	if err != nil {
		return err
	}
	return writeTo(flags.output, out, func(w io.Writer) error { return write(w, flags.language, found) })
}

// versions reads the protocol and what it is compared with.
func (f *replayFlags) versions() ([]*candidate, error) {
	if f.protocol == "" {
		return nil, errors.New("say which protocol with --protocol: a file, or an id of the library such as heart-failure")
	}
	p, err := readProtocol(f.protocol)
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(f.settings, p)
	if err != nil {
		return nil, err
	}
	first, err := newCandidate(p, settings, f.protocol)
	if err != nil || f.against == "" {
		return []*candidate{first}, err
	}
	second, err := f.other(p, settings)
	return []*candidate{first, second}, err
}

// other is what the protocol is compared with: itself with other settings, or
// another protocol.
func (f *replayFlags) other(p *protocols.Protocol, settings protocols.Settings) (*candidate, error) {
	if isSettings(f.against) {
		others, err := readSettings([]string{f.against}, p)
		if err != nil {
			return nil, err
		}
		return newCandidate(p, others, f.against)
	}
	q, err := readProtocol(f.against)
	if err != nil {
		return nil, err
	}
	return newCandidate(q, settings.Under(q), f.against)
}

// source opens where the readings come from.
func (f *replayFlags) source(ctx context.Context, p *protocols.Protocol) (*pastSource, error) {
	chosen := 0
	for _, given := range []bool{f.recorded.file != "", f.kept.patient != "", f.cohort != ""} {
		if given {
			chosen++
		}
	}
	if chosen != 1 {
		return nil, errors.New("say where the readings come from with one of --csv, --patient and --cohort")
	}
	if f.kept.patient != "" {
		return f.fromStore(func(store pastStore) (*pastSource, error) {
			e, err := enrolmentUnder(ctx, store, f.kept.patient, p.ID)
			if err != nil {
				return nil, err
			}
			span, err := spanOf(f.from, f.to, e.Zone)
			if err != nil {
				return nil, err
			}
			return patientSource(ctx, f.language, store, e, p, span)
		})
	}
	span, err := spanOf(f.from, f.to, f.recorded.zone)
	switch {
	case err != nil:
		return nil, err
	case f.recorded.file != "":
		return f.recorded.source(f.language, p, span)
	case f.cohort == "simulated":
		return simulatedSource(f.language, simulationOf(f), p, span)
	case f.cohort != "all":
		return nil, fmt.Errorf("--cohort is simulated or all, not %q", f.cohort)
	}
	zone, err := time.LoadLocation(f.recorded.zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the days: %w", err)
	}
	return f.fromStore(func(store pastStore) (*pastSource, error) { return cohortSource(ctx, f.language, store, p, span, zone) })
}

// fromStore opens the store; closing the source closes it.
func (f *replayFlags) fromStore(of func(pastStore) (*pastSource, error)) (*pastSource, error) {
	store, err := f.open()
	if err != nil {
		return nil, err
	}
	source, err := of(store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	source.close = store.Close
	return source, nil
}

// spanOf reads --from and --to; either may be empty and is then zero.
func spanOf(from, to, zone string) (replay.Span, error) {
	var span replay.Span
	place, err := time.LoadLocation(zone)
	if err != nil {
		return span, fmt.Errorf("the time zone %q is not known: use an IANA name such as Europe/Paris", zone)
	}
	if span.From, err = momentOf("--from", from, place, 0); err != nil {
		return span, err
	}
	if span.To, err = momentOf("--to", to, place, 1); err != nil {
		return span, err
	}
	if !span.From.IsZero() && !span.To.IsZero() && !span.From.Before(span.To) {
		return span, errors.New("--from must come before --to")
	}
	return span, nil
}

// momentOf reads an instant, or the local midnight of a day moved by some days.
func momentOf(flag, text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04:05", text, zone); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return t, fmt.Errorf("%s %q is neither a day (2026-03-01) nor an instant (2026-03-01T08:00:00+01:00)", flag, text)
	}
	return t.AddDate(0, 0, days).UTC(), nil
}

// writeTo writes a report to a file, or to out when no file is named.
func writeTo(file string, out io.Writer, write func(io.Writer) error) (err error) {
	if file == "" {
		return write(out)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

func reportIn(format string) (func(io.Writer, tongue, *replayed) error, error) {
	switch format {
	case "text":
		return writeText, nil
	case "json":
		return writeJSON, nil
	case "html":
		return writePage, nil
	}
	return nil, fmt.Errorf("--format is text, json or html, not %q", format)
}

func writePage(w io.Writer, in tongue, r *replayed) error {
	page := &figures.Page{
		Language: string(in),
		Protocol: r.versions[0].protocol, Settings: r.settings(r.versions[0]), Source: r.source.title, Note: r.daysOnlyNote(in), Zone: r.source.zone, Span: r.span,
		Outcome: r.outcomes[0], Totals: r.totals(0), Statistics: r.statistics.ByMeasure(), Readings: r.source.shown,
	}
	if len(r.versions) > 1 {
		page.Against = &figures.Against{Title: r.versions[1].title, Totals: r.totals(1), Difference: replay.Compare(r.outcomes[0], r.outcomes[1])}
	}
	return figures.Write(w, page)
}

func (r *replayed) totals(side int) replay.Totals {
	return r.outcomes[side].Totals(r.versions[side].protocol.Rules)
}

// daysOnly is what the protocol does not see of the readings of the one patient that have no
// hour; nil where each has one.
func (r *replayed) daysOnly() *replay.DaysOnly {
	return replay.DaysOnlyIn(r.versions[0].protocol, r.source.shown, r.span)
}

// daysOnlyNote says so to a person, before whoever reads takes their silence for calm; empty
// where every rule sees every reading.
func (r *replayed) daysOnlyNote(in tongue) string {
	found := r.daysOnly()
	if found == nil || len(found.Rules) == 0 {
		return ""
	}
	return in.say(replayDaysOnly, found.Readings, strings.Join(found.Rules, ", "))
}

// settings are those in force for the one patient, on one side.
func (r *replayed) settings(c *candidate) protocols.Settings { return c.inForce(r.source.settings) }
