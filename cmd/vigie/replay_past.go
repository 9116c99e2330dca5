package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// pastSource is where the readings of a replay come from.
type pastSource struct {
	title    string         // in words, for a report
	notes    []string       // worth saying before it begins
	zone     *time.Location // of the times that are shown
	span     replay.Span
	patients int
	past     func(ctx context.Context, i int) (*replay.Past, error)
	shown    []*protocols.Reading // of the one patient, for drawing; nil for a cohort
	settings protocols.Settings   // of the one patient
	counts   noun                 // what the progress bar counts: patients, or readings
	size     int
	close    func() error
}

func nothingToClose() error { return nil }

// recordedFlags describe a recorded series.
type recordedFlags struct {
	file       string
	measures   []string
	columns    []string
	components []string
	timeColumn string
	zone       string
	variant    string
	unit       string
	start      string
	low, high  float64
	decimal    string
	where      []string
	dateColumn string
	timeForm   string
	headerLine int
	layout     string
}

func (f *recordedFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "csv", "", "a recorded series")
	f.describe(flags)
}

// describe are the flags beside the name of the file.
func (f *recordedFlags) describe(flags *pflag.FlagSet) {
	flags.StringVar(&f.layout, "layout", "", "the export that the file is, where it is not recognised: "+strings.Join(recorded.Exports(), ", "))
	flags.StringArrayVar(&f.measures, "measure", nil, "what it measures: glucose, weight, blood-pressure…; not needed for an export that is recognised")
	flags.StringArrayVar(&f.columns, "column", nil, "header of the column of values, or its number: #2")
	flags.StringArrayVar(&f.components, "component", nil, "for a measure of several components: name=COLUMN")
	flags.StringVar(&f.timeColumn, "time-column", "time", "header of the column of times")
	flags.StringVar(&f.dateColumn, "date-column", "", "header of the column of days, where --time-column holds the time of day alone")
	flags.StringVar(&f.timeForm, "time-format", "", "how times are written, where they could mean two: \"DD/MM/YYYY HH:mm\"")
	flags.IntVar(&f.headerLine, "header-line", 0, "line of the header, where it is not found")
	flags.StringVar(&f.zone, "time-zone", "Europe/Paris", "where the patient lives: zone of times and days written without one")
	flags.StringVar(&f.variant, "variant", "", "kind of the measure: capillary, interstitial")
	flags.StringVar(&f.unit, "unit", "", "unit of the columns; what the file says when empty")
	flags.Float64Var(&f.low, "low", 0, "what \"Low\" stands for, in the unit of the columns: 40")
	flags.Float64Var(&f.high, "high", 0, "what \"High\" stands for, in the unit of the columns: 400")
	flags.StringVar(&f.decimal, "decimal", "", "what parts decimals where that is ambiguous: comma or point")
	flags.StringArrayVar(&f.where, "where", nil, "COLUMN=WORD, the rows that count; COLUMN= when all do")
	flags.StringVar(&f.start, "start", "", "instant from which seconds count, when the times are seconds")
}

// open reads the file.
func (f *recordedFlags) open(in tongue, p *protocols.Protocol, span replay.Span) (*pastSource, error) {
	layouts, err := f.layouts(p)
	if err != nil {
		return nil, err
	}
	var readings []*protocols.Reading
	source := &pastSource{title: in.say(replayRecorded), zone: layouts[0].Zone, patients: 1, counts: readingNoun, close: nothingToClose}
	for _, layout := range layouts {
		series, err := f.read(layout)
		if err != nil {
			return nil, err
		}
		for i := range series.Readings {
			readings = append(readings, &series.Readings[i])
		}
		source.notes = append(source.notes, asideNotes(in, replaySkipped, layout.Measure.ID, series.Skipped)...)
		source.notes = append(source.notes, asideNotes(in, replayLeftOut, layout.Measure.ID, series.LeftOut)...)
		if n := bounded(series.Readings); n > 0 {
			source.notes = append(source.notes, in.say(replayBounded, layout.Measure.ID, n))
		}
	}
	if len(readings) == 0 {
		return nil, errors.New(strings.Join(append([]string{f.file + " holds no usable reading"}, source.notes...), "; "))
	}
	sortReadings(readings)
	readings = slices.CompactFunc(readings, func(a, b *protocols.Reading) bool { return a.ID == b.ID })
	source.span = within(span, readings)
	if !slices.ContainsFunc(readings, func(r *protocols.Reading) bool { return source.span.Holds(r.Time) }) {
		return nil, fmt.Errorf("%s holds no reading of that time: they go from %s to %s; change --from and --to",
			f.file, in.stamp(readings[0].Time, source.zone), in.stamp(readings[len(readings)-1].Time, source.zone))
	}
	source.settings = protocols.Settings{}
	for _, layout := range layouts {
		if parameter, step := stepSeen(p, layout.Measure, layout.Variant, readings); parameter != nil {
			source.settings[parameter.Name] = protocols.Setting{Value: step, Author: f.file, Date: source.span.From, Reason: in.say(replayStepReason)}
			source.notes = append(source.notes, in.say(replayStep, in.say(parameter.Title), in.exact(step), in.exact(parameter.Default)))
		}
	}
	past := &replay.Past{Readings: readings, Enrolment: protocols.Enrolment{
		ID: "recorded", Patient: "recorded", Zone: source.zone, From: source.span.From, Settings: source.settings,
	}}
	source.shown, source.size = readings, len(readings)
	source.past = func(context.Context, int) (*replay.Past, error) { return past, nil }
	return source, nil
}

// stepSeen is the step of a sensor as its readings show it, in minutes, with the
// parameter of the protocol that holds it. Nil where that parameter says the same or
// cannot, or where fewer than half of the readings follow a step.
func stepSeen(p *protocols.Protocol, m *protocols.Measure, variant uint8, readings []*protocols.Reading) (*protocols.Parameter, protocols.Value) {
	expected := p.Expects(m, variant)
	if expected == nil || p.Parameter(expected.Cadence.EveryParameter) == nil {
		return nil, 0
	}
	parameter := p.Parameter(expected.Cadence.EveryParameter)
	steps := map[protocols.Value]int{}
	var before *protocols.Reading
	count := 0
	for _, r := range readings {
		if r.Measure != m {
			continue
		}
		if before != nil {
			count++
			steps[protocols.Value(r.Time.Sub(before.Time).Round(time.Minute)/time.Minute)*1000]++
		}
		before = r
	}
	for step, times := range steps {
		if 2*times > count && step != parameter.Default && step >= parameter.Min && step <= parameter.Max {
			return parameter, step
		}
	}
	return nil, 0
}

// asideNotes says how many rows or values were left aside for each reason, and where
// the first of each stands.
func asideNotes(in tongue, text protocols.Text, measure string, aside []recorded.Skip) []string {
	first, count := map[protocols.Text]recorded.Skip{}, map[protocols.Text]int{}
	var reasons []protocols.Text
	for _, skip := range aside {
		if count[skip.Why]++; count[skip.Why] == 1 {
			first[skip.Why] = skip
			reasons = append(reasons, skip.Why)
		}
	}
	notes := make([]string, len(reasons))
	for i, why := range reasons {
		notes[i] = in.say(text, measure, count[why], first[why].Line, first[why].Column, in.say(why))
	}
	return notes
}

// bounded counts the readings that are below or above what the instrument shows.
func bounded(readings []protocols.Reading) int {
	n := 0
	for i := range readings {
		if readings[i].Limits != nil {
			n++
		}
	}
	return n
}

func (f *recordedFlags) read(layout recorded.Layout) (*recorded.Series, error) {
	file, err := os.Open(f.file)
	if err != nil {
		return nil, fmt.Errorf("opening the recorded series: %w", err)
	}
	defer file.Close()
	series, err := recorded.Read(file, layout)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file, err)
	}
	return series, nil
}

// layouts describes the file once for each measure in it.
func (f *recordedFlags) layouts(p *protocols.Protocol) ([]recorded.Layout, error) {
	known, err := f.recognised()
	if err != nil {
		return nil, err
	}
	if known == nil && len(f.measures) == 0 {
		return nil, fmt.Errorf("%w: say what the series measures with --measure, for example --measure glucose", recorded.ErrUnknownLayout)
	}
	if known == nil && len(f.components) == 0 && len(f.columns) != len(f.measures) {
		return nil, errors.New("give one --column for each --measure, or --component name=COLUMN for a measure of several components")
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return nil, fmt.Errorf("--time-zone %q is not known: use an IANA name such as Europe/Paris", f.zone)
	}
	start, err := momentOf("--start", f.start, zone, 0)
	if err != nil {
		return nil, err
	}
	decimal, err := recorded.DecimalOf(f.decimal)
	if err != nil {
		return nil, fmt.Errorf("--decimal: %w", err)
	}
	form, err := recorded.TimeFormOf(f.timeForm)
	if err != nil {
		return nil, fmt.Errorf("--time-format: %w", err)
	}
	where, err := recorded.WhereOf(f.where)
	if err != nil {
		return nil, fmt.Errorf("--where: %w", err)
	}
	if known != nil {
		for i := range known.Layouts {
			l := &known.Layouts[i]
			l.Unit, l.HeaderLine, l.Zone, l.Start, l.Device, l.Patient, l.Decimal = f.unit, f.headerLine, zone, start, "recorded", "recorded", decimal
			l.Low, l.High, l.TimeForm = cmp.Or(f.low, l.Low), cmp.Or(f.high, l.High), cmp.Or(form, l.TimeForm)
			maps.Copy(l.Where, where)
		}
		return known.Layouts, nil
	}
	var layouts []recorded.Layout
	for i, id := range f.measures {
		m := protocols.MeasureByID(id)
		if m == nil {
			return nil, fmt.Errorf("%q is not a measure: vigie measures lists them", id)
		}
		columns, err := f.columnsOf(m, i)
		if err != nil {
			return nil, err
		}
		variant, err := f.variantOf(m, p)
		if err != nil {
			return nil, err
		}
		layouts = append(layouts, recorded.Layout{
			Measure: m, Variant: variant, Columns: columns, Unit: f.unit, TimeColumn: f.timeColumn,
			DateColumn: f.dateColumn, TimeForm: form, HeaderLine: f.headerLine, Zone: zone, Start: start, Device: "recorded", Patient: "recorded",
			Low: f.low, High: f.high, Decimal: decimal, Where: where,
		})
	}
	return layouts, nil
}

// recognised is the export that the file is, with the measures that are asked for. Nil
// where the columns are named, or where none is known.
func (f *recordedFlags) recognised() (*recorded.Recognised, error) {
	if f.layout == "" && len(f.columns)+len(f.components) > 0 {
		return nil, nil
	}
	file, err := os.Open(f.file)
	if err != nil {
		return nil, fmt.Errorf("opening the recorded series: %w", err)
	}
	defer file.Close()
	known, err := recorded.Recognise(file, f.layout)
	switch {
	case errors.Is(err, recorded.ErrUnknownLayout) && f.layout == "":
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.file, err)
	}
	if len(f.measures) > 0 {
		known.Layouts = slices.DeleteFunc(known.Layouts, func(l recorded.Layout) bool { return !slices.Contains(f.measures, l.Measure.ID) })
	}
	return known, nil
}

// measuresIn are the measures that are asked for, or else those of the files that are
// recognised.
func (f *recordedFlags) measuresIn(files []string) ([]string, error) {
	if len(f.measures) > 0 {
		return f.measures, nil
	}
	var found []string
	for _, f.file = range files {
		known, err := f.recognised()
		if err != nil {
			return nil, err
		}
		if known == nil {
			continue
		}
		for _, l := range known.Layouts {
			if !slices.Contains(found, l.Measure.ID) {
				found = append(found, l.Measure.ID)
			}
		}
	}
	return found, nil
}

// columnsOf maps components to columns: the only one, or those named.
func (f *recordedFlags) columnsOf(m *protocols.Measure, place int) (map[string]string, error) {
	columns := map[string]string{}
	for _, text := range f.components {
		name, column, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("--component %q: write name=COLUMN, for example systolic=SBP", text)
		}
		if m.Component(name) >= 0 {
			columns[name] = column
		} else if len(f.measures) == 1 {
			return nil, fmt.Errorf("%s has no component %q: vigie measures lists them", m.ID, name)
		}
	}
	if len(columns) == 0 && place < len(f.columns) {
		columns[m.Components[0].Name] = f.columns[place]
	}
	return columns, nil
}

// variantOf reads --variant. Where none is given and the protocol continuously
// observes one variant of the measure, the series is of that one.
func (f *recordedFlags) variantOf(m *protocols.Measure, p *protocols.Protocol) (uint8, error) {
	if f.variant != "" && len(m.Variants) > 0 {
		v := m.Variant(f.variant)
		if v == 0 {
			return 0, fmt.Errorf("%s has no variant %q; it has %s", m.ID, f.variant, strings.Join(m.Variants, ", "))
		}
		return uint8(v), nil
	}
	for _, o := range p.Observations {
		if o.Measure == m && o.Cadence.Every > 0 {
			return o.Variant, nil
		}
	}
	return 0, nil
}

func sortReadings(readings []*protocols.Reading) {
	slices.SortStableFunc(readings, func(a, b *protocols.Reading) int {
		switch {
		case a.Before(b):
			return -1
		case b.Before(a):
			return 1
		}
		return 0
	})
}

// within fills the open ends of a span with the first and the last reading.
func within(span replay.Span, readings []*protocols.Reading) replay.Span {
	if span.From.IsZero() {
		span.From = readings[0].Time
	}
	if span.To.IsZero() {
		span.To = readings[len(readings)-1].Time.Add(time.Second)
	}
	return span
}

func simulationOf(f *replayFlags) simulation.Cohort {
	return simulation.Cohort{Patients: f.patients, Days: f.days, Seed: f.seed}
}

// simulatedSource is the part of a simulated cohort that a protocol is for.
func simulatedSource(in tongue, cohort simulation.Cohort, p *protocols.Protocol, span replay.Span) (*pastSource, error) {
	places := cohort.For(p)
	if len(places) == 0 {
		return nil, fmt.Errorf("nobody in the simulated cohort takes a measure that the protocol %s makes mandatory", p.ID)
	}
	whole := cohort.Span()
	if span.From.IsZero() {
		span.From = whole.From
	}
	if span.To.IsZero() {
		span.To = whole.To
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, fmt.Errorf("loading the time zone of the report: %w", err)
	}
	return &pastSource{
		title: in.say(replaySimulated, len(places), cohort.Seed), zone: zone,
		span: span, patients: len(places), counts: patientNoun, size: len(places), close: nothingToClose,
		past: func(_ context.Context, i int) (*replay.Past, error) { return cohort.Patient(places[i]).Under(p), nil },
	}, nil
}
