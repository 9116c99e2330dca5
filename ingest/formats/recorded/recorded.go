// Package recorded reads series that were recorded elsewhere, from CSV files:
// a header, then one row per sample with a column of times and one column per
// component of one measure. The simulator plays such a series as a device; the
// replay evaluates it against a care protocol. Both read it here, so that a
// file means the same to either.
//
// Four ways of writing the time are told apart for each row:
//
//   - "2015-06-06T21:50:27+02:00": RFC 3339, an instant;
//   - "2015-06-06T21:50:27" or "2015-06-06 21:50": local, without a zone, read
//     in Layout.Zone and refused when there is none;
//   - "2015-06-06": a day, of which the hour is not known; the reading stands at noon
//     in Layout.Zone, and counts in windows of civil days only;
//   - "481" or "0.5": seconds from Layout.Start.
//
// Columns are parted by commas, semicolons or tabs, whichever the header has most
// of. Where they are not parted by commas, decimals may be written after one.
package recorded

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// Layout says what the columns of a file are.
type Layout struct {
	Measure    *protocols.Measure
	Variant    uint8             // place in Measure.Variants counted from 1; 0 when not told apart
	Columns    map[string]string // header of the column, by name of the component
	Unit       string            // UCUM, of all columns; empty for the canonical unit of each
	TimeColumn string            // its header
	Zone       *time.Location    // of times without one; nil refuses them
	Start      time.Time         // what seconds are counted from
	Device     string            // that the readings are said to come from
	Patient    string            // pseudonymous
}

// Series is what a file holds.
type Series struct {
	// Readings are in the order of the file, each row that repeats another once.
	// Their ids follow from the measure and the time, so that reading a file twice
	// gives the same ids.
	Readings []protocols.Reading
	Skipped  []Skip // rows that could not be used
	LeftOut  []Skip // optional components of rows that could, which could not
}

// Skip is a row, or an optional component of one, that could not be used.
type Skip struct {
	Line   int // from 1, the header included
	Column string
	Why    string // a sentence; it holds no value of the file
}

// Read reads a whole file. It fails when the layout does not fit the header or the
// measure, or the file is not CSV. A row that the service would set aside is skipped
// and listed: one that is blank, holds no number, is out of the instrument's range
// or contradicts itself.
func Read(file io.Reader, layout Layout) (*Series, error) {
	text := bufio.NewReader(file)
	rows := csv.NewReader(text)
	rows.Comma = separator(text)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("reading the series: the file is empty, a header line is expected")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the header of the series: %w", err)
	}
	places, err := layout.locate(header)
	if err != nil {
		return nil, err
	}
	reader := reader{layout: layout, places: places, comma: rows.Comma, units: values.Units{All: []byte(layout.unit())}}
	for _, c := range layout.Measure.Components {
		reader.names = append(reader.names, []byte(c.Name))
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return reader.end(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the series: %w", err)
		}
		line, _ := rows.FieldPos(0)
		reader.row(line, row)
	}
}

// separator is what parts the columns of the header: the most frequent of commas,
// semicolons and tabs.
func separator(text *bufio.Reader) rune {
	// What cannot be read is found again, and said, by who reads the header.
	begin, _ := text.Peek(text.Size())
	header, _, _ := strings.Cut(string(begin), "\n")
	found := ','
	for _, other := range []rune{';', '\t'} {
		if strings.Count(header, string(other)) > strings.Count(header, string(found)) {
			found = other
		}
	}
	return found
}

// places tells where in a row things are: the time, then each component or −1.
type places struct {
	time   int
	values []int
}

func (l *Layout) locate(header []string) (places, error) {
	column := func(name string) int {
		for i, h := range header {
			if strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) == name {
				return i
			}
		}
		return -1
	}
	missing := func(name string) error {
		known := make([]string, len(header))
		for i, h := range header {
			known[i] = strconv.Quote(strings.TrimSpace(h))
		}
		return fmt.Errorf("the series has no column %q; its columns are %s", name, strings.Join(known, ", "))
	}
	found := places{time: column(l.TimeColumn), values: make([]int, len(l.Measure.Components))}
	if found.time < 0 {
		return found, missing(l.TimeColumn)
	}
	for name := range l.Columns {
		component := l.Measure.Component(name)
		if component < 0 {
			return found, fmt.Errorf("%s has no component %q; it has %s", l.Measure.ID, name, componentNames(l.Measure))
		}
		if _, suits := l.Measure.Convert(component, 0, l.unit()); !suits && !l.Measure.Components[component].Own {
			return found, fmt.Errorf("%s is not given in %s but in %s", l.Measure.ID, l.Unit, strings.Join(l.Measure.UnitsFor(component), " or "))
		}
	}
	for i, c := range l.Measure.Components {
		found.values[i] = -1
		header, given := l.Columns[c.Name]
		if !given && !c.Optional {
			return found, fmt.Errorf("no column was given for the component %q of %s", c.Name, l.Measure.ID)
		}
		if !given {
			continue
		}
		if found.values[i] = column(header); found.values[i] < 0 {
			return found, missing(header)
		}
	}
	return found, nil
}

// unit is the UCUM unit of all columns.
func (l *Layout) unit() string {
	if l.Unit == "" {
		return l.Measure.Components[0].Unit
	}
	return protocols.Canonical(l.Unit)
}

func componentNames(m *protocols.Measure) string {
	names := make([]string, len(m.Components))
	for i, c := range m.Components {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

type reader struct {
	layout   Layout
	places   places
	comma    rune // between columns
	series   Series
	lines    []int // of the readings
	last     time.Time
	names    [][]byte // of the components
	units    values.Units
	given    []values.Given // of the row at hand
	resolver values.Resolver
	chunks   [][]protocols.Reading // full ones
	chunk    []protocols.Reading   // that is being filled
	spare    []protocols.Value     // room for the values of the next rows
}

// chunkRows is how many readings are kept together while their number is not
// known: a series may be long, and readings are copied once.
const chunkRows = 4096

func (r *reader) end() *Series {
	r.series.Readings = slices.Concat(append(r.chunks, r.chunk)...)
	r.name()
	return &r.series
}

// room is where the values of one row go.
func (r *reader) room() []protocols.Value {
	n := len(r.places.values)
	if len(r.spare) < n {
		r.spare = make([]protocols.Value, chunkRows*n)
	}
	values := r.spare[:n:n]
	r.spare = r.spare[n:]
	return values
}

func (r *reader) skip(line int, column, why string) {
	r.series.Skipped = append(r.series.Skipped, Skip{line, column, why})
}

func (r *reader) row(line int, row []string) {
	if r.places.time >= len(row) {
		r.skip(line, r.layout.TimeColumn, "the row is too short")
		return
	}
	at, dayOnly, err := r.layout.at(r.decimal(row[r.places.time]), r.last)
	if err != nil {
		r.skip(line, r.layout.TimeColumn, err.Error())
		return
	}
	r.last = at
	if !r.components(line, row) {
		return
	}
	into := r.room()
	r.resolver.Resolve(r.layout.Measure, r.given, &r.units, into)
	if len(r.resolver.Reasons) > 0 {
		r.skip(line, r.column(r.resolver.Reasons[0]), why(r.resolver.Reasons[0]))
		return
	}
	for _, w := range r.resolver.Warnings {
		r.series.LeftOut = append(r.series.LeftOut, Skip{line, r.column(w), why(w)})
	}
	r.lines = append(r.lines, line)
	if len(r.chunk) == cap(r.chunk) {
		r.chunks = append(r.chunks, r.chunk)
		r.chunk = make([]protocols.Reading, 0, chunkRows)
	}
	r.chunk = append(r.chunk, protocols.Reading{
		Device: r.layout.Device, Patient: r.layout.Patient, Time: at, DayOnly: dayOnly,
		Measure: r.layout.Measure, Variant: r.layout.Variant, Values: into, Battery: -1,
	})
}

// components reads the numbers of a row. It reports false when the row ends before
// its last column.
func (r *reader) components(line int, row []string) bool {
	r.given = r.given[:0]
	for i, place := range r.places.values {
		c := &r.layout.Measure.Components[i]
		switch {
		case place < 0:
			continue
		case place >= len(row):
			r.skip(line, r.layout.Columns[c.Name], "the row is too short")
			return false
		}
		if number, recorded := numberOf(r.decimal(row[place])); recorded {
			r.given = append(r.given, values.Given{Name: r.names[i], Number: number})
		}
	}
	return true
}

// column is the header of the column that a reason is about.
func (r *reader) column(reason protocols.Reason) string {
	if header, known := r.layout.Columns[strings.TrimPrefix(reason.Path, "values.")]; known {
		return header
	}
	for _, c := range r.layout.Measure.Components { // one of several that may be given
		if header, known := r.layout.Columns[c.Name]; known {
			return header
		}
	}
	return r.layout.TimeColumn
}

// why says a reason for who reads a table.
func why(reason protocols.Reason) string {
	if reason.Code == protocols.MissingValue {
		return "no value was recorded"
	}
	return reason.Message
}

// decimal writes a number that has its decimals after a comma with a point.
func (r *reader) decimal(text string) string {
	text = strings.TrimSpace(text)
	if r.comma != ',' {
		return strings.Replace(text, ",", ".", 1)
	}
	return text
}

// name gives each reading an id made of the measure and the time, numbered where
// several share a time. One that says the same as another of that time is a row
// that was repeated.
func (r *reader) name() {
	all := r.series.Readings
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return all[a].Time.Compare(all[b].Time) })
	repeated := map[int]bool{}
	for begin, end := 0, 0; begin < len(order); begin = end {
		for end = begin + 1; end < len(order) && all[order[end]].Time.Equal(all[order[begin]].Time); end++ {
		}
		number, said := 0, map[string]bool{}
		for _, i := range order[begin:end] {
			if end > begin+1 {
				values := fmt.Sprint(all[i].Values)
				if said[values] {
					repeated[i] = true
					continue
				}
				said[values] = true
			}
			number++
			all[i].ID = all[i].Measure.ID + "-" + all[i].Time.Format("20060102T150405.999999999Z")
			if number > 1 {
				all[i].ID += "-" + strconv.Itoa(number)
			}
		}
	}
	if len(repeated) == 0 {
		return
	}
	kept := all[:0]
	for i := range all {
		if repeated[i] {
			r.skip(r.lines[i], r.layout.TimeColumn, "it repeats another line")
			continue
		}
		kept = append(kept, all[i])
	}
	r.series.Readings = kept
	slices.SortStableFunc(r.series.Skipped, func(a, b Skip) int { return a.Line - b.Line })
}

// numberOf reads one number: NaN when it is none. recorded is false where the cell
// says that there is no value.
func numberOf(text string) (number float64, recorded bool) {
	if text == "" || strings.EqualFold(text, "nan") || strings.EqualFold(text, "na") {
		return 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN(), true
	}
	return number, true
}

// localForms are the ways of writing a time without a zone.
var localForms = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// at reads a time, or a day of which the hour is not known. Local times of the hour
// that comes twice in autumn are told apart by the order of the file: the first time
// round while it does not step back behind last.
func (l *Layout) at(text string, last time.Time) (at time.Time, dayOnly bool, err error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), false, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		at, err = l.after(seconds)
		return at, false, err
	}
	day, err := time.Parse(time.DateOnly, text)
	if dayOnly = err == nil; dayOnly {
		day = day.Add(12 * time.Hour)
	} else if day, err = local(text); err != nil {
		return time.Time{}, false, err
	}
	if l.Zone == nil {
		return time.Time{}, false, errors.New("the time has no zone and none was given")
	}
	at, err = inZone(day, l.Zone, last)
	return at, dayOnly, err
}

// after is so many seconds after the start.
func (l *Layout) after(seconds float64) (time.Time, error) {
	if math.IsNaN(seconds) || math.Abs(seconds) > 1e9 {
		return time.Time{}, errors.New("not a number of seconds from the start")
	}
	if l.Start.IsZero() {
		return time.Time{}, errors.New("the time is in seconds and no start was given")
	}
	return l.Start.Add(time.Duration(math.Round(seconds*1000)) * time.Millisecond).UTC(), nil
}

// local reads a time without a zone.
func local(text string) (time.Time, error) {
	for _, form := range localForms {
		if wall, err := time.Parse(form, text); err == nil {
			return wall, nil
		}
	}
	return time.Time{}, errors.New("not a time: RFC 3339, a local time as 2006-01-02T15:04:05, a day as 2006-01-02, or seconds from the start")
}

func inZone(wall time.Time, zone *time.Location, last time.Time) (time.Time, error) {
	y, m, d := wall.Date()
	t := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	if t.Hour() != wall.Hour() || t.Minute() != wall.Minute() {
		return time.Time{}, errors.New("this local time does not exist: the clocks went forward over it")
	}
	// time.Date may give either of the two instants of a repeated hour.
	if first := t.Add(-time.Hour); sameClock(first, t) {
		t = first
	}
	if second := t.Add(time.Hour); t.Before(last) && sameClock(second, t) {
		t = second
	}
	return t.UTC(), nil
}

func sameClock(a, b time.Time) bool {
	return a.Hour() == b.Hour() && a.Minute() == b.Minute() && a.Day() == b.Day()
}
