package recorded

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// Description is what a person says of a file: as little as is needed. Of an export that
// is recognised nothing needs to be said.
type Description struct {
	Export     string   // the export that the file is, where it is not recognised
	Measures   []string // what it measures; of an export those to be read, all when empty
	Columns    []string // of each measure of one component, in their order
	Components []string // name=COLUMN, of a measure of several
	TimeColumn string
	DateColumn string
	TimeForm   string // how times are written, where they could mean two
	HeaderLine int
	Zone       *time.Location // of times without one; nil refuses them
	Start      time.Time      // from which seconds count
	Variant    string
	Unit       string
	Low, High  float64
	Decimal    string   // comma or point
	Where      []string // COLUMN=WORD
	Device     string   // that the readings are said to come from
	Patient    string
	// Observed is the protocol that they are read for: where no variant is said, a series
	// is of the one that it continuously observes. May be nil.
	Observed *protocols.Protocol
}

// Layouts describes a file once for each measure in it. open opens it, and is not called
// where the columns are said.
func (d *Description) Layouts(open func() (io.ReadCloser, error)) ([]Layout, error) {
	known, err := d.Recognise(open)
	switch {
	case err != nil:
		return nil, err
	case known == nil && len(d.Measures) == 0:
		return nil, fmt.Errorf("%w: say what the series measures with --measure, for example --measure glucose", ErrUnknownLayout)
	case known == nil && len(d.Components) == 0 && len(d.Columns) != len(d.Measures):
		return nil, errors.New("give one --column for each --measure, or --component name=COLUMN for a measure of several components")
	}
	said, err := d.common()
	if err != nil {
		return nil, err
	}
	if known != nil {
		for i := range known.Layouts {
			known.Layouts[i].take(&said)
		}
		return known.Layouts, nil
	}
	var layouts []Layout
	for i, id := range d.Measures {
		l := said
		if l.Measure = protocols.MeasureByID(id); l.Measure == nil {
			return nil, fmt.Errorf("%q is not a measure: vigie measures lists them", id)
		}
		if l.Columns, err = d.columnsOf(l.Measure, i); err != nil {
			return nil, err
		}
		if l.Variant, err = d.variantOf(l.Measure); err != nil {
			return nil, err
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

// common is what is said of every measure of the file.
func (d *Description) common() (l Layout, err error) {
	l = Layout{
		Unit: d.Unit, TimeColumn: d.TimeColumn, DateColumn: d.DateColumn, HeaderLine: d.HeaderLine, Zone: d.Zone, Start: d.Start,
		Low: d.Low, High: d.High, Device: d.Device, Patient: d.Patient,
	}
	if l.Decimal, err = DecimalOf(d.Decimal); err != nil {
		return l, fmt.Errorf("--decimal: %w", err)
	}
	if l.TimeForm, err = TimeFormOf(d.TimeForm); err != nil {
		return l, fmt.Errorf("--time-format: %w", err)
	}
	if l.Where, err = WhereOf(d.Where); err != nil {
		return l, fmt.Errorf("--where: %w", err)
	}
	return l, nil
}

// take takes over what is said of a file whose export is known.
func (l *Layout) take(said *Layout) {
	l.Unit, l.HeaderLine, l.Zone, l.Start, l.Device, l.Patient, l.Decimal = said.Unit, said.HeaderLine, said.Zone, said.Start, said.Device, said.Patient, said.Decimal
	l.Low, l.High, l.TimeForm = cmp.Or(said.Low, l.Low), cmp.Or(said.High, l.High), cmp.Or(said.TimeForm, l.TimeForm)
	maps.Copy(l.Where, said.Where)
}

// Recognise is the export that a file is, with the measures that are asked for. Nil where
// the columns are said, or where none is known.
func (d *Description) Recognise(open func() (io.ReadCloser, error)) (known *Recognised, err error) {
	if d.Export == "" && len(d.Columns)+len(d.Components) > 0 {
		return nil, nil
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	known, err = Recognise(file, d.Export)
	switch {
	case errors.Is(err, ErrUnknownLayout) && d.Export == "":
		return nil, nil
	case err != nil:
		return nil, err
	}
	if len(d.Measures) > 0 {
		known.Layouts = slices.DeleteFunc(known.Layouts, func(l Layout) bool { return !slices.Contains(d.Measures, l.Measure.ID) })
	}
	return known, nil
}

// columnsOf maps components to columns: the only one, or those named.
func (d *Description) columnsOf(m *protocols.Measure, place int) (map[string]string, error) {
	columns := map[string]string{}
	for _, text := range d.Components {
		name, column, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("--component %q: write name=COLUMN, for example systolic=SBP", text)
		}
		if m.Component(name) >= 0 {
			columns[name] = column
		} else if len(d.Measures) == 1 {
			return nil, fmt.Errorf("%s has no component %q: vigie measures lists them", m.ID, name)
		}
	}
	if len(columns) == 0 && place < len(d.Columns) {
		columns[m.Components[0].Name] = d.Columns[place]
	}
	return columns, nil
}

// variantOf is the variant that is said, or else the one that is continuously observed.
func (d *Description) variantOf(m *protocols.Measure) (uint8, error) {
	if d.Variant != "" && (len(m.Variants) > 0 || len(d.Measures) == 1) {
		v := m.Variant(d.Variant)
		if v == 0 {
			return 0, fmt.Errorf("%s has no variant %q; it has %s", m.ID, d.Variant, strings.Join(m.Variants, ", "))
		}
		return uint8(v), nil
	}
	if d.Observed == nil {
		return 0, nil
	}
	for _, o := range d.Observed.Observations {
		if o.Measure == m && o.Cadence.Every > 0 {
			return o.Variant, nil
		}
	}
	return 0, nil
}
