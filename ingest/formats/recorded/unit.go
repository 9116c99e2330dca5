package recorded

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/protocols"
)

// survey is what a file as a whole says of its cells.
type survey struct {
	columns     []columnSeen // by component
	decimal     commas
	newestFirst bool
	form        string // of the times, one of localForms
	dates       order
	numeric     []string // ways of writing dates of numbers, where their order is known

	layout   *Layout
	places   *places
	last     time.Time // wall clock of the row before
	up, down int       // rows after and before the row before
	kind     string    // of the rows that hold a value
	kinds    int       // 2 where there are several
}

// columnSeen is what is known of the column of one component.
type columnSeen struct {
	unit string         // UCUM
	said bool           // the unit stands in the header, or a person says it
	n    int            // numbers without a unit of their own
	fits map[string]int // how many of them an instrument can report, by unit
}

// survey reads the file once for what no single row tells: the unit, what a comma
// parts, the direction of time, kinds of rows.
func (t *table) survey(l *Layout) (*survey, error) {
	s := &survey{columns: make([]columnSeen, len(l.Measure.Components)), decimal: commas(l.Decimal), layout: l, places: &t.places, form: l.TimeForm}
	for i, place := range t.places.values {
		if place < 0 {
			continue
		}
		if err := s.unitOfColumn(i, t.header[place]); err != nil {
			return nil, err
		}
	}
	if l.Decimal == 0 && t.commas() {
		if err := t.each(s.commas); err != nil {
			return nil, err
		}
	}
	if err := s.dayOrMonth(t); err != nil {
		return nil, err
	}
	if err := t.each(t.telling(0, s.row)); err != nil {
		return nil, err
	}
	s.newestFirst = s.down > s.up
	if s.kinds > 1 {
		kind := strings.TrimSpace(t.header[t.places.kind])
		return nil, fmt.Errorf("the column %q tells several kinds of rows apart: say which one counts with --where %q, or with --where %q that all do", kind, kind+"=WORD", kind+"=")
	}
	for i := range s.columns {
		if err := s.doubtful(i); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// dayOrMonth finds out which of two numbers of a date is the day. The lines before the
// header may tell: the day on which the file was written.
func (s *survey) dayOrMonth(t *table) error {
	if s.layout.TimeForm != "" || !t.begins(func(row []string) bool {
		when, ok := s.places.when(row)
		_, _, numeric := numericDate(when)
		return ok && numeric
	}) {
		return nil
	}
	err := t.each(func(_ int, row []string) {
		if when, ok := s.places.when(row); ok {
			s.dates.look(when)
		}
	})
	if err != nil {
		return err
	}
	if s.dates == (order{}) {
		for _, line := range t.before {
			for _, cell := range line {
				s.dates.look(cell)
			}
		}
	}
	s.numeric = s.dates.forms()
	return nil
}

// unitOfColumn is the unit that a person, the header or else the measure says.
func (s *survey) unitOfColumn(component int, header string) error {
	l, column := s.layout, &s.columns[component]
	c := &l.Measure.Components[component]
	header = strings.TrimSpace(header)
	column.unit = unitIn(l.Measure, component, header)
	column.said = column.unit != ""
	if other := bracketed(header); !column.said && protocols.KnownUnit(other) {
		return fmt.Errorf("the header of the column %q says %s; %s is given in %s", header, other, l.Measure.ID, strings.Join(l.Measure.UnitsFor(component), " or "))
	}
	if l.Unit == "" || c.Own {
		if !column.said {
			column.unit = c.Unit
		}
		return nil
	}
	given := protocols.Canonical(l.Unit)
	if column.said && column.unit != given {
		return fmt.Errorf("the header of the column %q says %s, and --unit says %s: leave --unit out, or correct the header", header, column.unit, l.Unit)
	}
	column.unit, column.said = given, true
	return nil
}

// commas looks for a comma that surely parts decimals.
func (s *survey) commas(_ int, row []string) {
	for _, place := range s.places.values {
		if place >= 0 && place < len(row) && decimals(strings.TrimSpace(row[place])) {
			if number, err := numberOf(strings.TrimSpace(row[place]), parts); err == nil && number == number {
				s.decimal = parts
			}
		}
	}
}

// row takes in one row.
func (s *survey) row(_ int, row []string) {
	when, ok := s.places.when(row)
	if !ok || !s.places.kept(row) {
		return
	}
	if wall, ok := s.wall(when); ok {
		if wall.After(s.last) && !s.last.IsZero() {
			s.up++
		} else if wall.Before(s.last) {
			s.down++
		}
		s.last = wall
	}
	holds := false
	for i, place := range s.places.values {
		if place < 0 || place >= len(row) {
			continue
		}
		found, err := s.cell(s.layout, s.places.part(i, row[place]), i)
		if err != nil || found.blank || found.number != found.number {
			continue
		}
		holds = true
		s.count(i, found)
	}
	if holds {
		s.kindOf(row)
	}
}

// wall reads a local time, of which the order of the file matters. An instant needs none.
func (s *survey) wall(text string) (wall time.Time, ok bool) {
	if s.layout.TimeForm != "" {
		wall, err := time.Parse(s.layout.TimeForm, text)
		return wall, err == nil
	}
	if _, ok := instant(text); ok {
		return wall, false
	}
	wall, err := local(text, &s.form, s.numeric)
	return wall, err == nil
}

func (s *survey) kindOf(row []string) {
	place := s.places.kind
	if place < 0 || place >= len(row) {
		return
	}
	if _, chosen := s.places.where[place]; chosen {
		return
	}
	kind := strings.TrimSpace(row[place])
	if s.kinds == 0 {
		s.kind, s.kinds = kind, 1
	} else if kind != s.kind {
		s.kinds = 2
	}
}

// count notes in which units a number without one is possible.
func (s *survey) count(component int, found cell) {
	column, m := &s.columns[component], s.layout.Measure
	if column.said || found.own {
		return
	}
	column.n++
	if column.fits == nil {
		column.fits = map[string]int{}
	}
	c := &m.Components[component]
	for _, unit := range m.UnitsFor(component) {
		if number, ok := m.Convert(component, found.number, unit); ok && number >= c.Low.Float() && number <= c.High.Float() {
			column.fits[unit]++
		}
	}
}

// doubtful refuses a column without a unit whose numbers another unit explains: at
// least half of them are what an instrument can report in it.
func (s *survey) doubtful(component int) error {
	column, m := &s.columns[component], s.layout.Measure
	if column.n == 0 {
		return nil
	}
	best, doubtful := column.unit, false
	var possible []string
	for _, unit := range m.UnitsFor(component) {
		n := column.fits[unit]
		if n > column.fits[best] {
			best = unit
		}
		if 2*n >= column.n {
			possible, doubtful = append(possible, unit), doubtful || unit != column.unit
		}
	}
	if !doubtful {
		return nil
	}
	suggested := ""
	if best != column.unit {
		suggested = "; the range of the values suggests " + best
	}
	return fmt.Errorf("the column %q does not say its unit, and its values are possible in %s%s: say which it is with --unit",
		s.layout.Columns[m.Components[component].Name], strings.Join(possible, " or "), suggested)
}

// unitIn is the unit of a component that stands in a header: in brackets, as its last
// word, or as all of it. Empty where there is none.
func unitIn(m *protocols.Measure, component int, header string) string {
	words := strings.FieldsFunc(header, func(r rune) bool { return strings.ContainsRune("()[]{} _", r) })
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	if utf8.RuneCountInString(last) < 2 && bracketed(header) == "" && last != "%" {
		return ""
	}
	return unitOf(m, component, last)
}

// bracketed is the UCUM code of what stands in brackets at the end of a header.
func bracketed(header string) string {
	begin := strings.LastIndexAny(header, "([")
	if begin < 0 || !strings.ContainsAny(header[len(header)-1:], ")]") || begin+1 >= len(header)-1 {
		return ""
	}
	return protocols.Canonical(header[begin+1 : len(header)-1])
}

// unitOf is the UCUM code of a word that is a unit of the component; empty when it is
// none.
func unitOf(m *protocols.Measure, component int, word string) string {
	word = strings.TrimSpace(word)
	if word == "" {
		return ""
	}
	for _, spelled := range []string{word, strings.ToLower(word)} {
		unit := protocols.Canonical(spelled)
		if _, suits := m.Convert(component, 0, unit); suits && unit != "" {
			return unit
		}
	}
	return ""
}
