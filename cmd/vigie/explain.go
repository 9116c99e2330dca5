package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
	"vigie/protocols/trial"
)

const explainHelp = `Dit où en est une règle pour un patient à un moment donné, et pourquoi : la
fenêtre, les mesures qui y sont, chaque statistique, chaque comparaison. Ce qui a
été mesuré plus tard n'entre pas en compte.

Says where a rule stands for a patient at one moment, and why it rang or did not.

--at takes an instant (2026-03-01T08:00:00+01:00), a local time, or a day, which
means its end.`

// explainFlags are what the command line of an explanation says.
type explainFlags struct {
	protocol string
	settings []string
	rule     string
	at       string
	format   string
	language tongue
	recorded recordedFlags
	kept     keptFlags
}

// explainCommand is `vigie explain`. open opens the store that the command line
// names; it is called only when readings come from there.
func explainCommand(open openPast) *cobra.Command {
	var flags explainFlags
	command := &cobra.Command{
		Use:     "explain --patient P --rule R --at T",
		Short:   "Pourquoi une règle a sonné, ou pas (why a rule rang, or did not)",
		Long:    explainHelp,
		Example: "  vigie explain --patient p-0012 --rule weight-gain-slow --at 2026-03-14",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			open := func() (pastStore, error) { return open(command) }
			return runExplain(command.Context(), &flags, open, command.OutOrStdout())
		},
	}
	f := command.Flags()
	f.StringVar(&flags.protocol, "protocol", "", "file, or id of the library; the patient's own when absent")
	f.StringArrayVar(&flags.settings, "settings", nil, "settings in place of the patient's: name=value, or a file; may be repeated")
	f.StringVar(&flags.rule, "rule", "", "id of the rule")
	f.StringVar(&flags.at, "at", "", "the moment")
	f.StringVar(&flags.format, "format", "text", "text or json")
	flags.language.register(f)
	flags.recorded.register(f)
	flags.kept.register(f)
	return command
}

func runExplain(ctx context.Context, flags *explainFlags, open func() (pastStore, error), out io.Writer) error {
	write, ok := map[string]func(io.Writer, tongue, *protocols.Account, *time.Location) error{"text": writeAccount, "json": writeAccountJSON}[flags.format]
	if err := flags.language.check(); err != nil {
		return err
	}
	switch {
	case !ok:
		return fmt.Errorf("--format is text or json, not %q", flags.format)
	case flags.rule == "" || flags.at == "":
		return errors.New("say which rule with --rule and which moment with --at")
	case (flags.recorded.file == "") == (flags.kept.patient == ""):
		return errors.New("say where the readings come from with one of --patient and --csv")
	}
	past, p, err := flags.past(ctx, open)
	if err != nil {
		return err
	}
	settings, err := readSettings(flags.settings, p)
	if err != nil {
		return err
	}
	past.Enrolment.Settings = past.Enrolment.Settings.Under(p).With(settings)
	at, err := momentOf("--at", flags.at, past.Enrolment.Zone, 1)
	if err != nil {
		return err
	}
	account, err := trial.Explain(p, past.Enrolment, past.Readings, flags.rule, at)
	if err != nil {
		return err
	}
	return write(out, flags.language, account, past.Enrolment.Zone)
}

// past reads the patient's history and the protocol.
func (f *explainFlags) past(ctx context.Context, open func() (pastStore, error)) (*replay.Past, *protocols.Protocol, error) {
	if f.recorded.file == "" {
		return f.fromStore(ctx, open)
	}
	if f.protocol == "" {
		return nil, nil, errors.New("say which protocol with --protocol: a recorded series belongs to no enrolment")
	}
	p, err := readProtocol(f.protocol)
	if err != nil {
		return nil, nil, err
	}
	source, err := f.recorded.source(f.language, p, replay.Span{})
	if err != nil {
		return nil, nil, err
	}
	past, err := source.past(ctx, 0)
	return past, p, err
}

// fromStore reads the patient's history and the protocol that holds the rule.
func (f *explainFlags) fromStore(ctx context.Context, open func() (pastStore, error)) (past *replay.Past, p *protocols.Protocol, err error) {
	store, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	e, p, err := f.enrolment(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, nil, fmt.Errorf("the time zone of the enrolment %s: %w", e.ID, err)
	}
	at, err := momentOf("--at", f.at, zone, 1)
	if err != nil {
		return nil, nil, err
	}
	past, err = keptPast(ctx, store, e, p, replay.Span{From: at, To: at.Add(time.Nanosecond)})
	return past, p, err
}

// enrolment finds the enrolment, the latest first, whose protocol holds the
// rule; with --protocol, the enrolment under that protocol.
func (f *explainFlags) enrolment(ctx context.Context, store pastStore) (*registry.Enrolment, *protocols.Protocol, error) {
	if f.protocol != "" {
		p, err := readProtocol(f.protocol)
		if err != nil {
			return nil, nil, err
		}
		e, err := enrolmentUnder(ctx, store, f.kept.patient, p.ID)
		return e, p, err
	}
	enrolments, err := enrolmentsOf(ctx, store, f.kept.patient)
	if err != nil {
		return nil, nil, err
	}
	for i := range slices.Backward(enrolments) {
		e := &enrolments[i]
		p := store.Protocol(e.Protocol, e.Version)
		if p == nil {
			return nil, nil, fmt.Errorf("version %s of %s, which %s is followed under, is not installed; --protocol names its file", e.Version, e.Protocol, e.ID)
		}
		if slices.ContainsFunc(p.Rules, func(r protocols.Rule) bool { return r.ID == f.rule }) {
			return e, p, nil
		}
	}
	return nil, nil, fmt.Errorf("no protocol that follows %s has a rule %q", f.kept.patient, f.rule)
}

func writeAccountJSON(w io.Writer, _ tongue, a *protocols.Account, _ *time.Location) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(a)
}

// writeAccount writes an explanation for a person at a terminal.
func writeAccount(w io.Writer, in tongue, a *protocols.Account, zone *time.Location) error {
	var b bytes.Buffer
	b.WriteString(in.say(explainHead, in.say(a.Summary), a.Rule, a.Protocol, a.Version, a.Patient, in.stamp(a.At, zone), zone))
	if a.Origin != "" {
		b.WriteString(in.say(explainOrigin, a.Origin))
	}
	for _, holder := range a.HeldBy {
		b.WriteString(in.say(explainHeld, holder))
	}
	for i := range slices.Backward(a.Levels) {
		writeLevel(&b, in, &a.Levels[i], zone)
	}
	writeReadings(&b, in, a.Readings, zone)
	_, err := w.Write(b.Bytes())
	return err
}

func writeLevel(b *bytes.Buffer, in tongue, l *protocols.LevelAccount, zone *time.Location) {
	b.WriteString(in.say(explainLevel, figures.Sign(l.Level), in.say(figures.Word(l.Level)), in.say(truthWords[l.Truth])))
	if !l.Asked.IsZero() {
		b.WriteString(in.say(explainAsked, in.stamp(l.Asked, zone)))
	}
	for i := range l.Comparisons {
		c := &l.Comparisons[i]
		fmt.Fprintf(b, "  - %s → %s\n", in.say(c.Sentence), in.say(truthWords[c.Truth]))
		if !c.From.IsZero() {
			b.WriteString(in.say(explainWindow, in.stamp(c.From, zone), in.stamp(c.To, zone), in.some(c.Count, readingNoun)))
		}
		if c.Clear != protocols.Missing && c.Clear != c.Threshold {
			b.WriteString(in.say(explainLeave, in.exact(c.Clear)))
		}
		if c.SetBy != "" && !c.SetOn.IsZero() {
			b.WriteString(in.say(explainSet, c.Parameter, c.SetBy, in.stamp(c.SetOn, zone), c.SetReason))
		}
	}
}

func writeReadings(b *bytes.Buffer, in tongue, cited []protocols.Cited, zone *time.Location) {
	if len(cited) == 0 {
		b.WriteString(in.say(explainNone))
		return
	}
	b.WriteString(in.say(explainCited))
	table := tabwriter.NewWriter(b, 2, 8, 2, ' ', 0)
	for _, c := range cited {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", in.stamp(c.Time, zone), in.say(protocols.MeasureByID(c.Measure).Title), citedValues(in, &c))
	}
	// The table is written to memory, which does not fail.
	_ = table.Flush()
}

// citedValues lists the components of a reading in the order of the manual.
func citedValues(in tongue, c *protocols.Cited) string {
	m := protocols.MeasureByID(c.Measure)
	text := ""
	for i := range m.Components {
		component := &m.Components[i]
		v, ok := c.Values[component.Name]
		if !ok {
			continue
		}
		if text != "" {
			text += ", "
		}
		if len(m.Components) > 1 {
			text += in.say(component.Title) + " "
		}
		text += c.Limits[component.Name].Sign() + in.exact(v)
	}
	return text
}
