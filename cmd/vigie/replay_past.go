package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
	"vigie/protocols/document"
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
	hour       string
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
	flags.StringVar(&f.hour, "hour", "", "hour of readings of which the file gives the day alone: 08:00")
	flags.StringVar(&f.start, "start", "", "instant from which seconds count, when the times are seconds")
}

// source reads the file.
func (f *recordedFlags) source(in tongue, p *protocols.Protocol, span replay.Span) (*pastSource, error) {
	layouts, err := f.layouts(p)
	if err != nil {
		return nil, err
	}
	var readings []*protocols.Reading
	apart := make([][]*protocols.Reading, len(layouts)) // what a sensor keeps, and what a person scans between
	source := &pastSource{title: in.say(replayRecorded), zone: layouts[0].Zone, patients: 1, counts: readingNoun, close: nothingToClose}
	for i, layout := range layouts {
		series, err := f.read(layout)
		if err != nil {
			return nil, err
		}
		for k := range series.Readings {
			apart[i] = append(apart[i], &series.Readings[k])
		}
		readings = append(readings, apart[i]...)
		source.notes = append(source.notes, asideNotes(in, replaySkipped, layout.Measure.ID, series.Skipped)...)
		source.notes = append(source.notes, asideNotes(in, replayLeftOut, layout.Measure.ID, series.LeftOut)...)
		if n := series.Bounded(); n > 0 {
			source.notes = append(source.notes, in.say(replayBounded, layout.Measure.ID, n))
		}
	}
	if len(readings) == 0 {
		return nil, errors.New(strings.Join(append([]string{f.file + " holds no usable reading"}, source.notes...), "; "))
	}
	if err := f.atTheHour(readings, source.zone); err != nil {
		return nil, err
	}
	slices.SortStableFunc(readings, (*protocols.Reading).Compare)
	readings = slices.CompactFunc(readings, func(a, b *protocols.Reading) bool { return a.ID == b.ID })
	source.span = within(span, readings, source.zone)
	if !slices.ContainsFunc(readings, func(r *protocols.Reading) bool { return source.span.Holds(r.Time) }) {
		return nil, fmt.Errorf("%s holds no reading of that time: they go from %s to %s; change --from and --to",
			f.file, in.stamp(readings[0].Time, source.zone), in.stamp(readings[len(readings)-1].Time, source.zone))
	}
	source.settings = protocols.Settings{}
	for i, layout := range layouts {
		slices.SortStableFunc(apart[i], (*protocols.Reading).Compare)
		if parameter, step := replay.StepSeen(p, layout.Measure, layout.Variant, apart[i]); parameter != nil {
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

// asideNotes says how many rows or values were left aside for each reason, and where
// the first of each stands.
func asideNotes(in tongue, text protocols.Text, measure string, aside []recorded.Skip) []string {
	reasons := recorded.ByReason(aside)
	notes := make([]string, len(reasons))
	for i, r := range reasons {
		notes[i] = in.say(text, measure, r.Rows, in.where(r.Line, r.Column), in.say(r.Why))
	}
	return notes
}

func (f *recordedFlags) read(layout recorded.Layout) (*recorded.Series, error) {
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	series, err := recorded.Read(file, layout)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file, err)
	}
	return series, nil
}

// description is what the flags say of a file; p is the protocol that it is read for.
func (f *recordedFlags) description(p *protocols.Protocol) (*recorded.Description, error) {
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return nil, fmt.Errorf("--time-zone %q is not known: use an IANA name such as Europe/Paris", f.zone)
	}
	start, err := momentOf("--start", f.start, zone, 0)
	if err != nil {
		return nil, err
	}
	return &recorded.Description{
		Export: f.layout, Measures: f.measures, Columns: f.columns, Components: f.components, TimeColumn: f.timeColumn, DateColumn: f.dateColumn,
		TimeForm: f.timeForm, HeaderLine: f.headerLine, Zone: zone, Start: start, Variant: f.variant, Unit: f.unit, Low: f.low, High: f.high,
		Decimal: f.decimal, Where: f.where, Device: "recorded", Patient: "recorded", Observed: p,
	}, nil
}

// open opens the series.
func (f *recordedFlags) open() (io.ReadCloser, error) {
	file, err := os.Open(f.file)
	if err != nil {
		return nil, fmt.Errorf("opening the recorded series: %w", err)
	}
	return file, nil
}

// layouts describes the file once for each measure in it.
func (f *recordedFlags) layouts(p *protocols.Protocol) ([]recorded.Layout, error) {
	said, err := f.description(p)
	if err != nil {
		return nil, err
	}
	return said.Layouts(f.open)
}

// measuresIn are the measures that are asked for, or else those of the files that are
// recognised.
func (f *recordedFlags) measuresIn(files []string) ([]string, error) {
	said, err := f.description(nil)
	if err != nil || len(f.measures) > 0 {
		return f.measures, err
	}
	var found []string
	for _, f.file = range files {
		known, err := said.Recognise(f.open)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.file, err)
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

// atTheHour gives an hour to the readings of which the file gives the day alone, where one
// is said.
func (f *recordedFlags) atTheHour(readings []*protocols.Reading, zone *time.Location) error {
	if f.hour == "" {
		return nil
	}
	clock, ok := document.ClockTime(f.hour)
	if !ok {
		return fmt.Errorf("--hour %q is no time of day: write it as 08:00", f.hour)
	}
	for _, r := range readings {
		if r.DayOnly {
			year, month, day := r.Time.In(zone).Date()
			r.DayOnly, r.Time = false, time.Date(year, month, day, 0, int(clock/time.Minute), 0, 0, zone).UTC()
		}
	}
	return nil
}

// within fills the open ends of a span with the first and the last reading; what is known
// by its day alone is there for the whole of that day.
func within(span replay.Span, readings []*protocols.Reading, zone *time.Location) replay.Span {
	first, last := readings[0], readings[len(readings)-1]
	if span.From.IsZero() {
		span.From = first.Time
		if first.DayOnly {
			span.From = midnight(first.Time.In(zone), 0)
		}
	}
	if span.To.IsZero() {
		span.To = last.Time.Add(time.Second)
		if last.DayOnly {
			span.To = midnight(last.Time.In(zone), 1)
		}
	}
	return span
}

// midnight begins the day of t, or one so many days later.
func midnight(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, t.Location()).UTC()
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
