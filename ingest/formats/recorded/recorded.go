// Package recorded reads series that were recorded elsewhere, from CSV files:
// a header, then one row per sample with a column of times and one column per
// component of one measure. The simulator plays such a series as a device; the
// replay evaluates it against a care protocol. Both read it here, so that a
// file means the same to either.
//
// These ways of writing the time are told apart for each row:
//
//   - "2015-06-06T21:50:27+02:00", with or without the colons, the T and the seconds:
//     an instant, as is "1775421029000", milliseconds or seconds since 1970;
//   - "2015-06-06T21:50:27" or "2015-06-06 21:50": local, without a zone, read
//     in Layout.Zone and refused when there is none;
//   - "2015-06-06": a day, of which the hour is not known; the reading stands at noon
//     in Layout.Zone, and counts in windows of civil days only;
//   - "481" or "0.5": seconds from Layout.Start.
//
// A day and a time of day may stand in two columns. What is written otherwise is said
// with Layout.TimeForm. "03/04/2026" means two days: it is read where another date of the
// file tells which number is the day, and refused elsewhere without TimeForm. A column
// is named by its header, or by its number from the left, "#3", where there is none.
//
// Columns are parted by commas, semicolons or tabs, whichever the header has most
// of. Decimals may be written after one; numbers.go says when that is ambiguous.
//
// A file says its unit in a header, in a cell or not at all. unit.go says when it is
// refused because two units are possible.
package recorded

import (
	"fmt"
	"io"
	"maps"
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
	Unit       string            // UCUM, of all columns; empty for what the file says, or else the canonical unit of each
	TimeColumn string            // its header, or its number: "#1"
	DateColumn string            // of the day, where TimeColumn holds the time of day alone; empty for none
	TimeForm   string            // how local times are written, from TimeFormOf; empty for the usual ways
	HeaderLine int               // line of the header, from 1; 0 to find it
	Zone       *time.Location    // of times without one; nil refuses them
	Start      time.Time         // what seconds are counted from
	Device     string            // that the readings are said to come from
	Patient    string            // pseudonymous

	// Mark tells the ids of these readings from those of another column of the same
	// file: "-scan".
	Mark string

	// Sparse says that a row without a cell of the measure is of another one: it is not
	// told.
	Sparse bool

	// Low and High are what "Low" and "High" stand for, in the unit of the columns;
	// 0 refuses such a cell.
	Low, High float64
	// Decimal is what parts the decimals where a number can be read in two ways: a
	// comma or a point; 0 refuses it.
	Decimal rune
	// Where keeps the rows that have this word in this column; an empty word keeps all.
	Where map[string]string

	// Told is called from time to time with how many lines were read, of how many; nil
	// for nobody. The file is read twice: a line counts for a half each time.
	Told func(done, of int)
}

// DecimalOf reads what parts decimals: "comma", "point", or nothing where nobody says.
func DecimalOf(word string) (rune, error) {
	switch word {
	case "":
		return 0, nil
	case "comma":
		return ',', nil
	case "point":
		return '.', nil
	}
	return 0, fmt.Errorf("%q is neither comma nor point", word)
}

// WhereOf reads conditions on rows, each written COLUMN=WORD.
func WhereOf(conditions []string) (map[string]string, error) {
	where := map[string]string{}
	for _, condition := range conditions {
		column, word, found := strings.Cut(condition, "=")
		if !found {
			return nil, fmt.Errorf("%q: write COLUMN=WORD, for example \"Event Type=EGV\"", condition)
		}
		where[column] = word
	}
	return where, nil
}

// Series is what a file holds.
type Series struct {
	// Readings are in the order of the file, each row that repeats another once.
	// Their ids follow from the measure and the time, so that reading a file twice
	// gives the same ids.
	Readings []protocols.Reading
	Skipped  []Skip // rows that could not be used
	LeftOut  []Skip // optional components of rows that could, which could not
	Person   Person // whom the file names
}

// Skip is a row, or an optional component of one, that could not be used.
type Skip struct {
	Line   int // from 1, the header included
	Column string
	Why    protocols.Text // a sentence; it holds no value of the file
}

// Read reads a whole file. It fails when the layout does not fit the header or the
// measure, when the file is not CSV, or when it can mean two things; the error then
// names the option that settles it. A row that the service would set aside is skipped
// and listed: one that is blank, holds no number, is out of the instrument's range
// or contradicts itself.
func Read(file io.Reader, layout Layout) (*Series, error) {
	if err := layout.check(); err != nil {
		return nil, err
	}
	table, err := open(file, &layout)
	if err != nil {
		return nil, err
	}
	table.told = layout.Told
	seen, err := table.survey(&layout)
	if err != nil {
		return nil, err
	}
	reader := reader{layout: layout, places: table.places, seen: seen}
	for _, c := range layout.Measure.Components {
		reader.names = append(reader.names, []byte(c.Name))
	}
	if err := table.each(table.telling(1, reader.row)); err != nil {
		return nil, err
	}
	series := reader.end()
	series.Person = table.person()
	return series, nil
}

// places tells where in a row things are: the time, then each component or −1.
type places struct {
	time   int
	date   int // or −1
	values []int
	kind   int            // the column that tells kinds of rows apart, or −1
	where  map[int]string // the word that a column has to hold
}

// missingColumn is the error of a line that is not the header.
type missingColumn struct{ name string }

func (m missingColumn) Error() string { return fmt.Sprintf("the series has no column %q", m.name) }

// check holds the layout to its measure.
func (l *Layout) check() error {
	for name := range l.Columns {
		component := l.Measure.Component(name)
		if component < 0 {
			return fmt.Errorf("%s has no component %q; it has %s", l.Measure.ID, name, componentNames(l.Measure))
		}
		if _, suits := l.Measure.Convert(component, 0, protocols.Canonical(l.Unit)); l.Unit != "" && !suits && !l.Measure.Components[component].Own {
			return fmt.Errorf("%s is not given in %s but in %s", l.Measure.ID, l.Unit, strings.Join(l.Measure.UnitsFor(component), " or "))
		}
	}
	for _, c := range l.Measure.Components {
		if _, given := l.Columns[c.Name]; !given && !c.Optional {
			return fmt.Errorf("no column was given for the component %q of %s", c.Name, l.Measure.ID)
		}
	}
	return nil
}

// locate finds the columns in a line. The error is a missingColumn where it is not
// the header.
func (l *Layout) locate(header []string) (places, error) {
	column := func(name string) int {
		at := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == name })
		if number, ok := numbered(name); at < 0 && ok && number < len(header) {
			return number
		}
		return at
	}
	found := places{time: column(l.TimeColumn), date: -1, values: make([]int, len(l.Measure.Components)), kind: kindColumn(header), where: map[int]string{}}
	if found.time < 0 {
		return found, missingColumn{l.TimeColumn}
	}
	if l.DateColumn != "" {
		if found.date = column(l.DateColumn); found.date < 0 {
			return found, missingColumn{l.DateColumn}
		}
	}
	for i, c := range l.Measure.Components {
		found.values[i] = -1
		header, given := l.Columns[c.Name]
		if !given {
			continue
		}
		if found.values[i] = column(header); found.values[i] < 0 {
			return found, missingColumn{header}
		}
	}
	for name, word := range l.Where {
		place := column(name)
		if place < 0 {
			return found, missingColumn{name}
		}
		found.where[place] = word
	}
	return found, nil
}

// numbered is the place of a column that is named by its number: "#1" is the first.
func numbered(name string) (place int, ok bool) {
	digits, marked := strings.CutPrefix(name, "#")
	number, err := strconv.Atoi(digits)
	return number - 1, marked && err == nil && number > 0
}

// byNumber reports whether every column is named by its number.
func (l *Layout) byNumber() bool {
	names := []string{l.TimeColumn}
	if l.DateColumn != "" {
		names = append(names, l.DateColumn)
	}
	names = slices.AppendSeq(slices.AppendSeq(names, maps.Values(l.Columns)), maps.Keys(l.Where))
	return !slices.ContainsFunc(names, func(name string) bool { _, ok := numbered(name); return !ok })
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
	seen     *survey
	series   Series
	lines    []int // of the readings
	last     time.Time
	names    [][]byte       // of the components
	units    values.Units   // of the row at hand
	given    []values.Given // likewise
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

// when is the time of a row as it is written. It reports false where the row is too short.
func (p *places) when(row []string) (text string, ok bool) {
	if p.time >= len(row) || p.date >= len(row) {
		return "", false
	}
	text = strings.TrimSpace(row[p.time])
	if p.date >= 0 {
		text = strings.TrimSpace(row[p.date]) + " " + text
	}
	return text, true
}

// kept reports whether --where keeps a row.
func (p *places) kept(row []string) bool {
	for place, word := range p.where {
		if word != "" && (place >= len(row) || !strings.EqualFold(strings.TrimSpace(row[place]), word)) {
			return false
		}
	}
	return true
}

// part is the part of a cell that is of a component: "120/80" holds two where two
// components are said to stand in its column.
func (p *places) part(component int, cell string) string {
	before, all := 0, 0
	for i, place := range p.values {
		if place == p.values[component] {
			all++
			if i < component {
				before++
			}
		}
	}
	if all == 1 {
		return cell
	}
	parts := strings.Split(cell, "/")
	if before >= len(parts) {
		return ""
	}
	return parts[before]
}

func (r *reader) skip(line int, column string, why error) {
	r.series.Skipped = append(r.series.Skipped, Skip{line, column, sentence(why)})
}

func (r *reader) row(line int, row []string) {
	when, ok := r.places.when(row)
	if !ok {
		r.skip(line, r.layout.TimeColumn, errShort)
		return
	}
	if !r.places.kept(row) {
		r.skip(line, "", errOtherKind)
		return
	}
	at, dayOnly, err := r.layout.at(when, clock{r.last, r.seen.newestFirst, &r.seen.form, r.seen.numeric})
	if err != nil {
		r.skip(line, r.layout.TimeColumn, err)
		return
	}
	r.last = at
	if !r.components(line, row) {
		return
	}
	into := r.room()
	r.resolver.Resolve(r.layout.Measure, r.given, &r.units, into)
	if len(r.resolver.Reasons) > 0 {
		first := r.resolver.Reasons[0]
		r.series.Skipped = append(r.series.Skipped, Skip{line, r.column(first), why(r.layout.Measure, first)})
		return
	}
	for _, w := range r.resolver.Warnings {
		r.series.LeftOut = append(r.series.LeftOut, Skip{line, r.column(w), why(r.layout.Measure, w)})
	}
	r.lines = append(r.lines, line)
	if len(r.chunk) == cap(r.chunk) {
		r.chunks = append(r.chunks, r.chunk)
		r.chunk = make([]protocols.Reading, 0, chunkRows)
	}
	r.chunk = append(r.chunk, protocols.Reading{
		Device: r.layout.Device, Patient: r.layout.Patient, Time: at, DayOnly: dayOnly,
		Measure: r.layout.Measure, Variant: r.layout.Variant, Values: into, Battery: -1,
		Limits: r.resolver.Limits,
	})
}

// components reads the numbers of a row. It reports false when the row ends before
// its last column, or a cell can mean two things.
func (r *reader) components(line int, row []string) bool {
	r.given = r.given[:0]
	r.units = values.Units{Object: true, Each: r.units.Each[:0]}
	for i, place := range r.places.values {
		c := &r.layout.Measure.Components[i]
		switch {
		case place < 0:
			continue
		case place >= len(row):
			r.skip(line, r.layout.Columns[c.Name], errShort)
			return false
		}
		cell, err := r.seen.cell(&r.layout, r.places.part(i, row[place]), i)
		if err != nil {
			r.skip(line, r.layout.Columns[c.Name], err)
			return false
		}
		if cell.blank {
			continue
		}
		r.given = append(r.given, values.Given{Name: r.names[i], Number: cell.number, Limit: cell.limit})
		r.units.Each = append(r.units.Each, values.Unit{Component: r.names[i], Unit: []byte(cell.unit)})
	}
	return len(r.given) > 0 || !r.layout.Sparse
}

// column is the header of the column that a reason is about.
func (r *reader) column(reason protocols.Reason) string {
	if header, known := r.layout.Columns[strings.TrimPrefix(strings.TrimPrefix(reason.Path, "values."), "unit.")]; known {
		return header
	}
	for _, c := range r.layout.Measure.Components { // one of several that may be given
		if header, known := r.layout.Columns[c.Name]; known {
			return header
		}
	}
	return r.layout.TimeColumn
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
				values := fmt.Sprint(all[i].Values, all[i].Limits)
				if said[values] {
					repeated[i] = true
					continue
				}
				said[values] = true
			}
			number++
			all[i].ID = all[i].Measure.ID + r.layout.Mark + "-" + all[i].Time.Format("20060102T150405.999999999Z")
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
			r.skip(r.lines[i], r.layout.TimeColumn, errRepeated)
			continue
		}
		kept = append(kept, all[i])
	}
	r.series.Readings = kept
	slices.SortStableFunc(r.series.Skipped, func(a, b Skip) int { return a.Line - b.Line })
}
