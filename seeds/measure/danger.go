package measure

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// dangers finds the alerts that the table of danger forces, whatever a protocol says.
type dangers struct {
	lines    []*danger.Line
	readings []*protocols.Reading // of one patient, in canonical order
}

func (m *Trial) dangersOf(patient *simulation.Patient) dangers {
	return dangers{danger.Of(m.Protocol), patient.Readings}
}

// behind reports whether the latest reading of something that made an alert ring lies
// beyond a line, in the component that made it ring.
func (d dangers) behind(why *protocols.Explanation) bool {
	for i := range why.Comparisons {
		c := &why.Comparisons[i]
		if !c.Reason || c.Flag != "" {
			continue
		}
		latest := d.latest(why, c.Measure)
		if latest == nil {
			continue
		}
		beyond := func(l *danger.Line) bool {
			return (l.Component == "" || l.Component == c.Component) && l.Beyond(latest)
		}
		if slices.ContainsFunc(d.lines, beyond) {
			return true
		}
	}
	return false
}

// latest is the latest reading of a measure that an explanation cites; nil for none.
func (d dangers) latest(why *protocols.Explanation, measure string) *protocols.Reading {
	for _, cited := range slices.Backward(why.Readings) {
		if cited.Measure != measure {
			continue
		}
		from, _ := slices.BinarySearchFunc(d.readings, cited.Time, func(r *protocols.Reading, t time.Time) int { return r.Time.Compare(t) })
		for _, r := range d.readings[from:] {
			if r.ID == cited.ID && r.Device == cited.Device {
				return r
			}
			if r.Time.After(cited.Time) {
				break
			}
		}
	}
	return nil
}

// parted counts the clinical rows behind which such a value is.
func (m *Trial) parted(calm *replay.Outcome) (beyond int) {
	own := &replay.Outcome{}
	for i := range calm.Alerts {
		if m.classOf(&calm.Alerts[i]) == clinicalAlert {
			own.Alerts = append(own.Alerts, calm.Alerts[i])
		}
	}
	for _, row := range own.Rows(m.dealt) {
		if row.Danger {
			beyond++
		}
	}
	return beyond
}
