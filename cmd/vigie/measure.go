package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/library"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

const measureHelp = `Mesure les protocoles de la bibliothèque sur une cohorte simulée dont on connaît
les événements : combien sont vus, combien de jours avant, au prix de combien de
fausses alertes. C'est une simulation : elle compare des protocoles entre eux,
elle ne prouve rien sur des patients.

Measures the library on a simulated cohort with known events: sensitivity, days of
warning, false alerts per 100 patient-days. It is a simulation: it compares
protocols with one another and proves nothing about patients.`

// measureFlags are what the command line of a measure says.
type measureFlags struct {
	patients  int
	days      int
	seed      uint64
	protocols []string
	settings  []string
	format    string
	language  tongue
}

func measureCommand() *cobra.Command {
	var flags measureFlags
	command := &cobra.Command{
		Use:     "measure",
		Short:   "Sensibilité, préavis et fausses alertes sur une cohorte simulée (sensitivity and false alerts on a simulated cohort)",
		Long:    measureHelp,
		Example: "  vigie measure --protocol heart-failure --settings fast-gain=1.5",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runMeasure(command.Context(), &flags, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	f := command.Flags()
	f.IntVar(&flags.patients, "patients", 200, "size of the cohort")
	f.IntVar(&flags.days, "days", 90, "days that are simulated")
	f.Uint64Var(&flags.seed, "seed", 1, "seed: the same one gives the same patients")
	f.StringArrayVar(&flags.protocols, "protocol", nil, "file, or id of the library; may be repeated; the whole library when absent")
	f.StringArrayVar(&flags.settings, "settings", nil, "settings for every patient, with one --protocol: name=value, or a file")
	f.StringVar(&flags.format, "format", "text", "text or json")
	flags.language.register(f)
	return command
}

func runMeasure(ctx context.Context, flags *measureFlags, out, progress io.Writer) error {
	write, ok := map[string]func(io.Writer, tongue, *measured) error{"text": writeMeasuredText, "json": writeMeasuredJSON}[flags.format]
	if !ok {
		return fmt.Errorf("--format is text or json, not %q", flags.format)
	}
	if err := flags.language.check(); err != nil {
		return err
	}
	versions, err := flags.versions()
	if err != nil {
		return err
	}
	cohort := simulation.Cohort{Patients: flags.patients, Days: flags.days, Seed: flags.seed}
	found := &measured{Simulation: true, Patients: flags.patients, Days: flags.days, Seed: flags.seed}
	for _, v := range versions {
		for _, group := range conditions(cohort, cohort.For(v.protocol)) {
			one, err := measure(ctx, cohort, group, v, newProgress(progress, flags.language, patientNoun, len(group)))
			if err != nil {
				return err
			}
			found.Protocols = append(found.Protocols, *one)
		}
	}
	return write(out, flags.language, found)
}

// versions are the protocols to measure, each with the settings in place.
func (f *measureFlags) versions() ([]*candidate, error) {
	if len(f.settings) > 0 && len(f.protocols) != 1 {
		return nil, fmt.Errorf("--settings needs exactly one --protocol, whose parameters they are")
	}
	names := f.protocols
	if len(names) == 0 {
		names = library.Names()
	}
	var versions []*candidate
	for _, name := range names {
		p, err := readProtocol(name)
		if err != nil {
			return nil, err
		}
		settings, err := readSettings(f.settings, p)
		if err != nil {
			return nil, err
		}
		v, err := newCandidate(p, settings, name)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// measured is what the whole measure found.
type measured struct {
	Simulation bool               `json:"simulation"` // always true: nobody here exists
	Patients   int                `json:"patients"`
	Days       int                `json:"days"`
	Seed       uint64             `json:"seed"`
	Protocols  []measuredProtocol `json:"protocols"`
}

// measuredProtocol is one protocol on the patients it is meant for.
type measuredProtocol struct {
	Protocol string `json:"protocol"`
	Version  string `json:"version"`
	// Condition is what these patients are followed for.
	Condition simulation.Condition `json:"condition"`
	Patients  int                  `json:"patients"`
	Readings  int                  `json:"readings"`
	// Clinical holds the alerts about the patient against what happened to the
	// patient; Silence those of non-transmission against the dropouts.
	Clinical replay.Score   `json:"clinical"`
	Silence  replay.Score   `json:"non_transmission"`
	Rules    []measuredRule `json:"rules"`
	// Technical counts the alerts about devices, which are about no event.
	Technical int            `json:"technical_alerts"`
	Goals     []measuredGoal `json:"goals,omitempty"`
}

// measuredRule is one rule alone.
type measuredRule struct {
	Rule  string         `json:"rule"`
	Title protocols.Text `json:"title"`
	replay.Score
}

// conditions parts the patients of a protocol by what they are followed for: a
// glucose sensor and four capillary glucoses a day do not see the same.
func conditions(cohort simulation.Cohort, places []int) [][]int {
	var groups [][]int
	known := map[simulation.Condition]int{}
	for _, place := range places {
		condition := cohort.Condition(place)
		if _, seen := known[condition]; !seen {
			known[condition] = len(groups)
			groups = append(groups, nil)
		}
		groups[known[condition]] = append(groups[known[condition]], place)
	}
	return groups
}

// measure runs some patients under one protocol.
func measure(ctx context.Context, cohort simulation.Cohort, places []int, v *candidate, progress *progress) (*measuredProtocol, error) {
	span := cohort.Span()
	events := make([][]replay.Event, len(places))
	source := &pastSource{
		title: v.protocol.ID, zone: time.UTC, span: span, patients: len(places), counts: patientNoun, size: len(places), close: nothingToClose,
		past: func(_ context.Context, i int) (*replay.Past, error) {
			patient := cohort.Patient(places[i])
			events[i] = patient.Events
			return patient.Under(v.protocol), nil
		},
	}
	found, err := evaluate(ctx, source, []*candidate{v}, progress)
	if err != nil {
		return nil, err
	}
	var all []replay.Event
	for _, own := range events {
		all = append(all, own...)
	}
	one := judge(v.protocol, found.outcomes[0], all, span)
	one.Condition = cohort.Condition(places[0])
	one.Goals = one.againstGoals()
	return one, nil
}

func judge(p *protocols.Protocol, outcome *replay.Outcome, events []replay.Event, span replay.Span) *measuredProtocol {
	rules := map[string]*protocols.Rule{}
	for i := range p.Rules {
		rules[p.Rules[i].ID] = &p.Rules[i]
	}
	silence := func(rule string) bool { return rules[rule].Absence != nil }
	clinical := func(rule string) bool { return !silence(rule) && !technical(rules[rule]) }
	happened := func(kind string) bool { return kind != simulation.Dropout }
	silent := func(kind string) bool { return kind == simulation.Dropout }

	m := &measuredProtocol{
		Protocol: p.ID, Version: p.Version, Patients: outcome.Patients, Readings: outcome.Readings,
		Clinical: outcome.Judge(events, span, clinical, happened), Silence: outcome.Judge(events, span, silence, silent),
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		about := happened
		if silence(rule.ID) {
			about = silent
		}
		if technical(rule) {
			continue
		}
		m.Rules = append(m.Rules, measuredRule{rule.ID, rule.Title, outcome.Judge(events, span, func(id string) bool { return id == rule.ID }, about)})
	}
	for i := range outcome.Alerts {
		if rule := rules[outcome.Alerts[i].Rule]; rule.Absence == nil && technical(rule) {
			m.Technical++
		}
	}
	return m
}

// technical reports whether a rule is about a device and nothing else.
func technical(rule *protocols.Rule) bool {
	if rule.Absence != nil {
		return false
	}
	for _, level := range rule.Levels {
		if level.Level != protocols.Technical {
			return false
		}
	}
	return true
}
