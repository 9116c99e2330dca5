package ingest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// Part is readings that a store would forget together: all of one patient and one
// measure.
type Part struct {
	Place    int64 // where the store keeps them; parts come in this order
	Patient  string
	Measure  *protocols.Measure
	Readings []*protocols.Reading
}

// Proven is a part that InfluxDB was seen to hold.
type Proven struct {
	Place   int64
	Patient string
	Measure *protocols.Measure
	Sum     Sum // of its readings

	// Replaced are those that were struck out and told anew since: InfluxDB holds what
	// replaced them, under their name. They go with the rest, and are not recorded.
	Replaced []*protocols.Reading
}

// Recorded are the readings of a part that InfluxDB holds.
func (p *Proven) Recorded(readings []*protocols.Reading) []*protocols.Reading {
	if len(p.Replaced) == 0 {
		return readings
	}
	var recorded []*protocols.Reading
	for _, r := range readings {
		if !r.Struck || !slices.ContainsFunc(p.Replaced, func(other *protocols.Reading) bool { return momentOf(other) == momentOf(r) }) {
			recorded = append(recorded, r)
		}
	}
	return recorded
}

// Forgetter is a store that can forget readings which InfluxDB holds as well.
type Forgetter interface {
	Remembering
	// Forgettable returns some of the readings measured before a time, beginning
	// behind a place, and the place to go on from; 0 when there is no more. What a
	// reader of the journal has not read yet is not among them.
	Forgettable(ctx context.Context, before time.Time, after int64) (parts []Part, next int64, err error)
	// Forget forgets parts in one transaction and records their sums. A part that
	// no longer has the sum that was proven stays. It returns how many readings went.
	Forget(ctx context.Context, before time.Time, parts []Proven) (forgotten int, err error)
	// Ended drops what is recorded as forgotten of the days before a time: InfluxDB
	// has deleted those, as it had to.
	Ended(ctx context.Context, before time.Time) error
}

// Difference counts readings of one measure and day that InfluxDB does not hold as
// the store does: they stay.
type Difference struct {
	Measure  *protocols.Measure
	Day      time.Time // its beginning, in UTC
	Readings int
}

// Proof is what came of a try to forget.
type Proof struct {
	Forgotten int
	Differing []Difference // ordered by day, then measure
}

// The most that is asked of InfluxDB at a time.
const provenPatients = 50

// Forget forgets what was measured before a time. Each reading is first read back
// from InfluxDB and compared; one that is missing there, or is not the same, stays.
func Forget(ctx context.Context, store Forgetter, beyond Beyond, before time.Time) (Proof, error) {
	var proof Proof
	differing := map[measureDay]*Difference{}
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return proof, err
		}
		parts, next, err := store.Forgettable(ctx, before, after)
		if err != nil {
			return proof, fmt.Errorf("see what may be forgotten: %w", err)
		}
		proven, err := prove(ctx, store, beyond, parts, differing)
		if err != nil {
			return proof, fmt.Errorf("see whether InfluxDB holds what is to be forgotten: %w", err)
		}
		if len(proven) > 0 {
			forgotten, err := store.Forget(ctx, before, proven)
			if err != nil {
				return proof, fmt.Errorf("forget what InfluxDB holds: %w", err)
			}
			proof.Forgotten += forgotten
		}
		if next == 0 {
			break
		}
		after = next
	}
	for _, d := range differing {
		proof.Differing = append(proof.Differing, *d)
	}
	slices.SortFunc(proof.Differing, func(a, b Difference) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Measure.ID, b.Measure.ID))
	})
	return proof, nil
}

// prove returns the parts of which every reading stands in InfluxDB as it is.
func prove(ctx context.Context, store Remembering, beyond Beyond, parts []Part, differing map[measureDay]*Difference) (proven []Proven, err error) {
	byMeasure := map[*protocols.Measure][]Part{}
	for _, p := range parts {
		byMeasure[p.Measure] = append(byMeasure[p.Measure], p)
	}
	for _, m := range slices.SortedFunc(maps.Keys(byMeasure), func(a, b *protocols.Measure) int { return cmp.Compare(a.ID, b.ID) }) {
		for of := range together(byMeasure[m]) {
			there, err := standing(ctx, beyond, m, of)
			if err != nil {
				return nil, err
			}
			for i := range of {
				replaced, all, err := holds(ctx, store, there, &of[i], differing)
				if err != nil {
					return nil, err
				}
				if all {
					proven = append(proven, Proven{Place: of[i].Place, Patient: of[i].Patient, Measure: m, Sum: SumOf(of[i].Readings), Replaced: replaced})
				}
			}
		}
	}
	return proven, nil
}

// together cuts parts into groups of few enough patients.
func together(parts []Part) func(yield func([]Part) bool) {
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(a.Patient, b.Patient) })
	return func(yield func([]Part) bool) {
		for len(parts) > 0 {
			n, patients := 1, 1
			for n < len(parts) && patients <= provenPatients {
				if parts[n].Patient != parts[n-1].Patient {
					patients++
				}
				n++
			}
			if !yield(parts[:n]) {
				return
			}
			parts = parts[n:]
		}
	}
}

// owned is a moment of a patient.
type owned struct {
	patient string
	moment  moment
}

// standing reads back what InfluxDB holds around the readings of some parts.
func standing(ctx context.Context, beyond Beyond, m *protocols.Measure, parts []Part) (map[owned]Sum, error) {
	asked := Asked{Measures: []*protocols.Measure{m}}
	wanted := map[owned]bool{}
	for _, p := range parts {
		if !slices.Contains(asked.Patients, p.Patient) {
			asked.Patients = append(asked.Patients, p.Patient)
		}
		for _, r := range p.Readings {
			wanted[owned{p.Patient, momentOf(r)}] = true
			if asked.From.IsZero() || r.Time.Before(asked.From) {
				asked.From = r.Time
			}
			if !r.Time.Before(asked.To) {
				asked.To = r.Time.Add(1)
			}
		}
	}
	there := map[owned]Sum{}
	err := beyond.Points(ctx, asked, func(point Point) error {
		at := owned{point.Reading.Patient, momentOf(point.Reading)}
		if wanted[at] {
			sum := there[at]
			sum.Add(point.Reading)
			there[at] = sum
		}
		return nil
	})
	return there, err
}

// holds reports whether InfluxDB holds every reading of a part, or what has replaced it,
// and counts those that it does not.
func holds(ctx context.Context, store Remembering, there map[owned]Sum, p *Part, differing map[measureDay]*Difference) (replaced []*protocols.Reading, all bool, err error) {
	all = true
	for _, r := range p.Readings {
		point := there[owned{p.Patient, momentOf(r)}]
		if point == SumOf([]*protocols.Reading{r}) {
			continue
		}
		whose, err := replacing(ctx, store, p, r, point)
		if err != nil {
			return nil, false, err
		}
		switch whose {
		case ofThePart, wasForgotten:
			replaced = append(replaced, r)
			continue
		case ofAnother: // r goes after it, since a re-send of it is told by the id of r
			all = false
			continue
		}
		all = false
		at := measureDayOf(r)
		if differing[at] == nil {
			differing[at] = &Difference{Measure: r.Measure, Day: DayOf(r.Time)}
		}
		differing[at].Readings++
	}
	return replaced, all, nil
}

// replacement says where a reading is that replaced one that was struck out.
type replacement int

const (
	noReplacement replacement = iota
	ofThePart
	ofAnother    // part, which the store holds
	wasForgotten // by the store; InfluxDB holds it
)

// replacing finds what replaced a reading of a part: what stands in InfluxDB under the same
// name. Both are one point there.
func replacing(ctx context.Context, store Remembering, p *Part, r *protocols.Reading, point Sum) (found replacement, err error) {
	if !r.Struck || point.Readings != 1 {
		return noReplacement, nil
	}
	is := func(other *protocols.Reading) bool {
		return momentOf(other) == momentOf(r) && SumOf([]*protocols.Reading{other}) == point
	}
	if slices.ContainsFunc(p.Readings, is) {
		return ofThePart, nil
	}
	err = store.History(ctx, p.Patient, p.Measure, r.Time, r.Time.Add(1), func(other *protocols.Reading) bool {
		if is(other) {
			found = ofAnother
		}
		return found == noReplacement
	})
	if err != nil || found != noReplacement {
		return found, err
	}
	forgotten, err := store.Forgotten(ctx, p.Patient, p.Measure, r.Time, r.Time.Add(1))
	if err == nil && len(forgotten.Days) > 0 {
		found = wasForgotten
	}
	return found, err
}
